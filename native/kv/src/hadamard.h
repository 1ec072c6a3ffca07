/*
 * Orthonormal Walsh-Hadamard transform in place. Each stage only adds and subtracts, so the order within a stage does not matter and every
 * instruction set gives the same bits; the factor comes last.
 */
#pragma once
#include "isa.h"

namespace lkv {
namespace {

/* 1 / sqrt(size) for sizes 2^5 to 2^9. */
inline float hadamardFactor(int32_t size) {
    return size == 32 ? 0.176776695f : size == 64 ? 0.125f : size == 128 ? 0.0883883476f : size == 256 ? 0.0625f : 0.0441941738f;
}

/*
 * V: Register, kWidth, load, store, add, subtract, multiply by a float, and within(r): the stages below kWidth inside one register.
 */
template<class V, int SIZE> LKV_INLINE void hadamardRun(float * run, float factor) {
    constexpr int count = SIZE / V::kWidth;
    typename V::Register r[count];
    for (int i = 0; i < count; i++) r[i] = V::within(V::load(run + i * V::kWidth));
    for (int step = 1; step < count; step *= 2) {
        for (int i = 0; i < count; i++) {
            if (i & step) continue;
            const typename V::Register a = r[i], b = r[i + step];
            r[i] = V::add(a, b);
            r[i + step] = V::subtract(a, b);
        }
    }
    for (int i = 0; i < count; i++) V::store(run + i * V::kWidth, V::multiply(r[i], factor));
}

template<class V, int SIZE> void hadamardRuns(float * values, int64_t n) {
    for (int64_t i = 0; i < n; i += SIZE) hadamardRun<V, SIZE>(values + i, hadamardFactor(SIZE));
}

template<class V> void hadamardWith(float * values, int64_t n, int32_t size) {
    switch (size) {
    case 32: return hadamardRuns<V, 32>(values, n);
    case 64: return hadamardRuns<V, 64>(values, n);
    case 128: return hadamardRuns<V, 128>(values, n);
    case 256: return hadamardRuns<V, 256>(values, n);
    case 512: return hadamardRuns<V, 512>(values, n);
    }
}

} // namespace
} // namespace lkv
