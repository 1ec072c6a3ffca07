// Attention of all rows of a call, tile by tile: shared by the instruction sets and by the kinds of tiles.
#pragma once
#include "bias.h"
#include "loupe_kv.h"
#include "softmax.h"
#include <string.h>

namespace lkv {

enum class MaskKind { None, Mixed, Hidden };

constexpr uint16_t kHiddenHalf = 0xFC00; // -infinity

// What a row's mask says of a whole tile.
static inline MaskKind maskKind(const uint16_t * mask) {
    uint16_t any = 0, not_hidden = 0;
    for (int i = 0; i < kTile; i++) {
        any = (uint16_t) (any | mask[i]);
        not_hidden = (uint16_t) (not_hidden | (mask[i] ^ kHiddenHalf));
    }
    return not_hidden == 0 ? MaskKind::Hidden : any == 0 ? MaskKind::None : MaskKind::Mixed;
}

/*
 * Tiles is how keys and values of a tile are expanded and multiplied:
 *   Tiles(attention, scratch)          prepares the queries
 *   keys(first cell), values(...)      names the tile; what is not needed is not expanded
 *   score<R>(row, s)                   s[R][kTile] = q . k of R rows
 *   accumulate(row, n, w)              adds the values of the tile, weighted with w[n][kTile], to out of n rows
 */
template <class F, class Tiles> class Attention {
public:
    explicit Attention(const lkv_attention & a)
        : a_(a), at_(scratchOf(a.head_k, a.head_v, a.n_rows)), scratch_((uint8_t *) a.scratch), bias_(a.bias, (float *) (scratch_ + at_.bias)),
          tiles_(a, at_, scratch_) {}

    void run() {
        for (int32_t r = 0; r < a_.n_rows; r++) {
            a_.max[r] = -INFINITY;
            a_.sum[r] = 0;
        }
        memset(a_.out, 0, sizeof(float) * (size_t) a_.n_rows * (size_t) a_.head_v);
        const int64_t n = (a_.last - a_.first + kTile - 1) / kTile;
        // In the order of memory: measured a tenth faster than from the newest cells backwards. (The first cells, where attention usually
        // has its greatest weights, come first either way, so that negligible tiles are known as such.) Prefetching the next tile was
        // measured too and changed nothing.
        for (int64_t i = 0; i < n; i++) {
            tile(a_.first + kTile * i);
        }
    }

private:
    void tile(int64_t cell) {
        const int n = a_.last - cell < kTile ? (int) (a_.last - cell) : kTile;
        if (hidden(cell, n, 0, a_.n_rows)) {
            return;
        }
        const uint8_t * k = (const uint8_t *) a_.k + (size_t) cell * a_.k_stride, * v = (const uint8_t *) a_.v + (size_t) cell * a_.v_stride;
        if (n == kTile) {
            tiles_.tile(k, a_.k_stride, v, a_.v_stride);
        } else {
            const size_t k_bytes = lkv_row_bytes(a_.k_format, a_.head_k), v_bytes = lkv_row_bytes(a_.v_format, a_.head_v);
            tiles_.tile(copyLast(k, a_.k_stride, k_bytes, n, scratch_ + at_.last_keys), k_bytes,
                        copyLast(v, a_.v_stride, v_bytes, n, scratch_ + at_.last_values), v_bytes);
        }
        bias_.tile(cell, n);
        // Equal groups: the last one should not be left with a single row.
        const int32_t groups = (a_.n_rows + kGroupRows - 1) / kGroupRows;
        for (int32_t g = 0, row = 0; g < groups; g++) {
            const int32_t rows = (a_.n_rows - row) / (groups - g);
            if (!hidden(cell, n, row, rows)) {
                switch (rows) {
                    case 1: group<1>(cell, n, row); break;
                    case 2: group<2>(cell, n, row); break;
                    case 3: group<3>(cell, n, row); break;
                    case 4: group<4>(cell, n, row); break;
                    case 5: group<5>(cell, n, row); break;
                    case 6: group<6>(cell, n, row); break;
                    case 7: group<7>(cell, n, row); break;
                    default: group<8>(cell, n, row); break;
                }
            }
            row += rows;
        }
    }

    template <int R> void group(int64_t cell, int n, int32_t row) {
        alignas(64) float s[R][kTile];
        tiles_.template score<R>(row, &s[0][0]);
        bias_.template add<R>(row, &s[0][0]);
        bool any = false;
        for (int r = 0; r < R; r++) {
            alignas(64) uint16_t part[kTile];
            const int32_t i = row + r;
            RowState state = { a_.max[i], a_.sum[i] };
            const float fade = tileWeights<F>(s[r], maskOf(cell, n, i, part), a_.slope == nullptr ? 1.0f : a_.slope[i], a_.scale, a_.softcap, state);
            if (fade < 0) {
                memset(s[r], 0, sizeof s[r]);
                continue;
            }
            any = true;
            a_.max[i] = state.max;
            a_.sum[i] = state.sum;
            if (fade != 1) {
                float * out = a_.out + (size_t) i * (size_t) a_.head_v;
                for (int32_t d = 0; d < a_.head_v; d += F::W) {
                    F::store(out + d, F::mul(F::load(out + d), F::all(fade)));
                }
            }
        }
        if (any) {
            tiles_.template accumulate<R>(row, &s[0][0]);
        }
    }

    // The row's mask of the tile, or NULL when it hides nothing; a tile with fewer cells gets one in `part` that hides the rest.
    const uint16_t * maskOf(int64_t cell, int n, int32_t row, uint16_t * part) const {
        const uint16_t * mask = a_.mask == nullptr ? nullptr : a_.mask[row] + cell;
        if (n == kTile) {
            return mask == nullptr || maskKind(mask) == MaskKind::None ? nullptr : mask;
        }
        for (int c = 0; c < kTile; c++) {
            part[c] = c >= n ? kHiddenHalf : mask == nullptr ? (uint16_t) 0 : mask[c];
        }
        return part;
    }

    bool hidden(int64_t cell, int n, int32_t row, int32_t rows) const {
        if (a_.mask == nullptr) {
            return false;
        }
        for (int32_t r = row; r < row + rows; r++) {
            const uint16_t * mask = a_.mask[r] + cell;
            if (n == kTile) {
                if (maskKind(mask) != MaskKind::Hidden) {
                    return false;
                }
            } else {
                for (int c = 0; c < n; c++) {
                    if (mask[c] != kHiddenHalf) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    static const uint8_t * copyLast(const uint8_t * from, size_t stride, size_t bytes, int n, uint8_t * to) {
        for (int c = 0; c < n; c++) {
            memcpy(to + (size_t) c * bytes, from + (size_t) c * stride, bytes);
        }
        memset(to + (size_t) n * bytes, 0, (size_t) (kTile - n) * bytes);
        return to;
    }

    const lkv_attention & a_;
    const Scratch at_;
    uint8_t * const scratch_;
    TileBias<F> bias_;
    Tiles tiles_;
};

} // namespace lkv
