/* The Walsh-Hadamard transform against its matrix. */
#include "support.h"

namespace {

/* Row i, column j of the matrix: the sign is the parity of the bits that i and j share. */
double entry(uint32_t i, uint32_t j, int size) {
    uint32_t shared = i & j, parity = 0;
    for (; shared; shared &= shared - 1) parity ^= 1;
    return (parity ? -1 : 1) / std::sqrt((double) size);
}

} // namespace

TEST("hadamard: the product with the orthonormal matrix") {
    Random random(1);
    for (int size = 32; size <= 512; size *= 2) {
        check::context() = std::to_string(size);
        const std::vector<float> values = normals(random, (size_t) size * 3);
        std::vector<float> transformed(values);
        lkv_hadamard(transformed.data(), size * 3, size);
        for (int run = 0; run < 3; run++) {
            for (int i = 0; i < size; i++) {
                double expected = 0;
                for (int j = 0; j < size; j++) expected += entry((uint32_t) i, (uint32_t) j, size) * values[(size_t) (run * size + j)];
                CHECK_NEAR(transformed[(size_t) (run * size + i)], expected, 2e-6);
            }
        }
    }
}

TEST("hadamard: its own inverse, and lengths stay") {
    Random random(2);
    for (int size = 32; size <= 512; size *= 2) {
        check::context() = std::to_string(size);
        const std::vector<float> values = normals(random, (size_t) size);
        std::vector<float> transformed(values);
        lkv_hadamard(transformed.data(), size, size);
        CHECK_NEAR(squaredLength(transformed) / squaredLength(values), 1, 1e-5);
        lkv_hadamard(transformed.data(), size, size);
        CHECK_AT_MOST(squaredError(transformed, values) / squaredLength(values), 1e-12);
    }
}

TEST("hadamard: the bits of the scalar code, at any alignment, and nothing beyond the values") {
    Random random(3);
    for (int size = 32; size <= 512; size *= 2) {
        check::context() = std::to_string(size) + " on " + lkv_isa_name(lkv_isa_in_use());
        const std::vector<float> values = normals(random, (size_t) size * 5);
        std::vector<float> expected(values);
        {
            const WithIsa scalar(LKV_ISA_SCALAR);
            lkv_hadamard(expected.data(), size * 5, size);
        }
        const Guarded buffer(values.size() * sizeof(float));
        std::memcpy(buffer.data(), values.data(), buffer.size);
        lkv_hadamard(buffer.floats(), size * 5, size);
        CHECK(std::memcmp(buffer.data(), expected.data(), buffer.size) == 0);

        const Guarded shifted(buffer.size + 4); // 4 bytes off the page's end: no register is aligned
        std::memcpy(shifted.data(), values.data(), buffer.size);
        lkv_hadamard(shifted.floats(), size * 5, size);
        CHECK(std::memcmp(shifted.data(), expected.data(), buffer.size) == 0);
    }
}
