/*
 * Byte layout of a block of N values (N = 64 or 32): one byte for the scale, then bit planes, so that wide registers unpack them with
 * one shift and one mask. Code of value i:
 *   kv2: N/4 bytes, two bits each: byte i % (N/4), shifted by 2 * (i / (N/4))
 *   kv3: the plane of kv2 for the low two bits, then N/8 bytes with the high bit: byte i / 8, bit i % 8
 *   kv4: N/2 bytes, nibbles: byte i % (N/2), shifted by 4 * (i / (N/2))
 *   kv5: the plane of kv4 for the low four bits, then N/8 bytes with the high bit: byte i / 8, bit i % 8
 *   kv8: N bytes, the code is a signed integer
 * A mixed format has a block of kv4 and one of kv2 (kv3m) or of kv3 (kv43m) in turn.
 * A value is scale * level[code]; levels are 8-bit integers (src/codebook.h), for kv8 the code itself.
 * The scale byte s stands for 2^((s - 200) / 11); 0 stands for a block of zeros.
 */
#pragma once
#include <cstdint>

namespace lkv {

constexpr int kScaleSteps = 11;   // per octave: neighbours are 6.5 % apart
constexpr int kScaleOrigin = 200; // byte whose scale is 1

// static: files compiled for different instruction sets must not share a function
static constexpr int codeBytes(int bits, int block) { return bits * block / 8; }
static constexpr int blockBytes(int bits, int block) { return 1 + codeBytes(bits, block); }

} // namespace lkv
