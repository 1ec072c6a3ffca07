/* Any bytes through decode and any floats through encode: nothing outside the buffers is touched, and the results are sane. */
#include "support.h"

TEST("fuzz: any bytes decode to finite values within the scale, reading and writing nothing outside") {
    forFormats(true, [](lkv_format format, const lkv_format_info & info) {
        Random random(31);
        for (int round = 0; round < 400; round++) {
            const size_t n = format == LKV_F16 ? random.below(130) : (size_t) info.block * random.below(5);
            const Guarded row(lkv_row_bytes(format, (int64_t) n)), values(n * sizeof(float));
            for (size_t i = 0; i < row.size; i++) row.data()[i] = (uint8_t) random.bits();
            const std::vector<uint8_t> before(row.data(), row.data() + row.size);
            lkv_decode(format, row.data(), values.floats(), (int64_t) n);
            CHECK(row.size == 0 || std::memcmp(before.data(), row.data(), row.size) == 0);
            if (format == LKV_F16) continue; // halves have infinities and NaN
            for (size_t i = 0; i < n; i++) CHECK(std::fabs(values.floats()[i]) <= 128 * 33.0f);
        }
    });
}

TEST("fuzz: any floats encode inside the row, and every value comes back no further off than zero would be") {
    forFormats(true, [](lkv_format format, const lkv_format_info & info) {
        Random random(32);
        for (int round = 0; round < 400; round++) {
            const size_t n = format == LKV_F16 ? random.below(130) : (size_t) info.block * random.below(5);
            const Guarded values(n * sizeof(float)), row(lkv_row_bytes(format, (int64_t) n));
            for (size_t i = 0; i < n; i++) values.floats()[i] = random.below(2) ? random.anyFloat() : std::ldexp(random.anyFloat(), -(int) random.below(200));
            lkv_encode(format, values.floats(), row.data(), (int64_t) n);
            const std::vector<float> back = decoded(format, std::vector<uint8_t>(row.data(), row.data() + row.size), n);
            for (float value : back) CHECK(std::isfinite(value));
            for (size_t i = 0; i + (size_t) info.block <= n; i += (size_t) info.block) {
                double error = 0, zero = 0;
                for (size_t j = i; j < i + (size_t) info.block; j++) {
                    const float limit = format == LKV_F16 ? 65504.0f : 4064.0f, raw = values.floats()[j];
                    const double value = std::isnan(raw) ? 0 : std::fmax(-limit, std::fmin(limit, raw));
                    error += (back[j] - value) * (back[j] - value);
                    zero += value * value;
                }
                CHECK(error <= zero * (1 + 1e-6)); // the search works on values rounded to 15 bits
            }
        }
    });
}

TEST("fuzz: the same bytes on every processor, compiler and operating system") {
    // FNV-1a of the rows. A better encoder changes them, and then they are changed here; the format stays. Inputs need no mathematical library.
    const uint32_t expected[LKV_FORMAT_COUNT] = {2034741289u, 3478279070u, 928421255u, 832408473u, 891751192u, 286512814u, 2680650371u, 1794889965u, 3925887515u, 683109824u, 22186491u};
    forFormats(true, [&](lkv_format format, const lkv_format_info & info) {
        Random random(34);
        uint32_t hash = 2166136261u;
        for (int round = 0; round < 400; round++) {
            std::vector<float> values((size_t) info.block * (format == LKV_F16 ? 64 : 1));
            for (float & value : values) {
                double sum = -6; // nearly normal: Irwin-Hall
                for (int i = 0; i < 12; i++) sum += random.uniform();
                value = round % 8 == 7 ? random.anyFloat() : (float) (sum * (1 << round % 7) / 64);
            }
            for (uint8_t byte : encoded(format, values)) hash = (hash ^ byte) * 16777619u;
        }
        if (hash != expected[format]) check::fail(__FILE__, __LINE__, "hash is " + std::to_string(hash) + "u");
    });
}

TEST("fuzz: rows at any alignment give the same bytes") {
    forFormats(true, [](lkv_format format, const lkv_format_info & info) {
        Random random(33);
        const size_t n = (size_t) info.block * 3;
        const std::vector<float> values = normals(random, n);
        const std::vector<uint8_t> expected = encoded(format, values);
        const std::vector<float> back = decoded(format, expected, n);
        for (size_t offset = 0; offset < 64; offset++) {
            const Guarded row(expected.size() + offset);
            lkv_encode(format, values.data(), row.data(), (int64_t) n);
            CHECK(std::memcmp(row.data(), expected.data(), expected.size()) == 0);
            std::vector<float> decodedThere(n);
            lkv_decode(format, row.data(), decodedThere.data(), (int64_t) n);
            CHECK(sameBits(decodedThere, back));
        }
    });
}
