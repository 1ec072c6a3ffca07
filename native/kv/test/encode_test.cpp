/* How good the encoder is, and what it does with values that are none. */
#include "codebook.h"
#include "support.h"
#include <limits>
#if defined(__SSE2__) || defined(_M_X64)
#  include <xmmintrin.h>
#endif

namespace {

/* The smallest squared error of a block with any of the scale bytes, every value going to its nearest level, in double precision. */
double bestOfAllScales(const float * values, const lkv_format_info & info) {
    std::vector<int> levels;
    const int8_t * tables[] = {lkv::kLevels2, lkv::kLevels3, lkv::kLevels4, lkv::kLevels5};
    for (int code = 0; code < (info.bits == 8 ? 255 : 1 << info.bits); code++) levels.push_back(info.bits == 8 ? code - 127 : tables[info.bits - 2][code]);
    double best = std::numeric_limits<double>::infinity();
    for (int byte = 0; byte < 256; byte++) {
        const double scale = lkv::kScales[byte];
        double error = 0;
        for (int i = 0; i < info.block && error < best; i++) {
            double nearest = 0;
            if (info.bits == 8) {
                const double code = scale == 0 ? 0 : std::fmin(127, std::fmax(-127, std::nearbyint(values[i] / scale)));
                nearest = std::fabs(values[i] - scale * code);
            } else { // levels ascend, so that distances fall and then rise
                size_t k = 0;
                while (k + 1 < levels.size() && std::fabs(values[i] - scale * levels[k + 1]) < std::fabs(values[i] - scale * levels[k])) k++;
                nearest = std::fabs(values[i] - scale * levels[k]);
            }
            error += nearest * nearest;
        }
        best = std::fmin(best, error);
    }
    return best;
}

enum Shape { kNormal, kLaplace, kOutlier, kUniform, kShapes };
const char * const kShapeNames[] = {"normal", "laplace", "outlier", "uniform"};

std::vector<float> shaped(Random & random, Shape shape, size_t n) {
    std::vector<float> values(n);
    for (size_t i = 0; i < n; i++) {
        switch (shape) {
        case kLaplace: values[i] = (float) (std::log(random.uniform()) * (random.below(2) ? 1 : -1)); break;
        case kOutlier: values[i] = (float) (random.normal() * (i % 32 == 5 ? 8 : 1)); break;
        case kUniform: values[i] = (float) (2 * random.uniform() - 1); break;
        default: values[i] = (float) random.normal();
        }
    }
    return values;
}

const float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

} // namespace

TEST("encode: error on normal data") {
    // Relative squared error of blocks of 64 and of 32 values; the best of all scale bytes gives the same to within 1 %.
    const double limits[][2] = {{.1120, .1062}, {.0297, .0261}, {.00712, .00609}, {.00180, .00154}, {.000038, .000030}};
    forFormats(false, [&](lkv_format format, const lkv_format_info & info) {
        Random random(1);
        const std::vector<float> values = normals(random, 64 * 6000);
        const double error = squaredError(values, decoded(format, encoded(format, values), values.size())) / squaredLength(values);
        CHECK_AT_MOST(error, limits[info.bits == 8 ? 4 : info.bits - 2][info.block == 32]);
    });
}

TEST("encode: as good as the best of all scale bytes, to within 0.5 % (2 % on uniform data)") {
    for (int shape = 0; shape < kShapes; shape++) {
        forFormats(false, [&](lkv_format format, const lkv_format_info & info) {
            check::context() += std::string(", ") + kShapeNames[shape];
            Random random(20 + (uint64_t) shape);
            const std::vector<float> values = shaped(random, (Shape) shape, 64 * 60);
            double best = 0;
            for (size_t i = 0; i < values.size(); i += (size_t) info.block) best += bestOfAllScales(values.data() + i, info);
            CHECK_AT_MOST(squaredError(values, decoded(format, encoded(format, values), values.size())), (shape == kUniform ? 1.02 : 1.005) * best);
        });
    }
}

TEST("encode: the magnitude of the data does not matter") {
    forFormats(false, [](lkv_format format, const lkv_format_info & info) {
        Random random(3);
        const std::vector<float> values = normals(random, 64 * 100);
        const std::vector<uint8_t> row = encoded(format, values);
        for (int power : {-7, -1, 1, 6}) { // scale bytes shift by 11, codes stay
            std::vector<float> scaled(values);
            for (float & value : scaled) value = std::ldexp(value, power);
            std::vector<uint8_t> shifted = encoded(format, scaled);
            for (size_t i = 0; i < shifted.size(); i += (size_t) info.block_bytes) shifted[i] = (uint8_t) (shifted[i] - 11 * power);
            CHECK(shifted == row);
        }
    });
}

TEST("encode: decoded blocks that use their largest level come back unchanged") {
    forFormats(false, [](lkv_format format, const lkv_format_info & info) {
        Random random(4);
        for (int round = 0; round < 300; round++) {
            std::vector<uint8_t> row((size_t) info.block_bytes);
            for (uint8_t & byte : row) byte = (uint8_t) random.bits();
            row[0] = (uint8_t) (60 + random.below(180));
            std::vector<float> values = decoded(format, row, (size_t) info.block);
            for (float & value : values) value = std::fmax(value, -127 * lkv::kScales[row[0]]); // code -128 of kv8 is none that the encoder writes
            values[random.below((uint32_t) info.block)] = 127 * lkv::kScales[row[0]];
            CHECK(sameBits(decoded(format, encoded(format, values), values.size()), values));
        }
    });
}

TEST("encode: blocks of zeros, of denormals and of values below every scale are zero bytes") {
    forFormats(false, [](lkv_format format, const lkv_format_info & info) {
        const std::vector<uint8_t> zeros((size_t) info.block_bytes);
        for (float value : {0.0f, -0.0f, 1e-45f, -1e-40f, 1.1e-38f, 1e-20f, -4e-7f}) {
            CHECK(encoded(format, std::vector<float>((size_t) info.block, value)) == zeros);
        }
        const std::vector<float> values = decoded(format, zeros, (size_t) info.block);
        for (float value : values) CHECK(value == 0);
    });
}

TEST("encode: small values keep their best scale down to the smallest") {
    forFormats(false, [](lkv_format format, const lkv_format_info & info) {
        Random random(5);
        for (double deviation = 1e-3; deviation > 1e-7; deviation /= 3) {
            const std::vector<float> values = normals(random, 64, deviation);
            double best = 0;
            for (size_t i = 0; i < 64; i += (size_t) info.block) best += bestOfAllScales(values.data() + i, info);
            CHECK_AT_MOST(squaredError(values, decoded(format, encoded(format, values), 64)), 1.05 * best);
        }
    });
}

TEST("encode: NaN counts as 0, infinity as the largest finite number, and both clip") {
    forFormats(true, [](lkv_format format, const lkv_format_info & info) {
        Random random(6);
        const std::vector<float> values = normals(random, 64);
        const auto replaced = [&](float with) {
            std::vector<float> copy(values);
            copy[9] = with;
            copy[40] = -with;
            return encoded(format, copy);
        };
        CHECK(replaced(kNan) == replaced(0.0f) || format == LKV_F16); // -0 is another half
        if (format == LKV_F16) CHECK(replaced(kNan)[18] == 0 && replaced(kNan)[19] == 0);
        CHECK(replaced(kInfinity) == replaced(std::numeric_limits<float>::max()));
        CHECK(replaced(1e6f) == replaced(std::numeric_limits<float>::max()));
        for (float value : decoded(format, replaced(kInfinity), 64)) CHECK(std::isfinite(value));
        if (info.bits < 4) return; // a lower scale that serves the other values better is right here
        const float largest = format == LKV_F16 ? 65504.0f : 127 * lkv::kScales[255];
        CHECK(decoded(format, replaced(kInfinity), 64)[9] > 0.9f * largest);
        CHECK(decoded(format, replaced(kInfinity), 64)[40] < -0.9f * largest);
    });
}

TEST("encode: halves are those of IEEE 754") {
    for (uint32_t half = 0; half < 0x10000; half++) {
        const bool finite = (half & 0x7c00) != 0x7c00;
        const int exponent = (int) (half >> 10 & 31), mantissa = (int) (half & 0x3ff);
        std::vector<uint8_t> row = {(uint8_t) half, (uint8_t) (half >> 8)};
        const float value = decoded(LKV_F16, row, 1)[0];
        if (!finite) {
            CHECK(mantissa ? std::isnan(value) : std::isinf(value));
            continue;
        }
        const double expected = (half & 0x8000 ? -1 : 1) * std::ldexp(exponent ? 1024 + mantissa : mantissa, exponent ? exponent - 25 : -24);
        CHECK(value == expected && std::signbit(value) == (half >= 0x8000));
        CHECK(encoded(LKV_F16, {value}) == row);
        // Halfway to the next half goes to the even one, anything beyond halfway to the next.
        if ((half & 0x7fff) >= 0x7bff) continue;
        row = {(uint8_t) (half + 1), (uint8_t) ((half + 1) >> 8)};
        const float halfway = 0.5f * value + 0.5f * decoded(LKV_F16, row, 1)[0], beyond = std::nextafterf(halfway, std::signbit(value) ? -1e9f : 1e9f);
        CHECK((encoded(LKV_F16, {halfway}) == row) == (half % 2 == 1));
        CHECK(encoded(LKV_F16, {beyond}) == row);
    }
}

#if defined(__SSE2__) || defined(_M_X64)
TEST("encode: the same bytes when the program flushes denormals to zero") {
    const unsigned before = _mm_getcsr();
    forFormats(true, [&](lkv_format format, const lkv_format_info & info) {
        Random random(8);
        std::vector<float> values((size_t) info.block * 64);
        for (size_t i = 0; i < values.size(); i++) values[i] = i % 3 == 0 ? std::ldexp(random.anyFloat(), -64) : (float) random.normal() * std::exp2(-(float) (i / 64 % 30));
        const std::vector<uint8_t> row = encoded(format, values);
        const std::vector<float> back = decoded(format, row, values.size());
        _mm_setcsr(before | 0x8040);
        const bool same = encoded(format, values) == row && sameBits(decoded(format, row, values.size()), back);
        _mm_setcsr(before);
        CHECK(same);
    });
}
#endif
