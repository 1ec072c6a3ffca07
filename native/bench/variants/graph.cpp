#include "graph.h"

#include "variant.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace variants {
namespace {

struct Chosen {
    std::unique_ptr<const Variant> keys, values;

    Chosen() {
        const char * text = getenv("LOUPE_KV_VARIANT");
        std::string rest = text ? text : "";
        while (!rest.empty()) {
            const size_t end = std::min(rest.find(','), rest.size());
            const std::string part = rest.substr(0, end);
            rest.erase(0, end + 1);
            if (part.rfind("keys:", 0) == 0) {
                keys = parse(part.substr(5));
            } else if (part.rfind("values:", 0) == 0) {
                values = parse(part.substr(7));
            } else {
                throw std::invalid_argument("LOUPE_KV_VARIANT: neither keys: nor values: in '" + part + "'");
            }
        }
    }
};

const Chosen & all() {
    static const Chosen chosen;
    return chosen;
}

/* A thread takes whole heads, as a variant may look at all tokens of one. */
void compute(const Variant & variant, int32_t rotation, ggml_tensor * dst, int ith, int nth) {
    const ggml_tensor * src = dst->src[0];
    const int32_t size = (int32_t) dst->ne[0];
    std::vector<float> rows((size_t) size * dst->ne[2]);
    const auto at = [&](const ggml_tensor * t, int64_t head, int64_t token) { return (char *) t->data + head * t->nb[1] + token * t->nb[2]; };
    for (int64_t head = ith; head < dst->ne[1]; head += nth) {
        for (int64_t i = 0; i < dst->ne[2]; i++) memcpy(rows.data() + i * size, at(src, head, i), size * sizeof(float));
        variant.store(Rows{rows.data(), dst->ne[2], size, rotation});
        for (int64_t i = 0; i < dst->ne[2]; i++) memcpy(at(dst, head, i), rows.data() + i * size, size * sizeof(float));
    }
}

void computeKeys(ggml_tensor * dst, int ith, int nth, void * layer) {
    compute(*all().keys, ((const llama_kv_quant::layer *) layer)->had_k, dst, ith, nth);
}

void computeValues(ggml_tensor * dst, int ith, int nth, void * layer) {
    compute(*all().values, ((const llama_kv_quant::layer *) layer)->had_v, dst, ith, nth);
}

ggml_tensor * build(ggml_context * ctx, ggml_tensor * rows, const llama_kv_quant::layer & layer, const Variant * variant, ggml_custom_op_t op, const char * what) {
    if (!variant) return rows;
    if (layer.type_k != GGML_TYPE_F16 || layer.type_v != GGML_TYPE_F16) throw std::runtime_error("LOUPE_KV_VARIANT needs a cache in F16");
    static const Variant * said[2];
    const Variant *& mine = said[variant == all().values.get()];
    if (mine != variant) fprintf(stderr, "loupe variants: %s: %.4f bits\n", what, variant->bits((int32_t) rows->ne[0])); // the bench reads it
    mine = variant;
    return ggml_custom_4d(ctx, GGML_TYPE_F32, rows->ne[0], rows->ne[1], rows->ne[2], 1, &rows, 1, op, GGML_N_TASKS_MAX, const_cast<llama_kv_quant::layer *>(&layer));
}

} // namespace

bool chosen() { return all().keys || all().values; }

ggml_tensor * buildKeys(ggml_context * ctx, ggml_tensor * rows, const llama_kv_quant::layer & layer) {
    return build(ctx, rows, layer, all().keys.get(), computeKeys, "keys");
}

ggml_tensor * buildValues(ggml_context * ctx, ggml_tensor * rows, const llama_kv_quant::layer & layer) {
    // The transform of values serves the result of the attention too, which has the heads of the queries.
    if (layer.n_head == layer.n_head_kv && all().values) throw std::runtime_error("LOUPE_KV_VARIANT needs query heads that share key heads");
    return rows->ne[1] == layer.n_head_kv ? build(ctx, rows, layer, all().values.get(), computeValues, "values") : rows;
}

uint32_t newestTokens(uint32_t usual, uint32_t most) {
    static const char * text = getenv("LOUPE_KV_NEWEST");
    return text ? std::min((uint32_t) std::max(atoi(text), 0), most) : usual;
}

} // namespace variants
