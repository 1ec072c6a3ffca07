// Greedy answers to many questions about one growing text, with a KV cache of chosen types: what native/bench/recall.mjs asks with.
//
//   answer REQUEST.json RESULT.json
//
// REQUEST, to have answers:
//   {"model": file, "keys": ggml type, "values": ggml type, "cells": n, "parallel": n, "threads": n,
//    "stages": [{"text": TEXT, "questions": [{"text": TEXT, "tokens": n}]}]}
//   TEXT is a row of parts {"text": "...", "control": true}: only parts so marked may become control tokens.
//   Each stage appends its text to what the earlier ones said, then asks. A question continues the text there and is answered with up to
//   "tokens" tokens; it leaves no trace. So one prefill serves all lengths. "cells" must hold the whole text, a question and its answer.
// RESULT: {"isa": name, "stages": [{"position": tokens so far, "prefill_s": s, "answer_s": s,
//   "answers": [{"tokens": [ids], "text": "...", "ended": bool}]}]}; the token that ends an answer is not part of it.
//
// REQUEST, to count tokens: {"model": file, "count": [strings]}; RESULT: {"counts": [n]}.
//
// The text is sequence 0. "parallel" questions at a time are sequences of their own, each with a copy of it, as an application that
// shares a prefix between conversations would have them (llama_memory_seq_cp between streams of the cache), and decode together: the
// weights, which are most of what a token reads, are read once for all of them. A question that has its answer decodes on until the last
// one of its group has too, and what it says then is dropped: so the composition of the batches, which decides how sums are rounded,
// follows from the request alone as long as the answers are equally long at their longest.

#include "cacheType.h"
#include "llama.h"
#include "loupe_kv.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using json   = nlohmann::ordered_json;
using tokens = std::vector<llama_token>;

namespace {

constexpr int n_batch = 512; // also the largest number of questions at a time

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

tokens tokenize(const llama_vocab * vocab, const std::string & text, bool control) {
    tokens result(text.size() + 1); // a token has at least one byte, but for what a tokenizer puts in front
    int n = llama_tokenize(vocab, text.data(), (int) text.size(), result.data(), (int) result.size(), false, control);
    if (n < 0) {
        result.resize(-n);
        n = llama_tokenize(vocab, text.data(), (int) text.size(), result.data(), (int) result.size(), false, control);
    }
    result.resize(n);
    return result;
}

tokens tokenize(const llama_vocab * vocab, const json & parts) {
    tokens result;
    for (const auto & part : parts) {
        const tokens more = tokenize(vocab, part.at("text").get<std::string>(), part.value("control", false));
        result.insert(result.end(), more.begin(), more.end());
    }
    return result;
}

std::string detokenize(const llama_vocab * vocab, const tokens & from) {
    std::string text(from.size()*8 + 32, '\0');
    int n = llama_detokenize(vocab, from.data(), (int) from.size(), text.data(), (int) text.size(), false, true);
    if (n < 0) {
        text.resize(-n);
        n = llama_detokenize(vocab, from.data(), (int) from.size(), text.data(), (int) text.size(), false, true);
    }
    text.resize(n);
    return text;
}

struct answer {
    tokens said;
    size_t limit;        // tokens that it may have
    llama_token next;    // chosen, not decoded yet
    llama_pos position;  // of next
    bool ended = false;  // by a token that ends a turn

    bool done() const { return ended || said.size() >= limit; }
};

// A model with one context: sequence 0 holds the text, 1 to parallel the questions.
class conversation {
public:
    conversation(llama_model * model, const json & request)
        : vocab(llama_model_get_vocab(model)), n_parallel(request.at("parallel").get<int>()), batch(llama_batch_init(n_batch, 0, 1)) {
        if (n_parallel < 1 || n_parallel + 1 > (int) llama_max_parallel_sequences() || n_parallel > n_batch) {
            throw std::runtime_error("so many questions at a time are not possible: " + std::to_string(n_parallel));
        }
        auto params = llama_context_default_params();
        params.n_seq_max  = n_parallel + 1;
        params.n_ctx      = request.at("cells").get<uint32_t>()*params.n_seq_max;
        params.n_batch    = params.n_ubatch = n_batch;
        params.kv_unified = false; // a stream of cells for each sequence, with its own newest tokens in F16
        params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
        params.type_k = cache_type_named(request.at("keys").get<std::string>());
        params.type_v = cache_type_named(request.at("values").get<std::string>());
        params.n_threads = params.n_threads_batch = request.at("threads").get<int>();
        context.reset(llama_init_from_model(model, params));
        if (!context) {
            throw std::runtime_error("no context with these cache types");
        }
        memory = llama_get_memory(context.get());
    }
    ~conversation() { llama_batch_free(batch); }
    conversation(const conversation &) = delete;
    conversation & operator=(const conversation &) = delete;

    // Appends parts to the text and answers the questions about it.
    json stage(const json & parts, const json & questions) {
        const double begin = now();
        tokens text = tokenize(vocab, parts);
        if (n_text == 0 && llama_vocab_get_add_bos(vocab) && !text.empty()) {
            text.insert(text.begin(), llama_vocab_bos(vocab));
        }
        if (!text.empty()) {
            prefill(0, text, n_text);
            n_text += (llama_pos) text.size();
        }
        const double asked = now();

        json answers = json::array();
        for (size_t first = 0; first < questions.size(); first += n_parallel) {
            const size_t last = std::min(questions.size(), first + n_parallel);
            for (const answer & a : ask(questions, first, last)) {
                answers.push_back({ { "tokens", a.said }, { "text", detokenize(vocab, a.said) }, { "ended", a.ended } });
            }
        }
        return { { "position", n_text }, { "prefill_s", asked - begin }, { "answer_s", now() - asked }, { "answers", answers } };
    }

private:
    // Decodes what is in the batch.
    void decode() {
        if (const int status = llama_decode(context.get(), batch)) {
            throw std::runtime_error("llama_decode ended with " + std::to_string(status) + (status == 1 ? ": too few cells" : ""));
        }
    }

    void add(llama_token token, llama_pos position, llama_seq_id sequence, bool logits) {
        const int i = batch.n_tokens++;
        batch.token[i]     = token;
        batch.pos[i]       = position;
        batch.n_seq_id[i]  = 1;
        batch.seq_id[i][0] = sequence;
        batch.logits[i]    = logits;
    }

    // the likeliest token after entry i of the batch; of equally likely ones the first
    llama_token likeliest(int i) const {
        const float * logits = llama_get_logits_ith(context.get(), i);
        return (llama_token) (std::max_element(logits, logits + llama_vocab_n_tokens(vocab)) - logits);
    }

    // Returns the likeliest token after them.
    llama_token prefill(llama_seq_id sequence, const tokens & text, llama_pos position) {
        for (size_t i = 0; i < text.size(); i += n_batch) {
            const size_t end = std::min(text.size(), i + n_batch);
            batch.n_tokens = 0;
            for (size_t j = i; j < end; j++) {
                add(text[j], position + (llama_pos) j, sequence, j + 1 == text.size());
            }
            decode();
        }
        return likeliest(batch.n_tokens - 1);
    }

    // a token of the answer: kept unless it ends the turn, or the answer was complete before
    void take(answer & a, llama_token token) const {
        a.next = token;
        if (!a.done()) {
            a.ended = llama_vocab_is_eog(vocab, token);
            if (!a.ended) {
                a.said.push_back(token);
            }
        }
    }

    // questions first to last - 1, in sequences 1 and up
    std::vector<answer> ask(const json & questions, size_t first, size_t last) {
        std::vector<answer> answers;
        for (size_t i = first; i < last; i++) {
            const llama_seq_id sequence = 1 + (llama_seq_id) (i - first);
            tokens text = tokenize(vocab, questions[i].at("text"));
            if (n_text == 0 && llama_vocab_get_add_bos(vocab)) {
                text.insert(text.begin(), llama_vocab_bos(vocab));
            }
            if (text.empty()) {
                throw std::runtime_error("a question without text");
            }
            llama_memory_seq_rm(memory, sequence, -1, -1);
            if (n_text > 0) {
                llama_memory_seq_cp(memory, 0, sequence, -1, -1);
            }
            answer a;
            a.limit    = questions[i].at("tokens").get<size_t>();
            a.position = n_text + (llama_pos) text.size();
            take(a, prefill(sequence, text, n_text));
            answers.push_back(a);
        }
        while (!std::all_of(answers.begin(), answers.end(), [](const answer & a) { return a.done(); })) {
            batch.n_tokens = 0;
            for (size_t i = 0; i < answers.size(); i++) {
                add(answers[i].next, answers[i].position++, 1 + (llama_seq_id) i, true);
            }
            decode();
            for (size_t i = 0; i < answers.size(); i++) {
                take(answers[i], likeliest((int) i));
            }
        }
        return answers;
    }

    struct freed { void operator()(llama_context * c) const { llama_free(c); } };

    const llama_vocab * vocab;
    const int n_parallel;
    llama_batch batch;
    std::unique_ptr<llama_context, freed> context;
    llama_memory_t memory = nullptr;
    llama_pos n_text = 0;
};

json run(const json & request) {
    const bool count = request.contains("count");
    auto params = llama_model_default_params();
    params.vocab_only = count;
    struct freed { void operator()(llama_model * m) const { llama_model_free(m); } };
    std::unique_ptr<llama_model, freed> model(llama_model_load_from_file(request.at("model").get<std::string>().c_str(), params));
    if (!model) {
        throw std::runtime_error("the model cannot be loaded");
    }
    if (count) {
        json counts = json::array();
        for (const auto & text : request.at("count")) {
            counts.push_back(tokenize(llama_model_get_vocab(model.get()), text.get<std::string>(), false).size());
        }
        return { { "counts", counts } };
    }

    conversation about(model.get(), request);
    json stages = json::array();
    for (const auto & stage : request.at("stages")) {
        const json result = about.stage(stage.at("text"), stage.at("questions"));
        fprintf(stderr, "%d tokens in %.1f s, %zu answers in %.1f s\n", result.at("position").get<int>(), result.at("prefill_s").get<double>(),
            result.at("answers").size(), result.at("answer_s").get<double>());
        stages.push_back(result);
    }
    return { { "isa", lkv_isa_name(lkv_isa_in_use()) }, { "stages", stages } };
}

} // namespace

int main(int argc, char ** argv) try {
    if (argc != 3) {
        fprintf(stderr, "usage: answer REQUEST.json RESULT.json\n");
        return 2;
    }
    llama_log_set([](ggml_log_level level, const char * text, void *) { if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
    llama_backend_init();
    ggml_backend_load_all();

    std::ifstream in(argv[1]);
    const json result = run(json::parse(in));
    // an answer may be cut in the middle of a character
    std::ofstream out(argv[2]);
    out << result.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    out.close();
    if (!out) {
        throw std::runtime_error("the result cannot be written");
    }
    return 0;
} catch (const std::exception & error) {
    fprintf(stderr, "answer: %s\n", error.what());
    return 1;
}
