#include "llama-kv-quant-weights.h"

#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "llama-hparams.h"
#include "llama-impl.h"
#include "llama-model.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

namespace {

using layer = llama_kv_quant::layer;

// samples of the input: an estimate of a mean square over a pair and a group is then good to a few percent
constexpr int64_t N_SAMPLES = 64;

std::vector<float> read_f32(const ggml_tensor * t) {
    std::vector<float> values;
    if (t && t->type == GGML_TYPE_F32 && t->buffer && ggml_is_contiguous(t)) {
        values.resize(ggml_nelements(t));
        ggml_backend_tensor_get(t, values.data(), 0, ggml_nbytes(t));
    }
    return values;
}

// Weights of a damaged file, or of one made to harm, tell nothing: with them a scale would be no number.
bool finite_squares(const std::vector<float> & values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x*x); });
}

// mean squares of n_head heads from a norm weight of one head, or of all heads
bool from_norm(const std::vector<float> & w, int32_t n_head, const layer & l, std::vector<float> & mean) {
    const bool each = (int32_t) w.size() == l.head_k, all = (int32_t) w.size() == n_head*l.head_k;
    if (!each && !all) {
        return false;
    }
    const int32_t group = n_head/l.n_head_kv;
    mean.assign(l.n_head_kv*l.head_k, 0.0f);
    for (int32_t h = 0; h < n_head; h++) {
        for (int32_t i = 0; i < l.head_k; i++) {
            const float x = w[(each ? 0 : h*l.head_k) + i];
            mean[h/group*l.head_k + i] += x*x/group;
        }
    }
    return true;
}

// mean square of each output row of `w` for input of independent normal values times `gain`
std::vector<float> row_mean_squares(ggml_backend_t backend, ggml_tensor * w, const std::vector<float> & gain) {
    ggml_init_params params = { ggml_tensor_overhead()*4 + ggml_graph_overhead_custom(8, false), nullptr, true };
    ggml_context_ptr ctx { ggml_init(params) };
    ggml_tensor * x = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, w->ne[0], N_SAMPLES);
    ggml_tensor * y = ggml_mul_mat(ctx.get(), w, x);
    ggml_cgraph * graph = ggml_new_graph_custom(ctx.get(), 8, false);
    ggml_build_forward_expand(graph, y);
    ggml_backend_buffer_ptr buffer { ggml_backend_alloc_ctx_tensors(ctx.get(), backend) };

    std::vector<float> in(w->ne[0]*N_SAMPLES);
    std::minstd_rand random(1); // the standard fixes its sequence, but not that of its normal distribution
    for (size_t i = 0; i < in.size(); i++) {
        float sum = 0; // of twelve uniform values: variance 1, close enough to normal
        for (int j = 0; j < 12; j++) {
            sum += (float) random()/std::minstd_rand::max();
        }
        in[i] = (sum - 6.0f)*(gain.empty() ? 1.0f : gain[i % w->ne[0]]);
    }
    ggml_backend_tensor_set(x, in.data(), 0, in.size()*sizeof(float));
    if (ggml_backend_graph_compute(backend, graph) != GGML_STATUS_SUCCESS) {
        throw std::runtime_error("the projections could not be computed");
    }
    std::vector<float> out(ggml_nelements(y)), mean(y->ne[0], 0.0f);
    ggml_backend_tensor_get(y, out.data(), 0, out.size()*sizeof(float));
    for (size_t i = 0; i < out.size(); i++) {
        mean[i % y->ne[0]] += out[i]*out[i]/N_SAMPLES;
    }
    return mean;
}

kv_mean_squares estimate(const llama_model & model, const llama_hparams & hparams, uint32_t il, const layer & l) {
    const llama_layer & w = model.layers[il];
    kv_mean_squares m;
    if (hparams.no_alloc) { // only the sizes are wanted: there are no weights
        return m;
    }
    if (from_norm(read_f32(w.attn_q_norm), l.n_head, l, m.q) && from_norm(read_f32(w.attn_k_norm), l.n_head_kv, l, m.k)) {
        return m;
    }
    m = {};

    const int64_t n_q = (int64_t) l.n_head*l.head_k, n_k = (int64_t) l.n_head_kv*l.head_k;
    if (!(w.wqkv && w.wqkv->ne[1] >= n_q + n_k) && !(w.wq && w.wk && w.wq->ne[1] == n_q && w.wk->ne[1] == n_k)) {
        return m;
    }
    ggml_backend_ptr backend { ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr) };
    if (!backend) {
        return m;
    }
    const std::vector<float> gain = read_f32(w.attn_norm);
    std::vector<float> q, k;
    if (w.wqkv) {
        q = row_mean_squares(backend.get(), w.wqkv, gain);
        k.assign(q.begin() + n_q, q.begin() + n_q + n_k);
    } else {
        q = row_mean_squares(backend.get(), w.wq, gain);
        k = row_mean_squares(backend.get(), w.wk, gain);
    }
    const std::vector<float> bias = read_f32(w.wq_b ? w.wq_b : w.wqkv_b);
    const int32_t group = l.n_head/l.n_head_kv;
    m.q.assign(n_k, 0.0f);
    for (int64_t i = 0; i < n_q; i++) {
        const float b = i < (int64_t) bias.size() ? bias[i] : 0.0f;
        m.q[i/l.head_k/group*l.head_k + i % l.head_k] += (q[i] + b*b)/group;
    }
    m.k = std::move(k);
    return m;
}

} // namespace

kv_mean_squares kv_mean_squares_of(const llama_model & model, const llama_hparams & hparams, uint32_t il, const layer & l) {
    kv_mean_squares m = estimate(model, hparams, il, l);
    return finite_squares(m.q) && finite_squares(m.k) ? m : kv_mean_squares();
}

std::vector<float> kv_key_bias_of(const llama_model & model, const llama_hparams & hparams, uint32_t il, const layer & l) {
    const llama_layer & w = model.layers[il];
    if (hparams.no_alloc || w.attn_k_norm || hparams.f_clamp_kqv > 0.0f) {
        return {};
    }
    const size_t n_q = (size_t) l.n_head*l.head_k, n_k = (size_t) l.n_head_kv*l.head_k;
    std::vector<float> b = read_f32(w.wk_b);
    if (b.empty()) {
        b = read_f32(w.wqkv_b);
        if (b.size() < n_q + n_k) {
            return {};
        }
        b = std::vector<float>(b.begin() + n_q, b.begin() + n_q + n_k);
    }
    return b.size() == n_k && finite_squares(b) ? b : std::vector<float>();
}
