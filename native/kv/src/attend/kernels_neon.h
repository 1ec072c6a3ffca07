/*
 * Products of bytes by sdot (the dot product of ARMv8.2), which takes signed ones. Weights of 0 to 255 come as weight - 128; one more row
 * of ones adds up the values themselves, 128 times which makes the sum that of the weights.
 */
#pragma once
#include "expand_neon.h"
#include "float_neon.h"
#include "repeat.h"

namespace lkv {

struct NeonKernels {
    using F = NeonFloats;
    using Query = int8_t;
    using Value = int8_t;
    using Weight = int8_t;
    static constexpr bool kSplit = true;
    template <int BITS, int N> using Block = NeonBlock<BITS, N>;

    // How many registers of columns the rows can have beside each other.
    static constexpr int columns(int rows) { return rows * 4 <= F::kAccumulators ? 4 : rows * 2 <= F::kAccumulators ? 2 : 1; }

    // Four bytes in each of 4 lanes.
    static LKV_INLINE int8x16_t fourTimes4(const int8_t * p) {
        int32_t four;
        memcpy(&four, p, 4);
        return vreinterpretq_s8_s32(vdupq_n_s32(four));
    }

    static void roundQuery(const float * q, int n, int8_t * out, float & scale, int32_t & start) {
        float32x4_t top = vdupq_n_f32(0);
        for (int i = 0; i < n; i += 4) {
            top = vmaxnmq_f32(top, vabsq_f32(vld1q_f32(q + i)));
        }
        // A block below the least magnitude counts as zeros: 127 divided by it would not be finite.
        const float greatest = vmaxvq_f32(top), up = greatest > kLeastMagnitude ? 127.0f / greatest : 0.0f;
        for (int i = 0; i < n; i += 8) {
            const int16x4_t low = vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(q + i), up)));
            const int32x4_t high = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(q + i + 4), up));
            vst1_s8(out + i, vqmovn_s16(vqmovn_high_s32(low, high)));
        }
        scale = greatest > kLeastMagnitude ? greatest / 127.0f : 0.0f;
        start = 0;
    }

    // s[R][kTile] = or += a block's part of the scores; `q_scale` of the rows are `per_row` apart.
    template <int R, int N>
    static void score(const int8_t * q, size_t q_stride, const int32_t *, const float * q_scale, int per_row, const int8_t * k, const float * k_scale,
                      float * s, bool first) {
        constexpr int G = columns(R);
        for (int g = 0; g < kTile / 4; g += G) {
            int32x4_t acc[R][G];
            repeat<R>([&](auto r) LKV_BODY { repeat<G>([&](auto i) LKV_BODY { acc[r][i] = vdupq_n_s32(0); }); });
            const int8_t * from = k + 16 * g;
            for (int j = 0; j < N / 4; j++, from += kTile * 4) {
                int8x16_t x[G];
                repeat<G>([&](auto i) LKV_BODY { x[i] = vld1q_s8(from + 16 * i); });
                repeat<R>([&](auto r) LKV_BODY {
                    const int8x16_t y = fourTimes4(q + r * q_stride + 4 * j);
                    repeat<G>([&](auto i) LKV_BODY { acc[r][i] = vdotq_s32(acc[r][i], x[i], y); });
                });
            }
            repeat<R>([&](auto r) LKV_BODY {
                const float y = q_scale[r * per_row];
                repeat<G>([&](auto i) LKV_BODY {
                    float * to = s + r * kTile + 4 * (g + i);
                    const float32x4_t part = vmulq_f32(vcvtq_f32_s32(acc[r][i]), vld1q_f32(k_scale + 4 * (g + i)));
                    vst1q_f32(to, vfmaq_n_f32(first ? vdupq_n_f32(0) : vld1q_f32(to), part, y));
                });
            });
        }
    }

    // ---- values ----

    // First cell of group i of four.
    static inline int cellOf(int i) { return 4 * i; }

    /*
     * Weights w[R][kTile] times scales of cells as integers less 128 and what they are to be multiplied with; WIDE: rows of high bytes,
     * then rows of low bytes. Returns the groups of four cells that are not zero in every row.
     */
    template <int R, bool WIDE> static LKV_INLINE uint32_t pack(const float * w, const float * v_scale, int8_t * out, float * scale) {
        constexpr float steps = WIDE ? 65535.0f : 255.0f;
        uint32x4_t any[kTile / 16];
        for (int i = 0; i < kTile / 16; i++) {
            any[i] = vdupq_n_u32(0);
        }
        for (int r = 0; r < R; r++) {
            float32x4_t x[kTile / 4], top = vdupq_n_f32(0);
            for (int i = 0; i < kTile / 4; i++) {
                x[i] = vmulq_f32(vld1q_f32(w + r * kTile + 4 * i), vld1q_f32(v_scale + 4 * i));
                top = vmaxq_f32(top, x[i]);
            }
            const float greatest = vmaxvq_f32(top), up = greatest > kLeastMagnitude ? steps / greatest : 0.0f;
            scale[r] = greatest > kLeastMagnitude ? greatest * (1 / steps) : 0.0f;
            for (int i = 0; i < kTile / 16; i++) {
                uint16x8_t n[2];
                for (int j = 0; j < 2; j++) {
                    const uint32x4_t a = vcvtnq_u32_f32(vmulq_n_f32(x[4 * i + 2 * j], up)), b = vcvtnq_u32_f32(vmulq_n_f32(x[4 * i + 2 * j + 1], up));
                    n[j] = vqmovn_high_u32(vqmovn_u32(a), b);
                }
                const uint8x16_t offset = vdupq_n_u8(128);
                if constexpr (WIDE) {
                    const uint8x16_t high = vcombine_u8(vshrn_n_u16(n[0], 8), vshrn_n_u16(n[1], 8)), low = vcombine_u8(vmovn_u16(n[0]), vmovn_u16(n[1]));
                    any[i] = vorrq_u32(any[i], vreinterpretq_u32_u8(vorrq_u8(high, low)));
                    vst1q_s8(out + r * kTile + 16 * i, vreinterpretq_s8_u8(vsubq_u8(high, offset)));
                    vst1q_s8(out + (R + r) * kTile + 16 * i, vreinterpretq_s8_u8(vsubq_u8(low, offset)));
                } else {
                    const uint8x16_t low = vcombine_u8(vqmovn_u16(n[0]), vqmovn_u16(n[1]));
                    any[i] = vorrq_u32(any[i], vreinterpretq_u32_u8(low));
                    vst1q_s8(out + r * kTile + 16 * i, vreinterpretq_s8_u8(vsubq_u8(low, offset)));
                }
            }
        }
        uint32_t wanted = 0;
        for (int i = 0; i < kTile / 16; i++) {
            uint32_t lanes[4];
            vst1q_u32(lanes, any[i]);
            for (int j = 0; j < 4; j++) {
                wanted |= (uint32_t) (lanes[j] != 0) << (4 * i + j);
            }
        }
        return wanted;
    }

    // out += weights times the expanded values of a block.
    template <int R, int N, bool WIDE>
    static void multiply(const int8_t * weights, uint32_t wanted, const int8_t * values, const float * scale, float * out, size_t out_stride) {
        constexpr int ROWS = WIDE ? 2 * R : R;
        constexpr int G = columns(ROWS + 1);
        for (int g = 0; g < N / 4; g += G) {
            int32x4_t acc[ROWS][G], plain[G];
            repeat<G>([&](auto i) LKV_BODY { plain[i] = vdupq_n_s32(0); });
            repeat<ROWS>([&](auto r) LKV_BODY { repeat<G>([&](auto i) LKV_BODY { acc[r][i] = vdupq_n_s32(0); }); });
            for (uint32_t rest = wanted; rest != 0; rest &= rest - 1) {
                const int j = lowestBit(rest);
                int8x16_t x[G];
                repeat<G>([&](auto i) LKV_BODY {
                    x[i] = vld1q_s8(values + j * 4 * N + 16 * (g + i));
                    plain[i] = vdotq_s32(plain[i], x[i], vdupq_n_s8(1));
                });
                repeat<ROWS>([&](auto r) LKV_BODY {
                    const int8x16_t y = fourTimes4(weights + r * kTile + 4 * j);
                    repeat<G>([&](auto i) LKV_BODY { acc[r][i] = vdotq_s32(acc[r][i], x[i], y); });
                });
            }
            repeat<R>([&](auto r) LKV_BODY {
                const float y = scale[r];
                repeat<G>([&](auto i) LKV_BODY {
                    const int32x4_t offset = vshlq_n_s32(plain[i], 7);
                    int32x4_t sum = vaddq_s32(acc[r][i], offset);
                    if constexpr (WIDE) {
                        sum = vaddq_s32(vshlq_n_s32(sum, 8), vaddq_s32(acc[R + r][i], offset));
                    }
                    float * to = out + r * out_stride + 4 * (g + i);
                    vst1q_f32(to, vfmaq_n_f32(vld1q_f32(to), vcvtq_f32_s32(sum), y));
                });
            });
        }
    }
};

} // namespace lkv
