// The float operations that the shared parts of attention are written in, for AVX-512. Only for translation units compiled for it.
#pragma once
#include <immintrin.h>
#include <cstddef>
#include <cstdint>

namespace lkv {

struct Avx512Floats {
    using V = __m512;
    using Mask = __mmask16;
    static constexpr int W = 16;
    static constexpr int kAccumulators = 24; // that fit into the registers beside the operands

    static inline V load(const float * p) { return _mm512_loadu_ps(p); }
    static inline void store(float * p, V v) { _mm512_storeu_ps(p, v); }
    static inline V all(float x) { return _mm512_set1_ps(x); }
    static inline V zero() { return _mm512_setzero_ps(); }
    static inline V add(V a, V b) { return _mm512_add_ps(a, b); }
    static inline V sub(V a, V b) { return _mm512_sub_ps(a, b); }
    static inline V mul(V a, V b) { return _mm512_mul_ps(a, b); }
    static inline V div(V a, V b) { return _mm512_div_ps(a, b); }
    static inline V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
    static inline V abs(V a) { return _mm512_abs_ps(a); }
    // b where a is no number
    static inline V max(V a, V b) { return _mm512_max_ps(a, b); }
    static inline V min(V a, V b) { return _mm512_min_ps(a, b); }
    static inline Mask less(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
    static inline V select(Mask m, V yes, V no) { return _mm512_mask_blend_ps(m, no, yes); }
    static inline V round(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    // a * 2^n for a whole n
    static inline V scaleByPower(V a, V n) { return _mm512_scalef_ps(a, n); }
    static inline float maxOf(V a) { return _mm512_reduce_max_ps(a); }
    static inline float sumOf(V a) { return _mm512_reduce_add_ps(a); }
    static inline V loadHalf(const uint16_t * p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p)); }

    // 16 values of each of 16 cells (halves, `stride` bytes apart) as floats, value by value: out[value * out_stride + cell].
    static inline void transposeHalf(const uint8_t * p, size_t stride, float * out, size_t out_stride) {
        __m512 a[16], b[16];
        // Four cells, four apart, in each register, four values of each: the transposition then stays within 128-bit lanes.
        for (int part = 0; part < 4; part++) {
            for (int i = 0; i < 4; i++) {
                const uint8_t * q = p + (size_t) i * stride + 8 * part;
                __m256i h = _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *) q));
                h = _mm256_castsi128_si256(_mm_castps_si128(_mm_loadh_pi(_mm_castsi128_ps(_mm256_castsi256_si128(h)), (const __m64 *) (q + 4 * stride))));
                __m128 u = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *) (q + 8 * stride)));
                u = _mm_loadh_pi(u, (const __m64 *) (q + 12 * stride));
                a[4 * part + i] = _mm512_cvtph_ps(_mm256_inserti128_si256(h, _mm_castps_si128(u), 1));
            }
        }
        for (int part = 0; part < 4; part++) {
            const __m512 * s = a + 4 * part;
            const __m512d t0 = _mm512_castps_pd(_mm512_unpacklo_ps(s[0], s[1])), t1 = _mm512_castps_pd(_mm512_unpackhi_ps(s[0], s[1]));
            const __m512d t2 = _mm512_castps_pd(_mm512_unpacklo_ps(s[2], s[3])), t3 = _mm512_castps_pd(_mm512_unpackhi_ps(s[2], s[3]));
            b[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(t0, t2));
            b[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(t0, t2));
            b[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(t1, t3));
            b[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(t1, t3));
            for (int i = 0; i < 4; i++) {
                store(out + (size_t) (4 * part + i) * out_stride, b[i]);
            }
        }
    }
};

} // namespace lkv
