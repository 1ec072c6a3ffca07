/* The storage functions with AVX-512 (F, BW, VL, DQ, VBMI, VNNI). Compiled for it; called only where it is granted. */
#include "isa.h"

#if defined(LKV_X86)
#include "format_table.h"
#include "hadamard.h"
#include "nearest_tables.h"
#include "unpack_avx512.h"

namespace lkv {
namespace {

/* Magnitudes as words in order, and the signs. */
template<int N> struct Block {
    __m512i x[N / 32];
    uint64_t negative;
};

/* NaN to 0, then clipped: a comparison with NaN takes the second operand, which the mask removes. */
LKV_INLINE __m512 clean(__m512 values, float limit) {
    const __mmask16 ordered = _mm512_cmp_ps_mask(values, values, _CMP_ORD_Q);
    return _mm512_maskz_min_ps(ordered, _mm512_max_ps(values, _mm512_set1_ps(-limit)), _mm512_set1_ps(limit));
}

/* floor(2 * x / scale), at most 255. */
LKV_INLINE __m512i divide(__m512i x, __m512i factor, __m128i shift) { return _mm512_srl_epi16(_mm512_mulhi_epu16(x, factor), shift); }

/* 64 bytes: those of two registers of words, in the order that unpacklo and unpackhi undo; 32 bytes, in order, in the low half. */
template<int N> LKV_INLINE __m512i twiceOverScale(const Block<N> & block, Reciprocal reciprocal) {
    const __m512i factor = _mm512_set1_epi16((short) reciprocal.factor);
    const __m128i shift = _mm_cvtsi32_si128(reciprocal.shift);
    if constexpr (N == 64) return _mm512_packus_epi16(divide(block.x[0], factor, shift), divide(block.x[1], factor, shift));
    else return _mm512_zextsi256_si512(_mm512_cvtusepi16_epi8(divide(block.x[0], factor, shift)));
}

/* table[index] for 256 bytes. */
LKV_INLINE __m512i lookUp(const uint8_t * table, __m512i index) {
    const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(table), index, _mm512_load_si512(table + 64));
    const __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(table + 128), index, _mm512_load_si512(table + 192));
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
}

/* Nearest level for 8 bits: half of it, rounded up. */
LKV_INLINE __m512i halved(__m512i twice) { return _mm512_avg_epu8(_mm512_min_epu8(twice, _mm512_set1_epi8((char) 254)), _mm512_setzero_si512()); }

template<int BITS> LKV_INLINE __m512i nearestLevel(__m512i twice) {
    if constexpr (BITS == 8) {
        return halved(twice);
    } else if constexpr (BITS == 2) {
        const __mmask64 outer = _mm512_cmpge_epu8_mask(twice, _mm512_set1_epi8((char) edge<2>(1)));
        return _mm512_mask_blend_epi8(outer, _mm512_set1_epi8(kLevels2[2]), _mm512_set1_epi8(kLevels2[3]));
    } else {
        return lookUp(kNearest<BITS>.level, twice);
    }
}

struct Vector {
    using Register = __m512;
    static constexpr int kWidth = 16;
    static LKV_INLINE __m512 load(const float * p) { return _mm512_loadu_ps(p); }
    static LKV_INLINE void store(float * p, __m512 r) { _mm512_storeu_ps(p, r); }
    static LKV_INLINE __m512 add(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
    static LKV_INLINE __m512 subtract(__m512 a, __m512 b) { return _mm512_sub_ps(a, b); }
    static LKV_INLINE __m512 multiply(__m512 a, float b) { return _mm512_mul_ps(a, _mm512_set1_ps(b)); }
    /* In the lanes of `minus` partner - own, elsewhere partner + own. */
    static LKV_INLINE __m512 butterfly(__m512 own, __m512 partner, __mmask16 minus) {
        return _mm512_mask_sub_ps(_mm512_add_ps(partner, own), minus, partner, own);
    }
    static LKV_INLINE __m512 within(__m512 r) {
        r = butterfly(r, _mm512_permute_ps(r, 0xb1), 0xaaaa);
        r = butterfly(r, _mm512_permute_ps(r, 0x4e), 0xcccc);
        r = butterfly(r, _mm512_shuffle_f32x4(r, r, 0xb1), 0xf0f0);
        return butterfly(r, _mm512_shuffle_f32x4(r, r, 0x4e), 0xff00);
    }
};

struct Avx512Ops {
    template<int N> static LKV_INLINE uint32_t largest(const float * values) {
        const __m512i infinity = _mm512_set1_epi32(0x7f800000);
        __m512i most = _mm512_setzero_si512();
        for (int i = 0; i < N; i += 16) {
            const __m512i magnitude = _mm512_and_si512(_mm512_loadu_si512(values + i), _mm512_set1_epi32(0x7fffffff));
            most = _mm512_mask_max_epi32(most, _mm512_cmple_epi32_mask(magnitude, infinity), most, magnitude);
        }
        most = _mm512_min_epi32(most, _mm512_castps_si512(_mm512_set1_ps(kLargest)));
        __m256i m = _mm256_max_epi32(_mm512_castsi512_si256(most), _mm512_extracti64x4_epi64(most, 1));
        __m128i k = _mm_max_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
        k = _mm_max_epi32(k, _mm_shuffle_epi32(k, 0x4e));
        return (uint32_t) _mm_cvtsi128_si32(_mm_max_epi32(k, _mm_shuffle_epi32(k, 0xb1)));
    }

    template<int N> static LKV_INLINE Block<N> load(const float * values, float factor) {
        const __m512i order = _mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0); // undoes the interleaving of packs
        Block<N> block;
        block.negative = 0;
        for (int i = 0; i < N / 32; i++) {
            const __m512i a = _mm512_cvtps_epi32(_mm512_mul_ps(clean(_mm512_loadu_ps(values + 32 * i), kLargest), _mm512_set1_ps(factor)));
            const __m512i b = _mm512_cvtps_epi32(_mm512_mul_ps(clean(_mm512_loadu_ps(values + 32 * i + 16), kLargest), _mm512_set1_ps(factor)));
            const __m512i words = _mm512_permutexvar_epi64(order, _mm512_packs_epi32(a, b));
            block.negative |= (uint64_t) _mm512_movepi16_mask(words) << 32 * i;
            block.x[i] = _mm512_min_epu16(_mm512_abs_epi16(words), _mm512_set1_epi16(32767));
        }
        return block;
    }

    template<int BITS, int N> static LKV_INLINE Products products(const Block<N> & block, Reciprocal reciprocal) {
        const __m512i zero = _mm512_setzero_si512();
        const __m512i level = nearestLevel<BITS>(twiceOverScale<N>(block, reciprocal));
        __m512i xc, cc;
        if constexpr (N == 64) {
            xc = _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(zero, block.x[0], _mm512_unpacklo_epi8(level, zero)), block.x[1], _mm512_unpackhi_epi8(level, zero));
            cc = _mm512_dpbusd_epi32(zero, level, level);
        } else {
            const __m512i words = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(level));
            xc = _mm512_dpwssd_epi32(zero, block.x[0], words);
            cc = _mm512_dpwssd_epi32(zero, words, words);
        }
        // Both sums at once: xc in the even lanes, cc in the odd ones.
        const __m512i both = _mm512_add_epi32(_mm512_unpacklo_epi32(xc, cc), _mm512_unpackhi_epi32(xc, cc));
        const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1));
        __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
        return {_mm_cvtsi128_si32(sums), _mm_extract_epi32(sums, 1)};
    }

    template<int BITS, int N> static LKV_INLINE void store(const Block<N> & block, Reciprocal reciprocal, uint8_t * out) {
        __m512i twice = twiceOverScale<N>(block, reciprocal);
        if constexpr (N == 64) twice = _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), twice);
        const __mmask64 negative = block.negative;
        if constexpr (BITS == 8) {
            const __m512i level = halved(twice), code = _mm512_mask_sub_epi8(level, negative, _mm512_setzero_si512(), level);
            if constexpr (N == 64) _mm512_storeu_si512(out, code);
            else _mm256_storeu_si256((__m256i *) out, _mm512_castsi512_si256(code));
        } else {
            constexpr int half = 1 << (BITS - 1);
            const __m512i index = lookUp(kNearest<BITS>.index, twice);
            // half + index, or half - 1 - index
            storeCodes<BITS, N>(_mm512_mask_sub_epi8(_mm512_add_epi8(index, _mm512_set1_epi8(half)), negative, _mm512_set1_epi8(half - 1), index), out);
        }
    }

    template<int BITS, int N> static LKV_INLINE void decode(const uint8_t * block, float * values) {
        const __m512 scale = _mm512_set1_ps(kScales[block[0]]);
        const auto levels = unpackLevels<BITS, N>(block + 1);
        alignas(64) int8_t bytes[N];
        memcpy(bytes, &levels, N);
        for (int i = 0; i < N; i += 16) {
            const __m512i level = _mm512_cvtepi8_epi32(_mm_load_si128((const __m128i *) (bytes + i)));
            _mm512_storeu_ps(values + i, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(level)));
        }
    }

    static void encodeHalf(const float * values, uint8_t * row, int64_t n) {
        for (int64_t i = 0; i < n; i += 16) {
            const __mmask16 rest = n - i < 16 ? (__mmask16) ((1u << (n - i)) - 1) : (__mmask16) 0xffff;
            const __m512 value = clean(_mm512_maskz_loadu_ps(rest, values + i), 65504.0f);
            _mm256_mask_storeu_epi16(row + 2 * i, rest, _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
        }
    }

    static void decodeHalf(const uint8_t * row, float * values, int64_t n) {
        for (int64_t i = 0; i < n; i += 16) {
            const __mmask16 rest = n - i < 16 ? (__mmask16) ((1u << (n - i)) - 1) : (__mmask16) 0xffff;
            _mm512_mask_storeu_ps(values + i, rest, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(rest, row + 2 * i)));
        }
    }

    static void hadamard(float * values, int64_t n, int32_t size) { hadamardWith<Vector>(values, n, size); }

private:
    /* Planes of codes of 2 to 5 bits, in order. */
    template<int BITS, int N> static LKV_INLINE void storeCodes(__m512i codes, uint8_t * out) {
        if constexpr (BITS == 3 || BITS == 5) {
            const __mmask64 high = _mm512_test_epi8_mask(codes, _mm512_set1_epi8(1 << (BITS - 1)));
            memcpy(out + codeBytes(BITS - 1, N), &high, N / 8); // the low N bits: this is x86
            storeCodes<BITS - 1, N>(_mm512_and_si512(codes, _mm512_set1_epi8((1 << (BITS - 1)) - 1)), out);
        } else if constexpr (BITS == 4 && N == 64) {
            const __m256i upper = _mm512_extracti64x4_epi64(codes, 1);
            _mm256_storeu_si256((__m256i *) out, _mm256_or_si256(_mm512_castsi512_si256(codes), _mm256_slli_epi16(upper, 4)));
        } else if constexpr (BITS == 4) {
            const __m128i upper = _mm512_extracti32x4_epi32(codes, 1);
            _mm_storeu_si128((__m128i *) out, _mm_or_si128(_mm512_castsi512_si128(codes), _mm_slli_epi16(upper, 4)));
        } else if constexpr (N == 64) {
            const __m512i placed = _mm512_sllv_epi32(codes, _mm512_set_epi32(6, 6, 6, 6, 4, 4, 4, 4, 2, 2, 2, 2, 0, 0, 0, 0));
            const __m256i half = _mm256_or_si256(_mm512_castsi512_si256(placed), _mm512_extracti64x4_epi64(placed, 1));
            _mm_storeu_si128((__m128i *) out, _mm_or_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
        } else {
            const __m256i placed = _mm256_sllv_epi64(_mm512_castsi512_si256(codes), _mm256_set_epi64x(6, 4, 2, 0));
            const __m128i half = _mm_or_si128(_mm256_castsi256_si128(placed), _mm256_extracti128_si256(placed, 1));
            _mm_storel_epi64((__m128i *) out, _mm_or_si128(half, _mm_unpackhi_epi64(half, half)));
        }
    }
};

} // namespace

constexpr FormatFunctions kAvx512Formats = formatTable<Avx512Ops>();

} // namespace lkv
#endif
