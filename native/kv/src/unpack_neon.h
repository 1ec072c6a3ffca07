/*
 * Blocks to 8-bit levels in registers, with NEON of AArch64.
 *
 *   unpackLevels<BITS, N>(block + 1, part) -> int8x16_t, byte i is the level of value 16 * part + i; part is 0 to N / 16 - 1
 * A value is kScales[block[0]] * level. Exactly the bytes of the block are read. `part` should be a constant after inlining.
 */
#pragma once
#include "isa.h"
#include "layout.h"
#include "level_tables.h"
#include <arm_neon.h>

namespace lkv {
namespace {

/* Unsigned codes of 2 or 4 bits of values 16 * part and on. */
template<int BITS, int N> LKV_INLINE uint8x16_t unpackPlane(const uint8_t * codes, int part) {
    const uint8x16_t mask = vdupq_n_u8((1 << BITS) - 1);
    if constexpr (BITS == 2 && N == 32) {
        const uint8x8_t plane = vld1_u8(codes);
        const int8x16_t shifts = vcombine_s8(vdup_n_s8((int8_t) (-4 * part)), vdup_n_s8((int8_t) (-4 * part - 2)));
        return vandq_u8(vshlq_u8(vcombine_u8(plane, plane), shifts), mask);
    } else {
        constexpr int perShift = BITS == 2 ? N / 64 : N / 32; // registers that a plane of this block fills
        const uint8x16_t plane = vld1q_u8(codes + 16 * (part % perShift));
        return vandq_u8(vshlq_u8(plane, vdupq_n_s8((int8_t) (-BITS * (part / perShift)))), mask);
    }
}

/* Bits of the high plane of values 16 * part and on, as bytes of 0 or -1. */
LKV_INLINE uint8x16_t spreadBits(const uint8_t * plane, int part) {
    const uint8x8_t single = vcreate_u8(0x8040201008040201ull);
    return vtstq_u8(vcombine_u8(vdup_n_u8(plane[2 * part]), vdup_n_u8(plane[2 * part + 1])), vcombine_u8(single, single));
}

template<int BITS, int N> LKV_INLINE int8x16_t unpackLevels(const uint8_t * codes, int part) {
    if constexpr (BITS == 8) {
        return vld1q_s8((const int8_t *) codes + 16 * part);
    } else if constexpr (BITS == 2 || BITS == 4) {
        return vqtbl1q_s8(vld1q_s8(kLevelTable<BITS>.level), unpackPlane<BITS, N>(codes, part));
    } else {
        const uint8x16_t high = vandq_u8(spreadBits(codes + codeBytes(BITS - 1, N), part), vdupq_n_u8(1 << (BITS - 1)));
        const uint8x16_t index = vorrq_u8(unpackPlane<BITS - 1, N>(codes, part), high);
        if constexpr (BITS == 3) {
            return vqtbl1q_s8(vld1q_s8(kLevelTable<3>.level), index);
        } else {
            const int8x16x2_t table = {{vld1q_s8(kLevelTable<5>.level), vld1q_s8(kLevelTable<5>.level + 16)}};
            return vqtbl2q_s8(table, index);
        }
    }
}

} // namespace
} // namespace lkv
