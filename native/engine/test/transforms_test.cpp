// llama-kv-quant: the transforms of queries, keys and values leave the scores and the values what they were.

#include "models.h"
#include "transforms.h"

using namespace models;

TEST("transforms: scores over transformed keys are those of the plain ones, at any position, in every layer") {
    for (const char * name : { GEMMA, QWEN }) {
        const llama_model & model = *get(name);
        const auto quant = make_quant(model, model.hparams, GGML_TYPE_KV5, GGML_TYPE_KV4);
        const auto mixed = make_quant(model, model.hparams, GGML_TYPE_KV3M, GGML_TYPE_KV4);
        bool has_bias = false;
        for (uint32_t il = 0; il < model.hparams.n_layer_all; il++) {
            for (const int32_t first : {0, 63, 16000, 30000}) {
                check::context() = std::string(name) + ", layer " + std::to_string(il) + " at " + std::to_string(first);
                const score_error e = compare_scores(*quant, model.hparams, il, first);
                // products and sums in F32, a biased key several hundred times as large as the rest of it
                CHECK_AT_MOST(e.of_scores, 2e-6);
                has_bias = has_bias || e.n_pairs > 0;
                CHECK_AT_MOST(compare_scores(*mixed, model.hparams, il, first).of_scores, 2e-6);
            }
        }
        CHECK(has_bias);
    }
}

TEST("transforms: values come back as they were") {
    for (const char * name : { GEMMA, QWEN }) {
        const llama_model & model = *get(name);
        const auto quant = make_quant(model, model.hparams, GGML_TYPE_KV5, GGML_TYPE_KV4);
        for (uint32_t il = 0; il < model.hparams.n_layer_all; il += 5) {
            CHECK_AT_MOST(compare_values(*quant, model.hparams, il), 1e-6);
        }
    }
}

// F16 keys and values are rounded to 11 bits with the transforms as without; through the layers, whose matrices are quantised themselves, that
// becomes a divergence which a cache in F32 shows: what the transforms add may not be more than that again.
TEST("transforms: over F16 the model says the same up to the rounding of F16, near and far") {
    for (const char * name : { GEMMA, QWEN }) {
        llama_model * model = get(name);
        const auto tokens = text(model, 96);
        const size_t keep = 64;
        for (const llama_pos first : {0, 16000}) {
            check::context() = std::string(name) + " at " + std::to_string(first);
            shape whole { GGML_TYPE_F32, GGML_TYPE_F32 };
            whole.flash = LLAMA_FLASH_ATTN_TYPE_DISABLED; // flash attention would take an F32 cache as F16
            const rows exact = decode(make(model, whole).get(), tokens, 0, 96, 96, keep, first);
            const rows plain = decode(make(model, {}).get(), tokens, 0, 96, 96, keep, first);
            const with_env on("LOUPE_KV_TRANSFORM_F16", "1");
            context c = make(model, {});
            const rows ours = decode(c.get(), tokens, 0, 96, 96, keep, first);
            CHECK(!llama_memory_can_shift(llama_get_memory(c.get()))); // so it is really on
            const double rounding = divergence(exact, plain), with = divergence(exact, ours);
            check::context() += ": F16 diverges by " + std::to_string(1e3*rounding) + "e-3, with the transforms by " + std::to_string(1e3*with) + "e-3";
            if (getenv("LOUPE_TEST_SHOW")) { printf("     %s\n", check::context().c_str()); }
            CHECK_AT_MOST(with, 2*rounding);
        }
    }
}

TEST("transforms: positions cannot be shifted") {
    llama_model * model = get(QWEN);
    CHECK(llama_memory_can_shift(llama_get_memory(make(model, {}).get())));
    CHECK(!llama_memory_can_shift(llama_get_memory(make(model, { GGML_TYPE_KV5, GGML_TYPE_KV4 }).get())));
}
