// What a compressed cache refuses, and weights that no training gives: out of a damaged file, or of one made to harm.

#include "models.h"
#include "transforms.h"

#include <cstdio>
#include <fstream>

#include <unistd.h>

using namespace models;

namespace {

// the weight holds one odd value until the end of the scope
class with_value {
public:
    with_value(ggml_tensor * t, size_t index, float value) : t(t), index(index) {
        CHECK(t && t->type == GGML_TYPE_F32);
        ggml_backend_tensor_get(t, &before, index*sizeof(float), sizeof(float));
        ggml_backend_tensor_set(t, &value, index*sizeof(float), sizeof(float));
    }
    ~with_value() { ggml_backend_tensor_set(t, &before, index*sizeof(float), sizeof(float)); }
    with_value(const with_value &) = delete;
    with_value & operator=(const with_value &) = delete;
private:
    ggml_tensor * t;
    const size_t index;
    float before;
};

// the model is mapped into memory that cannot be written: a copy that can
llama_model * writable(const char * name) {
    llama_model *& model = loaded()[std::string("writable ") + name];
    if (!model) {
        auto params = llama_model_default_params();
        params.load_mode = LLAMA_LOAD_MODE_NONE;
        model = llama_model_load_from_file((folder() + "/" + name).c_str(), params);
    }
    CHECK(model);
    return model;
}

std::string temporary_file() {
    char name[] = "/tmp/loupe-engine-test-XXXXXX";
    const int file = mkstemp(name);
    CHECK(file >= 0);
    close(file);
    return name;
}

} // namespace

TEST("weights: a norm or a bias with NaN, infinity or the largest float leaves every transform finite and exact") {
    struct victim { const char * model; const char * what; ggml_tensor * (* of)(const llama_layer &); };
    const victim victims[] = {
        { GEMMA, "q norm", [](const llama_layer & l) { return l.attn_q_norm; } },
        { GEMMA, "k norm", [](const llama_layer & l) { return l.attn_k_norm; } },
        { QWEN,  "k bias", [](const llama_layer & l) { return l.wk_b; } },
        { QWEN,  "q bias", [](const llama_layer & l) { return l.wq_b; } },
        { QWEN,  "norm before the projections", [](const llama_layer & l) { return l.attn_norm; } },
    };
    for (const victim & v : victims) {
        llama_model & model = *writable(v.model);
        for (const float odd : { NAN, INFINITY, -INFINITY, 1e38f, -1e38f }) {
            check::context() = std::string(v.model) + ", " + v.what + " with " + std::to_string(odd);
            const with_value changed(v.of(model.layers[2]), 5, odd);
            model.kv_measured.reset(); // the weights are no longer those that were measured
            const auto quant = make_quant(model, model.hparams, GGML_TYPE_KV5, GGML_TYPE_KV4, 2);
            CHECK_AT_MOST(compare_scores(*quant, model.hparams, 2, 100).of_scores, 2e-6);
        }
    }
}

TEST("weights: a model with such weights answers something or refuses, without a crash") {
    for (const float odd : { NAN, INFINITY, 1e38f }) {
        llama_model * model = writable(QWEN);
        const with_value changed(model->layers[0].wk_b, 0, odd);
        model->kv_measured.reset();
        context c = make(model, { GGML_TYPE_KV5, GGML_TYPE_KV4 });
        decode(c.get(), text(model, 200), 0, 200, 100);
    }
    // and is as it was afterwards
    llama_model * model = writable(QWEN);
    model->kv_measured.reset();
    CHECK(finite(decode(make(model, { GGML_TYPE_KV5, GGML_TYPE_KV4 }).get(), text(model, 50), 0, 50, 50)));
}

TEST("weights: a file whose norm has another shape is refused with a word") {
    const std::string file = folder() + "/" + GEMMA, copy = temporary_file();
    // names of one length: the norm is then a matrix, and all offsets stay right
    const std::string norm = "blk.0.attn_k_norm.weight", matrix = "blk.0.attn_output.weight";
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    const size_t size = in.tellg();
    std::string head(std::min<size_t>(size, 32 << 20), '\0');
    in.seekg(0);
    in.read(head.data(), head.size());
    const size_t a = head.find(norm), b = head.find(matrix);
    CHECK(a != std::string::npos && b != std::string::npos);
    head.replace(a, norm.size(), matrix);
    head.replace(b, matrix.size(), norm);
    {
        // the weights behind it are never read: a file of holes
        std::ofstream out(copy, std::ios::binary);
        out.write(head.data(), head.size());
        out.seekp(size - 1);
        out.put(0);
    }
    captured_log().clear();
    llama_model * model = llama_model_load_from_file(copy.c_str(), llama_model_default_params());
    std::remove(copy.c_str());
    if (model) {
        llama_model_free(model);
    }
    check::context() = captured_log();
    CHECK(!model && said("wrong shape"));
}

TEST("refusals: keys and values in one latent row (MLA), and head sizes that no block divides") {
    const llama_model & model = *get(QWEN);
    llama_hparams mla = model.hparams;
    mla.n_embd_head_k_mla_impl = mla.n_embd_head_v_mla_impl = 128;
    CHECK(throws([&] { make_quant(model, mla, GGML_TYPE_KV5, GGML_TYPE_KV4); }, "MLA"));

    for (const uint32_t size : { 40u, 80u, 576u }) {
        llama_hparams odd = model.hparams;
        odd.n_embd_head_k_full = size;
        CHECK(throws([&] { make_quant(model, odd, GGML_TYPE_KV5, GGML_TYPE_KV4); }, "head sizes"));
    }
    // 96 is no multiple of 64: blocks of 32 serve
    llama_hparams small = model.hparams;
    small.n_embd_head_k_full = small.n_embd_head_v_full = 96;
    const auto quant = make_quant(model, small, GGML_TYPE_KV5, GGML_TYPE_KV4, 0);
    CHECK(quant->type_k(0) == GGML_TYPE_KV5_32 && quant->type_v(0) == GGML_TYPE_KV4_32);
    // mixed keys need two blocks
    CHECK(make_quant(model, small, GGML_TYPE_KV3M, GGML_TYPE_KV4, 0)->type_k(0) == GGML_TYPE_KV3_32);
    CHECK(make_quant(model, small, GGML_TYPE_KV43M, GGML_TYPE_KV4, 0)->type_k(0) == GGML_TYPE_KV3_32);
    CHECK(make_quant(model, model.hparams, GGML_TYPE_KV3M, GGML_TYPE_KV4, 0)->type_k(0) == GGML_TYPE_KV3M_32);
    CHECK(make_quant(model, model.hparams, GGML_TYPE_KV43M, GGML_TYPE_KV4, 0)->type_k(0) == GGML_TYPE_KV43M_32);
    CHECK(throws([&] { make_quant(model, model.hparams, GGML_TYPE_KV5, GGML_TYPE_KV3M_32); }, "for keys only"));
}

TEST("refusals: a compressed type beside an uncompressed one, and without flash attention") {
    llama_model * model = get(QWEN);
    const ggml_type pairs[][2] = {
        { GGML_TYPE_KV5, GGML_TYPE_F16 }, { GGML_TYPE_F16, GGML_TYPE_KV5 }, { GGML_TYPE_KV5, GGML_TYPE_Q8_0 }, { GGML_TYPE_Q4_0, GGML_TYPE_KV4 },
    };
    for (const auto & [k, v] : pairs) {
        check::context() = std::string(ggml_type_name(k)) + " with " + ggml_type_name(v);
        CHECK(!try_make(model, { k, v }));
        CHECK(said("cannot be used together"));
    }
    shape without { GGML_TYPE_KV5, GGML_TYPE_KV4 };
    without.flash = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    CHECK(!try_make(model, without));
    CHECK(said("flash_attn"));
    without.flash = LLAMA_FLASH_ATTN_TYPE_AUTO; // chosen for it
    CHECK(finite(decode(make(model, without).get(), text(model, 10), 0, 10, 10)));
}
