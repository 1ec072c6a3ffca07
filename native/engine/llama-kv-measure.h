#pragma once

// What queries and keys of a model look like, from a run over a few lines of text: every architecture that llama.cpp builds can be measured,
// because the rows are looked at where a compressed cache would take them. What is measured changes no result (the transforms are exact), only
// how well the rows are stored.

#include <cstdint>
#include <memory>
#include <vector>

struct llama_model;

// Over the tokens of the run without the first ones, which a compressed cache keeps in F16 and which are like no others (attention sinks).
// Empty where a layer has no cache of its own.
struct kv_row_sums {
    int64_t n_k = 0, n_q = 0;      // rows of each KV head
    std::vector<double> k;         // [n_head_kv][head_k]: sums of keys, turned back by RoPE; empty where its angles are not known
    std::vector<double> k2;        // [n_head_kv][head_k]: of their squares
    std::vector<double> q2;        // [n_head_kv][head_k]: of the squares of the queries that read them, in all layers that share the cache
};

struct kv_measurement {
    std::vector<kv_row_sums> layers;
};

// Measured once for a model, then the same. nullptr for a model without weights, of which only sizes are wanted. Throws std::runtime_error when
// the run fails.
std::shared_ptr<const kv_measurement> kv_measure(const llama_model & model);

// Where the rows of a run on this thread go; nullptr when none is measured.
kv_measurement * kv_measured_now();
