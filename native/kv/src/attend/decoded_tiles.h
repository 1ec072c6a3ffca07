// Tiles decoded to floats cell by cell, for any format: the scalar code.
#pragma once
#include "float_gemm.h"
#include "formats.h"
#include "scratch.h"

namespace lkv {

template <class F> class DecodedTiles {
public:
    DecodedTiles(const lkv_attention & a, const Scratch & at, uint8_t * scratch)
        : a_(a), keys_((float *) (scratch + at.keys)), values_((float *) (scratch + at.values)) {}

    void tile(const uint8_t * k, size_t k_stride, const uint8_t * v, size_t v_stride) {
        v_ = v;
        v_stride_ = v_stride;
        expanded_ = false;
        // Eight cells at a time, so that a line of the transposed tile is written once.
        float rows[8][kMaxHead];
        for (int c = 0; c < kTile; c += 8) {
            for (int i = 0; i < 8; i++) {
                kScalarFormats.decode[a_.k_format](k + (size_t) (c + i) * k_stride, rows[i], a_.head_k);
            }
            for (int32_t d = 0; d < a_.head_k; d++) {
                for (int i = 0; i < 8; i++) {
                    keys_[(size_t) d * kTile + c + i] = rows[i][d];
                }
            }
        }
    }

    template <int R> void score(int32_t row, float * s) const {
        for (int i = 0; i < R * kTile; i++) {
            s[i] = 0;
        }
        floatGemm<F, R>(a_.q + row, keys_, kTile, a_.head_k, s, kTile, kTile);
    }

    template <int R> void accumulate(int32_t row, const float * w) {
        if (!expanded_) {
            expanded_ = true;
            for (int c = 0; c < kTile; c++) {
                kScalarFormats.decode[a_.v_format](v_ + (size_t) c * v_stride_, values_ + (size_t) c * (size_t) a_.head_v, a_.head_v);
            }
        }
        const float * weights[R];
        for (int r = 0; r < R; r++) {
            weights[r] = w + r * kTile;
        }
        floatGemm<F, R>(weights, values_, (size_t) a_.head_v, kTile, a_.out + (size_t) row * (size_t) a_.head_v, (size_t) a_.head_v, a_.head_v);
    }

private:
    const lkv_attention & a_;
    float * const keys_;   // [head_k][kTile]
    float * const values_; // [kTile][head_v]
    const uint8_t * v_ = nullptr;
    size_t v_stride_ = 0;
    bool expanded_ = false;
};

} // namespace lkv
