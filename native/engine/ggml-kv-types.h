#pragma once

// The cache formats of loupe_kv.h as tensor types. Numbers far above upstream's, because upstream goes on counting.

#include "ggml.h"
#include "loupe_kv.h"

// X(upper, lower, values of a block, its bytes)
#define GGML_KV_TYPES(X) \
    X(KV2,    kv2,    64, 17) X(KV3,    kv3,    64, 25) X(KV4,    kv4,    64, 33) X(KV5,    kv5,    64, 41) X(KV8,    kv8,    64, 65) \
    X(KV2_32, kv2_32, 32,  9) X(KV3_32, kv3_32, 32, 13) X(KV4_32, kv4_32, 32, 17) X(KV5_32, kv5_32, 32, 21) X(KV8_32, kv8_32, 32, 33) \
    X(KV3M, kv3m, 128, 50) X(KV3M_32, kv3m_32, 64, 26) X(KV43M, kv43m, 128, 58) X(KV43M_32, kv43m_32, 64, 30)

static inline bool ggml_is_kv_type(enum ggml_type type) {
    return type >= GGML_TYPE_KV2 && type <= GGML_TYPE_KV43M_32;
}

// for keys only, whose channels have been parted by energy
static inline bool ggml_is_mixed_kv_type(enum ggml_type type) {
    return type >= GGML_TYPE_KV3M && type <= GGML_TYPE_KV43M_32;
}

// format of a cache tensor; only for F16 and the types above
static inline enum lkv_format ggml_kv_format(enum ggml_type type) {
    return type == GGML_TYPE_F16 ? LKV_F16 : (enum lkv_format) ((int) type - (int) GGML_TYPE_KV2 + (int) LKV_KV2);
}
