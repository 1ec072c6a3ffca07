/* Orthonormal factor of the Walsh-Hadamard transform: 1 / sqrt(size) for sizes 2^5 to 2^9. The transform itself only adds. */
#pragma once
#include <cstdint>

namespace lkv {
namespace {

inline float hadamardFactor(int32_t size) {
    return size == 32 ? 0.176776695f : size == 64 ? 0.125f : size == 128 ? 0.0883883476f : size == 256 ? 0.0625f : 0.0441941738f;
}

} // namespace
} // namespace lkv
