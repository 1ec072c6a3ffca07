#pragma once

// Names of caches on the command line: KEYS/VALUES by their ggml types, with "stock:" in front through upstream's kernels, and with "exact:"
// through the transforms of llama-kv-quant.h, which a cache in F16 does not need: for a proof that they are exact.

#include "cacheType.h"
#include "ggml-kv-attn.h"
#include "ggml.h"
#include "llama.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

struct cache_name {
    std::string text;
    bool stock, exact;
    ggml_type type_k, type_v;

    // throws std::runtime_error when it is none
    explicit cache_name(const std::string & text) : text(text), stock(text.rfind("stock:", 0) == 0), exact(text.rfind("exact:", 0) == 0) {
        const std::string types = stock || exact ? text.substr(6) : text;
        const size_t slash = types.find('/');
        if (slash == std::string::npos) {
            throw std::runtime_error("no cache " + text + ": KEYS/VALUES");
        }
        type_k = cache_type_named(types.substr(0, slash));
        type_v = cache_type_named(types.substr(slash + 1));
    }

    // a context for one sequence; throws std::runtime_error
    llama_context * make_context(llama_model * model, uint32_t n_ctx, uint32_t n_batch) const {
        auto params = llama_context_default_params();
        params.n_ctx = n_ctx;
        params.n_batch = params.n_ubatch = n_batch;
        params.swa_full = false; // layers with a window keep what they can see, as in Loupe
        params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
        params.type_k = type_k;
        params.type_v = type_v;
        if (exact) {
            setenv("LOUPE_KV_TRANSFORM_F16", "1", 1);
        } else {
            unsetenv("LOUPE_KV_TRANSFORM_F16");
        }
        llama_context * context = llama_init_from_model(model, params);
        if (!context) {
            throw std::runtime_error("no context for " + text);
        }
        return context;
    }

    // before anything is computed with such a cache: kernels are chosen for the whole process
    void choose_kernels() const { ggml_kv_attn_set_enabled(!stock); }
};
