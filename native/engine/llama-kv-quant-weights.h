#pragma once

// What the weights of a layer say about the size of its queries and keys, whatever format they are stored in.

#include "llama-kv-quant.h"

#include <vector>

struct kv_mean_squares {
    std::vector<float> q; // [n_head_kv][head_k], averaged over the query heads of a group; empty: unknown
    std::vector<float> k; // [n_head_kv][head_k], without the key bias; empty: unknown
};

// From the norm weights of Q and K where there are such, else from the projections applied to normally distributed input.
// Unknown, as is a bias, where a weight is NaN, infinite or so large that its square is: the layer then goes without balance or exact bias.
kv_mean_squares kv_mean_squares_of(const llama_model & model, const llama_hparams & hparams, uint32_t il, const llama_kv_quant::layer & l);

// The bias of the key projection, [n_head_kv][head_k]; empty where there is none, or where a norm follows it.
std::vector<float> kv_key_bias_of(const llama_model & model, const llama_hparams & hparams, uint32_t il, const llama_kv_quant::layer & l);
