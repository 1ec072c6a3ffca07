// Compiled into ggml-base: what the cache types need there.

#include "ggml-kv-attn.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

void ggml_flash_attn_ext_add_kv_bias(ggml_tensor * node, ggml_tensor * products, ggml_tensor * positions, const ggml_kv_attn_bias * bias) {
    GGML_ASSERT(node->op == GGML_OP_FLASH_ATTN_EXT);
    GGML_ASSERT(products->type == GGML_TYPE_F32 && products->ne[0] == 2*bias->n_pairs && ggml_is_contiguous_rows(products));
    GGML_ASSERT(positions->type == GGML_TYPE_I32 && positions->ne[0] >= node->src[1]->ne[1]);

    node->src[5] = products;
    node->src[6] = positions;
    memcpy(node->op_params + 8, &bias, sizeof(bias));
}

void ggml_flash_attn_ext_add_kv_tail(ggml_tensor * node, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask) {
    GGML_ASSERT(node->op == GGML_OP_FLASH_ATTN_EXT);
    GGML_ASSERT(k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16 && mask->type == GGML_TYPE_F16);
    GGML_ASSERT(k->ne[1] == mask->ne[0] && k->ne[2] == node->src[1]->ne[2]);

    node->src[7] = k;
    node->src[8] = v;
    node->src[9] = mask;
}

static std::atomic<bool> & attn_enabled() {
    static std::atomic<bool> enabled { getenv("LOUPE_KV_ATTN") == nullptr || strcmp(getenv("LOUPE_KV_ATTN"), "off") != 0 };
    return enabled;
}

void ggml_kv_attn_set_enabled(bool enabled) { attn_enabled() = enabled; }
bool ggml_kv_attn_enabled() { return attn_enabled(); }
