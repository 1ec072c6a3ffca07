/* What codes.cpp and around.cpp have in common. */
#pragma once
#include "loupe_kv.h"
#include "variant.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace variants {

/* xorshift64* and Box-Muller: the same numbers everywhere. */
class Random {
public:
    explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15ull + 1) {
        for (int i = 0; i < 8; i++) bits(); // small seeds begin alike
    }
    uint64_t bits() {
        state ^= state >> 12; state ^= state << 25; state ^= state >> 27;
        return state * 0x2545f4914f6cdd1dull;
    }
    double normal() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(6.283185307179586 * uniform());
    }
private:
    double uniform() { return ((double) (bits() >> 11) + 0.5) / 9007199254740992.0; }
    uint64_t state;
};

/* What is read back of a number that is stored in half precision. */
inline float throughHalf(float value) {
    uint16_t half;
    lkv_encode(LKV_F16, &value, &half, 1);
    lkv_decode(LKV_F16, &half, &value, 1);
    return value;
}

/* What is read back of n values in a format; n is a multiple of its block. */
inline void throughFormat(lkv_format format, float * values, int64_t n) {
    std::vector<uint8_t> row(lkv_row_bytes(format, n));
    lkv_encode(format, values, row.data(), n);
    lkv_decode(format, row.data(), values, n);
}

inline float squaredLength(const float * values, int64_t n) { return std::inner_product(values, values + n, values, 0.0f); }

inline std::vector<float> randomSigns(uint64_t seed, int32_t n) {
    Random random(seed);
    std::vector<float> signs(n);
    for (float & sign : signs) sign = random.bits() >> 63 ? 1.0f : -1.0f;
    return signs;
}

/* The `count` channels with the largest energy over all rows, in ascending order; the rows are not rotated. */
inline std::vector<int32_t> largestChannels(const Rows & rows, int32_t count) {
    std::vector<double> energy(rows.size);
    for (int64_t i = 0; i < rows.n; i++) {
        for (int32_t j = 0; j < rows.size; j++) energy[j] += (double) rows.row(i)[j] * rows.row(i)[j];
    }
    std::vector<int32_t> order(rows.size);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return energy[a] > energy[b]; });
    order.resize(count);
    std::sort(order.begin(), order.end());
    return order;
}

/* Rotates all rows, or takes the rotation out: it is its own inverse. */
inline void rotate(const Rows & rows) { lkv_hadamard(rows.data, rows.n * rows.size, rows.rotation); }

/* "signs7" -> 7 for the word "signs"; -1 when the name is not that word and a positive number. */
inline int64_t numberAfter(const std::string & word, const std::string & name) {
    if (name.compare(0, word.size(), word) != 0) return -1;
    const std::string digits = name.substr(word.size());
    const bool number = !digits.empty() && digits.size() < 7 && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    const int64_t value = number ? std::stoll(digits) : 0;
    return value > 0 ? value : -1;
}

} // namespace variants
