/* The byte layout as src/layout.h describes it, read by code that shares nothing with the library. */
#include "codebook.h"
#include "support.h"

namespace {

/* Code of value i of a block of n values. */
int documentedCode(const uint8_t * planes, int bits, int n, int i) {
    switch (bits) {
    case 2: return planes[i % (n / 4)] >> 2 * (i / (n / 4)) & 3;
    case 3: return documentedCode(planes, 2, n, i) + 4 * (planes[n / 4 + i / 8] >> i % 8 & 1);
    case 4: return planes[i % (n / 2)] >> 4 * (i / (n / 2)) & 15;
    case 5: return documentedCode(planes, 4, n, i) + 16 * (planes[n / 2 + i / 8] >> i % 8 & 1);
    default: return (int8_t) planes[i];
    }
}

int level(int bits, int code) {
    const int8_t * levels[] = {lkv::kLevels2, lkv::kLevels3, lkv::kLevels4, lkv::kLevels5};
    return bits == 8 ? code : levels[bits - 2][code];
}

} // namespace

TEST("layout: names, bits, blocks and bytes") {
    const char * names[] = {"f16", "kv2", "kv3", "kv4", "kv5", "kv8", "kv2_32", "kv3_32", "kv4_32", "kv5_32", "kv8_32", "kv3m", "kv3m_32", "kv43m", "kv43m_32"};
    const int bits[] = {16, 2, 3, 4, 5, 8, 2, 3, 4, 5, 8, 6, 6, 7, 7};
    for (int format = 0; format < LKV_FORMAT_COUNT; format++) {
        const lkv_format_info * info = lkv_info((lkv_format) format);
        CHECK(std::strcmp(info->name, names[format]) == 0);
        CHECK(info->bits == bits[format]);
        const bool mixed = format >= LKV_KV3M;
        CHECK(LKV_SCALED(info) == (format == 0 ? 1 : format <= LKV_KV8 || format == LKV_KV3M || format == LKV_KV43M ? 64 : 32));
        CHECK(info->block == (mixed ? 2 : 1) * LKV_SCALED(info));
        CHECK(info->block_bytes == (format == 0 ? 2 : (mixed ? 2 : 1) + LKV_SCALED(info) * info->bits / 8));
        CHECK(lkv_row_bytes((lkv_format) format, 576) == (size_t) (576 / info->block * info->block_bytes));
        CHECK(lkv_row_bytes((lkv_format) format, 0) == 0);
    }
    CHECK(lkv_info(LKV_FORMAT_COUNT) == nullptr);
    CHECK(lkv_info((lkv_format) -1) == nullptr);
}

TEST("layout: a mixed block is one of 4 bits and one of 2 or 3, on every instruction set") {
    for (const lkv_isa isa : grantedIsas()) {
        WithIsa use(isa);
        for (const lkv_format format : {LKV_KV3M, LKV_KV3M_32, LKV_KV43M, LKV_KV43M_32}) {
            const lkv_format_info * info = lkv_info(format);
            check::context() = std::string(info->name) + " on " + lkv_isa_name(isa);
            const size_t half = (size_t) info->block / 2, blocks = 3;
            Random random(9);
            const std::vector<float> values = normals(random, 2 * half * blocks);
            std::vector<uint8_t> expected;
            std::vector<float> back;
            for (size_t i = 0; i < 2 * blocks; i++) {
                const lkv_format part = info->parts[i % 2];
                CHECK(lkv_info(part)->bits == (i % 2 == 0 ? 4 : format < LKV_KV43M ? 2 : 3) && lkv_info(part)->block == (int32_t) half);
                const std::vector<uint8_t> row = encoded(part, std::vector<float>(values.begin() + (ptrdiff_t) (i * half), values.begin() + (ptrdiff_t) ((i + 1) * half)));
                const std::vector<float> its = decoded(part, row, half);
                expected.insert(expected.end(), row.begin(), row.end());
                back.insert(back.end(), its.begin(), its.end());
            }
            CHECK(encoded(format, values) == expected);
            CHECK(sameBits(decoded(format, expected, values.size()), back));
        }
    }
}

TEST("layout: every byte decodes as documented") {
    forFormats(false, [](lkv_format format, const lkv_format_info & info) {
        Random random(7);
        std::vector<uint8_t> row((size_t) info.block_bytes);
        for (int round = 0; round < 512; round++) {
            for (uint8_t & byte : row) byte = (uint8_t) random.bits();
            row[0] = (uint8_t) round; // every scale twice
            const std::vector<float> values = decoded(format, row, (size_t) info.block);
            for (int i = 0; i < info.block; i++) {
                CHECK(values[(size_t) i] == lkv::kScales[row[0]] * (float) level(info.bits, documentedCode(row.data() + 1, info.bits, info.block, i)));
            }
        }
    });
}

TEST("layout: each value alone reaches its own code and no other") {
    forFormats(false, [](lkv_format format, const lkv_format_info & info) {
        for (int i = 0; i < info.block; i++) {
            std::vector<float> values((size_t) info.block, -1);
            values[(size_t) i] = 1;
            const std::vector<uint8_t> row = encoded(format, values);
            for (int j = 0; j < info.block; j++) {
                const int code = documentedCode(row.data() + 1, info.bits, info.block, j);
                CHECK((level(info.bits, code) > 0) == (i == j));
            }
        }
    });
}
