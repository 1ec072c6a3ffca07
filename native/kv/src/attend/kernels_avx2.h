/*
 * Products of 16-bit integers by vpmaddwd (AVX2). vpmaddubsw would take bytes, but saturates: 8-bit levels leave it 7 bits of the other
 * factor. Products of 16 bits are as fast to three quarters, exact, and make queries and weights exact to 15 bits. A sum over 64 values
 * stays below 64 * 32767 * 128 = 2^28.
 */
#pragma once
#include "expand_avx2.h"
#include "float_avx2.h"
#include "repeat.h"

namespace lkv {

struct Avx2Kernels {
    using F = Avx2Floats;
    using Query = int16_t;
    using Value = int16_t;
    using Weight = int16_t;
    static constexpr bool kSplit = false;
    static constexpr float kSteps = 32767.0f;
    template <int BITS, int N> using Block = Avx2Block<BITS, N>;

    // Sums of 32 bits. With the general type GCC keeps two copies of each across the loops below, one of them in memory.
#if defined(__GNUC__)
    typedef int Sums __attribute__((vector_size(32)));
#else
    using Sums = __m256i;
#endif
    static LKV_INLINE Sums dot(Sums sums, __m256i a, __m256i b) { return (Sums) _mm256_add_epi32((__m256i) sums, _mm256_madd_epi16(a, b)); }
    static LKV_INLINE __m256 floats(Sums sums) { return _mm256_cvtepi32_ps((__m256i) sums); }

    // Two integers in each of 8 lanes.
    static LKV_INLINE __m256i twoTimes8(const int16_t * p) {
        int32_t two;
        memcpy(&two, p, 4);
        return _mm256_set1_epi32(two);
    }

    // How many registers of columns the rows can have beside each other. Of the 16 registers products need some: with more than 8 sums GCC
    // runs out of them, and with one column the loads still keep pace with the arithmetic.
    static constexpr int columns(int rows) { return rows * 4 <= 8 ? 4 : rows * 2 <= 8 ? 2 : 1; }

    static void roundQuery(const float * q, int n, int16_t * out, float & scale, int32_t & start) {
        __m256 top = _mm256_setzero_ps();
        for (int i = 0; i < n; i += 8) {
            top = _mm256_max_ps(top, F::abs(_mm256_loadu_ps(q + i)));
        }
        // A block below the least magnitude counts as zeros: dividing by it would not be finite.
        const float greatest = F::maxOf(top);
        const __m256 up = _mm256_set1_ps(greatest > kLeastMagnitude ? kSteps / greatest : 0.0f);
        for (int i = 0; i < n; i += 8) {
            const __m256i x = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(q + i), up));
            const __m128i y = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
            // In the order of the pairs of keys: 0, 2, 1, 3.
            _mm_storeu_si128((__m128i *) (out + i), _mm_shufflehi_epi16(_mm_shufflelo_epi16(y, _MM_SHUFFLE(3, 1, 2, 0)), _MM_SHUFFLE(3, 1, 2, 0)));
        }
        scale = greatest > kLeastMagnitude ? greatest / kSteps : 0.0f;
        start = 0;
    }

    // s[R][kTile] = or += a block's part of the scores; `q_scale` of the rows are `per_row` apart.
    template <int R, int N>
    static void score(const int16_t * q, size_t q_stride, const int32_t *, const float * q_scale, int per_row, const int16_t * k,
                      const float * k_scale, float * s, bool first) {
        constexpr int G = columns(R);
        for (int g = 0; g < kTile / 8; g += G) {
            Sums acc[R][G];
            repeat<R>([&](auto r) LKV_BODY { repeat<G>([&](auto i) LKV_BODY { acc[r][i] = (Sums) _mm256_setzero_si256(); }); });
            const int16_t * from = k + 16 * g;
            for (int j = 0; j < N / 2; j++, from += kTile * 2) {
                __m256i x[G];
                repeat<G>([&](auto i) LKV_BODY { x[i] = _mm256_load_si256((const __m256i *) (from + 16 * i)); });
                repeat<R>([&](auto r) LKV_BODY {
                    const __m256i y = twoTimes8(q + r * q_stride + 2 * j);
                    repeat<G>([&](auto i) LKV_BODY { acc[r][i] = dot(acc[r][i], x[i], y); });
                });
            }
            repeat<R>([&](auto r) LKV_BODY {
                const __m256 y = _mm256_set1_ps(q_scale[r * per_row]);
                repeat<G>([&](auto i) LKV_BODY {
                    float * to = s + r * kTile + 8 * (g + i);
                    const __m256 part = _mm256_mul_ps(floats(acc[r][i]), _mm256_load_ps(k_scale + 8 * (g + i)));
                    _mm256_store_ps(to, _mm256_fmadd_ps(part, y, first ? _mm256_setzero_ps() : _mm256_load_ps(to)));
                });
            });
        }
    }

    // ---- values ----

    // First cell of group i of four, in the order that `pack` gives them.
    static inline int cellOf(int i) { return 4 * ((i & ~3) | (i & 1) << 1 | (i >> 1 & 1)); }

    // Weights w[R][kTile] times scales of cells as integers and what they are to be multiplied with. Returns the groups of four cells that
    // are not zero in every row.
    template <int R, bool WIDE> static LKV_INLINE uint32_t pack(const float * w, const float * v_scale, int16_t * out, float * scale) {
        __m256i any[4];
        for (int i = 0; i < 4; i++) {
            any[i] = _mm256_setzero_si256();
        }
        for (int r = 0; r < R; r++) {
            __m256 x[8], top = _mm256_setzero_ps();
            for (int i = 0; i < 8; i++) {
                x[i] = _mm256_mul_ps(_mm256_load_ps(w + r * kTile + 8 * i), _mm256_load_ps(v_scale + 8 * i));
                top = _mm256_max_ps(top, x[i]);
            }
            const float greatest = F::maxOf(top);
            const __m256 up = _mm256_set1_ps(greatest > kLeastMagnitude ? kSteps / greatest : 0.0f);
            scale[r] = greatest > kLeastMagnitude ? greatest * (1 / kSteps) : 0.0f;
            for (int i = 0; i < 4; i++) {
                const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(x[2 * i], up)), b = _mm256_cvtps_epi32(_mm256_mul_ps(x[2 * i + 1], up));
                // Each four in the order of the pairs of values: 0, 2, 1, 3.
                const __m256i y = _mm256_packs_epi32(a, b);
                const __m256i z = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(y, _MM_SHUFFLE(3, 1, 2, 0)), _MM_SHUFFLE(3, 1, 2, 0));
                any[i] = _mm256_or_si256(any[i], z);
                _mm256_store_si256((__m256i *) (out + r * kTile + 16 * i), z);
            }
        }
        uint32_t none = 0;
        for (int i = 0; i < 4; i++) {
            none |= (uint32_t) _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(any[i], _mm256_setzero_si256()))) << (4 * i);
        }
        return ~none & 0xFFFF;
    }

    // out += weights times the expanded values of a block.
    template <int R, int N, bool WIDE>
    static void multiply(const int16_t * weights, uint32_t wanted, const int16_t * values, const float * scale, float * out, size_t out_stride) {
        constexpr int G = columns(R);
        for (int g = 0; g < N / 8; g += G) {
            Sums acc[R][G];
            repeat<R>([&](auto r) LKV_BODY { repeat<G>([&](auto i) LKV_BODY { acc[r][i] = (Sums) _mm256_setzero_si256(); }); });
            for (uint32_t rest = wanted; rest != 0; rest &= rest - 1) {
                const int j = lowestBit(rest);
                const int16_t * v = values + j * 4 * N + 16 * g;
                repeat<2>([&](auto half) LKV_BODY {
                    __m256i x[G];
                    repeat<G>([&](auto i) LKV_BODY { x[i] = _mm256_load_si256((const __m256i *) (v + half * 2 * N + 16 * i)); });
                    repeat<R>([&](auto r) LKV_BODY {
                        const __m256i y = twoTimes8(weights + r * kTile + 4 * j + 2 * half);
                        repeat<G>([&](auto i) LKV_BODY { acc[r][i] = dot(acc[r][i], x[i], y); });
                    });
                });
            }
            repeat<R>([&](auto r) LKV_BODY {
                const __m256 y = _mm256_set1_ps(scale[r]);
                repeat<G>([&](auto i) LKV_BODY {
                    float * to = out + r * out_stride + 8 * (g + i);
                    F::store(to, _mm256_fmadd_ps(floats(acc[r][i]), y, F::load(to)));
                });
            });
        }
    }
};

} // namespace lkv
