/* Dispatch, and that every instruction set gives the same bits as the scalar code. */
#include "formats.h"
#include "support.h"
#include <limits>

namespace {

/* Rows that are hard on an encoder: each call gives another kind. */
std::vector<float> hardRow(Random & random, size_t n, int kind) {
    std::vector<float> values(n);
    const float scale = std::ldexp(1.0f, (int) random.below(30) - 18), infinity = std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < n; i++) {
        const double normal = random.normal();
        switch (kind % 12) {
        case 0: values[i] = (float) normal * scale; break;
        case 1: values[i] = random.anyFloat(); break;
        case 2: values[i] = i % 64 == random.below(64) ? 1000 * scale : (float) normal * scale; break;
        case 3: values[i] = (float) ((int) random.below(509) - 254) * 0.5f * scale; break; // on the edges between levels
        case 4: values[i] = random.below(2) ? scale : -scale; break;
        case 5: values[i] = random.below(8) ? 0.0f : (float) normal; break;
        case 6: values[i] = std::ldexp(random.below(2) ? 1.0f : -1.0f, (int) random.below(60) - 40); break;
        case 7: values[i] = random.below(4) ? (float) normal : random.below(2) ? infinity : -infinity; break;
        case 8: values[i] = random.below(4) ? (float) normal : std::nanf(""); break;
        case 9: values[i] = (float) normal * 1e-38f; break;
        case 10: values[i] = (float) normal * 3e38f; break;
        default: values[i] = (float) (std::log(random.uniform()) * (random.below(2) ? 1 : -1)) * scale;
        }
    }
    return values;
}

} // namespace

TEST("isa: names, and the scalar code is always granted") {
    const char * names[LKV_ISA_COUNT] = {"scalar", "avx2", "avx512", "neon"};
    for (int isa = 0; isa < LKV_ISA_COUNT; isa++) CHECK(std::strcmp(lkv_isa_name((lkv_isa) isa), names[isa]) == 0);
    CHECK(lkv_isa_granted(LKV_ISA_SCALAR));
    CHECK(!lkv_isa_granted(LKV_ISA_COUNT) && !lkv_isa_granted((lkv_isa) -1));
}

TEST("isa: the one in use is the best granted, or the one that LOUPE_KV_ISA names") {
    const char * wanted = std::getenv("LOUPE_KV_ISA");
    lkv_isa expected = grantedIsas().back();
    for (lkv_isa isa : grantedIsas()) {
        if (wanted && std::strcmp(wanted, lkv_isa_name(isa)) == 0) expected = isa;
    }
    CHECK(lkv_isa_in_use() == expected);
}

TEST("isa: forcing one changes the functions that run, and one that is not granted changes nothing") {
    const lkv_isa before = lkv_isa_in_use();
    const lkv::FormatFunctions * tables[LKV_ISA_COUNT] = {};
    tables[LKV_ISA_SCALAR] = &lkv::kScalarFormats;
#if defined(LKV_X86)
    tables[LKV_ISA_AVX2] = &lkv::kAvx2Formats;
    tables[LKV_ISA_AVX512] = &lkv::kAvx512Formats;
    CHECK(!lkv_isa_granted(LKV_ISA_NEON));
#elif defined(LKV_ARM64)
    tables[LKV_ISA_NEON] = &lkv::kNeonFormats;
    CHECK(!lkv_isa_granted(LKV_ISA_AVX2) && !lkv_isa_granted(LKV_ISA_AVX512));
#endif
    for (int isa = 0; isa < LKV_ISA_COUNT; isa++) {
        const lkv_isa used = lkv_isa_in_use();
        CHECK(lkv_isa_force((lkv_isa) isa) == lkv_isa_granted((lkv_isa) isa));
        CHECK(lkv_isa_in_use() == (lkv_isa_granted((lkv_isa) isa) ? (lkv_isa) isa : used));
        CHECK(&lkv::formatFunctions() == tables[lkv_isa_in_use()]);
    }
    lkv_isa_force(before);
}

#if defined(LKV_X86) && defined(__GNUC__)
TEST("isa: what is granted is what the compiler's own runtime finds") {
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
    CHECK((bool) lkv_isa_granted(LKV_ISA_AVX2) == avx2); // every processor with AVX2 has F16C
    CHECK((bool) lkv_isa_granted(LKV_ISA_AVX512) == avx512);
}
#endif

TEST("isa: every row is encoded to the bytes of the scalar code and decoded to its bits") {
    forFormats(true, [](lkv_format format, const lkv_format_info & info) {
        Random random(11);
        for (int round = 0; round < 360; round++) {
            const size_t n = format == LKV_F16 ? 1 + random.below(200) : (size_t) info.block * (1 + random.below(9));
            const std::vector<float> values = hardRow(random, n, round);
            std::vector<uint8_t> expectedRow;
            std::vector<float> expected;
            {
                const WithIsa scalar(LKV_ISA_SCALAR);
                expectedRow = encoded(format, values);
                expected = decoded(format, expectedRow, n);
            }
            CHECK(encoded(format, values) == expectedRow);
            CHECK(sameBits(decoded(format, expectedRow, n), expected));
        }
    });
}

TEST("isa: any bytes are decoded to the bits of the scalar code") {
    forFormats(true, [](lkv_format format, const lkv_format_info & info) {
        Random random(12);
        for (int round = 0; round < 300; round++) {
            const size_t n = format == LKV_F16 ? 1 + random.below(200) : (size_t) info.block * (1 + random.below(4));
            std::vector<uint8_t> row(lkv_row_bytes(format, (int64_t) n));
            for (uint8_t & byte : row) byte = (uint8_t) random.bits();
            std::vector<float> expected;
            {
                const WithIsa scalar(LKV_ISA_SCALAR);
                expected = decoded(format, row, n);
            }
            CHECK(sameBits(decoded(format, row, n), expected));
        }
    });
}
