/* What is put around a code. */
#include "numbers.h"
#include "variant.h"
#include <stdexcept>

namespace variants {
namespace {

class Around : public Variant {
public:
    explicit Around(std::unique_ptr<const Variant> inside_) : inside(std::move(inside_)) {}
protected:
    const std::unique_ptr<const Variant> inside;
};

class Signs : public Around {
public:
    Signs(std::unique_ptr<const Variant> inside_, uint64_t seed_) : Around(std::move(inside_)), seed(seed_) {}
    void store(const Rows & rows) const override {
        const std::vector<float> signs = randomSigns(seed, rows.size);
        for (const bool back : {false, true}) {
            if (back) inside->store(rows);
            rotate(rows);
            for (int64_t i = 0; i < rows.n; i++) {
                for (int32_t j = 0; j < rows.size; j++) rows.row(i)[j] *= signs[j];
            }
            rotate(rows);
        }
    }
    double bits(int32_t size) const override { return inside->bits(size); }
private:
    const uint64_t seed;
};

/* Tokens at the end that are no whole tile have no mean: in a cache they would still be in the part that is kept in F16. */
class Centre : public Around {
public:
    Centre(std::unique_ptr<const Variant> inside_, int64_t tile_) : Around(std::move(inside_)), tile(tile_) {}
    void store(const Rows & rows) const override {
        std::vector<float> means(rows.n / tile * rows.size);
        const auto add = [&](float factor) {
            for (int64_t i = 0; i < rows.n / tile * tile; i++) {
                for (int32_t j = 0; j < rows.size; j++) rows.row(i)[j] += factor * means[i / tile * rows.size + j];
            }
        };
        for (int64_t i = 0; i < rows.n / tile * tile; i++) {
            for (int32_t j = 0; j < rows.size; j++) means[i / tile * rows.size + j] += rows.row(i)[j] / tile;
        }
        throughFormat(format(rows.size), means.data(), (int64_t) means.size());
        add(-1);
        inside->store(rows);
        add(1);
    }
    double bits(int32_t size) const override { return inside->bits(size) + 8.0 * (double) lkv_row_bytes(format(size), size) / size / tile; }
private:
    static lkv_format format(int32_t size) { return size % 64 == 0 ? LKV_KV8 : LKV_KV8_32; }
    const int64_t tile;
};

class Outliers : public Around {
public:
    Outliers(std::unique_ptr<const Variant> inside_, int32_t count_) : Around(std::move(inside_)), count(count_) {}
    void store(const Rows & rows) const override {
        rotate(rows);
        const std::vector<int32_t> channels = largestChannels(rows, std::min(count, rows.size));
        std::vector<float> apart(rows.n * channels.size());
        for (int64_t i = 0; i < rows.n; i++) {
            float * kept = apart.data() + i * channels.size();
            float largest = 0;
            for (size_t c = 0; c < channels.size(); c++) {
                kept[c] = rows.row(i)[channels[c]];
                rows.row(i)[channels[c]] = 0;
                largest = std::max(largest, std::fabs(kept[c]));
            }
            // the scale has 8 bits too: it is rounded up on a grid of 11 steps an octave, so that nothing clips
            const float scale = largest > 0 ? std::exp2(std::ceil(std::log2(largest / 127) * 11) / 11) : 1;
            for (size_t c = 0; c < channels.size(); c++) kept[c] = scale * std::round(kept[c] / scale);
        }
        rotate(rows);
        inside->store(rows);
        rotate(rows);
        for (int64_t i = 0; i < rows.n; i++) {
            for (size_t c = 0; c < channels.size(); c++) rows.row(i)[channels[c]] = apart[i * channels.size() + c];
        }
        rotate(rows);
    }
    double bits(int32_t size) const override { return inside->bits(size) + 8.0 * (count + 1) / size; }
private:
    const int32_t count;
};

/*
 * For the residual r of a row of d values and a matrix S of independent normal values, sqrt(pi/2)/d |r| <S q, sign(S r)> has the mean
 * <q, r> for any q. It is linear in q, so a reader can as well add sqrt(pi/2)/d |r| S^T sign(S r) to the row, which is done here.
 */
class Qjl : public Around {
public:
    Qjl(std::unique_ptr<const Variant> inside_, uint64_t seed_) : Around(std::move(inside_)), seed(seed_) {}
    void store(const Rows & rows) const override {
        const int32_t d = rows.size;
        const std::vector<float> before(rows.data, rows.data + rows.n * d), columns = projection(d);
        inside->store(rows);
        std::vector<float> residual(d), signs(d);
        for (int64_t i = 0; i < rows.n; i++) {
            for (int32_t j = 0; j < d; j++) residual[j] = before[i * d + j] - rows.row(i)[j];
            std::fill(signs.begin(), signs.end(), 0.0f);
            for (int32_t j = 0; j < d; j++) {
                for (int32_t k = 0; k < d; k++) signs[k] += columns[j * d + k] * residual[j];
            }
            for (float & sign : signs) sign = sign < 0 ? -1.0f : 1.0f;
            const float factor = std::sqrt(1.5707963f) / d * throughHalf(std::sqrt(squaredLength(residual.data(), d)));
            for (int32_t j = 0; j < d; j++) rows.row(i)[j] += factor * dot(&columns[j * d], signs.data(), d);
        }
    }
    double bits(int32_t size) const override { return inside->bits(size) + 1 + 16.0 / size; }
private:
    /* column j of S at [j * d]: both loops over it run along memory */
    std::vector<float> projection(int32_t d) const {
        Random random(seed);
        std::vector<float> columns((size_t) d * d);
        for (float & value : columns) value = (float) random.normal();
        return columns;
    }
    /* in eight sums, which the compiler may keep side by side */
    static float dot(const float * a, const float * b, int32_t n) {
        float sums[8] = {};
        for (int32_t i = 0; i < n; i += 8) {
            for (int32_t k = 0; k < 8; k++) sums[k] += a[i + k] * b[i + k];
        }
        return std::accumulate(sums, sums + 8, 0.0f);
    }
    const uint64_t seed;
};

} // namespace

std::unique_ptr<const Variant> parseAround(const std::string & name, std::unique_ptr<const Variant> inside) {
    if (const int64_t seed = numberAfter("signs", name); seed > 0) return std::make_unique<Signs>(std::move(inside), (uint64_t) seed);
    if (const int64_t tile = numberAfter("centre", name); tile > 0) return std::make_unique<Centre>(std::move(inside), tile);
    if (const int64_t count = numberAfter("outliers", name); count > 0) return std::make_unique<Outliers>(std::move(inside), (int32_t) count);
    if (const int64_t seed = numberAfter("qjl", name); seed > 0) return std::make_unique<Qjl>(std::move(inside), (uint64_t) seed);
    return nullptr;
}

std::unique_ptr<const Variant> parse(const std::string & name) {
    size_t end = name.find('+');
    std::unique_ptr<const Variant> variant = parseCode(name.substr(0, end));
    while (variant && end != std::string::npos) {
        const size_t from = end + 1;
        end = name.find('+', from);
        variant = parseAround(name.substr(from, end == std::string::npos ? end : end - from), std::move(variant));
    }
    if (!variant) throw std::invalid_argument("no storage variant is called '" + name + "'");
    return variant;
}

} // namespace variants
