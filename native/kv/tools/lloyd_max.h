/*
 * Lloyd-Max quantiser of the standard normal distribution: S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28
 * (1982); J. Max, "Quantizing for minimum distortion", IRE Trans. Inf. Theory 6 (1960). Shared by the tool that writes the codebooks
 * and by the test that checks them.
 */
#pragma once
#include <cmath>
#include <vector>

namespace lloyd {

inline double density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * 3.14159265358979323846); }
/* P(X > x): the small end of the distribution keeps its precision, which 1 - P(X < x) would lose. */
inline double tail(double x) { return 0.5 * std::erfc(x / std::sqrt(2.0)); }

/* Where one level's values end and the next one's begin; the last one has no end. */
inline double upperEdge(const std::vector<double> & positive, size_t i) {
    return i + 1 == positive.size() ? INFINITY : 0.5 * (positive[i] + positive[i + 1]);
}
inline double lowerEdge(const std::vector<double> & positive, size_t i) { return i == 0 ? 0 : upperEdge(positive, i - 1); }

/* Mean of the normal distribution between two edges. */
inline double centroid(double from, double to) {
    const double end = std::isinf(to) ? 0 : density(to), above = std::isinf(to) ? 0 : tail(to);
    return (density(from) - end) / (tail(from) - above);
}

/* The positive half of the levels of the optimal quantiser with 2 * half levels. The optimum is symmetric, so that zero is an edge. */
inline std::vector<double> normalLevels(int half) {
    std::vector<double> levels(half);
    for (int i = 0; i < half; i++) levels[i] = 3.0 * (i + 0.5) / half;
    for (double moved = 1; moved > 1e-13; ) {
        moved = 0;
        std::vector<double> next(half);
        for (int i = 0; i < half; i++) {
            next[i] = centroid(lowerEdge(levels, i), upperEdge(levels, i));
            moved = std::fmax(moved, std::fabs(next[i] - levels[i]));
        }
        levels = next;
    }
    return levels;
}

/* Mean squared error on the normal distribution of symmetric levels, each value going to the nearest: the integral in closed form. */
inline double distortion(const std::vector<double> & positive) {
    double sum = 0;
    for (size_t i = 0; i < positive.size(); i++) {
        const double from = lowerEdge(positive, i), to = upperEdge(positive, i), c = positive[i];
        const double end = std::isinf(to) ? 0 : density(to), endMoment = std::isinf(to) ? 0 : to * density(to), above = std::isinf(to) ? 0 : tail(to);
        const double mass = tail(from) - above, first = density(from) - end, second = mass + from * density(from) - endMoment;
        sum += second - 2 * c * first + c * c * mass;
    }
    return 2 * sum;
}

/* The levels as multiples of the largest one, which becomes 127. */
inline std::vector<int> integerLevels(const std::vector<double> & positive) {
    std::vector<int> levels;
    for (double level : positive) levels.push_back((int) std::lround(level * 127 / positive.back()));
    return levels;
}

} // namespace lloyd
