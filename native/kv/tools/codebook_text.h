/* The text of src/codebook.h, made from nothing but the definitions. */
#pragma once
#include "layout.h"
#include "lloyd_max.h"
#include <cstdarg>
#include <cstdio>
#include <string>

namespace codebook {

inline void print(std::string & text, const char * format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text += line;
}

inline double scaleOf(int byte) { return byte == 0 ? 0 : std::exp2((byte - lkv::kScaleOrigin) / (double) lkv::kScaleSteps); }

/* Levels of all codes in ascending order, from the positive half. */
inline std::vector<int> bothHalves(const std::vector<int> & positive) {
    std::vector<int> all;
    for (size_t i = positive.size(); i-- > 0; ) all.push_back(-positive[i]);
    all.insert(all.end(), positive.begin(), positive.end());
    return all;
}

template<class T> void printArray(std::string & text, const char * format, const std::vector<T> & values, int perLine) {
    for (size_t i = 0; i < values.size(); i++) {
        text += i % perLine == 0 ? "\n    " : " ";
        print(text, format, values[i]);
    }
    text += "\n};\n";
}

inline std::string text() {
    std::string out =
        "// Written by tools/codebook.cpp; a test compares it with what the tool computes. Do not edit.\n"
        "#pragma once\n#include <cstdint>\n\nnamespace lkv {\n\n"
        "// Lloyd-Max levels of the normal distribution for 2, 3, 4 and 5 bits by ascending code; the largest is 127.\n"
        "// Behind each: mean squared error on the normal distribution, of the exact levels and of these integers (with their best scale).\n";
    for (int bits = 2; bits <= 5; bits++) {
        const std::vector<double> levels = lloyd::normalLevels(1 << (bits - 1));
        const std::vector<int> integers = lloyd::integerLevels(levels);
        double best = 1;
        for (int i = -2000; i <= 2000; i++) { // the best scale is within 2 % of the one that maps the largest level to itself
            std::vector<double> scaled;
            for (int level : integers) scaled.push_back(level * levels.back() / 127 * (1 + i * 1e-5));
            best = std::fmin(best, lloyd::distortion(scaled));
        }
        print(out, "alignas(64) constexpr int8_t kLevels%d[%d] = { // %.5f %.5f", bits, 1 << bits, lloyd::distortion(levels), best);
        printArray(out, "%d,", bothHalves(integers), 16);
    }
    out += "\n// What a scale byte stands for (src/layout.h); written out because mathematical libraries differ in the last digit.\n"
           "alignas(64) constexpr float kScales[256] = {";
    std::vector<double> scales;
    for (int byte = 0; byte < 256; byte++) scales.push_back((float) scaleOf(byte));
    printArray(out, "%.9ef,", scales, 6);
    out += "\n// 2^16 / 2^(i/11) for i = 1 to 11: reciprocals of the scales within one octave (src/encode.h).\n"
           "constexpr uint16_t kReciprocals[11] = {";
    std::vector<int> reciprocals;
    for (int i = 1; i <= lkv::kScaleSteps; i++) reciprocals.push_back((int) std::lround(65536 / std::exp2(i / (double) lkv::kScaleSteps)));
    printArray(out, "%d,", reciprocals, 11);
    out += "\n// The scale byte at which 127 reaches a magnitude (1 + i/64) * 2^e is kScaleOfOne + 11 * e + kScaleSteps64[i], to within a step.\n";
    const double one = lkv::kScaleOrigin - lkv::kScaleSteps * std::log2(127.0);
    print(out, "constexpr int kScaleOfOne = %d;\nconstexpr uint8_t kScaleSteps64[64] = {", (int) std::floor(one));
    std::vector<int> steps;
    for (int i = 0; i < 64; i++) steps.push_back((int) std::lround(lkv::kScaleSteps * std::log2(1 + (i + 0.5) / 64) + one - std::floor(one)));
    printArray(out, "%d,", steps, 32);
    return out + "\n} // namespace lkv\n";
}

} // namespace codebook
