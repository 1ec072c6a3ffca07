// llama-kv-measure and what llama-kv-quant makes of it: which transforms a model gets.

#include "models.h"
#include "transforms.h"

#include "llama-kv-quant-transforms.h"

using namespace models;

namespace {

llama_kv_quant::layer layer_of(const llama_model & model, uint32_t il) {
    llama_kv_quant::layer l = {};
    const auto & h = model.hparams;
    l.n_head = h.n_head(il);
    l.n_head_kv = h.n_head_kv(il);
    l.head_k = h.n_embd_head_k(il);
    l.n_rot = h.n_rot(il);
    l.had_k = 32;
    return l;
}

std::vector<float> floats(const ggml_tensor * t) {
    std::vector<float> x(ggml_nelements(t));
    ggml_backend_tensor_get(t, x.data(), 0, ggml_nbytes(t));
    return x;
}

} // namespace

TEST("measure: the mean of Qwen's keys is the bias of their projection, where that is large") {
    const llama_model & model = *get(QWEN);
    const auto measured = kv_measure(model);
    int large = 0;
    for (uint32_t il = 0; il < model.hparams.n_layer(); il++) {
        const auto l = layer_of(model, il);
        const auto m = kv_estimate_of(measured->layers[il], l);
        const auto b = floats(model.layers[il].wk_b);
        CHECK(m.mean.size() == b.size());
        for (size_t i = 0; i < b.size(); i++) {
            if (std::fabs(b[i]) > 30) {
                check::context() = "layer " + std::to_string(il) + ", value " + std::to_string(i);
                CHECK_AT_MOST(std::fabs(m.mean[i] - b[i]), 0.2*std::fabs(b[i]));
                large++;
            }
        }
    }
    CHECK(large > 20);
}

TEST("measure: the mean squares of Gemma's queries and keys are about those of their norm weights") {
    const llama_model & model = *get(GEMMA);
    const auto measured = kv_measure(model);
    for (uint32_t il = 0; il < model.hparams.n_layer(); il++) {
        const auto l = layer_of(model, il);
        const auto m = kv_estimate_of(measured->layers[il], l);
        // a norm makes the mean square of a head 1 before its weight, so the weighted sum is near that of the weights; queries are scaled after it
        const double scale = model.hparams.f_attention_scale;
        for (const bool keys : { false, true }) {
            double sum = 0, of_weights = 0;
            for (size_t i = 0; i < m.k.size(); i++) { sum += keys ? m.k[i] + m.mean[i]*m.mean[i] : m.q[i]/(scale*scale); }
            for (const float w : floats(keys ? model.layers[il].attn_k_norm : model.layers[il].attn_q_norm)) { of_weights += w*w; }
            check::context() = "layer " + std::to_string(il) + ": " + std::to_string(sum/of_weights);
            CHECK(sum/of_weights > 0.2 && sum/of_weights < 5);
        }
    }
}

TEST("measure: once for a model, the same again after it is loaded anew, and not without need") {
    const llama_model & model = *get(QWEN);
    CHECK(kv_measure(model) == kv_measure(model));
    const uint64_t fingerprint = make_quant(model, model.hparams, GGML_TYPE_KV3M_32, GGML_TYPE_KV4)->fingerprint();
    llama_model * again = llama_model_load_from_file((folder() + "/" + QWEN).c_str(), llama_model_default_params());
    CHECK(again && !again->kv_measured);
    make(again, {});
    CHECK(!again->kv_measured); // a cache in F16 needs none
    CHECK(make_quant(*again, again->hparams, GGML_TYPE_KV3M_32, GGML_TYPE_KV4)->fingerprint() == fingerprint);
    llama_model_free(again);
}

TEST("measure: a model that cannot be measured is refused each time it is asked for, and others are measured as before") {
    const auto load = [] { return llama_model_load_from_file((folder() + "/" + QWEN).c_str(), llama_model_default_params()); };
    llama_model * encoder = load(), * decoder = load();
    CHECK(encoder && decoder);
    encoder->arch = LLM_ARCH_T5; // has an encoder too, which such a run would have to feed first
    for (int i = 0; i < 2; i++) {
        CHECK(throws([&] { make_quant(*encoder, encoder->hparams, GGML_TYPE_KV5, GGML_TYPE_KV4); }, "compressed cache types need queries and keys that can be measured"));
        CHECK(!encoder->kv_measured && kv_measured_now() == nullptr);
    }
    encoder->arch = LLM_ARCH_QWEN2;
    CHECK(make_quant(*encoder, encoder->hparams, GGML_TYPE_KV5, GGML_TYPE_KV4)->fingerprint() == make_quant(*decoder, decoder->hparams, GGML_TYPE_KV5, GGML_TYPE_KV4)->fingerprint());
    llama_model_free(encoder);
    llama_model_free(decoder);
}

TEST("measure: in mixed keys every value of a head has a place, and the halves with four bits have most of the energy") {
    for (const char * name : { GEMMA, QWEN }) {
        const llama_model & model = *get(name);
        const auto measured = kv_measure(model);
        for (uint32_t il = 0; il < model.hparams.n_layer(); il++) {
            auto l = layer_of(model, il);
            const auto m = kv_estimate_of(measured->layers[il], l);
            const auto order = kv_order(l, m);
            for (int32_t h = 0; h < l.n_head_kv; h++) {
                std::vector<int> seen(l.head_k);
                double energy[2] = {};
                for (int32_t i = 0; i < l.head_k; i++) {
                    const int32_t from = order[h*l.head_k + i];
                    seen[from]++;
                    energy[i/l.had_k % 2] += m.k[h*l.head_k + from];
                }
                CHECK(std::count(seen.begin(), seen.end(), 1) == l.head_k);
                CHECK(energy[0] > energy[1]);
            }
        }
    }
}

TEST("measure: where the angles of RoPE are not known nothing is taken out of the keys, and those with a large bias get 8 bits") {
    const llama_model & model = *get(QWEN);
    auto other = llama_model_load_from_file((folder() + "/" + QWEN).c_str(), llama_model_default_params());
    CHECK(other);
    other->hparams.rope_scaling_type_train = LLAMA_ROPE_SCALING_TYPE_YARN;
    const auto known = make_quant(model, model.hparams, GGML_TYPE_KV5, GGML_TYPE_KV4), unknown = make_quant(*other, other->hparams, GGML_TYPE_KV5, GGML_TYPE_KV4);
    CHECK(known->needs_positions() && !unknown->needs_positions());
    int eight = 0;
    for (uint32_t il = 0; il < model.hparams.n_layer(); il++) {
        CHECK(known->type_k(il) == GGML_TYPE_KV5);
        eight += unknown->type_k(il) == GGML_TYPE_KV8;
        CHECK_AT_MOST(compare_scores(*unknown, other->hparams, il, 100).of_scores, 2e-6);
    }
    CHECK(eight > 0);
    llama_model_free(other);
}
