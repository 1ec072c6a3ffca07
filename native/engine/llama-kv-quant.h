#pragma once

// What a compressed cache does to queries, keys and values before they reach it. Everything follows from the weights and
// a few fixed lines of text (llama-kv-measure.h); no calibration data. Attention stays mathematically what it was:
//
//   mean      K = rope(x) + rope(b) for any b: for the RoPE pairs with a large mean b of all keys the cache holds the first part only, and
//             the attention adds q . rope_p(b) to the scores. Qwen2's key biases are hundreds of times larger than the rest of its keys and
//             would take all the levels.
//   balance   K*s and Q/s with one s per RoPE pair give the same scores; at s^4 = E[q^2]/E[k^2] the error of the keys harms least.
//   order     for types that give half of the values four bits and half of them two or three, those with most energy get the four.
//   rotation  an orthonormal Hadamard transform of whole heads of Q and K (of each block, with an order), and of V with its inverse on the
//             result, makes the values of a row close to normally distributed, which is what the codebooks are made for.

#include "ggml.h"
#include "ggml-kv-attn.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

struct llama_model;
struct llama_hparams;
struct kv_row_sums;

// Constant for the life of a cache. Layers are those of the model.
class llama_kv_quant {
public:
    // nullptr when neither type is a compressed one. Throws std::runtime_error when the model cannot have such a cache.
    // filter: the layers of this cache; empty: all.
    static std::unique_ptr<llama_kv_quant> make(
            const llama_model & model, const llama_hparams & hparams, const std::function<bool(int32_t il)> & filter,
            ggml_type type_k, ggml_type type_v, uint32_t n_cells);

    ggml_type type_k(uint32_t il) const;
    ggml_type type_v(uint32_t il) const;

    // true when some layer needs the positions of the cells
    bool needs_positions() const { return has_bias; }

    // true when the first and the newest tokens are kept in F16 too, see llama-kv-tail.h
    bool has_tail() const { return tail; }

    // k: F32 [n_embd_head, n_head_kv, n_tokens], pos: I32 [n_tokens] or nullptr without needs_positions -> what the cache stores
    ggml_tensor * build_k(ggml_context * ctx, ggml_tensor * k, ggml_tensor * pos, uint32_t il) const;
    // q: F32 [n_embd_head, n_head, n_tokens] -> its counterpart
    ggml_tensor * build_q(ggml_context * ctx, ggml_tensor * q, uint32_t il) const;
    // the products of q (before build_q) with the bias: F32 [2*n_pairs, n_head, n_tokens]; nullptr when the layer has none
    ggml_tensor * build_products(ggml_context * ctx, ggml_tensor * q, uint32_t il) const;
    const ggml_kv_attn_bias * bias(uint32_t il) const;

    // v: F32 [n_embd_head, n_head_kv, n_tokens]; its own inverse, for cur: F32 [n_embd_head*n_head, n_tokens]
    ggml_tensor * build_v(ggml_context * ctx, ggml_tensor * v, uint32_t il) const;

    // of everything that decides what the stored bytes mean; a saved state of another one is of no use
    uint64_t fingerprint() const { return hash; }

    struct layer {
        int32_t n_head, n_head_kv, head_k, head_v;
        int32_t had_k, had_v;               // size of the Hadamard transform
        ggml_type type_k, type_v;
        bool norm_pairs;                    // RoPE turns (2i, 2i+1) instead of (i, i + n_rot/2)
        int32_t n_rot;
        bool known_angles;                  // of RoPE: freq_scale*freq_base^(-2i/n_rot) for pair i
        double freq_base, freq_scale;
        std::vector<float> scale;           // [n_head_kv][head_k]: s; empty: 1
        std::vector<int32_t> order;         // [n_head_kv][head_k]: value i of what is rotated is value order[i] of the head; empty: i
        std::vector<int32_t> pair;          // RoPE pairs with an exact mean
        std::vector<float> b;               // [n_head_kv][n_pairs][2]
        std::vector<float> fine, coarse;
        ggml_kv_attn_bias attn;
        kv_row_sums * sums = nullptr;       // where rows are added up; only while a model is measured, and then nothing is transformed

        double theta(int32_t i) const { return freq_scale*pow(freq_base, -2.0*i/n_rot); }

        // the values of RoPE pair i: indices into a head
        void pair_at(int32_t i, int32_t & x, int32_t & y) const {
            x = norm_pairs ? 2*i     : i;
            y = norm_pairs ? 2*i + 1 : i + n_rot/2;
        }
    };

private:
    llama_kv_quant() = default;

    std::vector<std::unique_ptr<layer>> layers; // nullptr for a layer without a cache of its own
    bool has_bias = false;
    bool tail = false;
    uint64_t hash = 0;
};
