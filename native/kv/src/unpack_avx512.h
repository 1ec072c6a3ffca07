/*
 * Blocks to 8-bit levels in registers, with AVX-512 (F, BW, VL, VBMI). Only for files compiled for it.
 *
 *   unpackLevels<BITS, 64>(block + 1) -> __m512i, byte i is the level of value i
 *   unpackLevels<BITS, 32>(block + 1) -> __m256i
 * A value is kScales[block[0]] * level. Exactly the bytes of the block are read.
 */
#pragma once
#include "isa.h"
#include "layout.h"
#include "level_tables.h"
#include <cstring>
#include <immintrin.h>

namespace lkv {
namespace {

template<int N> struct Wide { using Bytes = __m512i; };
template<> struct Wide<32> { using Bytes = __m256i; };

template<class T> LKV_INLINE T loadAs(const uint8_t * bytes) {
    T value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* Unsigned codes of 2 to 5 bits. */
template<int BITS> LKV_INLINE __m512i unpackCodes64(const uint8_t * codes) {
    if constexpr (BITS == 2) {
        const __m512i shifts = _mm512_set_epi32(6, 6, 6, 6, 4, 4, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0);
        const __m512i plane = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *) codes));
        return _mm512_and_si512(_mm512_srlv_epi32(plane, shifts), _mm512_set1_epi8(3));
    } else if constexpr (BITS == 4) {
        const __m256i plane = _mm256_loadu_si256((const __m256i *) codes);
        return _mm512_and_si512(_mm512_inserti64x4(_mm512_castsi256_si512(plane), _mm256_srli_epi16(plane, 4), 1), _mm512_set1_epi8(15));
    } else {
        const __m512i low = unpackCodes64<BITS - 1>(codes);
        const __mmask64 high = loadAs<uint64_t>(codes + codeBytes(BITS - 1, 64));
        return _mm512_mask_add_epi8(low, high, low, _mm512_set1_epi8(1 << (BITS - 1)));
    }
}

template<int BITS> LKV_INLINE __m256i unpackCodes32(const uint8_t * codes) {
    if constexpr (BITS == 2) {
        const __m256i plane = _mm256_set1_epi64x(loadAs<int64_t>(codes));
        return _mm256_and_si256(_mm256_srlv_epi64(plane, _mm256_set_epi64x(6, 4, 2, 0)), _mm256_set1_epi8(3));
    } else if constexpr (BITS == 4) {
        const __m128i plane = _mm_loadu_si128((const __m128i *) codes);
        return _mm256_and_si256(_mm256_inserti128_si256(_mm256_castsi128_si256(plane), _mm_srli_epi16(plane, 4), 1), _mm256_set1_epi8(15));
    } else {
        const __m256i low = unpackCodes32<BITS - 1>(codes);
        const __mmask32 high = loadAs<uint32_t>(codes + codeBytes(BITS - 1, 32));
        return _mm256_mask_add_epi8(low, high, low, _mm256_set1_epi8(1 << (BITS - 1)));
    }
}

template<int BITS, int N> LKV_INLINE typename Wide<N>::Bytes unpackLevels(const uint8_t * codes) {
    if constexpr (BITS == 8 && N == 64) {
        return _mm512_loadu_si512(codes);
    } else if constexpr (BITS == 8) {
        return _mm256_loadu_si256((const __m256i *) codes);
    } else if constexpr (N == 64) {
        const __m512i table = _mm512_load_si512(kLevelTable<BITS>.level), index = unpackCodes64<BITS>(codes);
        return BITS == 5 ? _mm512_permutexvar_epi8(index, table) : _mm512_shuffle_epi8(table, index);
    } else {
        const __m256i table = _mm256_load_si256((const __m256i *) kLevelTable<BITS>.level), index = unpackCodes32<BITS>(codes);
        return BITS == 5 ? _mm256_permutexvar_epi8(index, table) : _mm256_shuffle_epi8(table, index);
    }
}

} // namespace
} // namespace lkv
