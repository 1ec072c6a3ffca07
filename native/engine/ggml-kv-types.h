#pragma once

// The cache formats of loupe_kv.h as tensor types. Numbers far above upstream's, because upstream goes on counting.

#include "ggml.h"
#include "loupe_kv.h"

// X(upper, lower, bits, block)
#define GGML_KV_TYPES(X) \
    X(KV2,    kv2,    2, 64) X(KV3,    kv3,    3, 64) X(KV4,    kv4,    4, 64) X(KV5,    kv5,    5, 64) X(KV8,    kv8,    8, 64) \
    X(KV2_32, kv2_32, 2, 32) X(KV3_32, kv3_32, 3, 32) X(KV4_32, kv4_32, 4, 32) X(KV5_32, kv5_32, 5, 32) X(KV8_32, kv8_32, 8, 32)

static inline bool ggml_is_kv_type(enum ggml_type type) {
    return type >= GGML_TYPE_KV2 && type <= GGML_TYPE_KV8_32;
}

// format of a cache tensor; only for F16 and the types above
static inline enum lkv_format ggml_kv_format(enum ggml_type type) {
    return type == GGML_TYPE_F16 ? LKV_F16 : (enum lkv_format) ((int) type - (int) GGML_TYPE_KV2 + (int) LKV_KV2);
}
