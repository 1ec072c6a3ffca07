/*
 * Ways to store keys and values that Loupe measures and does not ship. Each takes rows to what a reader of the stored form would get
 * and says how many bits that form has; none of them writes bytes. Only llama.cpp's tools are built with it (../CMakeLists.txt).
 *
 * A name is a code and what is put around it, from the inside out:
 *
 *   kv2 ... kv8, kv2_32 ...   the shipped formats, through the library itself
 *   lm4-128, lm3.5-64         Lloyd-Max code of 4 bits with one fitted 8-bit scale for each 128 values; 3.5: half of the values of a block
 *                             have 4 bits and half 3, which ones being all the same after a rotation
 *   tq4, tq3.5                TurboQuant_mse (arXiv 2504.19874, algorithm 1): one norm for a row in half precision, nothing fitted; random
 *                             signs before the Hadamard transform stand for its random rotation
 *   tq3.5split                the same as the paper's experiments have it: channels are parted before the rotation into those with the
 *                             largest energy and the rest, each half is rotated by itself and has a norm, and the first has one bit more
 *   lm3split2, lm3split4      channels are parted before the rotation into halves or quarters by their energy, each rotated by itself and with
 *                             fitted scales for 64 values, or for a part where it is shorter; the first part has one bit more, the last one less
 *   exact                     nothing is lost
 *
 *   +signs7                   random signs (seed 7) before the Hadamard transform
 *   +centre64                 the mean of every 64 tokens is taken out and stored as a kv8 row
 *   +outliers4                the 4 channels of a head with the largest energy, before the rotation, are kept apart at 8 bits with a scale
 *   +qjl1                     one bit more for each value, and the norm of the residual in half precision: signs of a Gaussian projection
 *                             (seed 1) of the residual (QJL, arXiv 2406.03482; with a code of one bit less, TurboQuant_prod, algorithm 2)
 *
 * Channels are chosen from the tokens that arrive together, 512 in a measurement: kinder than any choice from the weights alone.
 */
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace variants {

/* Tokens of one head, in their order, as the cache would get them: rotated by a Hadamard transform of each `rotation` values. */
struct Rows {
    float * data;      /* [n][size] */
    int64_t n;
    int32_t size;      /* values in a head: a multiple of 32, up to 512 */
    int32_t rotation;  /* a power of two that divides size */
    float * row(int64_t i) const { return data + i * size; }
};

class Variant {
public:
    virtual ~Variant() = default;
    /* Rows become what is read back. Thread-safe. */
    virtual void store(const Rows & rows) const = 0;
    /* Bits of a value, scales and norms included, of heads of `size` values. */
    virtual double bits(int32_t size) const = 0;
};

/* Throws std::invalid_argument, with the name, when it is none. */
std::unique_ptr<const Variant> parse(const std::string & name);

/* The codes; nullptr when the name is none of theirs. */
std::unique_ptr<const Variant> parseCode(const std::string & name);
/* `inside` with what "signs7" and the others put around it; nullptr when the name is none of theirs. */
std::unique_ptr<const Variant> parseAround(const std::string & name, std::unique_ptr<const Variant> inside);

} // namespace variants
