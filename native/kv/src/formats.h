/* The storage functions of each instruction set, behind lkv_encode, lkv_decode and lkv_hadamard. */
#pragma once
#include "isa.h"

namespace lkv {

struct FormatFunctions {
    void (* encode[LKV_FORMAT_COUNT])(const float * values, uint8_t * row, int64_t n);
    void (* decode[LKV_FORMAT_COUNT])(const uint8_t * row, float * values, int64_t n);
    void (* hadamard)(float * values, int64_t n, int32_t size);
};

extern const FormatFunctions kScalarFormats;
#if defined(LKV_X86)
extern const FormatFunctions kAvx2Formats, kAvx512Formats;
#elif defined(LKV_ARM64)
extern const FormatFunctions kNeonFormats;
#endif

/* Those of the instruction set in use. */
const FormatFunctions & formatFunctions();

} // namespace lkv
