// What one call of attention keeps in the caller's scratch, for every instruction set.
// Functions of these headers are static or templates over an instruction set: a shared inline function could be kept as it was compiled
// for a set that the processor lacks.
#pragma once
#include <cstddef>
#include <cstdint>
#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace lkv {

constexpr int kTile = 64;     // cells that are expanded together
constexpr int kGroupRows = 8; // query rows that one pass of a kernel keeps in registers, at most
constexpr int kMaxHead = 576;
constexpr float kLeastMagnitude = 1e-30f; // what is not above it counts as zero where it would be divided by
constexpr int kMaxPairs = 64; // of the exact key bias

// Index of the lowest bit that is set; x is not 0.
static inline int lowestBit(uint32_t x) {
#if defined(_MSC_VER)
    unsigned long i;
    _BitScanForward(&i, x);
    return (int) i;
#else
    return __builtin_ctz(x);
#endif
}

// Offsets in bytes, each a multiple of 64.
struct Scratch {
    size_t query;       // quantised queries: [n_rows][head_k], up to 16 bits each
    size_t query_scale; // [n_rows][head_k / 32] floats
    size_t query_start; // [n_rows][head_k / 32] 32-bit integers: what an accumulator starts with
    size_t keys;        // expanded tile, up to a float per value
    size_t values;      // expanded tile, up to a float per value
    size_t key_scale;   // [head_k / 32][kTile] floats
    size_t value_scale; // [head_v / 32][kTile] floats
    size_t bias;        // [2 * kMaxPairs][kTile] floats: cosines and sines of cells at scattered positions
    size_t last_keys;   // copy of a last tile with fewer than kTile cells, filled up with zeros
    size_t last_values;
    size_t total;
};

static inline Scratch scratchOf(int32_t head_k, int32_t head_v, int32_t n_rows) {
    const size_t k = (size_t) head_k, v = (size_t) head_v, rows = (size_t) n_rows;
    size_t at = 0;
    const auto take = [&at](size_t bytes) {
        const size_t from = at;
        at += (bytes + 63) & ~(size_t) 63;
        return from;
    };
    Scratch s;
    s.query = take(rows * k * 2);
    s.query_scale = take(rows * (k / 32) * 4);
    s.query_start = take(rows * (k / 32) * 4);
    s.keys = take(k * kTile * 4);
    s.values = take(v * kTile * 4);
    s.key_scale = take((k / 32) * kTile * 4);
    s.value_scale = take((v / 32) * kTile * 4);
    s.bias = take((size_t) 2 * kMaxPairs * kTile * 4);
    s.last_keys = take(k * kTile * 2);
    s.last_values = take(v * kTile * 2);
    s.total = at;
    return s;
}

} // namespace lkv
