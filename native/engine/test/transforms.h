#pragma once

// Runs the graph parts of llama_kv_quant over random rows and compares with plain double precision.

#include "support.h"

#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml-cpu.h"
#include "llama-hparams.h"
#include "llama-kv-quant.h"
#include "llama-model.h"

// of all layers, or of one
inline std::unique_ptr<llama_kv_quant> make_quant(const llama_model & model, const llama_hparams & hparams, ggml_type k, ggml_type v, int32_t only = -1) {
    return llama_kv_quant::make(model, hparams, [only](int32_t il) { return only < 0 || il == only; }, k, v, 1024);
}

// a graph on the CPU whose inputs are set by hand
struct small_graph {
    ggml_context_ptr ctx { ggml_init({ ggml_tensor_overhead()*64 + ggml_graph_overhead(), nullptr, true }) };
    ggml_backend_ptr backend { ggml_backend_cpu_init() };
    ggml_backend_buffer_ptr buffer;
    std::vector<ggml_tensor *> outputs;
    ggml_cgraph * graph = nullptr;

    ggml_tensor * input(ggml_type type, int64_t a, int64_t b = 1, int64_t c = 1, int64_t d = 1) { return ggml_new_tensor_4d(ctx.get(), type, a, b, c, d); }
    void allocate() { buffer.reset(ggml_backend_alloc_ctx_tensors(ctx.get(), backend.get())); }
    void run(int threads = 1) {
        if (!graph) {
            graph = ggml_new_graph(ctx.get());
            for (ggml_tensor * t : outputs) {
                ggml_build_forward_expand(graph, t);
            }
        }
        ggml_backend_cpu_set_n_threads(backend.get(), threads);
        CHECK(ggml_backend_graph_compute(backend.get(), graph) == GGML_STATUS_SUCCESS);
    }
    static std::vector<float> floats(const ggml_tensor * t) {
        std::vector<float> x(ggml_nelements(t));
        ggml_backend_tensor_get(t, x.data(), 0, x.size()*sizeof(float));
        return x;
    }
    static void set(ggml_tensor * t, const std::vector<float> & x) { ggml_backend_tensor_set(t, x.data(), 0, x.size()*sizeof(float)); }
};

struct score_error {
    double of_scores; // largest error of q . k, in units of the lengths of what was multiplied
    int32_t n_pairs;
};

// keys at positions first, first + 1, ...: q' . k' + the products with the bias must be q . k for any q and k
inline score_error compare_scores(const llama_kv_quant & quant, const llama_hparams & hparams, uint32_t il, int32_t first) {
    const int64_t dk = hparams.n_embd_head_k(il), n_head = hparams.n_head(il), n_kv = hparams.n_head_kv(il), n = 5;
    small_graph g;
    ggml_tensor * k = g.input(GGML_TYPE_F32, dk, n_kv, n), * q = g.input(GGML_TYPE_F32, dk, n_head, n), * pos = g.input(GGML_TYPE_I32, n);
    ggml_tensor * k2 = quant.build_k(g.ctx.get(), k, pos, il), * q2 = quant.build_q(g.ctx.get(), q, il), * products = quant.build_products(g.ctx.get(), q, il);
    g.outputs = { k2, q2 };
    if (products) {
        g.outputs.push_back(products);
    }
    g.allocate();
    Random random(il + 7*first + 1);
    const auto kx = normals(random, dk*n_kv*n), qx = normals(random, dk*n_head*n);
    small_graph::set(k, kx);
    small_graph::set(q, qx);
    std::vector<int32_t> positions(n);
    for (int64_t t = 0; t < n; t++) {
        positions[t] = first + (int32_t) t*37;
    }
    ggml_backend_tensor_set(pos, positions.data(), 0, n*sizeof(int32_t));
    g.run();

    const auto ky = small_graph::floats(k2), qy = small_graph::floats(q2), py = products ? small_graph::floats(products) : std::vector<float>();
    const ggml_kv_attn_bias * bias = quant.bias(il);
    const int32_t n_pairs = products ? bias->n_pairs : 0;
    double worst = 0;
    for (int64_t t = 0; t < n; t++) {           // key
        for (int64_t u = 0; u < n; u++) {       // query
            for (int64_t h = 0; h < n_head; h++) {
                const int64_t key = (t*n_kv + h/(n_head/n_kv))*dk, query = (u*n_head + h)*dk;
                double plain = 0, ours = 0, qq = 0, kk = 0, from_bias = 0;
                for (int64_t i = 0; i < dk; i++) {
                    plain += (double) qx[query + i]*kx[key + i];
                    ours  += (double) qy[query + i]*ky[key + i];
                    qq    += (double) qy[query + i]*qy[query + i];
                    kk    += (double) ky[key + i]*ky[key + i];
                }
                for (int32_t j = 0; j < n_pairs; j++) {
                    const int64_t c = positions[t]/64, r = positions[t] % 64;
                    const double c0 = bias->coarse[(c*n_pairs + j)*2], s0 = bias->coarse[(c*n_pairs + j)*2 + 1];
                    const double c1 = bias->fine[(j*2 + 0)*64 + r], s1 = bias->fine[(j*2 + 1)*64 + r];
                    const double a = py[((u*n_head + h)*n_pairs + j)*2], b = py[((u*n_head + h)*n_pairs + j)*2 + 1];
                    ours += a*(c0*c1 - s0*s1) + b*(s0*c1 + c0*s1);
                    from_bias += std::fabs(a) + std::fabs(b);
                }
                const double error = std::fabs(ours - plain)/(std::sqrt(qq*kk) + from_bias);
                worst = std::isfinite(error) ? std::max(worst, error) : INFINITY;
            }
        }
    }
    return { worst, n_pairs };
}

// largest error of a value after the transform and its inverse, in units of their deviation
inline double compare_values(const llama_kv_quant & quant, const llama_hparams & hparams, uint32_t il) {
    small_graph g;
    ggml_tensor * v = g.input(GGML_TYPE_F32, hparams.n_embd_head_v(il), hparams.n_head_kv(il), 5);
    ggml_tensor * there = quant.build_v(g.ctx.get(), v, il), * back = quant.build_v(g.ctx.get(), there, il);
    g.outputs = { there, back };
    g.allocate();
    Random random(il + 3);
    const auto x = normals(random, ggml_nelements(v));
    small_graph::set(v, x);
    g.run();
    const auto y = small_graph::floats(back), between = small_graph::floats(there);
    CHECK(squaredError(x, between) > squaredLength(x)/2); // it does something
    double worst = 0;
    for (size_t i = 0; i < x.size(); i++) {
        worst = std::max(worst, (double) std::fabs(x[i] - y[i]));
    }
    return worst;
}
