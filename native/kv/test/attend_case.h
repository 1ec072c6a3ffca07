/* Random calls of attention, their buffers, and the comparison of two results. */
#pragma once
#include "half.h"
#include "support.h"
#include <memory>

struct AttendShape {
    lkv_format k = LKV_KV5, v = LKV_KV4;
    int head_k = 128, head_v = 128, rows = 6;
    int64_t cells = 200;
    double query = 1;            // deviation of the queries
    bool odd_strides = true;     // gaps between cells, and a misaligned first one
    uint64_t seed = 1;
};

enum class MaskShape { None, Causal, Window, Holes, Hidden, Slopes };

/* Partial results of attention. */
struct AttendResult {
    std::vector<float> max, sum, out;
    explicit AttendResult(const lkv_attention & a) : max((size_t) a.n_rows, -7), sum((size_t) a.n_rows, -7), out((size_t) (a.n_rows * a.head_v), -7) {}
};

class AttendCase {
public:
    explicit AttendCase(const AttendShape & shape) : s(shape), random(shape.seed) {
        const size_t kBytes = lkv_row_bytes(s.k, s.head_k), vBytes = lkv_row_bytes(s.v, s.head_v);
        a.k_format = s.k; a.v_format = s.v; a.head_k = s.head_k; a.head_v = s.head_v; a.n_rows = s.rows;
        a.k_stride = kBytes + (s.odd_strides ? 3 : 0); a.v_stride = vBytes + (s.odd_strides ? 7 : 0);
        a.first = 0; a.last = s.cells; a.scale = 1 / std::sqrt((float) s.head_k);
        // The last cell ends where memory does: a read beyond it is a crash.
        keys = std::make_unique<Guarded>((size_t) (s.cells - 1) * a.k_stride + kBytes);
        values = std::make_unique<Guarded>((size_t) (s.cells - 1) * a.v_stride + vBytes);
        a.k = keys->data(); a.v = values->data();
        for (int64_t c = 0; c < s.cells; c++) {
            lkv_encode(s.k, normals(random, (size_t) s.head_k).data(), keys->data() + (size_t) c * a.k_stride, s.head_k);
            lkv_encode(s.v, normals(random, (size_t) s.head_v).data(), values->data() + (size_t) c * a.v_stride, s.head_v);
        }
        for (int r = 0; r < s.rows; r++) {
            queries.push_back(std::make_unique<Guarded>((size_t) s.head_k * sizeof(float)));
            const std::vector<float> row = normals(random, (size_t) s.head_k, s.query);
            std::memcpy(queries.back()->data(), row.data(), row.size() * sizeof(float));
            queryRows.push_back(queries.back()->floats());
        }
        a.q = queryRows.data();
    }

    /* Causal: the rows are the last positions, in turn. Slopes: distances as ALiBi wants them, with a slope for each row. */
    void setMask(MaskShape shape) {
        if (shape == MaskShape::None) return;
        const uint16_t hidden = 0xFC00;
        for (int r = 0; r < s.rows; r++) {
            masks.push_back(std::make_unique<Guarded>((size_t) s.cells * 2));
            uint16_t * mask = (uint16_t *) masks.back()->data();
            const int64_t position = s.cells - s.rows + r;
            for (int64_t c = 0; c < s.cells; c++) {
                bool hide = shape == MaskShape::Hidden && r != 0;
                if (shape == MaskShape::Causal || shape == MaskShape::Window || shape == MaskShape::Slopes) hide = c > position;
                if (shape == MaskShape::Window) hide = hide || c <= position - 70;
                if (shape == MaskShape::Holes) hide = random.below(3) == 0 || (c / 64) % 3 == 1;
                mask[c] = hide ? hidden : shape == MaskShape::Slopes ? lkv::floatToHalf((float) (c - position)) : 0;
            }
            maskRows.push_back(mask);
            slopes.push_back(0.02f * (float) (r % 5 + 1));
        }
        a.mask = maskRows.data();
        if (shape == MaskShape::Slopes) a.slope = slopes.data();
    }

    /* Consecutive positions from `from` on, or any (`from` < 0). `size` is the deviation of a and b. */
    void setBias(int pairs, int64_t from, double size) {
        constexpr int64_t coarseSteps = 64; // positions below 4096
        for (int i = 0; i < pairs; i++) thetas.push_back(std::pow(1e6, -(double) i / pairs));
        fine.resize((size_t) pairs * 128);
        coarse.resize((size_t) (coarseSteps * pairs) * 2);
        for (int i = 0; i < pairs; i++) {
            for (int r = 0; r < 64; r++) {
                fine[(size_t) i * 128 + (size_t) r] = (float) std::cos(thetas[(size_t) i] * r);
                fine[(size_t) i * 128 + 64 + (size_t) r] = (float) std::sin(thetas[(size_t) i] * r);
            }
            for (int64_t c = 0; c < coarseSteps; c++) {
                coarse[(size_t) (c * pairs + i) * 2] = (float) std::cos(thetas[(size_t) i] * 64 * (double) c);
                coarse[(size_t) (c * pairs + i) * 2 + 1] = (float) std::sin(thetas[(size_t) i] * 64 * (double) c);
            }
        }
        for (int64_t c = 0; c < s.cells; c++) positions.push_back(from < 0 ? (int32_t) random.below(4096) : (int32_t) (from + c));
        ab = normals(random, (size_t) (s.rows * pairs) * 2, size);
        bias = { pairs, fine.data(), coarse.data(), coarseSteps, positions.data(), ab.data() };
        a.bias = &bias;
    }

    AttendResult run(void (* attend)(const lkv_attention *)) { return run(attend, a.first, a.last); }
    AttendResult run(void (* attend)(const lkv_attention *), int64_t first, int64_t last) {
        AttendResult result(a);
        std::vector<uint8_t> memory(lkv_scratch_bytes(a.head_k, a.head_v, a.n_rows) + 64, 0xA5);
        lkv_attention call = a;
        call.first = first; call.last = last;
        call.max = result.max.data(); call.sum = result.sum.data(); call.out = result.out.data();
        call.scratch = (void *) (((uintptr_t) memory.data() + 63) & ~(uintptr_t) 63);
        attend(&call);
        return result;
    }

    const AttendShape s;
    Random random;
    lkv_attention a = {};
    std::unique_ptr<Guarded> keys, values;
    std::vector<std::unique_ptr<Guarded>> queries, masks;
    std::vector<const float *> queryRows;
    std::vector<const uint16_t *> maskRows;
    std::vector<float> slopes, fine, coarse, ab;
    std::vector<double> thetas;
    std::vector<int32_t> positions;
    lkv_bias bias = {};
};

/* Root mean square of the difference of the outputs (after division by the sums), which values of unit variance make a relative one. -1 when
   one hides a row that the other does not, or has something that is no number. */
inline double attendError(const AttendResult & x, const AttendResult & y, int head_v) {
    double error = 0;
    size_t n = 0;
    for (size_t r = 0; r < x.max.size(); r++) {
        const bool hidden = !(x.max[r] > -INFINITY);
        if (hidden != !(y.max[r] > -INFINITY) || (hidden && x.sum[r] != 0) || (!hidden && !(x.sum[r] > 0))) return -1;
        for (size_t i = r * (size_t) head_v; i < (r + 1) * (size_t) head_v; i++) {
            if (hidden && x.out[i] != 0) return -1;
            if (!std::isfinite(x.out[i])) return -1;
            const double d = hidden ? 0.0 : (double) x.out[i] / x.sum[r] - (double) y.out[i] / y.sum[r];
            error += d * d;
            n++;
        }
    }
    return std::sqrt(error / (double) n);
}

/* What an instruction set may differ from the definition by, for queries and values of unit variance: 8-bit queries turn each score by
   about 0.6 % of the scores' deviation, 8-bit weights add up to 0.9 % where one cell has nearly all the weight. */
inline double attendTolerance(lkv_isa isa, const AttendShape & s) {
    const double spread = s.query > 1 ? s.query : 1;
    if (s.k == LKV_F16 || isa == LKV_ISA_SCALAR) return 2e-5 * spread;
    if (isa == LKV_ISA_AVX2) return 2e-4 * spread;
    return 0.012 * spread;
}
