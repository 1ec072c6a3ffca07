/* Storage variants in llama.cpp's graph: between the transforms of llama-kv-quant.h, over an F16 cache, and the cache itself. */
#pragma once
#include "ggml.h"
#include "llama-kv-quant.h"

namespace variants {

/*
 * True when the environment variable LOUPE_KV_VARIANT names some: "keys:kv3+qjl1,values:lm3-128", either alone too. With it goes
 * LOUPE_KV_TRANSFORM_F16 and a cache in F16. Throws std::invalid_argument when it names none that there is.
 */
bool chosen();

/* rows: F32 [head, n_head_kv, n_tokens] as the cache would get them -> what a reader of the variant gets; `rows` where none is chosen. */
ggml_tensor * buildKeys(ggml_context * ctx, ggml_tensor * rows, const llama_kv_quant::layer & layer);
ggml_tensor * buildValues(ggml_context * ctx, ggml_tensor * rows, const llama_kv_quant::layer & layer);

/* Tokens before a query that it reads in F16: LOUPE_KV_NEWEST, up to `most`, else `usual`. */
uint32_t newestTokens(uint32_t usual, uint32_t most);

} // namespace variants
