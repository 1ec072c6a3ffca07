/* Codes of one block in and out of the byte layout (src/layout.h), value by value: the definition that the wide versions must match. */
#pragma once
#include "codebook.h"
#include "layout.h"

namespace lkv {
namespace {

/* Code of value i; for 8 bits the signed integer. `codes` points behind the scale. */
template<int BITS, int N> inline int codeAt(const uint8_t * codes, int i) {
    constexpr int quarter = N / 4, half = N / 2;
    if (BITS == 8) return (int8_t) codes[i];
    if (BITS == 2) return codes[i % quarter] >> 2 * (i / quarter) & 3;
    if (BITS == 4) return codes[i % half] >> 4 * (i / half) & 15;
    const uint8_t * high = codes + codeBytes(BITS - 1, N);
    return codeAt<BITS == 3 ? 2 : 4, N>(codes, i) | (high[i / 8] >> i % 8 & 1) << (BITS - 1);
}

/* Adds code i to planes that were zero. */
template<int BITS, int N> inline void addCode(uint8_t * codes, int i, int code) {
    constexpr int quarter = N / 4, half = N / 2;
    if (BITS == 8) {
        codes[i] = (uint8_t) code;
    } else if (BITS == 2) {
        codes[i % quarter] |= (uint8_t) (code << 2 * (i / quarter));
    } else if (BITS == 4) {
        codes[i % half] |= (uint8_t) (code << 4 * (i / half));
    } else {
        addCode<BITS == 3 ? 2 : 4, N>(codes, i, code & ((1 << (BITS - 1)) - 1));
        codes[codeBytes(BITS - 1, N) + i / 8] |= (uint8_t) (code >> (BITS - 1) << i % 8);
    }
}

/* Level of a code; for 8 bits the code itself. */
template<int BITS> inline int levelOf(int code) {
    return BITS == 2 ? kLevels2[code] : BITS == 3 ? kLevels3[code] : BITS == 4 ? kLevels4[code] : BITS == 5 ? kLevels5[code] : code;
}

} // namespace
} // namespace lkv
