/* Half precision without the processor's help, with the results of F16C and of NEON. */
#pragma once
#include <cstdint>
#include <cstring>

namespace lkv {
namespace {

constexpr float kLargestHalf = 65504.0f;

/* Exact; a signalling NaN becomes quiet. */
inline float halfToFloat(uint16_t half) {
    const uint32_t sign = (uint32_t) (half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ff;
    uint32_t bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000 | mantissa << 13 | (mantissa ? 0x400000 : 0);
    } else if (exponent > 0) {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    } else {
        const float value = (float) mantissa * 5.9604644775390625e-8f; // 2^-24: denormal halves are normal floats
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Rounds to even. NaN counts as 0; what is beyond the largest finite half, as that. */
inline uint16_t floatToHalf(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return 0;
    if (magnitude >= 0x477fe000) return sign | 0x7bff; // 65504
    if (magnitude < 0x38800000) { // below 2^-14: a multiple of 2^-24
        float small;
        memcpy(&small, &magnitude, sizeof small);
        small += 0.5f; // one unit in the last place of 0.5 is 2^-24: the addition rounds
        memcpy(&magnitude, &small, sizeof magnitude);
        return (uint16_t) (sign | (magnitude - 0x3f000000));
    }
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return (uint16_t) (sign | (magnitude - 0x38000000) >> 13);
}

} // namespace
} // namespace lkv
