// Attention by its definition, in double precision over decoded rows, one query row and one cell after the other.
#include "half.h"
#include "loupe_kv.h"
#include "scratch.h"
#include <cmath>

namespace lkv {
namespace {

double biasOf(const lkv_bias & bias, int32_t row, int64_t cell) {
    const int64_t position = bias.position[cell];
    const float * coarse = bias.coarse + (size_t) (position / 64) * (size_t) bias.n_pairs * 2;
    double sum = 0;
    for (int32_t i = 0; i < bias.n_pairs; i++) {
        const float * fine = bias.fine + (size_t) i * 128 + position % 64;
        const double c = coarse[2 * i], s = coarse[2 * i + 1], x = fine[0], y = fine[64];
        const float * ab = bias.ab + ((size_t) row * (size_t) bias.n_pairs + (size_t) i) * 2;
        sum += ab[0] * (c * x - s * y) + ab[1] * (s * x + c * y);
    }
    return sum;
}

void attendRow(const lkv_attention & a, int32_t row) {
    float key[kMaxHead], value[kMaxHead];
    double out[kMaxHead] = {};
    double max = -INFINITY, sum = 0;
    for (int64_t cell = a.first; cell < a.last; cell++) {
        const double mask = a.mask == nullptr ? 0.0 : (double) halfToFloat(a.mask[row][cell]);
        if (mask == -INFINITY) {
            continue;
        }
        lkv_decode(a.k_format, (const uint8_t *) a.k + (size_t) cell * a.k_stride, key, a.head_k);
        double score = a.bias == nullptr ? 0.0 : biasOf(*a.bias, row, cell);
        for (int32_t i = 0; i < a.head_k; i++) {
            score += (double) a.q[row][i] * key[i];
        }
        score *= a.scale;
        if (a.softcap > 0) {
            score = a.softcap * std::tanh(score / a.softcap);
        }
        score += mask * (a.slope == nullptr ? 1.0 : (double) a.slope[row]);
        if (score > max) {
            const double fade = std::exp(max - score);
            sum *= fade;
            for (double & x : out) {
                x *= fade;
            }
            max = score;
        }
        const double weight = std::exp(score - max);
        lkv_decode(a.v_format, (const uint8_t *) a.v + (size_t) cell * a.v_stride, value, a.head_v);
        sum += weight;
        for (int32_t i = 0; i < a.head_v; i++) {
            out[i] += weight * value[i];
        }
    }
    a.max[row] = (float) max;
    a.sum[row] = (float) sum;
    for (int32_t i = 0; i < a.head_v; i++) {
        a.out[(size_t) row * (size_t) a.head_v + (size_t) i] = (float) out[i];
    }
}

} // namespace
} // namespace lkv

void lkv_attend_reference(const lkv_attention * a) {
    for (int32_t row = 0; row < a->n_rows; row++) {
        lkv::attendRow(*a, row);
    }
}
