// Scores to weights for one query row and one tile of cells. Compiled once for each instruction set: F holds its float operations.
#pragma once
#include "scratch.h"
#include <math.h>

namespace lkv {

/*
 * A tile whose highest score is this far below the highest so far is left out: its cells would weigh exp(-18) = 1.5e-8 of the
 * heaviest at most, so that n cells lose less than 1.5e-8 * n of the sum (a thousandth at 65,536 cells, if all of them were that close).
 */
constexpr float kNegligible = 18.0f;

// exp(x) for x <= 0; relative error below 2.5e-7 (two units in the last place); 0 below -87. The polynomial is that of Cephes' expf.
template <class F> static inline typename F::V expNegative(typename F::V x) {
    using V = typename F::V;
    const V lowest = F::all(-87.0f);
    const V n = F::round(F::mul(F::max(x, lowest), F::all(1.44269504088896341f)));
    V r = F::fma(n, F::all(-0.693359375f), F::max(x, lowest));
    r = F::fma(n, F::all(2.12194440e-4f), r);
    V p = F::all(1.9875691500e-4f);
    p = F::fma(p, r, F::all(1.3981999507e-3f));
    p = F::fma(p, r, F::all(8.3334519073e-3f));
    p = F::fma(p, r, F::all(4.1665795894e-2f));
    p = F::fma(p, r, F::all(1.6666665459e-1f));
    p = F::fma(p, r, F::all(5.0000001201e-1f));
    p = F::fma(p, F::mul(r, r), F::add(r, F::all(1.0f)));
    return F::select(F::less(x, lowest), F::zero(), F::scaleByPower(p, n));
}

// cap * tanh(x / cap)
template <class F> static inline typename F::V softCap(typename F::V x, float cap) {
    using V = typename F::V;
    const V t = F::mul(x, F::all(1.0f / cap));
    const V magnitude = F::abs(t);
    const V e = expNegative<F>(F::mul(magnitude, F::all(-2.0f)));
    const V tanh = F::div(F::sub(F::all(1.0f), e), F::add(F::all(1.0f), e));
    // Where 1 - e would cancel, the series is exact to the last bits.
    const V square = F::mul(t, t);
    const V series = F::mul(t, F::fma(square, F::fma(square, F::all(2.0f / 15.0f), F::all(-1.0f / 3.0f)), F::all(1.0f)));
    const V signed_tanh = F::select(F::less(t, F::zero()), F::sub(F::zero(), tanh), tanh);
    return F::mul(F::select(F::less(magnitude, F::all(0.05f)), series, signed_tanh), F::all(cap));
}

struct RowState {
    float max, sum;
};

/*
 * s[kTile]: in, dot products (with the bias); out, weights exp(score - max) under the new maximum. `mask`: kTile halves, or NULL.
 * Returns what the row's output so far is to be multiplied with, or -1 when the tile adds nothing to the row (s is then undefined).
 */
template <class F> static inline float tileWeights(float * s, const uint16_t * mask, float slope, float scale, float cap, RowState & row) {
    using V = typename F::V;
    // Keeps overflown products finite (and takes them for the lowest where they are no number), so that no difference is.
    const V bound = F::all(1e38f), lowest = F::all(-1e38f), hidden = F::all(-INFINITY);
    V top = hidden;
    for (int i = 0; i < kTile; i += F::W) {
        V x = F::mul(F::load(s + i), F::all(scale));
        if (cap > 0) {
            x = softCap<F>(x, cap);
        }
        x = F::min(F::max(x, lowest), bound);
        if (mask != nullptr) {
            const V m = F::loadHalf(mask + i);
            x = F::select(F::less(m, lowest), hidden, F::fma(m, F::all(slope), x));
        }
        top = F::max(top, x);
        F::store(s + i, x);
    }
    const float tile_max = F::maxOf(top);
    if (!(tile_max > -INFINITY) || tile_max <= row.max - kNegligible) {
        return -1;
    }
    float fade = 1;
    if (tile_max > row.max) {
        fade = row.max > -INFINITY ? expf(row.max - tile_max) : 0.0f;
        row.max = tile_max;
    }
    V sum = F::zero();
    const V shift = F::all(row.max);
    for (int i = 0; i < kTile; i += F::W) {
        const V w = expNegative<F>(F::sub(F::load(s + i), shift));
        sum = F::add(sum, w);
        F::store(s + i, w);
    }
    row.sum = row.sum * fade + F::sumOf(sum);
    return fade;
}

} // namespace lkv
