// The float operations that the shared parts of attention are written in, for NEON of AArch64.
#pragma once
#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

namespace lkv {

struct NeonFloats {
    using V = float32x4_t;
    using Mask = uint32x4_t;
    static constexpr int W = 4;
    static constexpr int kAccumulators = 24; // that fit into the registers beside the operands

    static inline V load(const float * p) { return vld1q_f32(p); }
    static inline void store(float * p, V v) { vst1q_f32(p, v); }
    static inline V all(float x) { return vdupq_n_f32(x); }
    static inline V zero() { return vdupq_n_f32(0); }
    static inline V add(V a, V b) { return vaddq_f32(a, b); }
    static inline V sub(V a, V b) { return vsubq_f32(a, b); }
    static inline V mul(V a, V b) { return vmulq_f32(a, b); }
    static inline V div(V a, V b) { return vdivq_f32(a, b); }
    static inline V fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
    static inline V abs(V a) { return vabsq_f32(a); }
    // b where a is no number
    static inline V max(V a, V b) { return vmaxnmq_f32(a, b); }
    static inline V min(V a, V b) { return vminnmq_f32(a, b); }
    static inline Mask less(V a, V b) { return vcltq_f32(a, b); }
    static inline V select(Mask m, V yes, V no) { return vbslq_f32(m, yes, no); }
    static inline V round(V a) { return vrndnq_f32(a); }
    // a * 2^n for a whole n of at least -126
    static inline V scaleByPower(V a, V n) {
        return vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23)));
    }
    static inline float maxOf(V a) { return vmaxvq_f32(a); }
    static inline float sumOf(V a) { return vaddvq_f32(a); }
    static inline V loadHalf(const uint16_t * p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8((const uint8_t *) p))); }

    // 4 values of each of 4 cells (halves, `stride` bytes apart) as floats, value by value: out[value * out_stride + cell].
    static inline void transposeHalf(const uint8_t * p, size_t stride, float * out, size_t out_stride) {
        const V a = loadHalf((const uint16_t *) p), b = loadHalf((const uint16_t *) (p + stride));
        const V c = loadHalf((const uint16_t *) (p + 2 * stride)), d = loadHalf((const uint16_t *) (p + 3 * stride));
        const float64x2_t even0 = vreinterpretq_f64_f32(vtrn1q_f32(a, b)), odd0 = vreinterpretq_f64_f32(vtrn2q_f32(a, b));
        const float64x2_t even1 = vreinterpretq_f64_f32(vtrn1q_f32(c, d)), odd1 = vreinterpretq_f64_f32(vtrn2q_f32(c, d));
        store(out, vreinterpretq_f32_f64(vtrn1q_f64(even0, even1)));
        store(out + out_stride, vreinterpretq_f32_f64(vtrn1q_f64(odd0, odd1)));
        store(out + 2 * out_stride, vreinterpretq_f32_f64(vtrn2q_f64(even0, even1)));
        store(out + 3 * out_stride, vreinterpretq_f32_f64(vtrn2q_f64(odd0, odd1)));
    }
};

} // namespace lkv
