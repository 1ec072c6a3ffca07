/* The codes: what stores each row by itself. */
#include "lloyd_max.h"
#include "numbers.h"
#include "variant.h"
#include <cstring>

namespace variants {
namespace {

/* Lloyd-Max levels of the normal distribution, ascending. */
class Levels {
public:
    explicit Levels(int bits) {
        const std::vector<double> positive = lloyd::normalLevels(1 << (bits - 1));
        for (size_t i = positive.size(); i-- > 0;) levels.push_back((float) -positive[i]);
        for (const double level : positive) levels.push_back((float) level);
        for (size_t i = 1; i < levels.size(); i++) edges.push_back(0.5f * (levels[i - 1] + levels[i]));
    }
    float nearest(float value) const {
        const float * edge = edges.data();
        size_t from = 0;
        for (size_t half = levels.size() / 2; half > 0; half /= 2) from += value > edge[from + half - 1] ? half : 0;
        return levels[from];
    }
    float largest() const { return levels.back(); }
private:
    std::vector<float> levels, edges;
};

/* Levels of a number of bits with a fraction: the first values of a group have one bit more, so that the mean is right. */
class Code {
public:
    explicit Code(double bits_) : bits(bits_), fine((int) std::ceil(bits_)), coarse((int) std::floor(bits_)) {}
    /* the nearest level of value i of n, in units of a deviation of 1 */
    float nearest(float value, int32_t i, int32_t n) const { return (i < share(n) ? fine : coarse).nearest(value); }
    float largest() const { return fine.largest(); }
    int32_t share(int32_t n) const { return (int32_t) std::lround((bits - std::floor(bits)) * n); }
    const double bits;
private:
    const Levels fine, coarse;
};

class Exact : public Variant {
public:
    void store(const Rows &) const override {}
    double bits(int32_t) const override { return 32; }
};

class Shipped : public Variant {
public:
    explicit Shipped(lkv_format format_) : format(format_) {}
    void store(const Rows & rows) const override { throughFormat(format, rows.data, rows.n * rows.size); }
    double bits(int32_t size) const override { return 8.0 * (double) lkv_row_bytes(format, size) / size; }
private:
    const lkv_format format;
};

/* Scales have 11 steps an octave, as those of the shipped formats. */
float onGrid(float scale) { return scale > 0 ? std::exp2(std::round(std::log2(scale) * 11) / 11) : 0; }

/* One fitted scale. Least squares for a scale given the levels, and the levels given the scale, from several first guesses: the best end wins. */
void storeFitted(const Code & code, float * values, int32_t n) {
    const float rms = std::sqrt(squaredLength(values, n) / n);
    float largest = 0;
    for (int32_t i = 0; i < n; i++) largest = std::max(largest, std::fabs(values[i]));
    float best = 0, bestGain = 0;
    for (const float guess : {rms, 0.93f * rms, 1.08f * rms, largest / code.largest(), 0.9f * largest / code.largest()}) {
        float scale = guess;
        for (int round = 0; round < 3 && scale > 0; round++) {
            float xc = 0, cc = 0;
            for (int32_t i = 0; i < n; i++) {
                const float level = code.nearest(values[i] / scale, i, n);
                xc += values[i] * level;
                cc += level * level;
            }
            const float gain = scale * (2 * xc - scale * cc); // of the squared error, against storing zeros
            if (round > 0 && gain > bestGain) {
                bestGain = gain;
                best = scale;
            }
            scale = onGrid(xc / cc);
        }
    }
    for (int32_t i = 0; i < n; i++) values[i] = best > 0 ? best * code.nearest(values[i] / best, i, n) : 0;
}

/* One fitted scale for each block. */
class Fitted : public Variant {
public:
    Fitted(double bits_, int32_t block_) : code(bits_), block(block_) {}
    void store(const Rows & rows) const override {
        for (int64_t i = 0; i < rows.n; i++) {
            for (int32_t j = 0; j < rows.size; j += block) storeFitted(code, rows.row(i) + j, std::min(block, rows.size - j));
        }
    }
    double bits(int32_t size) const override { return code.bits + 8.0 * ((size + block - 1) / block) / size; }
private:
    const Code code;
    const int32_t block;
};

constexpr uint64_t kTurboSeed = 1;

/* TurboQuant_mse on n rotated values: its levels are for a unit vector, here scaled by sqrt(n); the norm is multiplied back in. */
void storeByNorm(const Code & code, float * values, int32_t n) {
    const float length = std::sqrt(squaredLength(values, n));
    const float norm = throughHalf(length), deviation = length / std::sqrt((float) n);
    for (int32_t i = 0; i < n; i++) values[i] = length > 0 ? norm / std::sqrt((float) n) * code.nearest(values[i] / deviation, i, n) : 0;
}

class Turbo : public Variant {
public:
    explicit Turbo(double bits_) : code(bits_) {}
    void store(const Rows & rows) const override {
        const std::vector<float> signs = randomSigns(kTurboSeed, rows.size);
        const auto turn = [&] {
            for (int64_t i = 0; i < rows.n; i++) {
                for (int32_t j = 0; j < rows.size; j++) rows.row(i)[j] *= signs[j];
            }
        };
        rotate(rows);
        turn();
        rotate(rows);
        for (int64_t i = 0; i < rows.n; i++) storeByNorm(code, rows.row(i), rows.size);
        rotate(rows);
        turn();
        rotate(rows);
    }
    double bits(int32_t size) const override { return code.bits + 16.0 / size; }
private:
    const Code code;
};

/* Channels in parts of the same size, those with most energy first, each part rotated by itself. */
class Split : public Variant {
public:
    explicit Split(int32_t parts_) : parts(parts_) {}
    void store(const Rows & rows) const override {
        rotate(rows);
        const int32_t n = rows.size / parts;
        std::vector<int32_t> order;
        for (int32_t part = 1; part <= parts; part++) {
            for (const int32_t channel : largestChannels(rows, part * n)) {
                if (std::find(order.begin(), order.end(), channel) == order.end()) order.push_back(channel);
            }
        }
        const std::vector<float> signs = randomSigns(kTurboSeed, rows.size);
        const int32_t rotation = n & -n; // the largest power of two in it
        std::vector<float> sorted(rows.size);
        for (int64_t i = 0; i < rows.n; i++) {
            for (int32_t j = 0; j < rows.size; j++) sorted[j] = signs[j] * rows.row(i)[order[j]];
            lkv_hadamard(sorted.data(), rows.size, rotation);
            for (int32_t part = 0; part < parts; part++) storePart(part, sorted.data() + part * n, n);
            lkv_hadamard(sorted.data(), rows.size, rotation);
            for (int32_t j = 0; j < rows.size; j++) rows.row(i)[order[j]] = signs[j] * sorted[j];
        }
        rotate(rows);
    }
protected:
    const int32_t parts;
    virtual void storePart(int32_t part, float * values, int32_t n) const = 0;
};

class TurboSplit : public Split {
public:
    explicit TurboSplit(int bits_) : Split(2), many(bits_ + 1), few(bits_) {}
    double bits(int32_t size) const override { return few.bits + 0.5 + 2 * 16.0 / size; }
protected:
    void storePart(int32_t part, float * values, int32_t n) const override { storeByNorm(part == 0 ? many : few, values, n); }
private:
    const Code many, few;
};

/* A bit more for the first part, a bit less for the last, and fitted scales for 64 values, or for a part where it is shorter. */
class FittedSplit : public Split {
public:
    FittedSplit(int bits_, int32_t parts_) : Split(parts_), many(bits_ + 1), some(bits_), few(bits_ - 1) {}
    double bits(int32_t size) const override { return some.bits + 8.0 / std::min(64, size / parts); }
protected:
    void storePart(int32_t part, float * values, int32_t n) const override {
        const Code & code = part == 0 ? many : part == parts - 1 ? few : some;
        for (int32_t j = 0; j < n; j += 64) storeFitted(code, values + j, std::min(64, n - j));
    }
private:
    const Code many, some, few;
};

/* "3.5" -> 3.5; 0 when it is no number from 1 to 6 bits. */
double bitsIn(const std::string & text) {
    const bool number = !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789.") == std::string::npos;
    const double bits = number ? std::atof(text.c_str()) : 0;
    return bits >= 1 && bits <= 6 ? bits : 0;
}

} // namespace

std::unique_ptr<const Variant> parseCode(const std::string & name) {
    if (name == "exact") return std::make_unique<Exact>();
    for (int format = LKV_F16 + 1; format < LKV_FORMAT_COUNT; format++) {
        if (name == lkv_info((lkv_format) format)->name) return std::make_unique<Shipped>((lkv_format) format);
    }
    const std::string family = name.substr(0, 2), rest = name.size() > 2 ? name.substr(2) : "";
    if (family == "lm") {
        const int whole = rest.empty() ? 0 : rest[0] - '0';
        const int64_t parts = rest.empty() ? -1 : numberAfter("split", rest.substr(1));
        if (whole >= 2 && whole <= 5 && (parts == 2 || parts == 4)) return std::make_unique<FittedSplit>(whole, (int32_t) parts);
        const size_t dash = rest.find('-');
        const double bits = bitsIn(rest.substr(0, dash));
        const int64_t block = dash == std::string::npos ? -1 : numberAfter("-", rest.substr(dash));
        if (bits > 0 && block > 0) return std::make_unique<Fitted>(bits, (int32_t) block);
    }
    if (family == "tq") {
        const size_t split = rest.find(".5split");
        if (split != std::string::npos && rest.size() == split + strlen(".5split")) {
            const double bits = bitsIn(rest.substr(0, split));
            if (bits > 0 && bits < 6) return std::make_unique<TurboSplit>((int) bits);
        } else if (const double bits = bitsIn(rest)) {
            return std::make_unique<Turbo>(bits);
        }
    }
    return nullptr;
}

} // namespace variants
