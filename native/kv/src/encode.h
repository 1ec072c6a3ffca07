/*
 * The encoder, once for all instruction sets: `Ops` supplies the wide arithmetic, this file what it means.
 *
 * A block becomes integers first: x = value * 2^(14 - e), rounded, where 2^e is the power of two below the largest magnitude, so that
 * |x| < 2^15. From there on everything is exact integer arithmetic, which is why every instruction set and every compiler gives the same
 * bytes. The rounding adds 2^-30 of the largest value's square to the error, nothing beside the codes' own.
 *
 * Codes are symmetric, so only magnitudes count. In units of half a level, t = 2 * |x| / scale, the nearest level follows from floor(t)
 * alone, because the edge between neighbouring levels a and b is the whole number a + b. The division is a multiplication with the
 * reciprocal of the scale, R / 2^(16 + k) with 2^15 <= R < 2^16.
 *
 * The scale is found by trying: for a scale s, the squared error is <x,x> - s * (2 <x,c> - s <c,c>), where c are the nearest levels. The
 * window of scale bytes around the one that maps the largest magnitude to 127 holds the best of all bytes, or one as good to within 0.5 %
 * (test/encode_test.cpp compares). On 20,000 blocks of 64 normal values, relative squared error, against six starting scales (three each
 * from the root mean square and from the largest value), each fitted twice by least squares and rounded:
 *                2 bits   3 bits   4 bits   5 bits   8 bits
 *   the window   .11157   .02956   .00708   .00179   .000037   with 14, 8, 8, 9, 5 scales tried
 *   the fit      .11161   .02965   .00708   .00182   .000040   with 18
 * and no branch depends on the values.
 */
#pragma once
#include "codebook.h"
#include "isa.h"
#include "layout.h"
#include <cstring>

namespace lkv {
namespace { // compiled for each instruction set: one file's code must never serve another, as that of a common inline function would

/* Values beyond the largest scale clip: 127 * 2^5. */
constexpr float kLargest = 4064.0f;
/* Blocks whose largest magnitude is below 2^-21 are zero: the smallest scale is 2^-18.1, and to the lowest level they are closer to zero. */
constexpr int kSmallestExponent = -21;

/* Scale bytes to try, relative to the one that maps the largest magnitude to 127; with a step of 2, both neighbours of the best follow. */
struct Window { int from, to, step; };
constexpr Window windowOf(int bits) {
    return bits == 2 ? Window{-23, -1, 2} : bits == 3 ? Window{-8, 2, 2} : bits == 4 ? Window{-3, 4, 1} : bits == 5 ? Window{-2, 6, 1} : Window{0, 4, 1};
}

/* Positive levels of the codes of 2 to 5 bits, ascending. */
template<int BITS> constexpr const int8_t * positiveLevels() {
    return BITS == 2 ? kLevels2 + 2 : BITS == 3 ? kLevels3 + 4 : BITS == 4 ? kLevels4 + 8 : kLevels5 + 16;
}

/* Edge below positive level i (1 and up) in half levels. */
template<int BITS> constexpr int edge(int i) { return positiveLevels<BITS>()[i - 1] + positiveLevels<BITS>()[i]; }

/* 2 / scale in the block's units is factor / 2^(16 + shift). */
struct Reciprocal { uint32_t factor; int shift; };

/* <x,c> and <c,c>, of magnitudes: at most 64 * 2^15 * 127 and 64 * 127^2. */
struct Products { int32_t xc, cc; };

/* kScaleOrigin + 11 * octave + i, i in 1 to 11, for all bytes, so that no candidate costs a division. */
struct ScaleSplit {
    uint16_t factor[256];
    int8_t octave[256];
    constexpr ScaleSplit() : factor{}, octave{} {
        for (int byte = 0; byte < 256; byte++) {
            const int above = byte - kScaleOrigin - 1 + 20 * kScaleSteps; // not negative
            factor[byte] = kReciprocals[above % kScaleSteps];
            octave[byte] = (int8_t) (above / kScaleSteps - 20);
        }
    }
};
constexpr ScaleSplit kScaleSplit{};

LKV_INLINE Reciprocal reciprocalOf(int byte, int exponent) { return {kScaleSplit.factor[byte], kScaleSplit.octave[byte] + 13 - exponent}; }

/*
 * What a scale removes from the squared error of a block of zeros, in units of the values times `unit` (2^(e - 14)). Exact but for one
 * rounding at the end, with or without fused multiply-add: scales have 24 bits, the products 28 and 20.
 */
LKV_INLINE double gainOf(int byte, Products p, double unit) {
    const double scale = kScales[byte];
    return scale * (2.0 * p.xc * unit - scale * p.cc);
}

/* 2^exponent for normal numbers, without the mathematical library. */
LKV_INLINE float powerOfTwo(int exponent) {
    const uint32_t bits = (uint32_t) (exponent + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The best byte so far; 0, a block of zeros, gains nothing. */
struct Search {
    int best = 0;
    double bestGain = 0;

    template<class Ops, int BITS, int N, class Block> LKV_INLINE void tryByte(const Block & block, int byte, int lowest, int exponent, double unit) {
        byte = byte < lowest ? lowest : byte > 255 ? 255 : byte;
        const double gain = gainOf(byte, Ops::template products<BITS, N>(block, reciprocalOf(byte, exponent)), unit);
        best = gain > bestGain ? byte : best;
        bestGain = gain > bestGain ? gain : bestGain;
    }
};

/*
 * Ops::Block<N>                               N integers with their signs, in registers or memory
 * Ops::largest<N>(values)                     bits of the largest magnitude as a float: NaN counts as 0, clipped to kLargest
 * Ops::load<N>(values, factor)                the integers: values * factor, cleaned in the same way, rounded to even, at most 2^15 - 1
 * Ops::products<BITS, N>(block, reciprocal)   sums over the nearest levels
 * Ops::store<BITS, N>(block, reciprocal, out) writes the code planes
 */
template<class Ops, int BITS, int N> LKV_INLINE void encodeBlock(const float * values, uint8_t * out) {
    const uint32_t largest = Ops::template largest<N>(values);
    const int exponent = (int) (largest >> 23) - 127;
    if (exponent < kSmallestExponent) {
        memset(out, 0, blockBytes(BITS, N));
        return;
    }
    const auto block = Ops::template load<N>(values, powerOfTwo(14 - exponent));
    const double unit = powerOfTwo(exponent - 14);

    constexpr Window window = windowOf(BITS);
    const int middle = kScaleOfOne + kScaleSteps * exponent + kScaleSteps64[largest >> 17 & 63];
    // Below this byte the shift would be negative; above 255 there is none.
    const int first = kScaleOrigin + 1 + kScaleSteps * (exponent - 13), lowest = first > 1 ? first : 1;
    Search search;
    for (int i = window.from; i <= window.to; i += window.step) search.template tryByte<Ops, BITS, N>(block, middle + i, lowest, exponent, unit);
    if (window.step > 1) {
        const int coarse = search.best == 0 ? middle : search.best;
        search.template tryByte<Ops, BITS, N>(block, coarse - 1, lowest, exponent, unit);
        search.template tryByte<Ops, BITS, N>(block, coarse + 1, lowest, exponent, unit);
    }
    if (search.best == 0) {
        memset(out, 0, blockBytes(BITS, N));
        return;
    }
    out[0] = (uint8_t) search.best;
    Ops::template store<BITS, N>(block, reciprocalOf(search.best, exponent), out + 1);
}

template<class Ops, int BITS, int N> void encodeRow(const float * values, uint8_t * row, int64_t n) {
    for (int64_t i = 0; i < n; i += N, row += blockBytes(BITS, N)) encodeBlock<Ops, BITS, N>(values + i, row);
}

} // namespace
} // namespace lkv
