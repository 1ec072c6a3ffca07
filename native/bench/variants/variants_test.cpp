/* The variants that are measured and not shipped, against theory. */
#include "support.h"
#include "variant.h"

using variants::Rows;

namespace {

constexpr int32_t kSize = 128;

/* Relative squared error of a variant over rows of `size` values; they count as rotated. */
double errorOf(const std::string & name, std::vector<float> values, int32_t size = kSize) {
    check::context() = name;
    const std::vector<float> before(values);
    variants::parse(name)->store(Rows{values.data(), (int64_t) values.size() / size, size, size});
    return squaredError(before, values) / squaredLength(before);
}

std::vector<float> normalRows(int64_t n, int32_t size = kSize) {
    Random random(11);
    return normals(random, (size_t) (n * size));
}

} // namespace

TEST("variants: the error of each code on normal rows is that of theory") {
    // tq: Lloyd-Max on a coordinate of the unit sphere, a little below that on the normal distribution (.00950, .03455, .1175), and the
    // more so the fewer values there are: split has spheres of 64. lm: a fitted scale for each block; 64 is the shipped block. A fraction
    // lies at the mean of its neighbours.
    const struct { const char * name; double error; } expected[] = {
        {"tq4", .0093}, {"tq3", .0340}, {"tq2", .1162}, {"tq3.5", .0217}, {"tq2.5", .0751}, {"tq3.5split", .0211}, {"tq2.5split", .0730},
        {"lm4-128", .0078}, {"lm4-64", .0070}, {"lm4-32", .0059}, {"lm3-128", .0317}, {"lm3-64", .0296}, {"lm3.5-64", .0182}, {"lm2-64", .1115},
        // Equal energies, so that a bit given and one taken cost more than they bring: the mean of both errors.
        {"lm3split2", .0592}, {"lm3split4", .0399},
    };
    const std::vector<float> rows = normalRows(1500);
    for (const auto & one : expected) CHECK_NEAR(errorOf(one.name, rows), one.error, .03 * one.error);
}

TEST("variants: shipped formats go through the library, and a fitted scale for 64 values is as good as they are") {
    const std::vector<float> rows = normalRows(500);
    for (const char * bits : {"2", "3", "4", "5"}) {
        const double shipped = errorOf(std::string("kv") + bits, rows), fitted = errorOf(std::string("lm") + bits + "-64", rows);
        CHECK_NEAR(shipped, fitted, .02 * fitted);
    }
    CHECK(errorOf("kv4_32", rows) < .9 * errorOf("kv4", rows));
}

TEST("variants: bits with scales and norms") {
    const struct { const char * name; int32_t size; double bits; } expected[] = {
        {"kv4", 128, 4.125}, {"kv4_32", 128, 4.25}, {"lm4-128", 128, 4.0625}, {"lm3.5-64", 256, 3.625}, {"tq4", 128, 4.125}, {"tq4", 256, 4.0625},
        {"tq3.5", 128, 3.625}, {"tq3.5split", 128, 3.75}, {"lm3split2", 128, 3.125}, {"lm3split4", 128, 3.25}, {"lm3split4", 256, 3.125}, {"lm3split2", 64, 3.25}, {"kv3+qjl1", 128, 4.25}, {"tq3+qjl1", 128, 4.25}, {"kv4+signs3", 128, 4.125},
        {"kv3+outliers4", 128, 3.4375}, {"kv4+centre64", 128, 4.125 + 8.125 / 64}, {"exact", 128, 32},
    };
    for (const auto & one : expected) {
        check::context() = one.name;
        CHECK_NEAR(variants::parse(one.name)->bits(one.size), one.bits, 1e-9);
    }
}

TEST("variants: what is put around an exact code changes nothing") {
    for (const int32_t size : {64, 128, 256}) {
        for (const char * name : {"exact", "exact+signs5", "exact+centre64", "exact+signs5+centre16"}) CHECK_AT_MOST(errorOf(name, normalRows(150, size), size), 1e-11);
    }
    // except for what it rounds itself: 4 of 128 values to 8 bits
    CHECK_AT_MOST(errorOf("exact+outliers4", normalRows(150)), 1e-5);
}

TEST("variants: signs make a row that the rotation had gathered in one value spread") {
    std::vector<float> rows(kSize * 64);
    for (int64_t i = 0; i < 64; i++) rows[i * kSize + i] = 5; // before the rotation: a constant magnitude, with the pattern of the transform
    CHECK(errorOf("tq2", rows) > 0.05); // signs are in it
    CHECK_AT_MOST(errorOf("kv3+signs1", rows), 0.06);
    CHECK_AT_MOST(errorOf("kv3+signs2", rows), 0.06);
}

TEST("variants: a mean common to a tile costs nothing once it is taken out") {
    std::vector<float> rows = normalRows(256);
    const double without = errorOf("kv3+centre64", rows) * squaredLength(rows);
    for (size_t i = 0; i < rows.size(); i++) rows[i] += 6 * std::sin((float) (i % kSize)) + (float) (i / (64 * kSize));
    CHECK_NEAR(errorOf("kv3+centre64", rows) * squaredLength(rows), without, .05 * without);
    CHECK(errorOf("kv3", rows) * squaredLength(rows) > 5 * without);
    rows.resize(kSize * 40); // no whole tile
    CHECK_NEAR(errorOf("kv3+centre64", rows), errorOf("kv3", rows), 1e-9);
}

TEST("variants: outliers that are kept apart cost nothing") {
    std::vector<float> rows = normalRows(200), plain(rows);
    for (int64_t i = 0; i < 200; i++) {
        float * row = rows.data() + i * kSize;
        row[3] *= 50;
        row[77] *= 50;
    }
    lkv_hadamard(rows.data(), (int64_t) rows.size(), kSize);
    const double normal = errorOf("kv3", plain) * squaredLength(plain);
    CHECK(errorOf("kv3", rows) * squaredLength(rows) > 10 * normal);
    CHECK_AT_MOST(errorOf("kv3+outliers2", rows) * squaredLength(rows), 1.5 * normal); // with what 8 bits lose of the large ones
}

TEST("variants: parted by energy, the same bits lose less where channels differ, as theory has it") {
    std::vector<float> rows = normalRows(1000);
    for (size_t i = 0; i < rows.size(); i += 2) rows[i] *= 4; // 16 of 17 parts of the energy
    lkv_hadamard(rows.data(), (int64_t) rows.size(), kSize);
    CHECK_NEAR(errorOf("lm3-64", rows), .0296, .002);
    CHECK_NEAR(errorOf("lm3split2", rows), (16 * .0070 + .1115) / 17, .0008);
}

TEST("variants: QJL estimates dot products without bias, with the variance of theory, and makes the row itself worse") {
    const int64_t n = 400;
    Random random(7);
    const std::vector<float> q = normals(random, kSize), x = normals(random, kSize);
    std::vector<float> coarse(x);
    variants::parse("kv3")->store(Rows{coarse.data(), 1, kSize, kSize});
    double residual = 0, along = 0, length = 0; // |r|^2, <q, r>, |q|^2
    for (int32_t j = 0; j < kSize; j++) {
        residual += (x[j] - coarse[j]) * (x[j] - coarse[j]);
        along += q[j] * (x[j] - coarse[j]);
        length += q[j] * q[j];
    }
    double sum = 0, squares = 0, worse = 0;
    for (int64_t seed = 1; seed <= n; seed++) {
        std::vector<float> row(x);
        variants::parse("kv3+qjl" + std::to_string(seed))->store(Rows{row.data(), 1, kSize, kSize});
        double error = 0;
        for (int32_t j = 0; j < kSize; j++) error += q[j] * (row[j] - x[j]);
        sum += error / n;
        squares += error * error / n;
        worse += squaredError(row, x) / n;
    }
    // arXiv 2406.03482, lemma 3.5, with the exact constant: (pi/2 |q|^2 |r|^2 - <q, r>^2) / d
    const double variance = (1.5707963 * length * residual - along * along) / kSize;
    CHECK_NEAR(sum, 0, 4 * std::sqrt(variance / n));
    CHECK_NEAR(squares, variance, .3 * variance);
    // its mean over q is what the row's own error is: pi/2 of what the residual was, where a code of one bit more leaves about a quarter
    CHECK_NEAR(worse, 1.5707963 * residual, .05 * residual);
}

TEST("variants: a name that is none is refused") {
    for (const char * name : {"", "kv6", "kv4+", "kv4+signs", "kv4+signs0", "kv4+foo3", "lm4", "lm4-", "lm9-64", "tq", "tq3.split", "tqx", "+signs1", "kv4+signs1x"}) {
        check::context() = name;
        bool refused = false;
        try {
            variants::parse(name);
        } catch (const std::invalid_argument &) {
            refused = true;
        }
        CHECK(refused);
    }
}
