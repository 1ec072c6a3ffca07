/* The storage functions with AVX2, FMA and F16C. Compiled for it; called only where it is granted. */
#include "isa.h"

#if defined(LKV_X86)
#include "format_table.h"
#include "hadamard.h"
#include "half.h"
#include "nearest_tables.h"
#include "unpack_avx2.h"

namespace lkv {
namespace {

/* Magnitudes as words in order, and the signs as bytes of 0 or -1 in order. */
template<int N> struct Block {
    __m256i x[N / 16], negative[N / 32];
};

/* NaN to 0, then clipped. */
LKV_INLINE __m256 clean(__m256 values, float limit) {
    const __m256 ordered = _mm256_and_ps(values, _mm256_cmp_ps(values, values, _CMP_ORD_Q));
    return _mm256_min_ps(_mm256_max_ps(ordered, _mm256_set1_ps(-limit)), _mm256_set1_ps(limit));
}

/* Undoes the interleaving by 128-bit lanes that packs and packus do. */
LKV_INLINE __m256i inOrder(__m256i packed) { return _mm256_permute4x64_epi64(packed, 0xd8); }

LKV_INLINE __m256i atLeast(__m256i a, __m256i b) { return _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a); }

/* floor(2 * x / scale), at most 255, of values 32 * part and on; unpacklo and unpackhi undo its order. */
template<int N> LKV_INLINE __m256i twiceOverScale(const Block<N> & block, Reciprocal reciprocal, int part) {
    const __m256i factor = _mm256_set1_epi16((short) reciprocal.factor);
    const __m128i shift = _mm_cvtsi32_si128(reciprocal.shift);
    const __m256i a = _mm256_srl_epi16(_mm256_mulhi_epu16(block.x[2 * part], factor), shift);
    return _mm256_packus_epi16(a, _mm256_srl_epi16(_mm256_mulhi_epu16(block.x[2 * part + 1], factor), shift));
}

/* Nearest level for 8 bits: half of it, rounded up. */
LKV_INLINE __m256i halved(__m256i twice) { return _mm256_avg_epu8(_mm256_min_epu8(twice, _mm256_set1_epi8((char) 254)), _mm256_setzero_si256()); }

template<int BITS> LKV_INLINE __m256i nearestIndex(__m256i twice) {
    const __m256i bucket = _mm256_and_si256(_mm256_srli_epi16(twice, 4), _mm256_set1_epi8(15));
    __m256i index = _mm256_shuffle_epi8(bothLanes(kBuckets<BITS>.base), bucket);
    for (int i = 0; i < Buckets<BITS>::kEdges; i++) {
        index = _mm256_sub_epi8(index, atLeast(twice, _mm256_shuffle_epi8(bothLanes(kBuckets<BITS>.edges[i]), bucket)));
    }
    return index;
}

template<int BITS> LKV_INLINE __m256i nearestLevel(__m256i twice) {
    if constexpr (BITS == 8) {
        return halved(twice);
    } else if constexpr (BITS == 2) {
        return _mm256_blendv_epi8(_mm256_set1_epi8(kLevels2[2]), _mm256_set1_epi8(kLevels2[3]), atLeast(twice, _mm256_set1_epi8((char) edge<2>(1))));
    } else {
        return _mm256_shuffle_epi8(bothLanes(kBuckets<BITS>.level), nearestIndex<BITS>(twice));
    }
}

struct Vector {
    using Register = __m256;
    static constexpr int kWidth = 8;
    static LKV_INLINE __m256 load(const float * p) { return _mm256_loadu_ps(p); }
    static LKV_INLINE void store(float * p, __m256 r) { _mm256_storeu_ps(p, r); }
    static LKV_INLINE __m256 add(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
    static LKV_INLINE __m256 subtract(__m256 a, __m256 b) { return _mm256_sub_ps(a, b); }
    static LKV_INLINE __m256 multiply(__m256 a, float b) { return _mm256_mul_ps(a, _mm256_set1_ps(b)); }
    static LKV_INLINE __m256 within(__m256 r) {
        __m256 partner = _mm256_permute_ps(r, 0xb1);
        r = _mm256_blend_ps(_mm256_add_ps(partner, r), _mm256_sub_ps(partner, r), 0xaa);
        partner = _mm256_permute_ps(r, 0x4e);
        r = _mm256_blend_ps(_mm256_add_ps(partner, r), _mm256_sub_ps(partner, r), 0xcc);
        partner = _mm256_permute2f128_ps(r, r, 0x01);
        return _mm256_blend_ps(_mm256_add_ps(partner, r), _mm256_sub_ps(partner, r), 0xf0);
    }
};

struct Avx2Ops {
    template<int N> static LKV_INLINE uint32_t largest(const float * values) {
        const __m256i infinity = _mm256_set1_epi32(0x7f800000);
        __m256i most = _mm256_setzero_si256();
        for (int i = 0; i < N; i += 8) {
            const __m256i magnitude = _mm256_and_si256(_mm256_loadu_si256((const __m256i *) (values + i)), _mm256_set1_epi32(0x7fffffff));
            most = _mm256_max_epi32(most, _mm256_andnot_si256(_mm256_cmpgt_epi32(magnitude, infinity), magnitude));
        }
        most = _mm256_min_epi32(most, _mm256_castps_si256(_mm256_set1_ps(kLargest)));
        __m128i k = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
        k = _mm_max_epi32(k, _mm_shuffle_epi32(k, 0x4e));
        return (uint32_t) _mm_cvtsi128_si32(_mm_max_epi32(k, _mm_shuffle_epi32(k, 0xb1)));
    }

    template<int N> static LKV_INLINE Block<N> load(const float * values, float factor) {
        Block<N> block;
        for (int i = 0; i < N / 32; i++) {
            __m256i words[2];
            for (int j = 0; j < 2; j++) {
                const float * p = values + 32 * i + 16 * j;
                const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(clean(_mm256_loadu_ps(p), kLargest), _mm256_set1_ps(factor)));
                const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(clean(_mm256_loadu_ps(p + 8), kLargest), _mm256_set1_ps(factor)));
                words[j] = inOrder(_mm256_packs_epi32(a, b));
                block.x[2 * i + j] = _mm256_min_epu16(_mm256_abs_epi16(words[j]), _mm256_set1_epi16(32767));
            }
            const __m256i signs = inOrder(_mm256_packs_epi16(words[0], words[1]));
            block.negative[i] = _mm256_cmpgt_epi8(_mm256_setzero_si256(), signs);
        }
        return block;
    }

    template<int BITS, int N> static LKV_INLINE Products products(const Block<N> & block, Reciprocal reciprocal) {
        const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi16(1);
        __m256i xc = zero, cc = zero;
        for (int i = 0; i < N / 32; i++) {
            const __m256i level = nearestLevel<BITS>(twiceOverScale<N>(block, reciprocal, i));
            xc = _mm256_add_epi32(xc, _mm256_madd_epi16(block.x[2 * i], _mm256_unpacklo_epi8(level, zero)));
            xc = _mm256_add_epi32(xc, _mm256_madd_epi16(block.x[2 * i + 1], _mm256_unpackhi_epi8(level, zero)));
            cc = _mm256_add_epi32(cc, _mm256_madd_epi16(_mm256_maddubs_epi16(level, level), one)); // 2 * 127^2 does not saturate
        }
        // Both sums at once: xc in the even lanes, cc in the odd ones.
        const __m256i both = _mm256_add_epi32(_mm256_unpacklo_epi32(xc, cc), _mm256_unpackhi_epi32(xc, cc));
        __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
        sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
        return {_mm_cvtsi128_si32(sums), _mm_extract_epi32(sums, 1)};
    }

    template<int BITS, int N> static LKV_INLINE void store(const Block<N> & block, Reciprocal reciprocal, uint8_t * out) {
        __m256i codes[N / 32];
        for (int i = 0; i < N / 32; i++) {
            const __m256i twice = inOrder(twiceOverScale<N>(block, reciprocal, i)), negative = block.negative[i];
            if constexpr (BITS == 8) {
                _mm256_storeu_si256((__m256i *) (out + 32 * i), _mm256_sub_epi8(_mm256_xor_si256(halved(twice), negative), negative));
            } else {
                // half + index, or half + ~index = half - 1 - index
                codes[i] = _mm256_add_epi8(_mm256_xor_si256(nearestIndex<BITS>(twice), negative), _mm256_set1_epi8(1 << (BITS - 1)));
            }
        }
        if constexpr (BITS != 8) storeCodes<BITS, N>(codes, out);
    }

    template<int BITS, int N> static LKV_INLINE void decode(const uint8_t * block, float * values) {
        const __m256 scale = _mm256_set1_ps(kScales[block[0]]);
        for (int part = 0; part < N / 32; part++) {
            alignas(32) int8_t bytes[32];
            _mm256_store_si256((__m256i *) bytes, unpackLevels<BITS, N>(block + 1, part));
            for (int i = 0; i < 32; i += 8) {
                const __m256i level = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) (bytes + i)));
                _mm256_storeu_ps(values + 32 * part + i, _mm256_mul_ps(scale, _mm256_cvtepi32_ps(level)));
            }
        }
    }

    static void encodeHalf(const float * values, uint8_t * row, int64_t n) {
        int64_t i = 0;
        for (; i + 8 <= n; i += 8) {
            const __m256 value = clean(_mm256_loadu_ps(values + i), kLargestHalf);
            _mm_storeu_si128((__m128i *) (row + 2 * i), _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
        }
        for (; i < n; i++) {
            const uint16_t half = floatToHalf(values[i]);
            memcpy(row + 2 * i, &half, sizeof half);
        }
    }

    static void decodeHalf(const uint8_t * row, float * values, int64_t n) {
        int64_t i = 0;
        for (; i + 8 <= n; i += 8) _mm256_storeu_ps(values + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (row + 2 * i))));
        for (; i < n; i++) values[i] = halfToFloat(loadAs<uint16_t>(row + 2 * i));
    }

    static void hadamard(float * values, int64_t n, int32_t size) { hadamardWith<Vector>(values, n, size); }

private:
    /* Planes of codes of 2 to 5 bits, in order. */
    template<int BITS, int N> static LKV_INLINE void storeCodes(const __m256i * codes, uint8_t * out) {
        if constexpr (BITS == 3 || BITS == 5) {
            __m256i low[N / 32];
            for (int i = 0; i < N / 32; i++) {
                const int32_t high = _mm256_movemask_epi8(_mm256_slli_epi16(codes[i], 8 - BITS)); // the highest bit of each code, from its byte's
                memcpy(out + codeBytes(BITS - 1, N) + 4 * i, &high, sizeof high);
                low[i] = _mm256_and_si256(codes[i], _mm256_set1_epi8((1 << (BITS - 1)) - 1));
            }
            storeCodes<BITS - 1, N>(low, out);
        } else if constexpr (BITS == 4 && N == 64) {
            _mm256_storeu_si256((__m256i *) out, _mm256_or_si256(codes[0], _mm256_slli_epi16(codes[1], 4)));
        } else if constexpr (BITS == 4) {
            const __m128i upper = _mm256_extracti128_si256(codes[0], 1);
            _mm_storeu_si128((__m128i *) out, _mm_or_si128(_mm256_castsi256_si128(codes[0]), _mm_slli_epi16(upper, 4)));
        } else if constexpr (N == 64) {
            const __m256i pairs = _mm256_or_si256(codes[0], _mm256_slli_epi16(codes[1], 4)); // quarters 0 and 2, 1 and 3
            _mm_storeu_si128((__m128i *) out, _mm_or_si128(_mm256_castsi256_si128(pairs), _mm_slli_epi16(_mm256_extracti128_si256(pairs, 1), 2)));
        } else {
            const __m256i placed = _mm256_sllv_epi64(codes[0], _mm256_set_epi64x(6, 4, 2, 0));
            const __m128i half = _mm_or_si128(_mm256_castsi256_si128(placed), _mm256_extracti128_si256(placed, 1));
            _mm_storel_epi64((__m128i *) out, _mm_or_si128(half, _mm_unpackhi_epi64(half, half)));
        }
    }
};

} // namespace

constexpr FormatFunctions kAvx2Formats = formatTable<Avx2Ops>();

} // namespace lkv
#endif
