/* The codebooks as tables for byte shuffles. */
#pragma once
#include "codebook.h"

namespace lkv {
namespace {

/* Levels of 2 to 5 bits, repeated over 64 bytes: whatever the width of a shuffle, its table is a load from here. */
template<int BITS> struct LevelTable {
    int8_t level[64];
    constexpr LevelTable() : level{} {
        for (int i = 0; i < 64; i++) {
            const int code = i % (1 << BITS);
            level[i] = BITS == 2 ? kLevels2[code & 3] : BITS == 3 ? kLevels3[code & 7] : BITS == 4 ? kLevels4[code & 15] : kLevels5[code & 31];
        }
    }
};
template<int BITS> alignas(64) constexpr LevelTable<BITS> kLevelTable{};

} // namespace
} // namespace lkv
