/*
 * Tiles of compressed cells as bytes, multiplied by vpdpbusd (AVX-512 VNNI).
 *
 * Scores: each query row is rounded to 8 bits with a scale for each block. Keys are levels + 128, so that they are unsigned; the
 * accumulators start with -128 * (sum of the block's query), which makes the sum that of the signed product.
 *
 * Values: the weights of a tile times the scale of the cell's block are rounded to 8 bits, with a scale for each row, tile and block of
 * values, so that a whole tile adds up in integers. An error of a weight is 1/510 of the tile's greatest at most, 1/883 on the average:
 * if one cell has all the weight that counts and 63 others are lost in rounding, that is sqrt(63)/883 = 0.9 % of a value's size; an even
 * distribution over the cells loses a tenth of that. Values of 8 bits are nearly as exact as that themselves, so that for them the
 * weights have 16 bits, as two rows of bytes.
 */
#pragma once
#include "expand_avx512.h"
#include "float_avx512.h"
#include "loupe_kv.h"
#include "repeat.h"

namespace lkv {

class Avx512Tiles {
    using F = Avx512Floats;
    // Sums of 32 bits. With the general type GCC keeps two copies of each across the loops below, one of them in memory.
#if defined(__GNUC__)
    typedef int Sums __attribute__((vector_size(64)));
#else
    using Sums = __m512i;
#endif
    static LKV_INLINE Sums sums(__m512i x) { return (Sums) x; }
    static LKV_INLINE Sums dot(Sums sums, __m512i u, __m512i s) { return (Sums) _mm512_dpbusd_epi32((__m512i) sums, u, s); }
    static LKV_INLINE __m512 floats(Sums sums) { return _mm512_cvtepi32_ps((__m512i) sums); }

public:
    Avx512Tiles(const lkv_attention & a, const Scratch & at, uint8_t * scratch)
        : a_(a), k_block_(lkv_info(a.k_format)->block), v_block_(lkv_info(a.v_format)->block), k_blocks_(a.head_k / k_block_),
          v_blocks_(a.head_v / v_block_), k_bytes_((size_t) lkv_info(a.k_format)->block_bytes),
          v_bytes_((size_t) lkv_info(a.v_format)->block_bytes), query_((int8_t *) (scratch + at.query)),
          query_scale_((float *) (scratch + at.query_scale)), query_start_((int32_t *) (scratch + at.query_start)), keys_(scratch + at.keys),
          values_(scratch + at.values), key_scale_((float *) (scratch + at.key_scale)), value_scale_((float *) (scratch + at.value_scale)) {
        for (int32_t r = 0; r < a.n_rows; r++) {
            for (int b = 0; b < k_blocks_; b++) {
                roundQuery(a.q[r] + b * k_block_, query_ + (size_t) r * (size_t) a.head_k + b * k_block_, r * k_blocks_ + b);
            }
        }
    }

    void tile(const uint8_t * k, size_t k_stride, ptrdiff_t k_ahead, const uint8_t * v, size_t v_stride, ptrdiff_t v_ahead) {
        switch (a_.k_format) {
            case LKV_KV2: keys<2, 64>(k, k_stride, k_ahead); break;
            case LKV_KV3: keys<3, 64>(k, k_stride, k_ahead); break;
            case LKV_KV4: keys<4, 64>(k, k_stride, k_ahead); break;
            case LKV_KV5: keys<5, 64>(k, k_stride, k_ahead); break;
            case LKV_KV8: keys<8, 64>(k, k_stride, k_ahead); break;
            case LKV_KV2_32: keys<2, 32>(k, k_stride, k_ahead); break;
            case LKV_KV3_32: keys<3, 32>(k, k_stride, k_ahead); break;
            case LKV_KV4_32: keys<4, 32>(k, k_stride, k_ahead); break;
            case LKV_KV5_32: keys<5, 32>(k, k_stride, k_ahead); break;
            default: keys<8, 32>(k, k_stride, k_ahead); break;
        }
        v_ = v;
        v_stride_ = v_stride;
        v_ahead_ = v_ahead;
        for (int b = 0; b < v_blocks_; b++) {
            expanded_[b] = 0;
        }
        scaled_ = false;
    }

    template <int R> void score(int32_t row, float * s) const {
        if (k_block_ == 64) {
            scoreBlocks<R, 16>(row, s);
        } else {
            scoreBlocks<R, 8>(row, s);
        }
    }

    template <int R> void accumulate(int32_t row, const float * w) {
        switch (a_.v_format) {
            case LKV_KV2: narrow<R, 2, 64>(row, w); break;
            case LKV_KV3: narrow<R, 3, 64>(row, w); break;
            case LKV_KV4: narrow<R, 4, 64>(row, w); break;
            case LKV_KV5: narrow<R, 5, 64>(row, w); break;
            case LKV_KV8: wide<R, 64>(row, w); break;
            case LKV_KV2_32: narrow<R, 2, 32>(row, w); break;
            case LKV_KV3_32: narrow<R, 3, 32>(row, w); break;
            case LKV_KV4_32: narrow<R, 4, 32>(row, w); break;
            case LKV_KV5_32: narrow<R, 5, 32>(row, w); break;
            default: wide<R, 32>(row, w); break;
        }
    }

private:
    void roundQuery(const float * q, int8_t * out, int at) {
        __m512 top = _mm512_setzero_ps();
        for (int i = 0; i < k_block_; i += 16) {
            top = _mm512_max_ps(top, _mm512_abs_ps(_mm512_loadu_ps(q + i)));
        }
        // A block below the least magnitude counts as zeros: 127 divided by it would not be finite.
        const float greatest = _mm512_reduce_max_ps(top), up = greatest > 1e-30f ? 127.0f / greatest : 0.0f;
        __m512i sum = _mm512_setzero_si512();
        for (int i = 0; i < k_block_; i += 16) {
            const __m512i x = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(q + i), _mm512_set1_ps(up)));
            sum = _mm512_add_epi32(sum, x);
            _mm_storeu_si128((__m128i *) (out + i), _mm512_cvtsepi32_epi8(x));
        }
        query_scale_[at] = greatest > 1e-30f ? greatest / 127.0f : 0.0f;
        query_start_[at] = -128 * _mm512_reduce_add_epi32(sum);
    }

    template <int BITS, int N> void keys(const uint8_t * k, size_t stride, ptrdiff_t ahead) {
        using B = Avx512Block<BITS, N>;
        for (int b = 0; b < k_blocks_; b++) {
            B::keys(k + b * B::kBytes, stride, ahead, keys_ + (size_t) b * N * kTile, key_scale_ + b * kTile);
        }
    }

    template <int R, int STEPS> void scoreBlocks(int32_t row, float * s) const {
        constexpr int G = R * 4 <= F::kAccumulators ? 4 : 2; // registers of 16 cells beside each other
        for (int g = 0; g < 4; g += G) {
            for (int b = 0; b < k_blocks_; b++) {
                scoreBlock<R, G, STEPS>(row, b, keys_ + (size_t) b * STEPS * kTile * 4 + 64 * g, key_scale_ + b * kTile + 16 * g, s + 16 * g);
            }
        }
    }

    template <int R, int G, int STEPS> LKV_INLINE void scoreBlock(int32_t row, int b, const uint8_t * k, const float * scale, float * s) const {
        const int8_t * q = query_ + (size_t) row * (size_t) a_.head_k + 4 * STEPS * b;
        const size_t q_stride = (size_t) a_.head_k;
        Sums acc[R][G];
        repeat<R>([&](auto r) LKV_BODY {
            repeat<G>([&](auto i) LKV_BODY { acc[r][i] = sums(_mm512_set1_epi32(query_start_[(row + r) * k_blocks_ + b])); });
        });
        for (int j = 0; j < STEPS; j++, k += kTile * 4, q += 4) {
            __m512i x[G];
            repeat<G>([&](auto i) LKV_BODY { x[i] = _mm512_load_si512(k + 64 * i); });
            repeat<R>([&](auto r) LKV_BODY {
                const __m512i y = fourTimes16(q + r * q_stride);
                repeat<G>([&](auto i) LKV_BODY { acc[r][i] = dot(acc[r][i], x[i], y); });
            });
        }
        __m512 x[G];
        repeat<G>([&](auto i) LKV_BODY { x[i] = _mm512_load_ps(scale + 16 * i); });
        repeat<R>([&](auto r) LKV_BODY {
            const __m512 y = _mm512_set1_ps(query_scale_[(row + r) * k_blocks_ + b]);
            repeat<G>([&](auto i) LKV_BODY {
                float * to = s + r * kTile + 16 * i;
                const __m512 part = _mm512_mul_ps(floats(acc[r][i]), x[i]);
                _mm512_store_ps(to, _mm512_fmadd_ps(part, y, b == 0 ? _mm512_setzero_ps() : _mm512_load_ps(to)));
            });
        });
    }

    // Four bytes in each of 16 lanes.
    static LKV_INLINE __m512i fourTimes16(const void * p) {
        int32_t four;
        memcpy(&four, p, 4);
        return _mm512_set1_epi32(four);
    }

    // ---- values ----

    template <int BITS, int N> void valueScales() {
        if (!scaled_) {
            scaled_ = true;
            for (int b = 0; b < v_blocks_; b++) {
                Avx512Block<BITS, N>::scales(v_ + b * Avx512Block<BITS, N>::kBytes, v_stride_, value_scale_ + b * kTile);
            }
        }
    }

    // Expands the quadruples of cells of block b that `wanted` names and that are not there yet.
    template <int BITS, int N> void expand(int b, uint32_t wanted) {
        using B = Avx512Block<BITS, N>;
        const __m512i t = B::template table<0>();
        const uint8_t * from = v_ + b * B::kBytes;
        uint8_t * to = values_ + (size_t) b * kTile * N;
        for (uint32_t rest = wanted & ~(uint32_t) expanded_[b]; rest != 0; rest &= rest - 1) {
            const int i = lowestBit(rest);
            repeat<4>([&](auto c) LKV_BODY { B::prefetch(from + (size_t) (B::cellOf(i) + c) * v_stride_, v_ahead_); });
            B::values(from + (size_t) B::cellOf(i) * v_stride_, v_stride_, t, to + i * 4 * N);
        }
        expanded_[b] = (uint16_t) (expanded_[b] | wanted);
    }

    // Weights times scales of a row and the inverse of the greatest times `steps`; 0 when there is none.
    static inline float products(const float * w, const float * scale, float steps, __m512 * x) {
        for (int i = 0; i < 4; i++) {
            x[i] = _mm512_mul_ps(_mm512_load_ps(w + 16 * i), _mm512_load_ps(scale + 16 * i));
        }
        const float greatest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(x[0], x[1]), _mm512_max_ps(x[2], x[3])));
        const float up = greatest > 1e-30f ? steps / greatest : 0.0f;
        for (int i = 0; i < 4; i++) {
            x[i] = _mm512_mul_ps(x[i], _mm512_set1_ps(up));
        }
        return greatest > 1e-30f ? greatest / steps : 0.0f;
    }

    // 64 integers of 0 to 255 as bytes; quadruple i of them is that of cells cellOf(i).
    static inline __m512i pack(const __m512i * x) {
        return _mm512_packus_epi16(_mm512_packus_epi32(x[0], x[1]), _mm512_packus_epi32(x[2], x[3]));
    }

    template <int R, int BITS, int N> void narrow(int32_t row, const float * w) {
        valueScales<BITS, N>();
        for (int b = 0; b < v_blocks_; b++) {
            alignas(64) uint8_t bytes[R][kTile];
            float scale[R];
            __m512i any = _mm512_setzero_si512();
            for (int r = 0; r < R; r++) {
                __m512 x[4];
                __m512i n[4];
                scale[r] = products(w + r * kTile, value_scale_ + b * kTile, 255, x);
                for (int i = 0; i < 4; i++) {
                    n[i] = _mm512_cvtps_epi32(x[i]);
                }
                const __m512i packed = pack(n);
                any = _mm512_or_si512(any, packed);
                _mm512_store_si512(bytes[r], packed);
            }
            const uint32_t wanted = _mm512_test_epi32_mask(any, any);
            expand<BITS, N>(b, wanted);
            multiply<R, N, false>(row, b, wanted, bytes[0], scale);
        }
    }

    // With weights of 16 bits: rows of their high bytes, then rows of their low bytes; at most four rows at a time.
    template <int R, int N> void wide(int32_t row, const float * w) {
        if constexpr (R > kGroupRows / 2) {
            wide<R / 2, N>(row, w);
            wide<R - R / 2, N>(row + R / 2, w + R / 2 * kTile);
        } else {
            valueScales<8, N>();
            for (int b = 0; b < v_blocks_; b++) {
                alignas(64) uint8_t bytes[2 * R][kTile];
                float scale[R];
                __m512i any = _mm512_setzero_si512();
                for (int r = 0; r < R; r++) {
                    __m512 x[4];
                    __m512i high[4], low[4];
                    scale[r] = products(w + r * kTile, value_scale_ + b * kTile, 65535, x);
                    for (int i = 0; i < 4; i++) {
                        const __m512i n = _mm512_cvtps_epi32(x[i]);
                        high[i] = _mm512_srli_epi32(n, 8);
                        low[i] = _mm512_and_si512(n, _mm512_set1_epi32(255));
                    }
                    const __m512i h = pack(high), l = pack(low);
                    any = _mm512_ternarylogic_epi32(any, h, l, 0xFE);
                    _mm512_store_si512(bytes[r], h);
                    _mm512_store_si512(bytes[R + r], l);
                }
                const uint32_t wanted = _mm512_test_epi32_mask(any, any);
                expand<8, N>(b, wanted);
                multiply<R, N, true>(row, b, wanted, bytes[0], scale);
            }
        }
    }

    // bytes[R or 2R][kTile] times the values of block b, added to the output.
    template <int R, int N, bool WIDE> void multiply(int32_t row, int b, uint32_t wanted, const uint8_t * bytes, const float * scale) {
        constexpr int ROWS = WIDE ? 2 * R : R;
        constexpr int G = ROWS * 4 <= F::kAccumulators && N == 64 ? 4 : 2; // registers of 16 values beside each other
        for (int g = 0; g < N / 16; g += G) {
            Sums acc[ROWS][G];
            repeat<ROWS>([&](auto r) LKV_BODY { repeat<G>([&](auto i) LKV_BODY { acc[r][i] = sums(_mm512_setzero_si512()); }); });
            const uint8_t * v = values_ + (size_t) b * kTile * N + 64 * g;
            for (uint32_t rest = wanted; rest != 0; rest &= rest - 1) {
                const int j = lowestBit(rest);
                __m512i x[G];
                repeat<G>([&](auto i) LKV_BODY { x[i] = _mm512_load_si512(v + j * 4 * N + 64 * i); });
                repeat<ROWS>([&](auto r) LKV_BODY {
                    const __m512i y = fourTimes16(bytes + r * kTile + 4 * j);
                    repeat<G>([&](auto i) LKV_BODY { acc[r][i] = dot(acc[r][i], y, x[i]); });
                });
            }
            float * out = a_.out + (size_t) row * (size_t) a_.head_v + b * N + 16 * g;
            repeat<R>([&](auto r) LKV_BODY {
                const __m512 y = _mm512_set1_ps(scale[r]);
                repeat<G>([&](auto i) LKV_BODY {
                    Sums sum = acc[r][i];
                    if constexpr (WIDE) {
                        sum = sums(_mm512_add_epi32(_mm512_slli_epi32((__m512i) sum, 8), (__m512i) acc[R + r][i]));
                    }
                    F::store(out + 16 * i, _mm512_fmadd_ps(floats(sum), y, F::load(out + 16 * i)));
                });
                out += a_.head_v;
            });
        }
    }

    const lkv_attention & a_;
    const int k_block_, v_block_, k_blocks_, v_blocks_;
    const size_t k_bytes_, v_bytes_;
    int8_t * const query_;
    float * const query_scale_;
    int32_t * const query_start_;
    uint8_t * const keys_;   // [k_blocks][k_block / 4][kTile][4]
    uint8_t * const values_; // [v_blocks][kTile / 4][v_block][4]
    float * const key_scale_, * const value_scale_;
    const uint8_t * v_ = nullptr;
    size_t v_stride_ = 0;
    ptrdiff_t v_ahead_ = 0;
    bool scaled_ = false;
    uint16_t expanded_[kMaxHead / 32]; // of each block of values, the quadruples of cells in values_
};

} // namespace lkv
