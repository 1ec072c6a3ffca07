// The exact part of the scores that comes from the key bias (lkv_bias), as a product of floats for one tile of cells.
#pragma once
#include "float_gemm.h"
#include "loupe_kv.h"

namespace lkv {

/*
 * For cells at consecutive positions p, p+1, ... the a and b of each row are turned by the angles of p once,
 *   a cos(t(p+r)) + b sin(t(p+r)) = (a cos tp + b sin tp) cos tr + (b cos tp - a sin tp) sin tr,
 * so that the caller's table of r = 0..63 is the other factor. Otherwise cosine and sine of each cell make up that factor.
 * Everything stays in floats: of a score of some thousands that leaves an error of about one unit in the last place per pair.
 */
template <class F> class TileBias {
public:
    TileBias(const lkv_bias * bias, float * table) : bias_(bias), table_(table) {}

    // For n cells from `cell` on.
    void tile(int64_t cell, int n) {
        if (bias_ == nullptr || bias_->n_pairs == 0) {
            return;
        }
        const int32_t * position = bias_->position + cell;
        consecutive_ = true;
        for (int c = 1; c < n; c++) {
            consecutive_ = consecutive_ && position[c] == position[0] + c;
        }
        if (consecutive_) {
            for (int i = 0; i < bias_->n_pairs; i++) {
                turn(position[0], i, turn_[i][0], turn_[i][1]);
            }
            return;
        }
        for (int i = 0; i < bias_->n_pairs; i++) {
            float * cosine = table_ + (size_t) 2 * i * kTile, * sine = cosine + kTile;
            for (int c = 0; c < n; c++) {
                turn(position[c], i, cosine[c], sine[c]);
            }
            for (int c = n; c < kTile; c++) {
                cosine[c] = sine[c] = 0;
            }
        }
    }

    // Adds the part of R rows from `row` on to scores[R][kTile].
    template <int R> void add(int row, float * scores) const {
        if (bias_ == nullptr || bias_->n_pairs == 0) {
            return;
        }
        const int n = bias_->n_pairs;
        const float * factors[R];
        alignas(64) float turned[R][2 * kMaxPairs];
        for (int r = 0; r < R; r++) {
            const float * ab = bias_->ab + (size_t) (row + r) * 2 * n;
            factors[r] = ab;
            if (consecutive_) {
                for (int i = 0; i < n; i++) {
                    const float a = ab[2 * i], b = ab[2 * i + 1], c = turn_[i][0], s = turn_[i][1];
                    turned[r][2 * i] = a * c + b * s;
                    turned[r][2 * i + 1] = b * c - a * s;
                }
                factors[r] = turned[r];
            }
        }
        floatGemm<F, R>(factors, consecutive_ ? bias_->fine : table_, kTile, 2 * n, scores, kTile, kTile);
    }

private:
    // Cosine and sine of pair i's angle at a position, by the sum of a coarse and a fine angle. Positions of hidden cells may be anything.
    void turn(int64_t position, int i, float & cosine, float & sine) const {
        const int64_t last = 64 * bias_->n_coarse - 1;
        const int64_t p = position < 0 ? 0 : position > last ? last : position;
        const float * coarse = bias_->coarse + (size_t) ((p / 64) * bias_->n_pairs + i) * 2;
        const float * fine = bias_->fine + (size_t) 2 * i * 64 + p % 64;
        const double c = coarse[0], s = coarse[1], x = fine[0], y = fine[64];
        cosine = (float) (c * x - s * y);
        sine = (float) (s * x + c * y);
    }

    const lkv_bias * bias_;
    float * table_;
    bool consecutive_ = false;
    float turn_[kMaxPairs][2];
};

} // namespace lkv
