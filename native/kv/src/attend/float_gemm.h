// Matrix product in floats with the rows in registers: the exact key bias, and keys and values of half-precision caches.
#pragma once
#include "repeat.h"
#include "scratch.h"

namespace lkv {

// How many registers of columns R rows can have beside each other; columns come in 64s or 32s.
template <class F, int R> constexpr int columnRegisters(int columns) {
    return R * 4 <= F::kAccumulators && 4 * F::W <= columns ? 4 : R * 2 <= F::kAccumulators && 2 * F::W <= columns ? 2 : 1;
}

template <class F, int R, int G>
static inline void floatGemmColumns(const float * const * a, const float * b, size_t b_stride, int n, float * c, size_t c_stride) {
    using V = typename F::V;
    V acc[R][G];
    repeat<R>([&](auto r) LKV_BODY { repeat<G>([&](auto g) LKV_BODY { acc[r][g] = F::load(c + r * c_stride + g * F::W); }); });
    for (int i = 0; i < n; i++, b += b_stride) {
        V x[G];
        repeat<G>([&](auto g) LKV_BODY { x[g] = F::load(b + g * F::W); });
        repeat<R>([&](auto r) LKV_BODY {
            const V w = F::all(a[r][i]);
            repeat<G>([&](auto g) LKV_BODY { acc[r][g] = F::fma(w, x[g], acc[r][g]); });
        });
    }
    repeat<R>([&](auto r) LKV_BODY { repeat<G>([&](auto g) LKV_BODY { F::store(c + r * c_stride + g * F::W, acc[r][g]); }); });
}

/*
 * c[r][j] += sum over i < n of a[r][i] * b[i][j] for r < R, j < columns (a multiple of 32).
 * Row r of a is at a[r]; rows of b are b_stride apart, rows of c c_stride (in floats).
 */
template <class F, int R>
static inline void floatGemm(const float * const * a, const float * b, size_t b_stride, int n, float * c, size_t c_stride, int columns) {
    constexpr int G = columnRegisters<F, R>(64), H = columnRegisters<F, R>(32);
    int j = 0;
    for (; j + G * F::W <= columns; j += G * F::W) {
        floatGemmColumns<F, R, G>(a, b + j, b_stride, n, c + j, c_stride);
    }
    for (; G != H && j < columns; j += H * F::W) {
        floatGemmColumns<F, R, H>(a, b + j, b_stride, n, c + j, c_stride);
    }
}

} // namespace lkv
