#pragma once

// Real models, contexts over them, and what their logits say.

#include "check.h"

#include "ggml.h"
#include "llama.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace models {

inline std::string & folder() {
    static std::string path;
    return path;
}

// everything that llama.cpp has said since it was last emptied
inline std::string & captured_log() {
    static std::string text;
    return text;
}
inline void log(ggml_log_level, const char * text, void *) { captured_log() += text; }

// what the last call logged contains this
inline bool said(const std::string & text) { return captured_log().find(text) != std::string::npos; }

constexpr const char * GEMMA = "gemma-3-270m-q4_k_m.gguf";
constexpr const char * QWEN  = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";

inline std::map<std::string, llama_model *> & loaded() {
    static std::map<std::string, llama_model *> all;
    return all;
}

// loaded once for all tests
inline llama_model * get(const char * name) {
    llama_model *& model = loaded()[name];
    if (!model) {
        model = llama_model_load_from_file((folder() + "/" + name).c_str(), llama_model_default_params());
    }
    if (!model) {
        throw std::runtime_error("cannot load " + folder() + "/" + name);
    }
    return model;
}

inline void unload() {
    for (auto & [_, model] : loaded()) {
        llama_model_free(model);
    }
    loaded().clear();
}

// sets a variable of the environment until the end of the scope
class with_env {
public:
    with_env(const char * name, const char * value) : name(name) { setenv(name, value, 1); }
    ~with_env() { unsetenv(name); }
    with_env(const with_env &) = delete;
    with_env & operator=(const with_env &) = delete;
private:
    const char * name;
};

using context = std::unique_ptr<llama_context, decltype(&llama_free)>;

struct shape {
    ggml_type k = GGML_TYPE_F16, v = GGML_TYPE_F16;
    uint32_t n_ctx = 1024, n_batch = 512, n_seq = 1;
    bool unified = true;
    int threads = 1; // more would wait for each other on a busy machine
    llama_flash_attn_type flash = LLAMA_FLASH_ATTN_TYPE_ENABLED;
};

// the presets of the product; mixed keys have a block that divides the model's heads
inline std::vector<shape> presets(const char * model) {
    const bool small = std::string(model) == QWEN;
    const ggml_type compact = small ? GGML_TYPE_KV43M_32 : GGML_TYPE_KV43M, smallest = small ? GGML_TYPE_KV3M_32 : GGML_TYPE_KV3M;
    return { { GGML_TYPE_KV8, GGML_TYPE_KV5 }, { GGML_TYPE_KV5, GGML_TYPE_KV4 }, { compact, GGML_TYPE_KV3 }, { smallest, GGML_TYPE_KV2 } };
}

// whether `what` is refused with these words
inline bool throws(const std::function<void()> & what, const std::string & text) {
    try {
        what();
    } catch (const std::runtime_error & error) {
        return strstr(error.what(), text.c_str()) != nullptr;
    }
    return false;
}

// nullptr inside when it is refused
inline context try_make(llama_model * model, const shape & s) {
    captured_log().clear();
    auto p = llama_context_default_params();
    p.n_ctx = s.n_ctx;
    p.n_batch = p.n_ubatch = s.n_batch;
    p.n_seq_max = s.n_seq;
    p.kv_unified = s.unified;
    p.n_threads = p.n_threads_batch = s.threads;
    p.flash_attn_type = s.flash;
    p.type_k = s.k;
    p.type_v = s.v;
    return context(llama_init_from_model(model, p), llama_free);
}

inline context make(llama_model * model, const shape & s) {
    context c = try_make(model, s);
    if (!c) {
        throw std::runtime_error("no context:\n" + captured_log());
    }
    return c;
}

// the same text on every run, with words that come again, as in code
inline std::vector<llama_token> text(llama_model * model, size_t n) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    std::string source;
    const char * names[] = { "count", "buffer", "index", "reader", "offset", "limit", "name", "row" };
    for (int i = 0; source.size() < n*8; i++) {
        const char * a = names[i*5 % 8], * b = names[(i*3 + 1) % 8];
        source += "int " + std::string(a) + "_" + std::to_string(i % 13) + "(int " + b + ") {\n    return " + b + "*" + std::to_string(i*7 % 31) + " + " + a + ";\n}\n";
    }
    std::vector<llama_token> tokens(source.size() + 8);
    const int32_t got = llama_tokenize(vocab, source.data(), (int32_t) source.size(), tokens.data(), (int32_t) tokens.size(), true, false);
    CHECK(got >= (int32_t) n);
    tokens.resize(n);
    return tokens;
}

using rows = std::vector<std::vector<float>>;

// Decodes tokens [from, to) of a text at positions first_pos + their index, `step` tokens to a batch; the logits of the last `keep` of them.
inline rows decode(llama_context * ctx, const std::vector<llama_token> & tokens, size_t from, size_t to, size_t step, size_t keep = 1,
        llama_pos first_pos = 0, llama_seq_id seq = 0) {
    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(ctx)));
    rows result;
    llama_batch batch = llama_batch_init((int32_t) step, 0, 1);
    for (size_t begin = from; begin < to; begin += step) {
        batch.n_tokens = 0;
        for (size_t i = begin; i < std::min(begin + step, to); i++) {
            const int32_t n = batch.n_tokens++;
            batch.token[n]     = tokens[i];
            batch.pos[n]       = first_pos + (llama_pos) i;
            batch.n_seq_id[n]  = 1;
            batch.seq_id[n][0] = seq;
            batch.logits[n]    = i + keep >= to;
        }
        const int status = llama_decode(ctx, batch);
        if (status != 0) {
            llama_batch_free(batch);
            throw std::runtime_error("llama_decode returned " + std::to_string(status) + "\n" + captured_log());
        }
        for (int32_t n = 0; n < batch.n_tokens; n++) {
            if (batch.logits[n]) {
                const float * logits = llama_get_logits_ith(ctx, n);
                result.emplace_back(logits, logits + n_vocab);
            }
        }
    }
    llama_batch_free(batch);
    return result;
}

inline bool finite(const rows & r) {
    for (const auto & row : r) {
        for (const float x : row) {
            if (!std::isfinite(x)) {
                return false;
            }
        }
    }
    return true;
}

// mean Kullback-Leibler divergence of the next token, from `base` to `other`; NaN when a logit is none
inline double divergence(const rows & base, const rows & other) {
    CHECK(base.size() == other.size() && !base.empty());
    double total = 0;
    for (size_t r = 0; r < base.size(); r++) {
        const auto log_sum = [](const std::vector<float> & x) {
            double max = -INFINITY, sum = 0;
            for (const float v : x) { max = std::max<double>(max, v); }
            for (const float v : x) { sum += std::exp(v - max); }
            return max + std::log(sum);
        };
        const double a = log_sum(base[r]), b = log_sum(other[r]);
        for (size_t i = 0; i < base[r].size(); i++) {
            const double p = base[r][i] - a;
            total += std::exp(p)*(p - (other[r][i] - b));
        }
    }
    return total/base.size();
}

} // namespace models
