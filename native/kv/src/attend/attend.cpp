// The public functions of attention: which instruction set computes it, and the merge of partial results.
#include "attend.h"
#include "isa.h"
#include "scratch.h"
#include <cmath>

size_t lkv_scratch_bytes(int32_t head_k, int32_t head_v, int32_t n_rows) { return lkv::scratchOf(head_k, head_v, n_rows).total; }

void lkv_attend(const lkv_attention * a) {
    switch (lkv_isa_in_use()) {
#if defined(LKV_X86)
        case LKV_ISA_AVX512: lkv::attendAvx512(*a); break;
        case LKV_ISA_AVX2: lkv::attendAvx2(*a); break;
#elif defined(LKV_ARM64)
        case LKV_ISA_NEON: lkv::attendNeon(*a); break;
#endif
        default: lkv::attendScalar(*a); break;
    }
}

// One code serves both: a tile of cells is expanded once for all rows of a call, and up to eight rows at a time stay in registers. Products of
// bytes with few rows proved faster than any other kernel for many, too.
void lkv_attend_tiled(const lkv_attention * a) { lkv_attend(a); }

void lkv_merge(int32_t n_rows, int32_t head_v, float * max_a, float * sum_a, float * out_a, const float * max_b, const float * sum_b, const float * out_b) {
    for (int32_t r = 0; r < n_rows; r++) {
        if (!(max_b[r] > -INFINITY)) {
            continue;
        }
        float * to = out_a + (size_t) r * (size_t) head_v;
        const float * from = out_b + (size_t) r * (size_t) head_v;
        const bool higher = !(max_a[r] >= max_b[r]);
        const float max = higher ? max_b[r] : max_a[r];
        const float fade_a = max_a[r] > -INFINITY ? std::exp(max_a[r] - max) : 0.0f, fade_b = std::exp(max_b[r] - max);
        for (int32_t i = 0; i < head_v; i++) {
            to[i] = to[i] * fade_a + from[i] * fade_b;
        }
        sum_a[r] = sum_a[r] * fade_a + sum_b[r] * fade_b;
        max_a[r] = max;
    }
}
