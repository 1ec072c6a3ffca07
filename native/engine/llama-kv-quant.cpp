#include "llama-kv-quant.h"

#include "ggml-kv-types.h"
#include "llama-kv-quant-transforms.h"
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
#include <stdexcept>

namespace {

using layer = llama_kv_quant::layer;

// Without the exact part a layer with a bias this many times larger than its keys keeps them at 8 bits.
constexpr float BIAS_8_BITS = 4.0f;

// Each pair has its share of every dot product.
constexpr size_t MAX_PAIRS = 16;

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

void make_tables(layer & l, int64_t n_pos) {
    const size_t n = l.pair.size();
    const int64_t n_coarse = n_pos/64 + 1;
    l.fine.resize(n*2*64);
    l.coarse.resize(n_coarse*n*2);
    for (size_t j = 0; j < n; j++) {
        const double theta = l.theta(l.pair[j]);
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
    if (ggml_is_mixed_kv_type(type)) {
        if (head % 64 != 0) {
            return GGML_TYPE_KV3_32;
        }
        return type == GGML_TYPE_KV3M ? GGML_TYPE_KV3M_32 : GGML_TYPE_KV43M_32;
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
    kv_measurement * const measured_now = kv_measured_now();
    const bool compressed = ggml_is_kv_type(type_k) || ggml_is_kv_type(type_v);
    // the transforms are exact: a test runs them over F16 and finds the same probabilities
    const bool exact_only = !compressed && type_k == GGML_TYPE_F16 && type_v == GGML_TYPE_F16 && getenv("LOUPE_KV_TRANSFORM_F16");
    if (!compressed && !exact_only && !measured_now) {
        return nullptr;
    }
#ifdef LOUPE_KV_VARIANTS
    // as beside a compressed cache, layers with a window stay what they are
    if (exact_only && !measured_now && variants::chosen() && has_windows_only(hparams, filter)) {
        return nullptr;
    }
#endif
    if (compressed && !(ggml_is_kv_type(type_k) && ggml_is_kv_type(type_v))) {
        throw std::runtime_error(format("cache types %s and %s cannot be used together", ggml_type_name(type_k), ggml_type_name(type_v)));
    }
    if (ggml_is_mixed_kv_type(type_v)) {
        throw std::runtime_error(format("cache type %s is for keys only", ggml_type_name(type_v)));
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
    std::shared_ptr<const kv_measurement> measured;
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

        l->known_angles = known_angles && !model.layers[il].rope_freqs && !model.layers[il].rope_long && !model.layers[il].rope_short;
        const bool swa = hparams.is_swa(il);
        l->freq_base = swa ? hparams.rope_freq_base_train_swa : hparams.rope_freq_base_train;
        l->freq_scale = swa ? hparams.rope_freq_scale_train_swa : hparams.rope_freq_scale_train;

        if (measured_now) {
            l->sums = &measured_now->layers[il];
            result->has_bias = true; // positions are needed
            result->layers[il] = std::move(l);
            continue;
        }

        measured = kv_measure(model);
        kv_estimate m = measured ? kv_estimate_of(measured->layers[il], *l) : kv_estimate();
        if (!m.mean.empty()) {
            l->pair = kv_take_pairs_with_mean(*l, m, switched_off("LOUPE_KV_BIAS") ? 0 : MAX_PAIRS);
            for (int32_t h = 0; h < l->n_head_kv; h++) {
                for (const int32_t i : l->pair) {
                    int32_t x, y;
                    l->pair_at(i, x, y);
                    l->b.push_back(m.mean[h*l->head_k + x]);
                    l->b.push_back(m.mean[h*l->head_k + y]);
                }
            }
            if (!l->pair.empty()) {
                make_tables(*l, std::max<int64_t>(n_cells, hparams.n_ctx_train));
                result->has_bias = true;
            }
        } else if (compressed && !switched_off("LOUPE_KV_BIAS") && kv_bias_over_keys(model, il, *l, m) > BIAS_8_BITS) {
            l->type_k = with_block(GGML_TYPE_KV8, l->head_k);
        }
        if (!m.q.empty() && !switched_off("LOUPE_KV_BALANCE")) {
            l->scale = kv_balance(*l, m);
        }
        if (ggml_is_mixed_kv_type(l->type_k)) {
            if (m.k.empty()) { // which channels have most energy is not known, and half of them would have two bits
                l->type_k = with_block(GGML_TYPE_KV3, l->head_k);
            } else {
                l->had_k = ggml_blck_size(l->type_k)/2;
                l->order = kv_order(*l, m);
            }
        }

        const int32_t types[2] = { l->type_k, l->type_v };
        mix(result->hash, types, 2);
        mix(result->hash, l->scale.data(), l->scale.size());
        mix(result->hash, l->order.data(), l->order.size());
        mix(result->hash, l->pair.data(), l->pair.size());
        mix(result->hash, l->b.data(), l->b.size());

        LLAMA_LOG_DEBUG("%s: layer %3u: K %s, V %s, %zu pairs with an exact mean, balanced: %d\n", __func__, il,
            ggml_type_name(l->type_k), ggml_type_name(l->type_v), l->pair.size(), !l->scale.empty());
        result->layers[il] = std::move(l);
    }
    return result;
}

ggml_type llama_kv_quant::type_k(uint32_t il) const { return layers[il]->type_k; }
ggml_type llama_kv_quant::type_v(uint32_t il) const { return layers[il]->type_v; }
