/*
 * Blocks to 8-bit levels in registers, with AVX2. Only for files compiled for it.
 *
 *   unpackLevels<BITS, N>(block + 1, part) -> __m256i, byte i is the level of value 32 * part + i; blocks of 32 have part 0 only
 * A value is kScales[block[0]] * level. Exactly the bytes of the block are read. With a constant part, what both parts share is
 * computed once.
 */
#pragma once
#include "isa.h"
#include "layout.h"
#include "level_tables.h"
#include <cstring>
#include <immintrin.h>

namespace lkv {
namespace {

template<class T> LKV_INLINE T loadAs(const uint8_t * bytes) {
    T value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

LKV_INLINE __m256i bothLanes(const void * bytes) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) bytes)); }

/* Unsigned codes of 2 or 4 bits of values 32 * part and on. */
template<int BITS, int N> LKV_INLINE __m256i unpackPlane(const uint8_t * codes, int part) {
    const __m256i mask = _mm256_set1_epi8((1 << BITS) - 1);
    if constexpr (BITS == 2 && N == 64) {
        const __m256i shifts = part == 0 ? _mm256_set_epi32(2, 2, 2, 2, 0, 0, 0, 0) : _mm256_set_epi32(6, 6, 6, 6, 4, 4, 4, 4);
        return _mm256_and_si256(_mm256_srlv_epi32(bothLanes(codes), shifts), mask);
    } else if constexpr (BITS == 2) {
        const __m256i plane = _mm256_set1_epi64x(loadAs<int64_t>(codes));
        return _mm256_and_si256(_mm256_srlv_epi64(plane, _mm256_set_epi64x(6, 4, 2, 0)), mask);
    } else if constexpr (N == 64) {
        const __m256i plane = _mm256_loadu_si256((const __m256i *) codes);
        return _mm256_and_si256(part == 0 ? plane : _mm256_srli_epi16(plane, 4), mask);
    } else {
        return _mm256_and_si256(_mm256_srlv_epi32(bothLanes(codes), _mm256_set_epi32(4, 4, 4, 4, 0, 0, 0, 0)), mask);
    }
}

/* 32 bits to 32 bytes of 0 or -1. */
LKV_INLINE __m256i spreadBits(uint32_t bits) {
    const __m256i order = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m256i single = _mm256_set1_epi64x((long long) 0x8040201008040201ull);
    return _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int) bits), order), single), single);
}

template<int BITS, int N> LKV_INLINE __m256i unpackLevels(const uint8_t * codes, int part) {
    if constexpr (BITS == 8) {
        return _mm256_loadu_si256((const __m256i *) (codes + 32 * part));
    } else if constexpr (BITS == 2 || BITS == 4) {
        return _mm256_shuffle_epi8(bothLanes(kLevelTable<BITS>.level), unpackPlane<BITS, N>(codes, part));
    } else {
        const __m256i low = unpackPlane<BITS - 1, N>(codes, part);
        const __m256i high = spreadBits(loadAs<uint32_t>(codes + codeBytes(BITS - 1, N) + 4 * part));
        if constexpr (BITS == 3) {
            return _mm256_shuffle_epi8(bothLanes(kLevelTable<3>.level), _mm256_or_si256(low, _mm256_and_si256(high, _mm256_set1_epi8(4))));
        } else {
            const __m256i negative = _mm256_shuffle_epi8(bothLanes(kLevelTable<5>.level), low);
            return _mm256_blendv_epi8(negative, _mm256_shuffle_epi8(bothLanes(kLevelTable<5>.level + 16), low), high);
        }
    }
}

} // namespace
} // namespace lkv
