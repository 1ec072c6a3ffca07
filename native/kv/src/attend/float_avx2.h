// The float operations that the shared parts of attention are written in, for AVX2 with FMA and F16C. Only for translation units
// compiled for it.
#pragma once
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

namespace lkv {

struct Avx2Floats {
    using V = __m256;
    using Mask = __m256;
    static constexpr int W = 8;
    static constexpr int kAccumulators = 12; // that fit into the registers beside the operands

    static inline V load(const float * p) { return _mm256_loadu_ps(p); }
    static inline void store(float * p, V v) { _mm256_storeu_ps(p, v); }
    static inline V all(float x) { return _mm256_set1_ps(x); }
    static inline V zero() { return _mm256_setzero_ps(); }
    static inline V add(V a, V b) { return _mm256_add_ps(a, b); }
    static inline V sub(V a, V b) { return _mm256_sub_ps(a, b); }
    static inline V mul(V a, V b) { return _mm256_mul_ps(a, b); }
    static inline V div(V a, V b) { return _mm256_div_ps(a, b); }
    static inline V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
    static inline V abs(V a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
    // b where a is no number
    static inline V max(V a, V b) { return _mm256_max_ps(a, b); }
    static inline V min(V a, V b) { return _mm256_min_ps(a, b); }
    static inline Mask less(V a, V b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
    static inline V select(Mask m, V yes, V no) { return _mm256_blendv_ps(no, yes, m); }
    static inline V round(V a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    // a * 2^n for a whole n of at least -126
    static inline V scaleByPower(V a, V n) {
        const __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
        return _mm256_mul_ps(a, _mm256_castsi256_ps(power));
    }
    static inline float maxOf(V a) {
        __m128 x = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
        x = _mm_max_ps(x, _mm_movehl_ps(x, x));
        return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
    }
    static inline float sumOf(V a) {
        __m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
        x = _mm_add_ps(x, _mm_movehl_ps(x, x));
        return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
    }
    static inline V loadHalf(const uint16_t * p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p)); }

    // 8 values of each of 8 cells (halves, `stride` bytes apart) as floats, value by value: out[value * out_stride + cell].
    static inline void transposeHalf(const uint8_t * p, size_t stride, float * out, size_t out_stride) {
        // Cells four apart in each register, four values of each: the transposition then stays within 128-bit lanes.
        for (int part = 0; part < 2; part++) {
            __m256 s[4];
            for (int i = 0; i < 4; i++) {
                const uint8_t * q = p + (size_t) i * stride + 8 * part;
                const __m128i low = _mm_loadl_epi64((const __m128i *) q), high = _mm_loadl_epi64((const __m128i *) (q + 4 * stride));
                s[i] = _mm256_cvtph_ps(_mm_unpacklo_epi64(low, high));
            }
            const __m256d t0 = _mm256_castps_pd(_mm256_unpacklo_ps(s[0], s[1])), t1 = _mm256_castps_pd(_mm256_unpackhi_ps(s[0], s[1]));
            const __m256d t2 = _mm256_castps_pd(_mm256_unpacklo_ps(s[2], s[3])), t3 = _mm256_castps_pd(_mm256_unpackhi_ps(s[2], s[3]));
            float * to = out + (size_t) (4 * part) * out_stride;
            store(to, _mm256_castpd_ps(_mm256_unpacklo_pd(t0, t2)));
            store(to + out_stride, _mm256_castpd_ps(_mm256_unpackhi_pd(t0, t2)));
            store(to + 2 * out_stride, _mm256_castpd_ps(_mm256_unpacklo_pd(t1, t3)));
            store(to + 3 * out_stride, _mm256_castpd_ps(_mm256_unpackhi_pd(t1, t3)));
        }
    }
};

} // namespace lkv
