/* The storage functions without wide registers: the reference for the other instruction sets, and what remains where none is granted. */
#include "format_table.h"
#include "hadamard.h"
#include "half.h"
#include "nearest_tables.h"
#include "scalar_codes.h"

namespace lkv {
namespace {

struct ScalarOps {
    template<int N> struct Block { int32_t x[N]; };

    template<int N> static uint32_t largest(const float * values) {
        uint32_t most = 0;
        for (int i = 0; i < N; i++) {
            uint32_t bits;
            memcpy(&bits, values + i, sizeof bits);
            bits &= 0x7fffffff;
            if (bits <= 0x7f800000 && bits > most) most = bits; // the bits of magnitudes are ordered as they are
        }
        const float clip = kLargest;
        uint32_t limit;
        memcpy(&limit, &clip, sizeof limit);
        return most < limit ? most : limit;
    }

    template<int N> static Block<N> load(const float * values, float factor) {
        Block<N> block;
        for (int i = 0; i < N; i++) {
            float value = values[i];
            value = value != value ? 0 : value > kLargest ? kLargest : value < -kLargest ? -kLargest : value;
            const int32_t x = roundToEven(value * factor);
            block.x[i] = x > 32767 ? 32767 : x < -32767 ? -32767 : x;
        }
        return block;
    }

    template<int BITS, int N> static Products products(const Block<N> & block, Reciprocal reciprocal) {
        Products sums = {0, 0};
        for (int i = 0; i < N; i++) {
            const int x = block.x[i] < 0 ? -block.x[i] : block.x[i], t = twiceOverScale(x, reciprocal);
            const int level = nearestLevel<BITS>(t);
            sums.xc += x * level;
            sums.cc += level * level;
        }
        return sums;
    }

    template<int BITS, int N> static void store(const Block<N> & block, Reciprocal reciprocal, uint8_t * out) {
        constexpr int half = 1 << (BITS - 1);
        memset(out, 0, codeBytes(BITS, N));
        for (int i = 0; i < N; i++) {
            const bool negative = block.x[i] < 0;
            const int t = twiceOverScale(negative ? -block.x[i] : block.x[i], reciprocal), index = nearestIndex<BITS>(t);
            addCode<BITS, N>(out, i, BITS == 8 ? (negative ? -index : index) : negative ? half - 1 - index : half + index);
        }
    }

    template<int BITS, int N> static void decode(const uint8_t * block, float * values) {
        const float scale = kScales[block[0]];
        for (int i = 0; i < N; i++) values[i] = scale * (float) levelOf<BITS>(codeAt<BITS, N>(block + 1, i));
    }

    static void encodeHalf(const float * values, uint8_t * row, int64_t n) {
        for (int64_t i = 0; i < n; i++) {
            const uint16_t half = floatToHalf(values[i]);
            memcpy(row + 2 * i, &half, sizeof half);
        }
    }

    static void decodeHalf(const uint8_t * row, float * values, int64_t n) {
        for (int64_t i = 0; i < n; i++) {
            uint16_t half;
            memcpy(&half, row + 2 * i, sizeof half);
            values[i] = halfToFloat(half);
        }
    }

    static void hadamard(float * values, int64_t n, int32_t size) {
        const float factor = hadamardFactor(size);
        for (float * run = values; run < values + n; run += size) {
            for (int32_t step = 1; step < size; step *= 2) {
                for (int32_t i = 0; i < size; i++) {
                    if (i & step) continue;
                    const float a = run[i], b = run[i + step];
                    run[i] = a + b;
                    run[i + step] = a - b;
                }
            }
            for (int32_t i = 0; i < size; i++) run[i] *= factor;
        }
    }

private:
    /* Below 2^22, adding 1.5 * 2^23 leaves the rounded integer in the low bits; in the rounding mode that every program has. */
    static int32_t roundToEven(float value) {
        const float shifted = value + 12582912.0f;
        int32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        return bits - 0x4b400000;
    }

    /* floor(2 * x / scale), at most 255. */
    static int twiceOverScale(int x, Reciprocal reciprocal) {
        const uint32_t twice = ((uint32_t) x * reciprocal.factor >> 16) >> reciprocal.shift;
        return twice < 255 ? (int) twice : 255;
    }

    /* The nearest level's index; for 8 bits the level itself, half of twice, rounded up. */
    template<int BITS> static int nearestIndex(int twice) {
        if constexpr (BITS == 8) return ((twice < 254 ? twice : 254) + 1) / 2;
        else return kNearest<BITS>.index[twice];
    }

    template<int BITS> static int nearestLevel(int twice) {
        if constexpr (BITS == 8) return nearestIndex<8>(twice);
        else return kNearest<BITS>.level[twice];
    }
};

} // namespace

constexpr FormatFunctions kScalarFormats = formatTable<ScalarOps>();

} // namespace lkv
