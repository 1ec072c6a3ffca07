#include "llama-kv-quant.h"

#include "ggml-kv-types.h"
#include "llama-kv-quant-weights.h"
#include "llama-kv-tail.h"

#ifdef LOUPE_KV_VARIANTS // llama.cpp's tools only: native/bench/variants
#include "graph.h"
#endif

#include "llama-hparams.h"
#include "llama-impl.h"
#include "llama-model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace {

using layer = llama_kv_quant::layer;

// A pair whose bias is smaller than the keys themselves is not worth its share of every dot product.
constexpr float BIAS_THRESHOLD = 0.5f;
constexpr size_t MAX_PAIRS = 16;
// Without the exact part a layer with a bias this many times larger than its keys keeps them at 8 bits.
constexpr float BIAS_8_BITS = 4.0f;

bool switched_off(const char * name) {
    const char * value = getenv(name);
    return value && strcmp(value, "off") == 0;
}

int32_t power_of_two_in(int32_t n) {
    int32_t p = 1;
    while (n % (2*p) == 0 && 2*p <= 512) {
        p *= 2;
    }
    return p;
}

// s per value of a key head, from the mean squares of its query heads and its keys
std::vector<float> balance(const layer & l, const kv_mean_squares & m) {
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
        const auto log_s = [&](float q, float k) { return 0.25f*log2f((q + q_min)/(k + k_min)); };
        for (int32_t i = 0; i < l.n_rot/2; i++) {
            int32_t x, y;
            l.pair_at(i, x, y);
            s[x] = s[y] = log_s(0.5f*(q2[x] + q2[y]), 0.5f*(k2[x] + k2[y]));
        }
        for (int32_t i = l.n_rot; i < l.head_k; i++) {
            s[i] = log_s(q2[i], k2[i]);
        }
        const float mean = std::accumulate(s, s + l.head_k, 0.0f)/l.head_k;
        for (int32_t i = 0; i < l.head_k; i++) {
            // steps of 1/16 octave: the same on every processor, whatever the last digits of the estimate
            s[i] = exp2f(roundf(16*(s[i] - mean))/16);
        }
    }
    return scale;
}

// The pairs whose bias is large against the keys, largest first; 0 to MAX_PAIRS. `left` gets what stays in the keys, in units of their energy.
std::vector<int32_t> large_pairs(const layer & l, const std::vector<float> & b, const kv_mean_squares & m, float & left) {
    std::vector<float> size(l.n_rot/2, 0.0f);
    for (int32_t h = 0; h < l.n_head_kv; h++) {
        float energy = 0;
        for (int32_t i = 0; i < l.head_k; i++) {
            energy += m.k[h*l.head_k + i];
        }
        const float per_pair = std::max(2*energy/l.head_k, 1e-20f);
        for (int32_t i = 0; i < l.n_rot/2; i++) {
            int32_t x, y;
            l.pair_at(i, x, y);
            const float bx = b[h*l.head_k + x], by = b[h*l.head_k + y];
            size[i] = std::max(size[i], (bx*bx + by*by)/per_pair);
        }
    }
    std::vector<int32_t> order(size.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t i, int32_t j) { return size[i] > size[j]; });
    size_t n = 0;
    while (n < order.size() && n < MAX_PAIRS && size[order[n]] > BIAS_THRESHOLD) {
        n++;
    }
    left = 0;
    for (size_t i = n; i < order.size(); i++) {
        left += size[order[i]]*2/l.head_k;
    }
    order.resize(n);
    return order;
}

void make_tables(layer & l, double freq_base, double freq_scale, int64_t n_pos) {
    const size_t n = l.pair.size();
    const int64_t n_coarse = n_pos/64 + 1;
    l.fine.resize(n*2*64);
    l.coarse.resize(n_coarse*n*2);
    for (size_t j = 0; j < n; j++) {
        const double theta = freq_scale*pow(freq_base, -2.0*l.pair[j]/l.n_rot);
        for (int r = 0; r < 64; r++) {
            l.fine[(j*2 + 0)*64 + r] = (float) cos(theta*r);
            l.fine[(j*2 + 1)*64 + r] = (float) sin(theta*r);
        }
        for (int64_t c = 0; c < n_coarse; c++) {
            l.coarse[(c*n + j)*2 + 0] = (float) cos(theta*64*c);
            l.coarse[(c*n + j)*2 + 1] = (float) sin(theta*64*c);
        }
    }
    l.attn = { (int32_t) n, l.fine.data(), l.coarse.data(), n_coarse };
}

template<typename T> void mix(uint64_t & hash, const T * data, size_t n) { // FNV-1a
    for (size_t i = 0; i < n*sizeof(T); i++) {
        hash = (hash ^ ((const uint8_t *) data)[i])*0x100000001b3ull;
    }
}

ggml_type with_block(ggml_type type, int32_t head) {
    if (!ggml_is_kv_type(type) || head % ggml_blck_size(type) == 0) {
        return type;
    }
    return (ggml_type) (type + (GGML_TYPE_KV2_32 - GGML_TYPE_KV2));
}

#ifdef LOUPE_KV_VARIANTS
bool has_windows_only(const llama_hparams & hparams, const std::function<bool(int32_t il)> & filter) {
    for (uint32_t il = 0; il < hparams.n_layer_all; il++) {
        if (hparams.has_kv(il) && (!filter || filter(il)) && !hparams.is_swa(il)) {
            return false;
        }
    }
    return true;
}
#endif

} // namespace

std::unique_ptr<llama_kv_quant> llama_kv_quant::make(
        const llama_model & model, const llama_hparams & hparams, const std::function<bool(int32_t il)> & filter,
        ggml_type type_k, ggml_type type_v, uint32_t n_cells) {
    const bool compressed = ggml_is_kv_type(type_k) || ggml_is_kv_type(type_v);
    // the transforms are exact: a test runs them over F16 and finds the same probabilities
    const bool exact_only = !compressed && type_k == GGML_TYPE_F16 && type_v == GGML_TYPE_F16 && getenv("LOUPE_KV_TRANSFORM_F16");
    if (!compressed && !exact_only) {
        return nullptr;
    }
#ifdef LOUPE_KV_VARIANTS
    // as beside a compressed cache, layers with a window stay what they are
    if (exact_only && variants::chosen() && has_windows_only(hparams, filter)) {
        return nullptr;
    }
#endif
    if (compressed && !(ggml_is_kv_type(type_k) && ggml_is_kv_type(type_v))) {
        throw std::runtime_error(format("cache types %s and %s cannot be used together", ggml_type_name(type_k), ggml_type_name(type_v)));
    }
    if (hparams.is_mla()) {
        throw std::runtime_error("compressed cache types need keys and values of their own (not MLA)");
    }

    std::unique_ptr<llama_kv_quant> result(new llama_kv_quant());
    result->hash = 0xcbf29ce484222325ull ^ LKV_FORMAT_VERSION;
    result->layers.resize(hparams.n_layer_all);
    result->tail = compressed && !switched_off("LOUPE_KV_TAIL");
    result->hash ^= result->tail ? llama_kv_tail::N_ROWS << 8 : 0; // its rows come after the others in a saved state

    const bool rope = hparams.rope_type == LLAMA_ROPE_TYPE_NORM || hparams.rope_type == LLAMA_ROPE_TYPE_NEOX;
    const bool known_angles = rope && hparams.n_pos_per_embd() == 1 &&
        (hparams.rope_scaling_type_train == LLAMA_ROPE_SCALING_TYPE_NONE || hparams.rope_scaling_type_train == LLAMA_ROPE_SCALING_TYPE_LINEAR);

    for (uint32_t il = 0; il < hparams.n_layer_all; il++) {
        if (!hparams.has_kv(il) || (filter && !filter(il))) {
            continue;
        }
        auto l = std::make_unique<layer>();
        l->n_head    = hparams.n_head(il);
        l->n_head_kv = hparams.n_head_kv(il);
        l->head_k    = hparams.n_embd_head_k(il);
        l->head_v    = hparams.n_embd_head_v(il);
        l->n_rot     = rope ? std::min<int32_t>(hparams.n_rot(il), l->head_k) : 0;
        l->norm_pairs = hparams.rope_type == LLAMA_ROPE_TYPE_NORM;
        l->had_k     = power_of_two_in(l->head_k);
        l->had_v     = power_of_two_in(l->head_v);
        l->type_k    = with_block(type_k, l->head_k);
        l->type_v    = with_block(type_v, l->head_v);
        l->attn      = {};
        if (l->n_head_kv == 0) {
            continue;
        }
        if (l->head_k % 32 != 0 || l->head_v % 32 != 0 || l->head_k > 512 || l->head_v > 512) {
            throw std::runtime_error(format("compressed cache types need head sizes that 32 divides, up to 512: layer %u has %d and %d", il, l->head_k, l->head_v));
        }

        const kv_mean_squares m = kv_mean_squares_of(model, hparams, il, *l);
        if (!m.q.empty() && !switched_off("LOUPE_KV_BALANCE")) {
            l->scale = balance(*l, m);
        }

        const std::vector<float> b = kv_key_bias_of(model, hparams, il, *l);
        if (!b.empty() && !m.k.empty()) {
            float left = 0;
            std::vector<int32_t> pairs = large_pairs(*l, b, m, left);
            if (known_angles && !switched_off("LOUPE_KV_BIAS") && !pairs.empty()) {
                l->pair = std::move(pairs);
                for (int32_t h = 0; h < l->n_head_kv; h++) {
                    for (const int32_t i : l->pair) {
                        int32_t x, y;
                        l->pair_at(i, x, y);
                        l->b.push_back(b[h*l->head_k + x]);
                        l->b.push_back(b[h*l->head_k + y]);
                    }
                }
                const bool swa = hparams.is_swa(il);
                make_tables(*l, swa ? hparams.rope_freq_base_train_swa : hparams.rope_freq_base_train,
                    swa ? hparams.rope_freq_scale_train_swa : hparams.rope_freq_scale_train, std::max<int64_t>(n_cells, hparams.n_ctx_train));
                result->has_bias = true;
            } else if (compressed && !switched_off("LOUPE_KV_BIAS") && !pairs.empty()) {
                float whole = left;
                for (const float value : b) {
                    whole += value*value;
                }
                whole /= std::max(std::accumulate(m.k.begin(), m.k.end(), 0.0f), 1e-20f);
                if (whole > BIAS_8_BITS) {
                    l->type_k = with_block(GGML_TYPE_KV8, l->head_k);
                }
            }
        }

        const int32_t types[2] = { l->type_k, l->type_v };
        mix(result->hash, types, 2);
        mix(result->hash, l->scale.data(), l->scale.size());
        mix(result->hash, l->pair.data(), l->pair.size());
        mix(result->hash, l->b.data(), l->b.size());

        LLAMA_LOG_DEBUG("%s: layer %3u: K %s, V %s, %zu pairs with an exact bias, balanced: %d\n", __func__, il,
            ggml_type_name(l->type_k), ggml_type_name(l->type_v), l->pair.size(), !l->scale.empty());
        result->layers[il] = std::move(l);
    }
    return result;
}

ggml_type llama_kv_quant::type_k(uint32_t il) const { return layers[il]->type_k; }
ggml_type llama_kv_quant::type_v(uint32_t il) const { return layers[il]->type_v; }
