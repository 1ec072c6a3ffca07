/* The checked-in codebooks against their definition and against theory. */
#include "../tools/codebook_text.h"
#include "check.h"
#include "codebook.h"
#include "codebook_checked_in.h"
#include <algorithm>

namespace {

const int8_t * const kLevels[] = {lkv::kLevels2, lkv::kLevels3, lkv::kLevels4, lkv::kLevels5};

} // namespace

TEST("codebook: levels are a fixed point of Lloyd's condition, by numerical integration") {
    for (int bits = 2; bits <= 5; bits++) {
        const std::vector<double> levels = lloyd::normalLevels(1 << (bits - 1));
        for (size_t i = 0; i < levels.size(); i++) {
            const double from = lloyd::lowerEdge(levels, i), to = std::fmin(lloyd::upperEdge(levels, i), 12);
            double mass = 0, moment = 0;
            const int steps = 20000;
            for (int k = 0; k < steps; k++) { // midpoint rule
                const double x = from + (to - from) * (k + 0.5) / steps;
                mass += lloyd::density(x);
                moment += x * lloyd::density(x);
            }
            CHECK_NEAR(levels[i], moment / mass, 1e-5);
        }
    }
}

TEST("codebook: levels and distortion are those of the literature") {
    const double distortion[] = {.1175, .03455, .00950, .0025};
    const std::vector<double> two = lloyd::normalLevels(2), three = lloyd::normalLevels(4), four = lloyd::normalLevels(8);
    CHECK_NEAR(two[0], .4528, 1e-4);
    CHECK_NEAR(two[1], 1.5104, 1e-4);
    CHECK_NEAR(three[0], .2451, 1e-4);
    CHECK_NEAR(three[3], 2.1519, 1e-4);
    CHECK_NEAR(four[0], .1284, 1e-4);
    CHECK_NEAR(four[7], 2.7325, 2e-4);
    for (int bits = 2; bits <= 5; bits++) CHECK_NEAR(lloyd::distortion(lloyd::normalLevels(1 << (bits - 1))), distortion[bits - 2], 1e-4);
}

TEST("codebook: rounding the levels to integers costs at most 2 % of the distortion") {
    for (int bits = 2; bits <= 5; bits++) {
        const std::vector<double> exact = lloyd::normalLevels(1 << (bits - 1));
        std::vector<double> rounded;
        for (size_t i = 0; i < exact.size(); i++) rounded.push_back(kLevels[bits - 2][exact.size() + i] * exact.back() / 127);
        CHECK_AT_MOST(lloyd::distortion(rounded), 1.02 * lloyd::distortion(exact));
        CHECK(lloyd::distortion(rounded) >= lloyd::distortion(exact));
    }
}

TEST("codebook: levels ascend, are symmetric and end at 127") {
    for (int bits = 2; bits <= 5; bits++) {
        const int8_t * levels = kLevels[bits - 2];
        const int count = 1 << bits;
        for (int i = 0; i < count; i++) CHECK(levels[i] == -levels[count - 1 - i]);
        for (int i = 1; i < count; i++) CHECK(levels[i - 1] < levels[i]);
        CHECK(levels[count - 1] == 127);
    }
}

TEST("codebook: scales are 2^((byte - 200) / 11)") {
    CHECK(lkv::kScales[0] == 0);
    CHECK(lkv::kScales[200] == 1);
    CHECK(lkv::kScales[211] == 2);
    for (int byte = 1; byte < 256; byte++) CHECK_NEAR(lkv::kScales[byte] / std::exp2((byte - 200) / 11.0), 1, 1e-7);
}

TEST("codebook: the checked-in file is what the tool writes") {
    std::string checkedIn = kCheckedIn;
    checkedIn.erase(std::remove(checkedIn.begin(), checkedIn.end(), '\r'), checkedIn.end());
    CHECK(checkedIn == codebook::text());
}
