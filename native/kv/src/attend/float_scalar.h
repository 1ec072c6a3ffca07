// The float operations that the shared parts of attention are written in, for any processor: four at a time, as compilers vectorise them.
#pragma once
#include "half.h"
#include <math.h>
#include <stddef.h>

namespace lkv {

struct ScalarFloats {
    static constexpr int W = 4;
    static constexpr int kAccumulators = 8;
    struct V { float x[W]; };
    struct Mask { bool x[W]; };

    template <class Fn> static inline V map(const Fn & fn) {
        V v;
        for (int i = 0; i < W; i++) {
            v.x[i] = fn(i);
        }
        return v;
    }
    static inline V load(const float * p) { return map([&](int i) { return p[i]; }); }
    static inline void store(float * p, V v) {
        for (int i = 0; i < W; i++) {
            p[i] = v.x[i];
        }
    }
    static inline V all(float x) { return map([&](int) { return x; }); }
    static inline V zero() { return all(0); }
    static inline V add(V a, V b) { return map([&](int i) { return a.x[i] + b.x[i]; }); }
    static inline V sub(V a, V b) { return map([&](int i) { return a.x[i] - b.x[i]; }); }
    static inline V mul(V a, V b) { return map([&](int i) { return a.x[i] * b.x[i]; }); }
    static inline V div(V a, V b) { return map([&](int i) { return a.x[i] / b.x[i]; }); }
    static inline V fma(V a, V b, V c) { return map([&](int i) { return a.x[i] * b.x[i] + c.x[i]; }); }
    static inline V abs(V a) { return map([&](int i) { return fabsf(a.x[i]); }); }
    // b where a is no number
    static inline V max(V a, V b) { return map([&](int i) { return a.x[i] > b.x[i] ? a.x[i] : b.x[i]; }); }
    static inline V min(V a, V b) { return map([&](int i) { return a.x[i] < b.x[i] ? a.x[i] : b.x[i]; }); }
    static inline Mask less(V a, V b) {
        Mask m;
        for (int i = 0; i < W; i++) {
            m.x[i] = a.x[i] < b.x[i];
        }
        return m;
    }
    static inline V select(Mask m, V yes, V no) { return map([&](int i) { return m.x[i] ? yes.x[i] : no.x[i]; }); }
    // Adding 1.5 * 2^23 leaves no place for a fraction.
    static inline V round(V a) {
        return map([&](int i) {
            const volatile float whole = a.x[i] + 12582912.0f;
            return whole - 12582912.0f;
        });
    }
    // a * 2^n for a whole n of at least -126
    static inline V scaleByPower(V a, V n) {
        return map([&](int i) {
            const uint32_t bits = (uint32_t) ((int32_t) n.x[i] + 127) << 23;
            float power;
            memcpy(&power, &bits, sizeof power);
            return a.x[i] * power;
        });
    }
    static inline float maxOf(V a) {
        float m = a.x[0];
        for (int i = 1; i < W; i++) {
            m = a.x[i] > m ? a.x[i] : m;
        }
        return m;
    }
    static inline float sumOf(V a) { return (a.x[0] + a.x[1]) + (a.x[2] + a.x[3]); }
    static inline V loadHalf(const uint16_t * p) {
        return map([&](int i) {
            uint16_t half;
            memcpy(&half, (const uint8_t *) p + 2 * i, 2);
            return halfToFloat(half);
        });
    }
};

} // namespace lkv
