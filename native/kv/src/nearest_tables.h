/* From floor(2 * |x| / scale), a byte, to the nearest positive level (src/encode.h), as tables for byte shuffles. */
#pragma once
#include "encode.h"

namespace lkv {
namespace {

/* For each byte the index of the nearest level, and that level. */
template<int BITS> struct Nearest {
    uint8_t index[256], level[256];
    constexpr Nearest() : index{}, level{} {
        for (int twice = 0; twice < 256; twice++) {
            int i = 0;
            for (int next = 1; next < 1 << (BITS - 1); next++) i += twice >= edge<BITS>(next);
            index[twice] = (uint8_t) i;
            level[twice] = (uint8_t) positiveLevels<BITS>()[i];
        }
    }
};
template<int BITS> alignas(64) constexpr Nearest<BITS> kNearest{};

/*
 * The same for registers of 16 bytes: by the high four bits of the byte, the index is `base` and one more for each edge of the bucket that
 * is not above the byte. Where a bucket has fewer edges than `kEdges`, the missing ones are 0, which counts always.
 */
template<int BITS> struct Buckets {
    static constexpr int kEdges = BITS == 5 ? 2 : 1;
    uint8_t base[16], edges[2][16], level[16];
    bool complete; // no bucket has more edges than kEdges
    constexpr Buckets() : base{}, edges{}, level{}, complete(true) {
        constexpr int half = 1 << (BITS - 1);
        for (int i = 0; i < half; i++) level[i] = (uint8_t) positiveLevels<BITS>()[i];
        for (int bucket = 0; bucket < 16; bucket++) {
            int below = 0, inside = 0;
            for (int i = 1; i < half; i++) {
                below += edge<BITS>(i) / 16 < bucket;
                if (edge<BITS>(i) / 16 != bucket) continue;
                if (inside < kEdges) edges[inside][bucket] = (uint8_t) edge<BITS>(i);
                inside++;
            }
            if (inside > kEdges) complete = false;
            base[bucket] = (uint8_t) (below - (kEdges - inside));
        }
    }
};
template<int BITS> alignas(16) constexpr Buckets<BITS> kBuckets{};
static_assert(Buckets<2>().complete && Buckets<3>().complete && Buckets<4>().complete && Buckets<5>().complete, "two edges in 16 half levels");

} // namespace
} // namespace lkv
