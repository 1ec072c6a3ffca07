/*
 * Tiles of compressed cells as integers. Kernels holds what differs between instruction sets:
 *   Query, Value, Weight               integers of the queries, of the expanded tiles and of the weights
 *   kSplit                             weights for kv8 are 16 bits in two rows of 8
 *   Block<BITS, N>                     unpacks blocks: keys, values, cellOf
 *   roundQuery, score, pack, multiply
 *
 * Scores: each query row is rounded to integers with a scale for each block. A block's products add up in 32 bits, in the lanes of the
 * cells, so that nothing is added across lanes; one conversion and two products for the scales follow for each block.
 *
 * Values: the weights of a tile times the scale of the cell's block are rounded to integers, with a scale for each row, tile and block of
 * values, so that a whole tile adds up in integers. With 8 bits an error of a weight is 1/510 of the tile's greatest at most, 1/883 on the
 * average: if one cell has all the weight that counts and 63 others are lost in rounding, that is sqrt(63)/883 = 0.9 % of a value's size;
 * an even distribution over the cells loses a tenth of that. Values of 8 bits are nearly as exact as that themselves, so that for them
 * the weights have 16 bits. Groups of four cells whose weights round to zero in every row are neither expanded nor multiplied.
 */
#pragma once
#include "codebook.h"
#include "layout.h"
#include "loupe_kv.h"
#include "repeat.h"
#include "scratch.h"
#include <string.h>

namespace lkv {

template <class Kernels> class IntegerTiles {
    using Query = typename Kernels::Query;
    using Value = typename Kernels::Value;

public:
    IntegerTiles(const lkv_attention & a, const Scratch & at, uint8_t * scratch)
        : a_(a), k_block_(LKV_SCALED(lkv_info(a.k_format))), v_block_(lkv_info(a.v_format)->block), k_blocks_(a.head_k / k_block_),
          v_blocks_(a.head_v / v_block_), query_((Query *) (scratch + at.query)), query_scale_((float *) (scratch + at.query_scale)),
          query_start_((int32_t *) (scratch + at.query_start)), keys_((Value *) (scratch + at.keys)), values_((Value *) (scratch + at.values)),
          key_scale_((float *) (scratch + at.key_scale)), value_scale_((float *) (scratch + at.value_scale)) {
        for (int32_t r = 0; r < a.n_rows; r++) {
            for (int b = 0; b < k_blocks_; b++) {
                Kernels::roundQuery(a.q[r] + b * k_block_, k_block_, query_ + (size_t) r * (size_t) a.head_k + b * k_block_,
                                    query_scale_[r * k_blocks_ + b], query_start_[r * k_blocks_ + b]);
            }
        }
    }

    // The tile whose first cell's keys and values are at k and v.
    void tile(const uint8_t * k, size_t k_stride, const uint8_t * v, size_t v_stride) {
        switch (a_.k_format) {
            case LKV_KV2: keys<2, 64>(k, k_stride); break;
            case LKV_KV3: keys<3, 64>(k, k_stride); break;
            case LKV_KV4: keys<4, 64>(k, k_stride); break;
            case LKV_KV5: keys<5, 64>(k, k_stride); break;
            case LKV_KV8: keys<8, 64>(k, k_stride); break;
            case LKV_KV2_32: keys<2, 32>(k, k_stride); break;
            case LKV_KV3_32: keys<3, 32>(k, k_stride); break;
            case LKV_KV4_32: keys<4, 32>(k, k_stride); break;
            case LKV_KV5_32: keys<5, 32>(k, k_stride); break;
            case LKV_KV8_32: keys<8, 32>(k, k_stride); break;
            case LKV_KV3M: mixedKeys<2, 64>(k, k_stride); break;
            case LKV_KV3M_32: mixedKeys<2, 32>(k, k_stride); break;
            case LKV_KV43M: mixedKeys<3, 64>(k, k_stride); break;
            default: mixedKeys<3, 32>(k, k_stride); break;
        }
        v_ = v;
        v_stride_ = v_stride;
        memset(expanded_, 0, sizeof expanded_);
        scaled_ = false;
    }

    template <int R> void score(int32_t row, float * s) const {
        if (k_block_ == 64) {
            scoreBlocks<R, 64>(row, s);
        } else {
            scoreBlocks<R, 32>(row, s);
        }
    }

    template <int R> void accumulate(int32_t row, const float * w) {
        switch (a_.v_format) {
            case LKV_KV2: add<R, 2, 64>(row, w); break;
            case LKV_KV3: add<R, 3, 64>(row, w); break;
            case LKV_KV4: add<R, 4, 64>(row, w); break;
            case LKV_KV5: add<R, 5, 64>(row, w); break;
            case LKV_KV8: add<R, 8, 64>(row, w); break;
            case LKV_KV2_32: add<R, 2, 32>(row, w); break;
            case LKV_KV3_32: add<R, 3, 32>(row, w); break;
            case LKV_KV4_32: add<R, 4, 32>(row, w); break;
            case LKV_KV5_32: add<R, 5, 32>(row, w); break;
            default: add<R, 8, 32>(row, w); break;
        }
    }

private:
    // The scales of a block of each cell of the tile.
    static void scales(const uint8_t * p, size_t stride, float * out) {
        for (int c = 0; c < kTile; c += 8, p += 8 * stride) {
            repeat<8>([&](auto i) LKV_BODY { out[c + i] = kScales[p[(size_t) i * stride]]; });
        }
    }

    template <int BITS, int N> void keyBlock(int b, const uint8_t * k, size_t stride) {
        scales(k, stride, key_scale_ + b * kTile);
        Kernels::template Block<BITS, N>::keys(k, stride, keys_ + (size_t) b * N * kTile);
    }

    template <int BITS, int N> void keys(const uint8_t * k, size_t stride) {
        for (int b = 0; b < k_blocks_; b++, k += blockBytes(BITS, N)) {
            keyBlock<BITS, N>(b, k, stride);
        }
    }

    template <int LOW, int N> void mixedKeys(const uint8_t * k, size_t stride) {
        for (int b = 0; b < k_blocks_; b += 2, k += blockBytes(4, N) + blockBytes(LOW, N)) {
            keyBlock<4, N>(b, k, stride);
            keyBlock<LOW, N>(b + 1, k + blockBytes(4, N), stride);
        }
    }

    template <int R, int N> void scoreBlocks(int32_t row, float * s) const {
        const int32_t at = row * k_blocks_;
        for (int b = 0; b < k_blocks_; b++) {
            Kernels::template score<R, N>(query_ + (size_t) row * (size_t) a_.head_k + b * N, (size_t) a_.head_k, query_start_ + at + b,
                                          query_scale_ + at + b, k_blocks_, keys_ + (size_t) b * N * kTile, key_scale_ + b * kTile, s, b == 0);
        }
    }

    template <int R, int BITS, int N> void add(int32_t row, const float * w) {
        constexpr bool wide = BITS == 8 && Kernels::kSplit;
        if constexpr (wide && R > kGroupRows / 2) {
            add<R / 2, BITS, N>(row, w);
            add<R - R / 2, BITS, N>(row + R / 2, w + R / 2 * kTile);
        } else {
            if (!scaled_) {
                scaled_ = true;
                for (int b = 0; b < v_blocks_; b++) {
                    scales(v_ + b * blockBytes(BITS, N), v_stride_, value_scale_ + b * kTile);
                }
            }
            for (int b = 0; b < v_blocks_; b++) {
                alignas(64) typename Kernels::Weight weights[wide ? 2 * R : R][kTile];
                float scale[R];
                const uint32_t wanted = Kernels::template pack<R, wide>(w, value_scale_ + b * kTile, weights[0], scale);
                expand<BITS, N>(b, wanted);
                Kernels::template multiply<R, N, wide>(weights[0], wanted, values_ + (size_t) b * N * kTile, scale,
                                                       a_.out + (size_t) row * (size_t) a_.head_v + b * N, (size_t) a_.head_v);
            }
        }
    }

    // Expands the groups of four cells of block b that `wanted` names and that are not there yet.
    template <int BITS, int N> void expand(int b, uint32_t wanted) {
        using B = typename Kernels::template Block<BITS, N>;
        const uint8_t * from = v_ + b * blockBytes(BITS, N);
        Value * to = values_ + (size_t) b * kTile * N;
        for (uint32_t rest = wanted & ~(uint32_t) expanded_[b]; rest != 0; rest &= rest - 1) {
            const int i = lowestBit(rest);
            B::values(from + (size_t) Kernels::cellOf(i) * v_stride_, v_stride_, to + i * 4 * N);
        }
        expanded_[b] = (uint16_t) (expanded_[b] | wanted);
    }

    const lkv_attention & a_;
    const int k_block_, v_block_, k_blocks_, v_blocks_;
    Query * const query_;
    float * const query_scale_;
    int32_t * const query_start_;
    Value * const keys_;   // of each block, kTile * block values in the order of the kernels
    Value * const values_; // the same, in groups of four cells
    float * const key_scale_, * const value_scale_;
    const uint8_t * v_ = nullptr;
    size_t v_stride_ = 0;
    bool scaled_ = false;
    uint16_t expanded_[kMaxHead / 32]; // of each block of values, the groups of cells in values_
};

} // namespace lkv
