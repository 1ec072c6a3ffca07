// What llama-kv-quant.h adds to the graph: custom operations over rows, one head of one token each.

#include "llama-kv-quant.h"

#include "llama-kv-measure.h"
#include "llama-kv-tail.h"

#include "loupe_kv.h"

#ifdef LOUPE_KV_VARIANTS // llama.cpp's tools only: native/bench/variants
#include "graph.h"
#endif

#include <algorithm>
#include <cstring>

namespace {

using layer = llama_kv_quant::layer;

const float * row_of(const ggml_tensor * t, int64_t head, int64_t token) {
    return (const float *) ((const char *) t->data + head*t->nb[1] + token*t->nb[2]);
}
float * row_of(ggml_tensor * t, int64_t head, int64_t token) {
    return (float *) ((char *) t->data + head*t->nb[1] + token*t->nb[2]);
}

// f(head, token) for this thread's share of the rows of dst
template<typename F> void for_rows(const ggml_tensor * dst, int ith, int nth, F f) {
    const int64_t rows = dst->ne[1]*dst->ne[2];
    for (int64_t r = rows*ith/nth; r < rows*(ith + 1)/nth; r++) {
        f(r % dst->ne[1], r/dst->ne[1]);
    }
}

void put_in_order(const layer & l, int64_t head_kv, float * row) {
    if (l.order.empty()) {
        return;
    }
    const int32_t * order = l.order.data() + head_kv*l.head_k;
    float copy[512];
    memcpy(copy, row, l.head_k*sizeof(float));
    for (int32_t i = 0; i < l.head_k; i++) {
        row[i] = copy[order[i]];
    }
}

void compute_k(ggml_tensor * dst, int ith, int nth, void * data) {
    const layer & l = *(const layer *) data;
    const ggml_tensor * k = dst->src[0], * pos = dst->src[1];
    const size_t n = l.pair.size();
    for_rows(dst, ith, nth, [&](int64_t h, int64_t t) {
        float * y = row_of(dst, h, t);
        memcpy(y, row_of(k, h, t), l.head_k*sizeof(float));
        if (n > 0) {
            const int64_t p = ((const int32_t *) pos->data)[t];
            const int64_t c = std::min<int64_t>(p/64, l.attn.n_coarse - 1);
            for (size_t j = 0; j < n; j++) {
                const float c0 = l.coarse[(c*n + j)*2], s0 = l.coarse[(c*n + j)*2 + 1];
                const float c1 = l.fine[(j*2 + 0)*64 + p % 64], s1 = l.fine[(j*2 + 1)*64 + p % 64];
                const float cs = c0*c1 - s0*s1, sn = s0*c1 + c0*s1;
                const float bx = l.b[(h*n + j)*2], by = l.b[(h*n + j)*2 + 1];
                int32_t ix, iy;
                l.pair_at(l.pair[j], ix, iy);
                y[ix] -= bx*cs - by*sn;
                y[iy] -= bx*sn + by*cs;
            }
        }
        if (!l.scale.empty()) {
            const float * s = l.scale.data() + h*l.head_k;
            for (int32_t i = 0; i < l.head_k; i++) {
                y[i] *= s[i];
            }
        }
        put_in_order(l, h, y);
        lkv_hadamard(y, l.head_k, l.had_k);
    });
}

void compute_q(ggml_tensor * dst, int ith, int nth, void * data) {
    const layer & l = *(const layer *) data;
    const ggml_tensor * q = dst->src[0];
    const int64_t group = dst->ne[1]/l.n_head_kv;
    for_rows(dst, ith, nth, [&](int64_t h, int64_t t) {
        float * y = row_of(dst, h, t);
        const float * x = row_of(q, h, t);
        if (l.scale.empty()) {
            memcpy(y, x, l.head_k*sizeof(float));
        } else {
            const float * s = l.scale.data() + h/group*l.head_k;
            for (int32_t i = 0; i < l.head_k; i++) {
                y[i] = x[i]/s[i];
            }
        }
        put_in_order(l, h/group, y);
        lkv_hadamard(y, l.head_k, l.had_k);
    });
}

// Adds up the keys as RoPE found them, and their squares, on one thread: it is done once, over few tokens. Rows stay as they are.
void compute_k_sums(ggml_tensor * dst, int ith, int, void * data) {
    if (ith != 0) {
        return;
    }
    const layer & l = *(const layer *) data;
    const ggml_tensor * k = dst->src[0], * pos = dst->src[1];
    kv_row_sums & sums = *l.sums;
    sums.k.resize(l.known_angles ? dst->ne[1]*l.head_k : 0);
    sums.k2.resize(dst->ne[1]*l.head_k);
    for_rows(dst, 0, 1, [&](int64_t h, int64_t t) {
        float * y = row_of(dst, h, t);
        memcpy(y, row_of(k, h, t), l.head_k*sizeof(float));
        const int32_t p = ((const int32_t *) pos->data)[t];
        if (p < (int32_t) llama_kv_tail::N_SINKS) {
            return;
        }
        sums.n_k += h == 0;
        double * sum = sums.k.data() + h*l.head_k, * squares = sums.k2.data() + h*l.head_k;
        for (int32_t i = 0; i < l.head_k; i++) {
            squares[i] += (double) y[i]*y[i];
        }
        for (int32_t i = 0; l.known_angles && i < l.n_rot/2; i++) {
            const double cs = cos(p*l.theta(i)), sn = sin(p*l.theta(i));
            int32_t ix, iy;
            l.pair_at(i, ix, iy);
            sum[ix] += y[ix]*cs + y[iy]*sn;
            sum[iy] += y[iy]*cs - y[ix]*sn;
        }
    });
}

void compute_q_sums(ggml_tensor * dst, int ith, int, void * data) {
    if (ith != 0) {
        return;
    }
    const layer & l = *(const layer *) data;
    const ggml_tensor * q = dst->src[0];
    kv_row_sums & sums = *l.sums;
    const int64_t group = dst->ne[1]/l.n_head_kv;
    sums.q2.resize((size_t) l.n_head_kv*l.head_k);
    for_rows(dst, 0, 1, [&](int64_t h, int64_t t) {
        float * y = row_of(dst, h, t);
        memcpy(y, row_of(q, h, t), l.head_k*sizeof(float));
        if (t < (int64_t) llama_kv_tail::N_SINKS) {
            return;
        }
        sums.n_q += h < group;
        double * squares = sums.q2.data() + h/group*l.head_k;
        for (int32_t i = 0; i < l.head_k; i++) {
            squares[i] += (double) y[i]*y[i];
        }
    });
}

// q . rope_p(b) = cos(p theta) (qx bx + qy by) + sin(p theta) (qy bx - qx by), for each pair
void compute_products(ggml_tensor * dst, int ith, int nth, void * data) {
    const layer & l = *(const layer *) data;
    const ggml_tensor * q = dst->src[0];
    const int64_t group = dst->ne[1]/l.n_head_kv;
    const size_t n = l.pair.size();
    for_rows(dst, ith, nth, [&](int64_t h, int64_t t) {
        float * y = row_of(dst, h, t);
        const float * x = row_of(q, h, t);
        for (size_t j = 0; j < n; j++) {
            int32_t ix, iy;
            l.pair_at(l.pair[j], ix, iy);
            const float bx = l.b[(h/group*n + j)*2], by = l.b[(h/group*n + j)*2 + 1];
            y[2*j + 0] = x[ix]*bx + x[iy]*by;
            y[2*j + 1] = x[iy]*bx - x[ix]*by;
        }
    });
}

void compute_v(ggml_tensor * dst, int ith, int nth, void * data) {
    const layer & l = *(const layer *) data;
    const ggml_tensor * v = dst->src[0];
    for_rows(dst, ith, nth, [&](int64_t h, int64_t t) {
        float * y = row_of(dst, h, t);
        memcpy(y, row_of(v, h, t), dst->ne[0]*sizeof(float));
        lkv_hadamard(y, dst->ne[0], l.had_v);
    });
}

ggml_tensor * build(ggml_context * ctx, int64_t ne0, ggml_tensor * shape, ggml_tensor * other, ggml_custom_op_t f, const layer * l) {
    GGML_ASSERT(shape->type == GGML_TYPE_F32 && shape->nb[0] == sizeof(float));
    ggml_tensor * args[2] = { shape, other };
    return ggml_custom_4d(ctx, GGML_TYPE_F32, ne0, shape->ne[1], shape->ne[2], 1, args, other ? 2 : 1, f, GGML_N_TASKS_MAX, const_cast<layer *>(l));
}

} // namespace

ggml_tensor * llama_kv_quant::build_k(ggml_context * ctx, ggml_tensor * k, ggml_tensor * pos, uint32_t il) const {
    if (layers[il]->sums) {
        return build(ctx, k->ne[0], k, pos, compute_k_sums, layers[il].get());
    }
    ggml_tensor * rows = build(ctx, k->ne[0], k, layers[il]->pair.empty() ? nullptr : pos, compute_k, layers[il].get());
#ifdef LOUPE_KV_VARIANTS
    rows = variants::buildKeys(ctx, rows, *layers[il]);
#endif
    return rows;
}

ggml_tensor * llama_kv_quant::build_q(ggml_context * ctx, ggml_tensor * q, uint32_t il) const {
    if (layers[il]->sums) {
        return build(ctx, q->ne[0], q, nullptr, compute_q_sums, layers[il].get());
    }
    return build(ctx, q->ne[0], q, nullptr, compute_q, layers[il].get());
}

ggml_tensor * llama_kv_quant::build_products(ggml_context * ctx, ggml_tensor * q, uint32_t il) const {
    const layer * l = layers[il].get();
    return l->pair.empty() ? nullptr : build(ctx, 2*l->pair.size(), q, nullptr, compute_products, l);
}

const ggml_kv_attn_bias * llama_kv_quant::bias(uint32_t il) const { return &layers[il]->attn; }

ggml_tensor * llama_kv_quant::build_v(ggml_context * ctx, ggml_tensor * v, uint32_t il) const {
    if (layers[il]->sums) {
        return v;
    }
    ggml_tensor * rows = build(ctx, v->ne[0], v, nullptr, compute_v, layers[il].get());
#ifdef LOUPE_KV_VARIANTS
    rows = variants::buildValues(ctx, rows, *layers[il]);
#endif
    return rows;
}
