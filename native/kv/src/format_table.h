/* Fills a table of functions from the templates of one instruction set. */
#pragma once
#include "encode.h"
#include "formats.h"

namespace lkv {
namespace {

template<class Ops, int BITS, int N> void decodeRow(const uint8_t * row, float * values, int64_t n) {
    for (int64_t i = 0; i < n; i += N, row += blockBytes(BITS, N)) Ops::template decode<BITS, N>(row, values + i);
}

/* Blocks of 4 and of LOW bits in turn; n is a multiple of both together. */
template<class Ops, int LOW, int N> void encodeMixed(const float * values, uint8_t * row, int64_t n) {
    for (int64_t i = 0; i < n; i += 2 * N, row += blockBytes(4, N) + blockBytes(LOW, N)) {
        encodeBlock<Ops, 4, N>(values + i, row);
        encodeBlock<Ops, LOW, N>(values + i + N, row + blockBytes(4, N));
    }
}

template<class Ops, int LOW, int N> void decodeMixed(const uint8_t * row, float * values, int64_t n) {
    for (int64_t i = 0; i < n; i += 2 * N, row += blockBytes(4, N) + blockBytes(LOW, N)) {
        Ops::template decode<4, N>(row, values + i);
        Ops::template decode<LOW, N>(row + blockBytes(4, N), values + i + N);
    }
}

/*
 * Beside what encode.h names, Ops has: decode<BITS, N>(block, values), encodeHalf and decodeHalf (rows of LKV_F16) and
 * hadamard(values, n, size).
 */
template<class Ops> constexpr FormatFunctions formatTable() {
    return {
        {
            Ops::encodeHalf,
            encodeRow<Ops, 2, 64>, encodeRow<Ops, 3, 64>, encodeRow<Ops, 4, 64>, encodeRow<Ops, 5, 64>, encodeRow<Ops, 8, 64>,
            encodeRow<Ops, 2, 32>, encodeRow<Ops, 3, 32>, encodeRow<Ops, 4, 32>, encodeRow<Ops, 5, 32>, encodeRow<Ops, 8, 32>,
            encodeMixed<Ops, 2, 64>, encodeMixed<Ops, 2, 32>, encodeMixed<Ops, 3, 64>, encodeMixed<Ops, 3, 32>,
        },
        {
            Ops::decodeHalf,
            decodeRow<Ops, 2, 64>, decodeRow<Ops, 3, 64>, decodeRow<Ops, 4, 64>, decodeRow<Ops, 5, 64>, decodeRow<Ops, 8, 64>,
            decodeRow<Ops, 2, 32>, decodeRow<Ops, 3, 32>, decodeRow<Ops, 4, 32>, decodeRow<Ops, 5, 32>, decodeRow<Ops, 8, 32>,
            decodeMixed<Ops, 2, 64>, decodeMixed<Ops, 2, 32>, decodeMixed<Ops, 3, 64>, decodeMixed<Ops, 3, 32>,
        },
        Ops::hadamard,
    };
}

} // namespace
} // namespace lkv
