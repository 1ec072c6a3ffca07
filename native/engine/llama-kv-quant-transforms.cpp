#include "llama-kv-quant-transforms.h"

#include "ggml-backend.h"
#include "llama-model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace {

using layer = llama_kv_quant::layer;

// A pair whose mean is smaller than the keys without it is not worth its share of every dot product.
constexpr float MEAN_THRESHOLD = 0.5f;

// f(x, y) for the values of every pair, f(i, i) for those that RoPE leaves alone
template<typename F> void for_pairs(const layer & l, F f) {
    for (int32_t i = 0; i < l.n_rot/2; i++) {
        int32_t x, y;
        l.pair_at(i, x, y);
        f(x, y);
    }
    for (int32_t i = l.n_rot; i < l.head_k; i++) {
        f(i, i);
    }
}

std::vector<float> read_f32(const ggml_tensor * t) {
    std::vector<float> values;
    if (t && t->type == GGML_TYPE_F32 && t->buffer && ggml_is_contiguous(t)) {
        values.resize(ggml_nelements(t));
        ggml_backend_tensor_get(t, values.data(), 0, ggml_nbytes(t));
    }
    return values;
}

} // namespace

kv_estimate kv_estimate_of(const kv_row_sums & sums, const layer & l) {
    const size_t n = (size_t) l.n_head_kv*l.head_k;
    kv_estimate m;
    if (sums.n_k == 0 || sums.n_q == 0 || sums.k2.size() != n || sums.q2.size() != n) {
        return m;
    }
    for (size_t i = 0; i < n; i++) {
        const double mean = sums.k.empty() ? 0 : sums.k[i]/sums.n_k; // may be hundreds of times as large as what is left without it
        m.q.push_back((float) (sums.q2[i]/sums.n_q));
        m.k.push_back((float) (sums.k2[i]/sums.n_k - mean*mean));
        m.mean.push_back((float) mean);
        if (!std::isfinite(m.q[i]) || !std::isfinite(m.k[i]) || !std::isfinite(m.mean[i]*m.mean[i])) {
            return {};
        }
    }
    if (sums.k.empty()) {
        m.mean.clear();
    } else {
        // RoPE turned the squares of a pair into each other: only their sum is that of the keys before
        for_pairs(l, [&](int32_t x, int32_t y) {
            for (int32_t h = 0; h < l.n_head_kv; h++) {
                float & a = m.k[h*l.head_k + x], & b = m.k[h*l.head_k + y];
                a = b = std::max(0.5f*(a + b), 0.0f);
            }
        });
    }
    return m;
}

std::vector<int32_t> kv_take_pairs_with_mean(const layer & l, kv_estimate & m, size_t most) {
    std::vector<float> size(l.n_rot/2, 0.0f);
    for (int32_t h = 0; h < l.n_head_kv; h++) {
        const float * k2 = m.k.data() + h*l.head_k, * mean = m.mean.data() + h*l.head_k;
        float energy = 0;
        for (int32_t i = 0; i < l.head_k; i++) {
            energy += k2[i];
        }
        const float per_pair = std::max(2*energy/l.head_k, 1e-20f);
        for (int32_t i = 0; i < l.n_rot/2; i++) {
            int32_t x, y;
            l.pair_at(i, x, y);
            size[i] = std::max(size[i], (mean[x]*mean[x] + mean[y]*mean[y])/per_pair);
        }
    }
    std::vector<int32_t> order(size.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t i, int32_t j) { return size[i] > size[j]; });
    size_t n = 0;
    while (n < order.size() && n < most && size[order[n]] > MEAN_THRESHOLD) {
        n++;
    }
    for (size_t i = n; i < order.size(); i++) {
        int32_t x, y;
        l.pair_at(order[i], x, y);
        for (int32_t h = 0; h < l.n_head_kv; h++) {
            for (const int32_t j : { h*l.head_k + x, h*l.head_k + y }) {
                m.k[j] += m.mean[j]*m.mean[j];
            }
        }
    }
    order.resize(n);
    return order;
}

float kv_bias_over_keys(const llama_model & model, uint32_t il, const layer & l, const kv_estimate & m) {
    const llama_layer & w = model.layers[il];
    if (w.attn_k_norm || m.k.empty()) { // the latter also where there are no weights to read
        return 0;
    }
    const size_t n_q = (size_t) l.n_head*l.head_k, n_k = (size_t) l.n_head_kv*l.head_k;
    std::vector<float> b = read_f32(w.wk_b ? w.wk_b : w.wqkv_b);
    if (!w.wk_b && b.size() >= n_q + n_k) {
        b = std::vector<float>(b.begin() + n_q, b.begin() + n_q + n_k);
    }
    if (b.size() != n_k) {
        return 0;
    }
    const float biases = std::inner_product(b.begin(), b.end(), b.begin(), 0.0f);
    const float whole = std::accumulate(m.k.begin(), m.k.end(), 0.0f);
    return biases/std::max(whole - biases, 1e-6f*whole + 1e-20f);
}

std::vector<float> kv_balance(const layer & l, const kv_estimate & m) {
    std::vector<float> scale(l.n_head_kv*l.head_k, 1.0f);
    for (int32_t h = 0; h < l.n_head_kv; h++) {
        const float * q2 = m.q.data() + h*l.head_k, * k2 = m.k.data() + h*l.head_k;
        // a small share of the mean keeps dead pairs from getting extreme scales
        const float q_min = 1e-3f*std::accumulate(q2, q2 + l.head_k, 0.0f)/l.head_k;
        const float k_min = 1e-3f*std::accumulate(k2, k2 + l.head_k, 0.0f)/l.head_k;
        if (!(q_min > 0) || !(k_min > 0)) {
            continue;
        }
        float * s = scale.data() + h*l.head_k;
        for_pairs(l, [&](int32_t x, int32_t y) {
            s[x] = s[y] = 0.25f*log2f((0.5f*(q2[x] + q2[y]) + q_min)/(0.5f*(k2[x] + k2[y]) + k_min));
        });
        const float mean = std::accumulate(s, s + l.head_k, 0.0f)/l.head_k;
        for (int32_t i = 0; i < l.head_k; i++) {
            // steps of 1/16 octave: the same on every processor, whatever the last digits of the estimate
            s[i] = exp2f(roundf(16*(s[i] - mean))/16);
        }
    }
    return scale;
}

std::vector<int32_t> kv_order(const layer & l, const kv_estimate & m) {
    std::vector<int32_t> order(l.n_head_kv*l.head_k);
    for (int32_t h = 0; h < l.n_head_kv; h++) {
        std::vector<float> energy(l.head_k);
        for_pairs(l, [&](int32_t x, int32_t y) {
            const float s = l.scale.empty() ? 1.0f : l.scale[h*l.head_k + x];
            energy[x] = energy[y] = 0.5f*(m.k[h*l.head_k + x] + m.k[h*l.head_k + y])*s*s;
        });
        std::vector<int32_t> sorted(l.head_k);
        std::iota(sorted.begin(), sorted.end(), 0);
        std::stable_sort(sorted.begin(), sorted.end(), [&](int32_t a, int32_t b) { return energy[a] > energy[b]; });
        // the first half of them to the blocks 0, 2, 4, ..., the second to the blocks 1, 3, 5, ...
        for (int32_t i = 0; i < l.head_k; i++) {
            const int32_t half = i >= l.head_k/2, j = i - half*l.head_k/2;
            order[h*l.head_k + (j/l.had_k*2 + half)*l.had_k + j % l.had_k] = sorted[i];
        }
    }
    return order;
}
