/* The storage functions with NEON of AArch64 and its dot product. Compiled for it; called only where it is granted. */
#include "isa.h"

#if defined(LKV_ARM64)
#include "format_table.h"
#include "hadamard.h"
#include "half.h"
#include "nearest_tables.h"
#include "unpack_neon.h"

namespace lkv {
namespace {

/* Magnitudes as words in order, and the signs as bytes of 0 or -1. */
template<int N> struct Block {
    uint16x8_t x[N / 8];
    uint8x16_t negative[N / 16];
};

/* NaN to 0, then clipped. */
LKV_INLINE float32x4_t clean(float32x4_t values, float limit) {
    const float32x4_t ordered = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(values), vceqq_f32(values, values)));
    return vminq_f32(vmaxq_f32(ordered, vdupq_n_f32(-limit)), vdupq_n_f32(limit));
}

/* floor(2 * x / scale), at most 255, of values 16 * part and on. */
template<int N> LKV_INLINE uint8x16_t twiceOverScale(const Block<N> & block, Reciprocal reciprocal, int part) {
    const uint16x4_t factor = vdup_n_u16((uint16_t) reciprocal.factor);
    const int16x8_t shift = vdupq_n_s16((int16_t) -reciprocal.shift);
    uint16x8_t quotient[2];
    for (int i = 0; i < 2; i++) {
        const uint16x8_t x = block.x[2 * part + i];
        const uint32x4_t low = vmull_u16(vget_low_u16(x), factor), high = vmull_u16(vget_high_u16(x), factor);
        quotient[i] = vshlq_u16(vuzp2q_u16(vreinterpretq_u16_u32(low), vreinterpretq_u16_u32(high)), shift);
    }
    return vqmovn_high_u16(vqmovn_u16(quotient[0]), quotient[1]);
}

/* Nearest level for 8 bits: half of it, rounded up. */
LKV_INLINE uint8x16_t halved(uint8x16_t twice) { return vrshrq_n_u8(vminq_u8(twice, vdupq_n_u8(254)), 1); }

template<int BITS> LKV_INLINE uint8x16_t nearestIndex(uint8x16_t twice) {
    const uint8x16_t bucket = vshrq_n_u8(twice, 4);
    uint8x16_t index = vqtbl1q_u8(vld1q_u8(kBuckets<BITS>.base), bucket);
    for (int i = 0; i < Buckets<BITS>::kEdges; i++) {
        index = vsubq_u8(index, vcgeq_u8(twice, vqtbl1q_u8(vld1q_u8(kBuckets<BITS>.edges[i]), bucket)));
    }
    return index;
}

template<int BITS> LKV_INLINE uint8x16_t nearestLevel(uint8x16_t twice) {
    if constexpr (BITS == 8) {
        return halved(twice);
    } else if constexpr (BITS == 2) {
        return vbslq_u8(vcgeq_u8(twice, vdupq_n_u8(edge<2>(1))), vdupq_n_u8(kLevels2[3]), vdupq_n_u8(kLevels2[2]));
    } else {
        return vqtbl1q_u8(vld1q_u8(kBuckets<BITS>.level), nearestIndex<BITS>(twice));
    }
}

struct Vector {
    using Register = float32x4_t;
    static constexpr int kWidth = 4;
    static LKV_INLINE float32x4_t load(const float * p) { return vld1q_f32(p); }
    static LKV_INLINE void store(float * p, float32x4_t r) { vst1q_f32(p, r); }
    static LKV_INLINE float32x4_t add(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
    static LKV_INLINE float32x4_t subtract(float32x4_t a, float32x4_t b) { return vsubq_f32(a, b); }
    static LKV_INLINE float32x4_t multiply(float32x4_t a, float b) { return vmulq_n_f32(a, b); }
    static LKV_INLINE float32x4_t within(float32x4_t r) {
        const float32x4_t even = vtrn1q_f32(r, r), odd = vtrn2q_f32(r, r); // 0 0 2 2 and 1 1 3 3
        r = vtrn1q_f32(vaddq_f32(even, odd), vsubq_f32(even, odd));
        const float32x4_t low = vcombine_f32(vget_low_f32(r), vget_low_f32(r)), high = vcombine_f32(vget_high_f32(r), vget_high_f32(r));
        return vcombine_f32(vget_low_f32(vaddq_f32(low, high)), vget_low_f32(vsubq_f32(low, high)));
    }
};

struct NeonOps {
    template<int N> static LKV_INLINE uint32_t largest(const float * values) {
        uint32x4_t most = vdupq_n_u32(0);
        for (int i = 0; i < N; i += 4) {
            const uint32x4_t magnitude = vandq_u32(vreinterpretq_u32_f32(vld1q_f32(values + i)), vdupq_n_u32(0x7fffffff));
            most = vmaxq_u32(most, vandq_u32(magnitude, vcleq_u32(magnitude, vdupq_n_u32(0x7f800000))));
        }
        return vmaxvq_u32(vminq_u32(most, vreinterpretq_u32_f32(vdupq_n_f32(kLargest))));
    }

    template<int N> static LKV_INLINE Block<N> load(const float * values, float factor) {
        Block<N> block;
        for (int i = 0; i < N / 16; i++) {
            uint8x8_t signs[2];
            for (int j = 0; j < 2; j++) {
                const float * p = values + 16 * i + 8 * j;
                const int32x4_t a = vcvtnq_s32_f32(vmulq_n_f32(clean(vld1q_f32(p), kLargest), factor));
                const int32x4_t b = vcvtnq_s32_f32(vmulq_n_f32(clean(vld1q_f32(p + 4), kLargest), factor));
                const int16x8_t words = vqmovn_high_s32(vqmovn_s32(a), b);
                block.x[2 * i + j] = vreinterpretq_u16_s16(vqabsq_s16(words)); // at most 32767
                signs[j] = vmovn_u16(vcltzq_s16(words));
            }
            block.negative[i] = vcombine_u8(signs[0], signs[1]);
        }
        return block;
    }

    template<int BITS, int N> static LKV_INLINE Products products(const Block<N> & block, Reciprocal reciprocal) {
        uint32x4_t xc = vdupq_n_u32(0), cc = vdupq_n_u32(0);
        for (int i = 0; i < N / 16; i++) {
            const uint8x16_t level = nearestLevel<BITS>(twiceOverScale<N>(block, reciprocal, i));
            const uint16x8_t words[2] = {vmovl_u8(vget_low_u8(level)), vmovl_high_u8(level)};
            for (int j = 0; j < 2; j++) {
                xc = vmlal_u16(xc, vget_low_u16(block.x[2 * i + j]), vget_low_u16(words[j]));
                xc = vmlal_high_u16(xc, block.x[2 * i + j], words[j]);
            }
            cc = vdotq_u32(cc, level, level);
        }
        return {(int32_t) vaddvq_u32(xc), (int32_t) vaddvq_u32(cc)};
    }

    template<int BITS, int N> static LKV_INLINE void store(const Block<N> & block, Reciprocal reciprocal, uint8_t * out) {
        uint8x16_t codes[N / 16];
        for (int i = 0; i < N / 16; i++) {
            const uint8x16_t twice = twiceOverScale<N>(block, reciprocal, i), negative = block.negative[i];
            if constexpr (BITS == 8) {
                vst1q_u8(out + 16 * i, vsubq_u8(veorq_u8(halved(twice), negative), negative));
            } else {
                // half + index, or half + ~index = half - 1 - index
                codes[i] = vaddq_u8(veorq_u8(nearestIndex<BITS>(twice), negative), vdupq_n_u8(1 << (BITS - 1)));
            }
        }
        if constexpr (BITS != 8) storeCodes<BITS, N>(codes, out);
    }

    template<int BITS, int N> static LKV_INLINE void decode(const uint8_t * block, float * values) {
        const float scale = kScales[block[0]];
        for (int part = 0; part < N / 16; part++) {
            const int8x16_t levels = unpackLevels<BITS, N>(block + 1, part);
            const int16x8_t words[2] = {vmovl_s8(vget_low_s8(levels)), vmovl_high_s8(levels)};
            for (int i = 0; i < 2; i++) {
                float * out = values + 16 * part + 8 * i;
                vst1q_f32(out, vmulq_n_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(words[i]))), scale));
                vst1q_f32(out + 4, vmulq_n_f32(vcvtq_f32_s32(vmovl_high_s16(words[i])), scale));
            }
        }
    }

    static void encodeHalf(const float * values, uint8_t * row, int64_t n) {
        int64_t i = 0;
        for (; i + 4 <= n; i += 4) {
            const uint16x4_t halves = vreinterpret_u16_f16(vcvt_f16_f32(clean(vld1q_f32(values + i), kLargestHalf)));
            vst1_u8(row + 2 * i, vreinterpret_u8_u16(halves));
        }
        for (; i < n; i++) {
            const uint16_t half = floatToHalf(values[i]);
            memcpy(row + 2 * i, &half, sizeof half);
        }
    }

    static void decodeHalf(const uint8_t * row, float * values, int64_t n) {
        int64_t i = 0;
        for (; i + 4 <= n; i += 4) vst1q_f32(values + i, vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(row + 2 * i))));
        for (; i < n; i++) {
            uint16_t half;
            memcpy(&half, row + 2 * i, sizeof half);
            values[i] = halfToFloat(half);
        }
    }

    static void hadamard(float * values, int64_t n, int32_t size) { hadamardWith<Vector>(values, n, size); }

private:
    /* Highest bits of 16 codes of 3 or 5 bits, one bit each. */
    template<int BITS> static LKV_INLINE void storeHigh(uint8x16_t codes, uint8_t * out) {
        const uint8x8_t single = vcreate_u8(0x8040201008040201ull);
        const uint8x16_t bits = vandq_u8(vtstq_u8(codes, vdupq_n_u8(1 << (BITS - 1))), vcombine_u8(single, single));
        out[0] = vaddv_u8(vget_low_u8(bits));
        out[1] = vaddv_u8(vget_high_u8(bits));
    }

    /* Planes of codes of 2 to 5 bits, in order. */
    template<int BITS, int N> static LKV_INLINE void storeCodes(const uint8x16_t * codes, uint8_t * out) {
        if constexpr (BITS == 3 || BITS == 5) {
            uint8x16_t low[N / 16];
            for (int i = 0; i < N / 16; i++) {
                storeHigh<BITS>(codes[i], out + codeBytes(BITS - 1, N) + 2 * i);
                low[i] = vandq_u8(codes[i], vdupq_n_u8((1 << (BITS - 1)) - 1));
            }
            storeCodes<BITS - 1, N>(low, out);
        } else if constexpr (BITS == 4) {
            for (int i = 0; i < N / 32; i++) vst1q_u8(out + 16 * i, vorrq_u8(codes[i], vshlq_n_u8(codes[i + N / 32], 4)));
        } else if constexpr (N == 64) {
            const uint8x16_t even = vorrq_u8(codes[0], vshlq_n_u8(codes[2], 4)), odd = vorrq_u8(codes[1], vshlq_n_u8(codes[3], 4));
            vst1q_u8(out, vorrq_u8(even, vshlq_n_u8(odd, 2)));
        } else {
            const uint8x16_t pairs = vorrq_u8(codes[0], vshlq_n_u8(codes[1], 4)); // quarters 0 and 2, 1 and 3
            vst1_u8(out, vorr_u8(vget_low_u8(pairs), vshl_n_u8(vget_high_u8(pairs), 2)));
        }
    }
};

} // namespace

constexpr FormatFunctions kNeonFormats = formatTable<NeonOps>();

} // namespace lkv
#endif
