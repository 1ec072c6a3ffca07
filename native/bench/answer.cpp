// Greedy answers to many questions about one growing text, with a KV cache of chosen types: what native/bench/recall.mjs asks with.
//
//   answer REQUEST.json RESULT.json
//
// REQUEST, to have answers:
//   {"model": file, "keys": ggml type, "values": ggml type, "cells": n, "parallel": n, "threads": n,
//    "stages": [{"text": TEXT, "questions": [{"text": TEXT, "tokens": n, "score": bool, "reference": [ids]}]}]}
//   TEXT is a row of parts {"text": "...", "control": true}: only parts so marked may become control tokens.
//   Each stage appends its text to what the earlier ones said, then asks. A question continues the text there and is answered with up to
//   "tokens" tokens; it leaves no trace. So one prefill serves all lengths. "cells" must hold the whole text, a question and its answer.
// RESULT: {"isa": name, "stages": [{"position": tokens so far, "prefill_s": s, "answer_s": s,
//   "answers": [{"tokens": [ids], "text": "...", "ended": bool, "log_probability": nats}]}]}; the token that ends an answer is not part of it.
//   "log_probability", where "score" asks for it, is that of the "reference", an answer of another storage; without one, of the answer itself.
//
// REQUEST, to count tokens: {"model": file, "count": [strings]}; RESULT: {"counts": [n]}.
//
// The text is sequence 0. "parallel" questions at a time are sequences of their own, each with a copy of it, as an application that
// shares a prefix between conversations would have them (llama_memory_seq_cp between streams of the cache), and decode together: the
// weights, which are most of what a token reads, are read once for all of them. A question that has its answer decodes on until the last
// one of its group has too, and what it says then is dropped: so the composition of the batches, which decides how sums are rounded,
// follows from the request alone as long as the answers are equally long at their longest.

#include "conversation.h"
#include "llama.h"
#include "loupe_kv.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

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
