/*
 * Blocks of compressed keys and values to 16-bit integers in the order that vpmaddwd wants: two values of each of 8 cells (keys), two
 * cells of each of 8 values (values) in a register. Codes are brought into groups of four while they are packed, then unpacked, looked up
 * and split into the even and the odd of each four: pairs are (0, 2) and (1, 3).
 */
#pragma once
#include "codebook.h"
#include "layout.h"
#include "repeat.h"
#include "scratch.h"
#include <immintrin.h>
#include <string.h>

namespace lkv {

template <int BITS, int N> struct Avx2Block {
    static constexpr bool kExtra = BITS == 3 || BITS == 5; // a plane with one more bit of each code
    static constexpr int kBase = kExtra ? BITS - 1 : BITS; // bits in the first plane
    static constexpr int kPlane = N * kBase / 8;           // bytes of it
    static constexpr int kShifts = 8 / kBase;              // codes in a byte of it
    static constexpr int kUnits = (kPlane + 15) / 16;      // pieces of 16 bytes

    static LKV_INLINE __m128i piece(const uint8_t * p) {
        if constexpr (kPlane < 16) {
            return _mm_loadl_epi64((const __m128i *) p);
        } else {
            return _mm_loadu_si128((const __m128i *) p);
        }
    }
    static LKV_INLINE __m256i twoCells(const uint8_t * p, size_t stride) {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(piece(p)), piece(p + stride), 1);
    }

    static LKV_INLINE __m256i sixteen(const int8_t * levels, int n) {
        alignas(16) int8_t t[16];
        for (int i = 0; i < 16; i++) {
            t[i] = levels[i % n];
        }
        return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *) t));
    }

    struct Table {
        __m256i low, high;
    };
    static LKV_INLINE Table table() {
        if constexpr (BITS == 5) {
            return { sixteen(kLevels5, 16), sixteen(kLevels5 + 16, 16) };
        } else if constexpr (BITS == 8) {
            return { _mm256_setzero_si256(), _mm256_setzero_si256() };
        } else {
            const __m256i t = sixteen(BITS == 2 ? kLevels2 : BITS == 3 ? kLevels3 : kLevels4, 1 << BITS);
            return { t, t };
        }
    }

    // Levels of the codes in the low bits of each byte; `extra` is all ones in bytes whose extra bit is set.
    static LKV_INLINE __m256i levels(__m256i codes, __m256i extra, const Table & t) {
        if constexpr (BITS == 8) {
            return codes;
        } else if constexpr (BITS == 5) {
            const __m256i i = _mm256_and_si256(codes, _mm256_set1_epi8(15));
            return _mm256_blendv_epi8(_mm256_shuffle_epi8(t.low, i), _mm256_shuffle_epi8(t.high, i), extra);
        } else if constexpr (BITS == 3) {
            const __m256i i = _mm256_or_si256(_mm256_and_si256(codes, _mm256_set1_epi8(3)), _mm256_and_si256(extra, _mm256_set1_epi8(4)));
            return _mm256_shuffle_epi8(t.low, i);
        } else {
            return _mm256_shuffle_epi8(t.low, _mm256_and_si256(codes, _mm256_set1_epi8(15)));
        }
    }

    template <int SHIFT> static LKV_INLINE __m256i shifted(__m256i x) {
        if constexpr (SHIFT == 0) {
            return x;
        } else {
            return _mm256_srli_epi16(x, SHIFT);
        }
    }

    // Groups of four bytes as pairs of 16 bits: (0, 2) to `even`, (1, 3) to `odd`.
    static LKV_INLINE void split(__m256i x, int16_t * even, int16_t * odd) {
        _mm256_store_si256((__m256i *) even, _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8));
        _mm256_store_si256((__m256i *) odd, _mm256_srai_epi16(x, 8));
    }

    // ---- keys ----

    // Block at p of kTile cells to tile[N / 2][kTile][2].
    static inline void keys(const uint8_t * p, size_t stride, int16_t * tile) {
        const Table t = table();
        for (int c = 0; c < kTile; c += 8, p += 8 * stride) {
            __m256i extra[kExtra ? N / 32 : 1];
            if constexpr (kExtra) {
                repeat<N / 32>([&](auto h) LKV_BODY {
                    int32_t b[8];
                    repeat<8>([&](auto i) LKV_BODY { memcpy(&b[i], p + (size_t) i * stride + 1 + kPlane + 4 * h, 4); });
                    extra[h] = _mm256_setr_epi32(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
                });
            }
            repeat<kUnits>([&](auto u) LKV_BODY {
                const uint8_t * q = p + 1 + 16 * u;
                // Cells four apart in each register, so that the transposition of 4x4 groups stays within 128-bit lanes.
                const __m256i a0 = twoCells(q, 4 * stride), a1 = twoCells(q + stride, 4 * stride);
                const __m256i a2 = twoCells(q + 2 * stride, 4 * stride), a3 = twoCells(q + 3 * stride, 4 * stride);
                const __m256i t0 = _mm256_unpacklo_epi32(a0, a1), t2 = _mm256_unpacklo_epi32(a2, a3);
                group<4 * u>(_mm256_unpacklo_epi64(t0, t2), t, extra, tile + 2 * c);
                group<4 * u + 1>(_mm256_unpackhi_epi64(t0, t2), t, extra, tile + 2 * c);
                if constexpr (kPlane >= 16) {
                    const __m256i t1 = _mm256_unpackhi_epi32(a0, a1), t3 = _mm256_unpackhi_epi32(a2, a3);
                    group<4 * u + 2>(_mm256_unpacklo_epi64(t1, t3), t, extra, tile + 2 * c);
                    group<4 * u + 3>(_mm256_unpackhi_epi64(t1, t3), t, extra, tile + 2 * c);
                }
            });
        }
    }

    // Four bytes of 8 cells hold kShifts groups of four codes; INDEX is that of the lowest.
    template <int INDEX> static LKV_INLINE void group(__m256i packed, const Table & t, const __m256i * extra, int16_t * tile) {
        repeat<kShifts>([&](auto s) LKV_BODY {
            constexpr int step = INDEX + decltype(s)::value * (kPlane / 4);
            __m256i set = _mm256_setzero_si256();
            if constexpr (kExtra) {
                // Bits 4*step .. 4*step+3 are in one byte of the cell's plane: that byte in each of the four, then its bits.
                constexpr int byte = step % 8 / 2, first = step % 2 * 4;
                const __m256i spread = _mm256_setr_epi8(byte, byte, byte, byte, byte + 4, byte + 4, byte + 4, byte + 4, byte + 8, byte + 8, byte + 8,
                                                        byte + 8, byte + 12, byte + 12, byte + 12, byte + 12, byte, byte, byte, byte, byte + 4, byte + 4,
                                                        byte + 4, byte + 4, byte + 8, byte + 8, byte + 8, byte + 8, byte + 12, byte + 12, byte + 12, byte + 12);
                const __m256i bits = _mm256_set1_epi32((int) (0x08040201u << first));
                set = _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(extra[step / 8], spread), bits), bits);
            }
            int16_t * to = tile + (size_t) step * 2 * kTile * 2;
            split(levels(shifted<decltype(s)::value * kBase>(packed), set, t), to, to + kTile * 2);
        });
    }

    // ---- values ----

    // Block at p of four cells to tile[2][N][2].
    static inline void values(const uint8_t * p, size_t stride, int16_t * tile) {
        const Table t = table();
        // Byte v / 8 of the plane of each of four cells, by v / 8.
        alignas(32) uint32_t extra[8] = {};
        if constexpr (kExtra) {
            const uint8_t * q = p + 1 + kPlane;
            const auto plane = [&](int c) LKV_BODY {
                int64_t bits = 0;
                memcpy(&bits, q + (size_t) c * stride, N / 8);
                return _mm_cvtsi64_si128(bits);
            };
            const __m128i low = _mm_unpacklo_epi8(plane(0), plane(1)), high = _mm_unpacklo_epi8(plane(2), plane(3));
            _mm_store_si128((__m128i *) extra, _mm_unpacklo_epi16(low, high));
            _mm_store_si128((__m128i *) extra + 1, _mm_unpackhi_epi16(low, high));
        }
        repeat<kUnits>([&](auto u) LKV_BODY {
            const uint8_t * q = p + 1 + 16 * u;
            const __m128i x0 = piece(q), x1 = piece(q + stride), x2 = piece(q + 2 * stride), x3 = piece(q + 3 * stride);
            const __m128i t0 = _mm_unpacklo_epi8(x0, x1), t2 = _mm_unpacklo_epi8(x2, x3);
            eight(_mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(t0, t2)), _mm_unpackhi_epi16(t0, t2), 1), 2 * u, t, extra, tile);
            if constexpr (kPlane >= 16) {
                const __m128i t1 = _mm_unpackhi_epi8(x0, x1), t3 = _mm_unpackhi_epi8(x2, x3);
                eight(_mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(t1, t3)), _mm_unpackhi_epi16(t1, t3), 1), 2 * u + 1, t, extra, tile);
            }
        });
    }

    // Eight bytes of four cells hold kShifts times eight codes; `index` is that of the lowest eight.
    static LKV_INLINE void eight(__m256i packed, int index, const Table & t, const uint32_t * extra, int16_t * tile) {
        repeat<kShifts>([&](auto s) LKV_BODY {
            const int column = index + s * (kPlane / 8);
            __m256i set = _mm256_setzero_si256();
            if constexpr (kExtra) {
                const __m256i bits = _mm256_setr_epi32(0x01010101, 0x02020202, 0x04040404, 0x08080808, 0x10101010, 0x20202020, 0x40404040, (int) 0x80808080);
                set = _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_set1_epi32((int) extra[column]), bits), bits);
            }
            split(levels(shifted<decltype(s)::value * kBase>(packed), set, t), tile + 16 * column, tile + 2 * N + 16 * column);
        });
    }
};

} // namespace lkv
