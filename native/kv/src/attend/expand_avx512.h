/*
 * Blocks of compressed keys and values to bytes in the order that vpdpbusd wants: four values of each of 16 cells (keys), four cells of
 * each of 16 values (values) in a register. Codes are brought into that order while they are packed, then unpacked and looked up.
 */
#pragma once
#include "codebook.h"
#include "layout.h"
#include "repeat.h"
#include "scratch.h"
#include <immintrin.h>
#include <string.h>

namespace lkv {

template <int BITS, int OFFSET> struct LevelTable {
    constexpr LevelTable() {
        constexpr const int8_t * kLevels = BITS == 2 ? kLevels2 : BITS == 3 ? kLevels3 : BITS == 4 ? kLevels4 : kLevels5;
        for (int i = 0; i < 64; i++) {
            at[i] = (uint8_t) (kLevels[i % (1 << BITS)] + OFFSET);
        }
    }
    alignas(64) uint8_t at[64] = {};
};

template <int BITS, int N> struct Avx512Block {
    static constexpr bool kExtra = BITS == 3 || BITS == 5;      // a plane with one more bit of each code
    static constexpr int kBase = kExtra ? BITS - 1 : BITS;      // bits in the first plane
    static constexpr int kPlane = N * kBase / 8;                // bytes of it
    static constexpr int kShifts = 8 / kBase;                   // codes in a byte of it
    static constexpr int kUnits = (kPlane + 15) / 16;           // pieces of 16 bytes
    static constexpr int kBytes = blockBytes(BITS, N);
    static constexpr int kSteps = N / 4;                        // quadruples of values
    static constexpr int kColumns = N / 16;

    static inline __m128i piece(const uint8_t * p) {
        if constexpr (kPlane < 16) {
            return _mm_loadl_epi64((const __m128i *) p);
        } else {
            return _mm_loadu_si128((const __m128i *) p);
        }
    }

    // A piece of each of four cells that are `stride` apart.
    static inline __m512i fourCells(const uint8_t * p, size_t stride) {
        const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(piece(p)), piece(p + stride), 1);
        const __m512i three = _mm512_inserti32x4(_mm512_castsi256_si512(low), piece(p + 2 * stride), 2);
        return _mm512_inserti32x4(three, piece(p + 3 * stride), 3);
    }

    // The level of each code, from a table that repeats over all 64 entries: bits above the code do not matter.
    static inline __m512i levels(__m512i codes, __m512i table) {
        if constexpr (BITS == 8) {
            return _mm512_xor_si512(codes, table);
        } else {
            return _mm512_permutexvar_epi8(codes, table);
        }
    }

    // Levels plus OFFSET, or for kv8, whose codes are the levels, what is to be xor-ed with them.
    template <int OFFSET> static inline __m512i table() {
        if constexpr (BITS == 8) {
            return _mm512_set1_epi8((char) OFFSET);
        } else {
            static constexpr LevelTable<BITS, OFFSET> levels;
            return _mm512_load_si512(levels.at);
        }
    }

    template <int SHIFT> static inline __m512i shifted(__m512i x) {
        if constexpr (SHIFT == 0) {
            return x;
        } else {
            return _mm512_srli_epi16(x, SHIFT);
        }
    }

    // The base bits of `low`, the rest from `high`.
    static inline __m512i join(__m512i low, __m512i high) {
        return _mm512_ternarylogic_epi32(low, high, _mm512_set1_epi8((1 << kBase) - 1), 0xE4);
    }

    // ---- keys ----

    // Block at p of kTile cells to tile[kSteps][kTile][4], levels + 128.
    static inline void keys(const uint8_t * p, size_t stride, uint8_t * tile) {
        const __m512i t = table<128>();
        for (int c = 0; c < kTile; c += 16, p += 16 * stride) {
            __m512i extra[kExtra ? N / 32 : 1];
            if constexpr (kExtra) {
                extraOfKeys(p + 1 + kPlane, stride, extra);
            }
#pragma GCC unroll 4
            for (int u = 0; u < kUnits; u++) {
                const uint8_t * q = p + 1 + 16 * u;
                // Cells four apart in each register, so that the transposition of 4x4 quadruples stays within 128-bit lanes.
                const __m512i a0 = fourCells(q, 4 * stride), a1 = fourCells(q + stride, 4 * stride);
                const __m512i a2 = fourCells(q + 2 * stride, 4 * stride), a3 = fourCells(q + 3 * stride, 4 * stride);
                const __m512i t0 = _mm512_unpacklo_epi32(a0, a1), t2 = _mm512_unpacklo_epi32(a2, a3);
                quadruple<0>(_mm512_unpacklo_epi64(t0, t2), 4 * u, t, extra, tile + 4 * c);
                quadruple<0>(_mm512_unpackhi_epi64(t0, t2), 4 * u + 1, t, extra, tile + 4 * c);
                if constexpr (kPlane >= 16) {
                    const __m512i t1 = _mm512_unpackhi_epi32(a0, a1), t3 = _mm512_unpackhi_epi32(a2, a3);
                    quadruple<0>(_mm512_unpacklo_epi64(t1, t3), 4 * u + 2, t, extra, tile + 4 * c);
                    quadruple<0>(_mm512_unpackhi_epi64(t1, t3), 4 * u + 3, t, extra, tile + 4 * c);
                }
            }
        }
    }

    // Four bytes of 16 cells hold kShifts quadruples of codes; `index` is that of the lowest.
    template <int S> static inline void quadruple(__m512i packed, int index, __m512i t, const __m512i * extra, uint8_t * tile) {
        if constexpr (S < kShifts) {
            const int step = index + S * (kPlane / 4);
            __m512i codes = shifted<S * kBase>(packed);
            if constexpr (kExtra) {
                codes = join(codes, _mm512_multishift_epi64_epi8(selectorOfKeys(step % 8), extra[step / 8]));
            }
            _mm512_store_si512(tile + (size_t) step * kTile * 4, levels(codes, t));
            quadruple<S + 1>(packed, index, t, extra, tile);
        }
    }

    // 32 bits of the extra plane of 16 cells in each register.
    static inline void extraOfKeys(const uint8_t * p, size_t stride, __m512i * out) {
        if constexpr (N == 64) {
            __m512i half[2];
            for (int h = 0; h < 2; h++) {
                half[h] = _mm512_setzero_si512();
#pragma GCC unroll 8
                for (int c = 0; c < 8; c++, p += stride) {
                    int64_t bits;
                    memcpy(&bits, p, 8);
                    half[h] = _mm512_mask_set1_epi64(half[h], (__mmask8) (1 << c), bits);
                }
            }
            const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            out[0] = _mm512_permutex2var_epi32(half[0], even, half[1]);
            out[1] = _mm512_permutex2var_epi32(half[0], _mm512_or_si512(even, _mm512_set1_epi32(1)), half[1]);
        } else {
            out[0] = _mm512_setzero_si512();
#pragma GCC unroll 16
            for (int c = 0; c < 16; c++, p += stride) {
                int32_t bits;
                memcpy(&bits, p, 4);
                out[0] = _mm512_mask_set1_epi32(out[0], (__mmask16) (1 << c), bits);
            }
        }
    }

    // Bits 4*step .. 4*step+3 of each 32 to bit kBase of four bytes. (What else the bytes hold does not matter.)
    static inline __m512i selectorOfKeys(int step) {
        const __m512i first = _mm512_set1_epi64(0x2322212003020100);
        return _mm512_add_epi8(first, _mm512_set1_epi8((char) (64 + 4 * step - kBase)));
    }

    // ---- values ----

    // Block at p of four cells to tile[N][4], signed levels.
    static inline void values(const uint8_t * p, size_t stride, uint8_t * tile) {
        const __m512i t = table<0>();
        __m512i extra = _mm512_setzero_si512();
        if constexpr (kExtra) {
            extra = extraOfValues(p + 1 + kPlane, stride);
        }
        if constexpr (kPlane < 16) {
            // kv2 and kv3 in blocks of 32: one register of 16 values takes two shifts of the same eight bytes.
            const __m512i x = fourCells(p + 1, stride);
            const __m512i bytes = _mm512_permutexvar_epi8(interleaveEight(), x);
            const __m512i high = _mm512_maskz_set1_epi32(0xFF00, kBase);
            store(_mm512_srlv_epi32(bytes, high), 0, t, extra, tile);
            store(_mm512_srlv_epi32(bytes, _mm512_add_epi32(high, _mm512_set1_epi32(2 * kBase))), 1, t, extra, tile);
        } else {
            const __m512i order = interleave();
#pragma GCC unroll 4
            for (int u = 0; u < kUnits; u++) {
                column<0>(_mm512_permutexvar_epi8(order, fourCells(p + 1 + 16 * u, stride)), u, t, extra, tile);
            }
        }
    }

    template <int S> static inline void column(__m512i packed, int index, __m512i t, __m512i extra, uint8_t * tile) {
        if constexpr (S < kShifts) {
            store(shifted<S * kBase>(packed), index + S * (kPlane / 16), t, extra, tile);
            column<S + 1>(packed, index, t, extra, tile);
        }
    }

    static inline void store(__m512i codes, int column, __m512i t, __m512i extra, uint8_t * tile) {
        if constexpr (kExtra) {
            const __m512i bytes = _mm512_permutexvar_epi8(_mm512_add_epi8(planeBytes(), _mm512_set1_epi8((char) (2 * column))), extra);
            codes = join(codes, _mm512_multishift_epi64_epi8(selectorOfValues(), bytes));
        }
        _mm512_store_si512(tile + 64 * column, levels(codes, t));
    }

    // The extra plane of four cells, one after the other.
    static inline __m512i extraOfValues(const uint8_t * p, size_t stride) {
        if constexpr (N == 64) {
            int64_t b[4];
            for (int c = 0; c < 4; c++) {
                memcpy(&b[c], p + (size_t) c * stride, 8);
            }
            return _mm512_castsi256_si512(_mm256_setr_epi64x(b[0], b[1], b[2], b[3]));
        } else {
            int32_t b[4];
            for (int c = 0; c < 4; c++) {
                memcpy(&b[c], p + (size_t) c * stride, 4);
            }
            return _mm512_castsi128_si512(_mm_setr_epi32(b[0], b[1], b[2], b[3]));
        }
    }

    // Byte 4*i + c from 16*c + i.
    static inline __m512i interleave() {
        const __m512i cells = _mm512_set1_epi32(0x30201000);
        const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        return _mm512_add_epi8(cells, _mm512_mullo_epi32(lane, _mm512_set1_epi32(0x01010101)));
    }
    static inline __m512i interleaveEight() { return _mm512_and_si512(interleave(), _mm512_set1_epi8(0x37)); }

    // For value i of 16 and cell c: the byte of the plane that holds its bit.
    static inline __m512i planeBytes() {
        const __m512i cells = _mm512_set1_epi32(N == 64 ? 0x18100800 : 0x0C080400);
        return _mm512_mask_add_epi8(cells, 0xFFFFFFFF00000000, cells, _mm512_set1_epi8(1));
    }
    // Then bit i % 8 of each of these bytes to bit kBase.
    static inline __m512i selectorOfValues() {
        const __m512i byte = _mm512_set1_epi64(0x3830282018100800);
        const __m512i value = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
        const __m512i bit = _mm512_add_epi8(_mm512_mullo_epi32(value, _mm512_set1_epi32(0x01010101)), _mm512_set1_epi8(64 - kBase));
        return _mm512_add_epi8(byte, bit);
    }
};

} // namespace lkv
