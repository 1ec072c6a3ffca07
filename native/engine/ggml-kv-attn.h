#pragma once

// Flash attention over the cache formats of loupe_kv.h and over F16, on the CPU.

#include "ggml.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ggml_compute_params;

// What a layer adds to GGML_OP_FLASH_ATTN_EXT: a pointer to this in op_params[8..9], with
//   src[5]: F32 [2*n_pairs, n_head, n_tokens, n_stream], the products of query and key bias (see lkv_bias)
//   src[6]: I32 [n_kv (+ cells of the tail), n_stream], the position of each cell
struct ggml_kv_attn_bias {
    int32_t       n_pairs;
    const float * fine;     // [n_pairs][2][64]
    const float * coarse;   // [n_coarse][n_pairs][2]
    int64_t       n_coarse;
};

// Attaches the sources above to a flash attention node; positions may have more rows than there are cells: those of the tail.
GGML_API void ggml_flash_attn_ext_add_kv_bias(struct ggml_tensor * node, struct ggml_tensor * products, struct ggml_tensor * positions, const struct ggml_kv_attn_bias * bias);

// More cells of the same sequences as F16 rows: src[7], src[8], and src[9], their mask. Their positions follow those of the n_kv cells.
GGML_API void ggml_flash_attn_ext_add_kv_tail(struct ggml_tensor * node, struct ggml_tensor * k, struct ggml_tensor * v, struct ggml_tensor * mask);

// Off: every node goes upstream's way, for comparison. Initially on, unless the environment says LOUPE_KV_ATTN=off. Not while a graph is computed.
GGML_API void ggml_kv_attn_set_enabled(bool enabled);
GGML_API bool ggml_kv_attn_enabled(void);

// true when ggml_compute_forward_flash_attn_kv computes this node
bool ggml_flash_attn_kv_takes(const struct ggml_tensor * node);

// bytes of work data for n_threads threads
size_t ggml_flash_attn_kv_work_size(const struct ggml_tensor * node, int n_threads);

void ggml_compute_forward_flash_attn_kv(const struct ggml_compute_params * params, struct ggml_tensor * node);

#ifdef __cplusplus
}
#endif
