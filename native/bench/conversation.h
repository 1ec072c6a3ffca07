// A model with one growing text, and questions about it: the work of answer.cpp, which says what goes in and comes out.
#pragma once

#include "cacheType.h"
#include "llama.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using json   = nlohmann::ordered_json;
using tokens = std::vector<llama_token>;

constexpr int n_batch = 512; // also the largest number of questions at a time

inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

inline tokens tokenize(const llama_vocab * vocab, const std::string & text, bool control) {
    tokens result(text.size() + 1); // a token has at least one byte, but for what a tokenizer puts in front
    int n = llama_tokenize(vocab, text.data(), (int) text.size(), result.data(), (int) result.size(), false, control);
    if (n < 0) {
        result.resize(-n);
        n = llama_tokenize(vocab, text.data(), (int) text.size(), result.data(), (int) result.size(), false, control);
    }
    result.resize(n);
    return result;
}

inline tokens tokenize(const llama_vocab * vocab, const json & parts) {
    tokens result;
    for (const auto & part : parts) {
        const tokens more = tokenize(vocab, part.at("text").get<std::string>(), part.value("control", false));
        result.insert(result.end(), more.begin(), more.end());
    }
    return result;
}

inline std::string detokenize(const llama_vocab * vocab, const tokens & from) {
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
        const double answered = now();
        for (size_t i = 0; i < questions.size(); i++) {
            if (questions[i].value("score", false)) {
                const tokens reference = (questions[i].contains("reference") ? questions[i].at("reference") : answers[i].at("tokens")).get<tokens>();
                answers[i]["log_probability"] = log_probability(questions[i], reference);
            }
        }
        return { { "position", n_text }, { "prefill_s", asked - begin }, { "answer_s", answered - asked }, { "answers", answers } };
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

    void prefill(llama_seq_id sequence, const tokens & text, llama_pos position) {
        for (size_t i = 0; i < text.size(); i += n_batch) {
            const size_t end = std::min(text.size(), i + n_batch);
            batch.n_tokens = 0;
            for (size_t j = i; j < end; j++) {
                add(text[j], position + (llama_pos) j, sequence, j + 1 == text.size());
            }
            decode();
        }
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

    // Makes `sequence` a copy of the text with the question behind it, the last token of which is the last one of the batch. Returns the next position.
    llama_pos pose(const json & question, llama_seq_id sequence) {
        tokens text = tokenize(vocab, question.at("text"));
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
        prefill(sequence, text, n_text);
        return n_text + (llama_pos) text.size();
    }

    // of `said` after the question, in nats
    double log_probability(const json & question, const tokens & said) {
        const llama_pos position = pose(question, 1);
        double sum = said.empty() ? 0 : log_probability(batch.n_tokens - 1, said[0]);
        batch.n_tokens = 0;
        for (size_t i = 0; i + 1 < said.size(); i++) {
            add(said[i], position + (llama_pos) i, 1, true);
        }
        if (batch.n_tokens > 0) {
            decode();
        }
        for (size_t i = 1; i < said.size(); i++) {
            sum += log_probability((int) i - 1, said[i]);
        }
        return sum;
    }

    // of a token after entry i of the batch
    double log_probability(int i, llama_token token) const {
        const float * logits = llama_get_logits_ith(context.get(), i);
        const int n = llama_vocab_n_tokens(vocab);
        const double greatest = *std::max_element(logits, logits + n);
        double sum = 0;
        for (int j = 0; j < n; j++) {
            sum += std::exp(logits[j] - greatest);
        }
        return logits[token] - greatest - std::log(sum);
    }

    // questions first to last - 1, in sequences 1 and up
    std::vector<answer> ask(const json & questions, size_t first, size_t last) {
        std::vector<answer> answers;
        for (size_t i = first; i < last; i++) {
            const llama_seq_id sequence = 1 + (llama_seq_id) (i - first);
            answer a;
            a.limit    = questions[i].at("tokens").get<size_t>();
            a.position = pose(questions[i], sequence);
            take(a, likeliest(batch.n_tokens - 1));
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
