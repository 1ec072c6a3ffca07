/* The public functions of the storage part; the work is in src/formats_*.cpp. */
#include "formats.h"
#include "layout.h"

namespace lkv {
namespace {

constexpr lkv_format_info blocks(const char * name, int bits, int block) { return {name, bits, block, blockBytes(bits, block), {LKV_F16, LKV_F16}}; }
constexpr lkv_format_info mixed(const char * name, int low_bits, int block, lkv_format high, lkv_format low) {
    return {name, 4 + low_bits, block, blockBytes(4, block / 2) + blockBytes(low_bits, block / 2), {high, low}};
}

constexpr lkv_format_info kInfo[LKV_FORMAT_COUNT] = {
    {"f16", 16, 1, 2, {LKV_F16, LKV_F16}},
    blocks("kv2", 2, 64), blocks("kv3", 3, 64), blocks("kv4", 4, 64), blocks("kv5", 5, 64), blocks("kv8", 8, 64),
    blocks("kv2_32", 2, 32), blocks("kv3_32", 3, 32), blocks("kv4_32", 4, 32), blocks("kv5_32", 5, 32), blocks("kv8_32", 8, 32),
    mixed("kv3m", 2, 128, LKV_KV4, LKV_KV2), mixed("kv3m_32", 2, 64, LKV_KV4_32, LKV_KV2_32),
    mixed("kv43m", 3, 128, LKV_KV4, LKV_KV3), mixed("kv43m_32", 3, 64, LKV_KV4_32, LKV_KV3_32),
};

const FormatFunctions * tableOf(lkv_isa isa) {
    switch (isa) {
#if defined(LKV_X86)
    case LKV_ISA_AVX2: return &kAvx2Formats;
    case LKV_ISA_AVX512: return &kAvx512Formats;
#elif defined(LKV_ARM64)
    case LKV_ISA_NEON: return &kNeonFormats;
#endif
    default: return &kScalarFormats;
    }
}

} // namespace

const FormatFunctions & formatFunctions() { return *tableOf(lkv_isa_in_use()); }

} // namespace lkv

using namespace lkv;

const lkv_format_info * lkv_info(lkv_format format) {
    return (int) format >= 0 && format < LKV_FORMAT_COUNT ? kInfo + format : nullptr;
}

size_t lkv_row_bytes(lkv_format format, int64_t n) { return (size_t) (n / kInfo[format].block) * kInfo[format].block_bytes; }

void lkv_encode(lkv_format format, const float * values, void * row, int64_t n) {
    formatFunctions().encode[format](values, static_cast<uint8_t *>(row), n);
}

void lkv_decode(lkv_format format, const void * row, float * values, int64_t n) {
    formatFunctions().decode[format](static_cast<const uint8_t *>(row), values, n);
}

void lkv_hadamard(float * values, int64_t n, int32_t size) { formatFunctions().hadamard(values, n, size); }
