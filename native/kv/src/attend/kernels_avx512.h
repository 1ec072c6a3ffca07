/*
 * Products of bytes by vpdpbusd (AVX-512 VNNI), which takes unsigned times signed ones. Keys are levels + 128; the accumulators start
 * with -128 * (sum of the block's query), which makes the sum that of the signed product. Weights are unsigned by nature.
 */
#pragma once
#include "expand_avx512.h"
#include "float_avx512.h"
#include "repeat.h"

namespace lkv {

struct Avx512Kernels {
    using F = Avx512Floats;
    using Query = int8_t;
    using Value = uint8_t;
    using Weight = uint8_t;
    static constexpr bool kSplit = true;
    template <int BITS, int N> using Block = Avx512Block<BITS, N>;

    // Sums of 32 bits. With the general type GCC keeps two copies of each across the loops below, one of them in memory.
#if defined(__GNUC__)
    typedef int Sums __attribute__((vector_size(64)));
#else
    using Sums = __m512i;
#endif
    static LKV_INLINE Sums sums(__m512i x) { return (Sums) x; }
    static LKV_INLINE Sums dot(Sums sums, __m512i u, __m512i s) { return (Sums) _mm512_dpbusd_epi32((__m512i) sums, u, s); }
    static LKV_INLINE __m512 floats(Sums sums) { return _mm512_cvtepi32_ps((__m512i) sums); }

    // Four bytes in each of 16 lanes.
    static LKV_INLINE __m512i fourTimes16(const void * p) {
        int32_t four;
        memcpy(&four, p, 4);
        return _mm512_set1_epi32(four);
    }

    static void roundQuery(const float * q, int n, int8_t * out, float & scale, int32_t & start) {
        __m512 top = _mm512_setzero_ps();
        for (int i = 0; i < n; i += 16) {
            top = _mm512_max_ps(top, _mm512_abs_ps(_mm512_loadu_ps(q + i)));
        }
        // A block below the least magnitude counts as zeros: 127 divided by it would not be finite.
        const float greatest = _mm512_reduce_max_ps(top), up = greatest > kLeastMagnitude ? 127.0f / greatest : 0.0f;
        __m512i sum = _mm512_setzero_si512();
        for (int i = 0; i < n; i += 16) {
            const __m512i x = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(q + i), _mm512_set1_ps(up)));
            sum = _mm512_add_epi32(sum, x);
            _mm_storeu_si128((__m128i *) (out + i), _mm512_cvtsepi32_epi8(x));
        }
        scale = greatest > kLeastMagnitude ? greatest / 127.0f : 0.0f;
        start = -128 * _mm512_reduce_add_epi32(sum);
    }

    // s[R][kTile] = or += a block's part of the scores; `start` and `q_scale` of the rows are `per_row` apart.
    template <int R, int N>
    static void score(const int8_t * q, size_t q_stride, const int32_t * start, const float * q_scale, int per_row, const uint8_t * k,
                      const float * k_scale, float * s, bool first) {
        constexpr int G = R * 4 <= F::kAccumulators ? 4 : 2; // registers of 16 cells beside each other
        for (int g = 0; g < 4; g += G) {
            scoreCells<R, G, N>(q, q_stride, start, q_scale, per_row, k + 64 * g, k_scale + 16 * g, s + 16 * g, first);
        }
    }

    template <int R, int G, int N>
    static LKV_INLINE void scoreCells(const int8_t * q, size_t q_stride, const int32_t * start, const float * q_scale, int per_row,
                                      const uint8_t * k, const float * k_scale, float * s, bool first) {
        Sums acc[R][G];
        repeat<R>([&](auto r) LKV_BODY {
            repeat<G>([&](auto i) LKV_BODY { acc[r][i] = sums(_mm512_set1_epi32(start[r * per_row])); });
        });
        for (int j = 0; j < N / 4; j++, k += kTile * 4, q += 4) {
            __m512i x[G];
            repeat<G>([&](auto i) LKV_BODY { x[i] = _mm512_load_si512(k + 64 * i); });
            repeat<R>([&](auto r) LKV_BODY {
                const __m512i y = fourTimes16(q + r * q_stride);
                repeat<G>([&](auto i) LKV_BODY { acc[r][i] = dot(acc[r][i], x[i], y); });
            });
        }
        __m512 x[G];
        repeat<G>([&](auto i) LKV_BODY { x[i] = _mm512_load_ps(k_scale + 16 * i); });
        repeat<R>([&](auto r) LKV_BODY {
            const __m512 y = _mm512_set1_ps(q_scale[r * per_row]);
            repeat<G>([&](auto i) LKV_BODY {
                float * to = s + r * kTile + 16 * i;
                const __m512 part = _mm512_mul_ps(floats(acc[r][i]), x[i]);
                _mm512_store_ps(to, _mm512_fmadd_ps(part, y, first ? _mm512_setzero_ps() : _mm512_load_ps(to)));
            });
        });
    }

    // ---- values ----

    // First cell of group i of four, in the order that `bytes` gives them.
    static inline int cellOf(int i) { return 4 * (4 * (i & 3) + (i >> 2)); }
    static LKV_INLINE __m512i bytes(const __m512i * x) {
        return _mm512_packus_epi16(_mm512_packus_epi32(x[0], x[1]), _mm512_packus_epi32(x[2], x[3]));
    }

    /*
     * Weights w[R][kTile] times scales of cells as integers and what they are to be multiplied with; WIDE: rows of high bytes, then rows
     * of low bytes. Returns the groups of four cells that are not zero in every row.
     */
    template <int R, bool WIDE> static LKV_INLINE uint32_t pack(const float * w, const float * v_scale, uint8_t * out, float * scale) {
        constexpr float steps = WIDE ? 65535.0f : 255.0f;
        __m512i any = _mm512_setzero_si512();
        for (int r = 0; r < R; r++) {
            __m512 x[4];
            for (int i = 0; i < 4; i++) {
                x[i] = _mm512_mul_ps(_mm512_load_ps(w + r * kTile + 16 * i), _mm512_load_ps(v_scale + 16 * i));
            }
            const float greatest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(x[0], x[1]), _mm512_max_ps(x[2], x[3])));
            const __m512 up = _mm512_set1_ps(greatest > kLeastMagnitude ? steps / greatest : 0.0f);
            scale[r] = greatest > kLeastMagnitude ? greatest * (1 / steps) : 0.0f;
            __m512i n[4], high[4];
            for (int i = 0; i < 4; i++) {
                n[i] = _mm512_cvtps_epi32(_mm512_mul_ps(x[i], up));
                if constexpr (WIDE) {
                    high[i] = _mm512_srli_epi32(n[i], 8);
                    n[i] = _mm512_and_si512(n[i], _mm512_set1_epi32(255));
                }
            }
            const __m512i low = bytes(n);
            any = _mm512_or_si512(any, low);
            if constexpr (WIDE) {
                const __m512i up8 = bytes(high);
                any = _mm512_or_si512(any, up8);
                _mm512_store_si512(out + r * kTile, up8);
                _mm512_store_si512(out + (R + r) * kTile, low);
            } else {
                _mm512_store_si512(out + r * kTile, low);
            }
        }
        return _mm512_test_epi32_mask(any, any);
    }

    // out += weights times the expanded values of a block.
    template <int R, int N, bool WIDE>
    static void multiply(const uint8_t * weights, uint32_t wanted, const uint8_t * values, const float * scale, float * out, size_t out_stride) {
        constexpr int ROWS = WIDE ? 2 * R : R;
        constexpr int G = ROWS * 4 <= F::kAccumulators && N == 64 ? 4 : 2; // registers of 16 values beside each other
        for (int g = 0; g < N / 16; g += G) {
            Sums acc[ROWS][G];
            repeat<ROWS>([&](auto r) LKV_BODY { repeat<G>([&](auto i) LKV_BODY { acc[r][i] = sums(_mm512_setzero_si512()); }); });
            for (uint32_t rest = wanted; rest != 0; rest &= rest - 1) {
                const int j = lowestBit(rest);
                __m512i x[G];
                repeat<G>([&](auto i) LKV_BODY { x[i] = _mm512_load_si512(values + j * 4 * N + 64 * (g + i)); });
                repeat<ROWS>([&](auto r) LKV_BODY {
                    const __m512i y = fourTimes16(weights + r * kTile + 4 * j);
                    repeat<G>([&](auto i) LKV_BODY { acc[r][i] = dot(acc[r][i], y, x[i]); });
                });
            }
            repeat<R>([&](auto r) LKV_BODY {
                const __m512 y = _mm512_set1_ps(scale[r]);
                repeat<G>([&](auto i) LKV_BODY {
                    Sums sum = acc[r][i];
                    if constexpr (WIDE) {
                        sum = sums(_mm512_add_epi32(_mm512_slli_epi32((__m512i) sum, 8), (__m512i) acc[R + r][i]));
                    }
                    float * to = out + r * out_stride + 16 * (g + i);
                    F::store(to, _mm512_fmadd_ps(floats(sum), y, F::load(to)));
                });
            });
        }
    }
};

} // namespace lkv
