#pragma once

// Which transforms a layer gets, from a measurement of the model; see llama-kv-quant.h for what they do.

#include "llama-kv-measure.h"
#include "llama-kv-quant.h"

#include <vector>

struct kv_estimate {
    std::vector<float> q;    // [n_head_kv][head_k]: mean squares of the queries; empty: unknown
    std::vector<float> k;    // [n_head_kv][head_k]: of the keys, without their means where these are known; empty: unknown
    std::vector<float> mean; // [n_head_kv][head_k]: of the keys before RoPE; empty where its angles are not known
};

// Unknown where nothing was measured, or something that is not finite: the weights are those of a damaged file, or of one made to harm.
kv_estimate kv_estimate_of(const kv_row_sums & sums, const llama_kv_quant::layer & l);

// The RoPE pairs whose mean is large against what the keys are without it, largest first, at most `most`. The means of the others count as a
// part of the keys from then on.
std::vector<int32_t> kv_take_pairs_with_mean(const llama_kv_quant::layer & l, kv_estimate & m, size_t most);

// The energy of the projection's key bias against that of the keys without it; 0 where there is no bias, or where a norm follows it.
float kv_bias_over_keys(const llama_model & model, uint32_t il, const llama_kv_quant::layer & l, const kv_estimate & m);

// [n_head_kv][head_k]: s, one for each pair
std::vector<float> kv_balance(const llama_kv_quant::layer & l, const kv_estimate & m);

// [n_head_kv][head_k]: where the value of each place of a head comes from, so that the first of two blocks of l.had_k values in turn have
// those with most energy after the balance
std::vector<int32_t> kv_order(const llama_kv_quant::layer & l, const kv_estimate & m);
