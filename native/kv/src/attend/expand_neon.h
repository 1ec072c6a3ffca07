/*
 * Blocks of compressed keys and values to bytes in the order that sdot wants: four values of each of 4 cells (keys), four cells of each
 * of 4 values (values) in a register. Codes are brought into that order while they are packed, then unpacked and looked up.
 */
#pragma once
#include "codebook.h"
#include "layout.h"
#include "repeat.h"
#include "scratch.h"
#include <arm_neon.h>
#include <string.h>

namespace lkv {

template <int BITS, int N> struct NeonBlock {
    static constexpr bool kExtra = BITS == 3 || BITS == 5; // a plane with one more bit of each code
    static constexpr int kBase = kExtra ? BITS - 1 : BITS; // bits in the first plane
    static constexpr int kPlane = N * kBase / 8;           // bytes of it
    static constexpr int kShifts = 8 / kBase;              // codes in a byte of it
    static constexpr int kUnits = (kPlane + 15) / 16;      // pieces of 16 bytes

    static LKV_INLINE uint8x16_t piece(const uint8_t * p) {
        if constexpr (kPlane < 16) {
            return vcombine_u8(vld1_u8(p), vdup_n_u8(0));
        } else {
            return vld1q_u8(p);
        }
    }

    // Levels by code, from two registers for 5 bits.
    static LKV_INLINE uint8x16x2_t table() {
        if constexpr (BITS == 5) {
            return { { vreinterpretq_u8_s8(vld1q_s8(kLevels5)), vreinterpretq_u8_s8(vld1q_s8(kLevels5 + 16)) } };
        } else {
            uint8_t t[16] = {};
            if constexpr (BITS != 8) {
                memcpy(t, BITS == 2 ? kLevels2 : BITS == 3 ? kLevels3 : kLevels4, 1 << BITS);
            }
            return { { vld1q_u8(t), vld1q_u8(t) } };
        }
    }

    // Levels of the codes that begin at bit SHIFT of each byte; `extra` is all ones in bytes whose extra bit is set.
    template <int SHIFT> static LKV_INLINE uint8x16_t levels(uint8x16_t packed, uint8x16_t extra, const uint8x16x2_t & t) {
        if constexpr (BITS == 8) {
            return packed;
        } else {
            uint8x16_t codes = packed;
            if constexpr (SHIFT > 0) {
                codes = vshrq_n_u8(packed, SHIFT);
            }
            if constexpr (SHIFT + kBase < 8) {
                codes = vandq_u8(codes, vdupq_n_u8((1 << kBase) - 1));
            }
            if constexpr (kExtra) {
                codes = vorrq_u8(codes, vandq_u8(extra, vdupq_n_u8(1 << kBase)));
            }
            if constexpr (BITS == 5) {
                return vqtbl2q_u8(t, codes);
            } else {
                return vqtbl1q_u8(t.val[0], codes);
            }
        }
    }

    static LKV_INLINE uint8x16_t bits(int first) {
        return vreinterpretq_u8_u32(vdupq_n_u32(0x08040201u << first));
    }

    // ---- keys ----

    // Block at p of kTile cells to tile[N / 4][kTile][4].
    static inline void keys(const uint8_t * p, size_t stride, int8_t * tile) {
        const uint8x16x2_t t = table();
        for (int c = 0; c < kTile; c += 4, p += 4 * stride) {
            uint8x16_t extra[kExtra ? N / 32 : 1] = {};
            if constexpr (kExtra) {
                repeat<N / 32>([&](auto h) LKV_BODY {
                    uint8_t b[16];
                    repeat<4>([&](auto i) LKV_BODY { memcpy(b + 4 * i, p + (size_t) i * stride + 1 + kPlane + 4 * h, 4); });
                    extra[h] = vld1q_u8(b);
                });
            }
            repeat<kUnits>([&](auto u) LKV_BODY {
                const uint8_t * q = p + 1 + 16 * u;
                const uint32x4_t a0 = vreinterpretq_u32_u8(piece(q)), a1 = vreinterpretq_u32_u8(piece(q + stride));
                const uint32x4_t a2 = vreinterpretq_u32_u8(piece(q + 2 * stride)), a3 = vreinterpretq_u32_u8(piece(q + 3 * stride));
                const uint64x2_t even0 = vreinterpretq_u64_u32(vtrn1q_u32(a0, a1)), odd0 = vreinterpretq_u64_u32(vtrn2q_u32(a0, a1));
                const uint64x2_t even1 = vreinterpretq_u64_u32(vtrn1q_u32(a2, a3)), odd1 = vreinterpretq_u64_u32(vtrn2q_u32(a2, a3));
                group<4 * u>(vtrn1q_u64(even0, even1), t, extra, tile + 4 * c);
                group<4 * u + 1>(vtrn1q_u64(odd0, odd1), t, extra, tile + 4 * c);
                if constexpr (kPlane >= 16) {
                    group<4 * u + 2>(vtrn2q_u64(even0, even1), t, extra, tile + 4 * c);
                    group<4 * u + 3>(vtrn2q_u64(odd0, odd1), t, extra, tile + 4 * c);
                }
            });
        }
    }

    // Four bytes of 4 cells hold kShifts groups of four codes; INDEX is that of the lowest.
    template <int INDEX> static LKV_INLINE void group(uint64x2_t packed, const uint8x16x2_t & t, const uint8x16_t * extra, int8_t * tile) {
        repeat<kShifts>([&](auto s) LKV_BODY {
            constexpr int step = INDEX + decltype(s)::value * (kPlane / 4);
            uint8x16_t set = vdupq_n_u8(0);
            if constexpr (kExtra) {
                // Bits 4*step .. 4*step+3 are in one byte of the cell's plane: that byte in each of the four, then its bits.
                constexpr uint64_t cell = 0x0101010101010101ull * (step % 8 / 2);
                const uint8x16_t spread = vcombine_u8(vcreate_u8(cell + 0x0404040400000000ull), vcreate_u8(cell + 0x0C0C0C0C08080808ull));
                set = vtstq_u8(vqtbl1q_u8(extra[step / 8], spread), bits(step % 2 * 4));
            }
            vst1q_s8(tile + (size_t) step * kTile * 4, vreinterpretq_s8_u8(levels<decltype(s)::value * kBase>(vreinterpretq_u8_u64(packed), set, t)));
        });
    }

    // ---- values ----

    // Block at p of four cells to tile[N][4].
    static inline void values(const uint8_t * p, size_t stride, int8_t * tile) {
        const uint8x16x2_t t = table();
        // Byte v / 8 of the plane of each of four cells, by v / 8.
        uint32_t extra[8] = {};
        if constexpr (kExtra) {
            for (int i = 0; i < N / 8; i++) {
                for (int c = 0; c < 4; c++) {
                    extra[i] |= (uint32_t) p[(size_t) c * stride + 1 + kPlane + i] << (8 * c);
                }
            }
        }
        repeat<kUnits>([&](auto u) LKV_BODY {
            const uint8_t * q = p + 1 + 16 * u;
            const uint8x16_t x0 = piece(q), x1 = piece(q + stride), x2 = piece(q + 2 * stride), x3 = piece(q + 3 * stride);
            const uint16x8_t t0 = vreinterpretq_u16_u8(vzip1q_u8(x0, x1)), t2 = vreinterpretq_u16_u8(vzip1q_u8(x2, x3));
            four(vzip1q_u16(t0, t2), 4 * u, t, extra, tile);
            four(vzip2q_u16(t0, t2), 4 * u + 1, t, extra, tile);
            if constexpr (kPlane >= 16) {
                const uint16x8_t t1 = vreinterpretq_u16_u8(vzip2q_u8(x0, x1)), t3 = vreinterpretq_u16_u8(vzip2q_u8(x2, x3));
                four(vzip1q_u16(t1, t3), 4 * u + 2, t, extra, tile);
                four(vzip2q_u16(t1, t3), 4 * u + 3, t, extra, tile);
            }
        });
    }

    // Four bytes of four cells hold kShifts times four codes; `index` is that of the lowest four.
    static LKV_INLINE void four(uint16x8_t packed, int index, const uint8x16x2_t & t, const uint32_t * extra, int8_t * tile) {
        repeat<kShifts>([&](auto s) LKV_BODY {
            const int column = index + s * (kPlane / 4);
            uint8x16_t set = vdupq_n_u8(0);
            if constexpr (kExtra) {
                constexpr uint64_t low = 0x0202020201010101ull, high = 0x0808080804040404ull;
                const int shift = column % 2 * 4;
                const uint8x16_t of_value = vcombine_u8(vcreate_u8(low << shift), vcreate_u8(high << shift));
                set = vtstq_u8(vreinterpretq_u8_u32(vdupq_n_u32(extra[column / 2])), of_value);
            }
            vst1q_s8(tile + 16 * column, vreinterpretq_s8_u8(levels<decltype(s)::value * kBase>(vreinterpretq_u8_u16(packed), set, t)));
        });
    }
};

} // namespace lkv
