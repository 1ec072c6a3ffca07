// Loops that are gone before the compiler allocates registers: arrays of accumulators indexed within them stay in registers. (Left to
// the compiler's own unrolling, GCC keeps such an array in memory beside the registers and stores every step.)
#pragma once
#include "isa.h"

#if defined(_MSC_VER) && !defined(__clang__)
#define LKV_BODY
#else
#define LKV_BODY __attribute__((always_inline))
#endif

namespace lkv {

template <int I> struct Index {
    static constexpr int value = I;
    constexpr operator int() const { return I; }
};

// fn(0) ... fn(N-1), with each index as a constant. A body is written [&](auto i) LKV_BODY { ... }.
template <int N, int I = 0, class Fn> static LKV_INLINE void repeat(const Fn & fn) {
    if constexpr (I < N) {
        fn(Index<I>{});
        repeat<N, I + 1>(fn);
    }
}

} // namespace lkv
