// Compiled into ggml-cpu: hands a flash attention node to the kernels of loupe_kv.h, split over the threads.

#include "ggml-kv-attn.h"
#include "ggml-kv-types.h"

#include "common.h"
#include "ggml-cpu-impl.h"
#include "ggml-impl.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace {

// from this many tokens on a node counts as prefill; the same border as upstream's tiled path, so that the size of a batch above it
// never changes a result
constexpr int64_t PREFILL_TOKENS = GGML_FA_TILE_Q;

// query rows of one call: bounds the scratch, and keeps the accumulators of a prefill tile in the cache
constexpr int64_t DECODE_ROWS  = 256;
constexpr int64_t PREFILL_ROWS = 128;

constexpr int64_t CELLS_STEP = 64;

// cells of one call in decode: the rows of the KV heads share cache lines, so all heads go over a part before the next one is read
constexpr int64_t DECODE_CELLS = 1024;

int64_t pad64(int64_t n) { return (n + 63) / 64 * 64; }

struct attn_node {
    const ggml_tensor * dst, * q, * k, * v, * mask, * sinks, * products, * positions;
    const ggml_tensor * k_tail, * v_tail, * mask_tail; // or nullptr

    int64_t n_tokens, n_head, n_stream, n_head_kv, n_kv, dk, dv;
    int64_t group;                  // query heads that share a KV head
    const ggml_kv_attn_bias * bias; // or nullptr

    explicit attn_node(const ggml_tensor * dst) : dst(dst),
        q(dst->src[0]), k(dst->src[1]), v(dst->src[2]), mask(dst->src[3]), sinks(dst->src[4]), products(dst->src[5]), positions(dst->src[6]),
        k_tail(dst->src[7]), v_tail(dst->src[8]), mask_tail(dst->src[9]),
        n_tokens(q->ne[1]), n_head(q->ne[2]), n_stream(q->ne[3]), n_head_kv(k->ne[2]), n_kv(k->ne[1]), dk(k->ne[0]), dv(v->ne[0]),
        group(n_head_kv > 0 ? n_head / n_head_kv : 0), bias(nullptr) {
        if (products) {
            memcpy(&bias, dst->op_params + 8, sizeof(bias));
        }
    }

    bool prefill() const { return n_tokens >= PREFILL_TOKENS; }
    int64_t rows() const { return n_tokens * n_head * n_stream; }

    // tokens whose rows (times the heads of a group) go into one call
    int64_t tokens_per_call() const {
        return std::max<int64_t>(1, std::min(n_tokens, (prefill() ? PREFILL_ROWS : DECODE_ROWS) / group));
    }
    int64_t rows_per_call() const { return tokens_per_call() * group; }

    int64_t n_pairs() const { return bias ? bias->n_pairs : 0; }
    int64_t n_tail()  const { return k_tail ? k_tail->ne[1] : 0; }
};

// results of one thread: every row in decode, the rows of one call in prefill
struct partials {
    float * max, * sum, * out;

    static size_t bytes(int64_t rows, int64_t dv) { return pad64(rows*sizeof(float))*2 + pad64(rows*dv*sizeof(float)); }

    partials(int64_t rows, int64_t, char * base) {
        max = (float *) base; base += pad64(rows*sizeof(float));
        sum = (float *) base; base += pad64(rows*sizeof(float));
        out = (float *) base;
    }
};

// what one call needs beside its results; carved out of a thread's part of the work data
struct call_memory {
    const float    ** q;
    const uint16_t ** mask;
    float * slope;
    float * products;
    char  * part; // results of some of the cells, before they are merged with the others
    void  * scratch;

    static size_t bytes(const attn_node & n) {
        const int64_t r = n.rows_per_call();
        return pad64(r*sizeof(void *))*2 + pad64(r*sizeof(float)) + pad64(r*2*n.n_pairs()*sizeof(float)) +
            partials::bytes(r, n.dv) + pad64(lkv_scratch_bytes((int32_t) n.dk, (int32_t) n.dv, (int32_t) r));
    }

    call_memory(const attn_node & n, char * base) {
        const int64_t r = n.rows_per_call();
        q        = (const float **) base;    base += pad64(r*sizeof(void *));
        mask     = (const uint16_t **) base; base += pad64(r*sizeof(void *));
        slope    = (float *) base;           base += pad64(r*sizeof(float));
        products = (float *) base;           base += pad64(r*2*n.n_pairs()*sizeof(float));
        part     = base;                     base += partials::bytes(r, n.dv);
        scratch  = base;
    }
};

int64_t partial_rows(const attn_node & n) { return n.prefill() ? n.rows_per_call() : n.rows(); }

size_t thread_bytes(const attn_node & n) { return call_memory::bytes(n) + partials::bytes(partial_rows(n), n.dv); }

// ALiBi slope of a query head; same definition as upstream's
float slope_of(const attn_node & n, int64_t head) {
    float max_bias;
    memcpy(&max_bias, (const float *) n.dst->op_params + 1, sizeof(float));
    if (max_bias <= 0.0f) {
        return 1.0f;
    }
    const uint32_t n_log2 = 1u << (uint32_t) floorf(log2f((float) n.n_head));
    const float m0 = powf(2.0f, -max_bias / n_log2);
    const float m1 = powf(2.0f, -(max_bias / 2.0f) / n_log2);
    return head < n_log2 ? powf(m0, head + 1) : powf(m1, 2*(head - n_log2) + 1);
}

// the cells of a node, or of its tail
struct cell_source {
    const ggml_tensor * k, * v, * mask;
    int64_t n_cells;
    int64_t first_position; // index into the positions

    static cell_source cache(const attn_node & n) { return { n.k, n.v, n.mask, n.n_kv, 0 }; }
    static cell_source tail (const attn_node & n) { return { n.k_tail, n.v_tail, n.mask_tail, n.n_tail(), n.n_kv }; }
};

// one KV head of one stream, tokens t0..t1-1: rows are ordered head by head, the tokens of a head beside each other
void attend(const attn_node & n, const cell_source & c, int64_t stream, int64_t head_kv, int64_t t0, int64_t t1, int64_t first, int64_t last,
            call_memory & mem, float * max, float * sum, float * out) {
    lkv_attention a = {};
    a.k_format = ggml_kv_format(c.k->type);
    a.v_format = ggml_kv_format(c.v->type);
    a.head_k   = (int32_t) n.dk;
    a.head_v   = (int32_t) n.dv;
    a.k        = (const char *) c.k->data + head_kv*c.k->nb[2] + stream*c.k->nb[3];
    a.v        = (const char *) c.v->data + head_kv*c.v->nb[2] + stream*c.v->nb[3];
    a.k_stride = c.k->nb[1];
    a.v_stride = c.v->nb[1];
    a.first    = first;
    a.last     = last;

    memcpy(&a.scale,   (const float *) n.dst->op_params + 0, sizeof(float));
    memcpy(&a.softcap, (const float *) n.dst->op_params + 2, sizeof(float));

    int32_t r = 0;
    for (int64_t g = 0; g < n.group; g++) {
        const int64_t head = head_kv*n.group + g;
        const float slope = slope_of(n, head);
        for (int64_t t = t0; t < t1; t++, r++) {
            mem.q[r] = (const float *) ((const char *) n.q->data + t*n.q->nb[1] + head*n.q->nb[2] + stream*n.q->nb[3]);
            if (c.mask) {
                mem.mask[r] = (const uint16_t *) ((const char *) c.mask->data + t*c.mask->nb[1] +
                    (head % c.mask->ne[2])*c.mask->nb[2] + (stream % c.mask->ne[3])*c.mask->nb[3]);
            }
            mem.slope[r] = slope;
            if (n.bias) {
                memcpy(mem.products + r*2*n.n_pairs(),
                    (const char *) n.products->data + head*n.products->nb[1] + t*n.products->nb[2] + stream*n.products->nb[3],
                    2*n.n_pairs()*sizeof(float));
            }
        }
    }

    lkv_bias bias = {};
    if (n.bias) {
        bias.n_pairs  = n.bias->n_pairs;
        bias.fine     = n.bias->fine;
        bias.coarse   = n.bias->coarse;
        bias.n_coarse = n.bias->n_coarse;
        bias.position = (const int32_t *) ((const char *) n.positions->data + stream*n.positions->nb[1]) + c.first_position;
        bias.ab       = mem.products;
        a.bias = &bias;
    }

    a.n_rows  = r;
    a.q       = mem.q;
    a.mask    = c.mask ? mem.mask : nullptr;
    a.slope   = mem.slope;
    a.max     = max;
    a.sum     = sum;
    a.out     = out;
    a.scratch = mem.scratch;

    if (n.prefill()) {
        lkv_attend_tiled(&a);
    } else {
        lkv_attend(&a);
    }
}

// more cells for results that are there already
void attend_more(const attn_node & n, const cell_source & c, int64_t stream, int64_t head_kv, int64_t t0, int64_t t1, int64_t first, int64_t last,
                 call_memory & mem, float * max, float * sum, float * out) {
    const int64_t rows = (t1 - t0)*n.group;
    const partials part(rows, n.dv, mem.part);
    attend(n, c, stream, head_kv, t0, t1, first, last, mem, part.max, part.sum, part.out);
    lkv_merge((int32_t) rows, (int32_t) n.dv, max, sum, out, part.max, part.sum, part.out);
}

// f(first, last) for the parts of this thread's share of the cells; for one part, maybe an empty one, at least
template<typename F> void for_parts(int64_t n_cells, int ith, int nth, F f) {
    const int64_t step = ((n_cells + nth - 1)/nth + CELLS_STEP - 1)/CELLS_STEP*CELLS_STEP;
    const int64_t end  = std::min((ith + 1)*step, n_cells);
    int64_t first = std::min(ith*step, n_cells);
    do {
        const int64_t last = std::min(first + DECODE_CELLS, end);
        f(first, last);
        first = last;
    } while (first < end);
}

// sums over the cells -> the output row; an attention sink is one more cell without a value
void finish(const attn_node & n, int64_t stream, int64_t head, int64_t token, float max, float sum, const float * out) {
    float scale_out = 1.0f;
    if (n.sinks) {
        const float sink = ((const float *) n.sinks->data)[head];
        if (sink > max) {
            scale_out = expf(max - sink);
            sum = sum*scale_out + 1.0f;
        } else {
            sum += expf(sink - max);
        }
    }
    const float f = sum == 0.0f ? 0.0f : scale_out / sum;

    float * y = (float *) ((char *) n.dst->data + (stream*n.dst->ne[2]*n.dst->ne[1] + head + token*n.dst->ne[1])*n.dst->nb[1]);
    for (int64_t i = 0; i < n.dv; i++) {
        y[i] = out[i]*f;
    }
}

// few tokens: the cells are split over the threads, and their partial sums merged
void decode(const ggml_compute_params * params, const attn_node & n) {
    const int ith = params->ith, nth = params->nth;
    const size_t each = thread_bytes(n);
    char * base = (char *) params->wdata;

    call_memory mem(n, base + ith*each);
    partials own(n.rows(), n.dv, base + ith*each + call_memory::bytes(n));

    bool begun = false;
    const auto all_rows = [&](const cell_source & c, int64_t first, int64_t last) {
        for (int64_t s = 0; s < n.n_stream; s++) {
            for (int64_t h = 0; h < n.n_head_kv; h++) {
                for (int64_t t = 0; t < n.n_tokens; t += n.tokens_per_call()) {
                    const int64_t t1 = std::min(t + n.tokens_per_call(), n.n_tokens);
                    // rows of a call lie beside each other: calls of one head come one after the other
                    const int64_t row = (s*n.n_head + h*n.group)*n.n_tokens + t*n.group;
                    (begun ? attend_more : attend)(n, c, s, h, t, t1, first, last, mem, own.max + row, own.sum + row, own.out + row*n.dv);
                }
            }
        }
        begun = true;
    };
    for_parts(n.n_kv, ith, nth, [&](int64_t first, int64_t last) { all_rows(cell_source::cache(n), first, last); });
    if (n.n_tail() > 0) {
        for_parts(n.n_tail(), ith, nth, [&](int64_t first, int64_t last) { all_rows(cell_source::tail(n), first, last); });
    }

    ggml_barrier(params->threadpool);

    for (int64_t s = 0; s < n.n_stream; s++) {
        for (int64_t h = 0; h < n.n_head; h++) {
            for (int64_t t = 0; t < n.n_tokens; t++) {
                const int64_t which = (s*n.n_head + h)*n.n_tokens + t;
                if (which % nth != ith) {
                    continue;
                }
                const int64_t call = t/n.tokens_per_call()*n.tokens_per_call();
                const int64_t tokens = std::min(n.tokens_per_call(), n.n_tokens - call);
                const int64_t row = (s*n.n_head + h/n.group*n.group)*n.n_tokens + call*n.group + (h % n.group)*tokens + (t - call);

                partials sum(n.rows(), n.dv, base + call_memory::bytes(n));
                for (int other = 1; other < nth; other++) {
                    const partials p(n.rows(), n.dv, base + other*each + call_memory::bytes(n));
                    lkv_merge(1, (int32_t) n.dv, sum.max + row, sum.sum + row, sum.out + row*n.dv, p.max + row, p.sum + row, p.out + row*n.dv);
                }
                finish(n, s, h, t, sum.max[row], sum.sum[row], sum.out + row*n.dv);
            }
        }
    }
}

// many tokens: the query rows are split over the threads
void prefill(const ggml_compute_params * params, const attn_node & n) {
    const int ith = params->ith, nth = params->nth;
    char * base = (char *) params->wdata + ith*thread_bytes(n);

    call_memory mem(n, base);
    partials own(n.rows_per_call(), n.dv, base + call_memory::bytes(n));

    if (ith == 0) {
        ggml_threadpool_chunk_set(params->threadpool, nth);
    }
    ggml_barrier(params->threadpool);

    const int64_t per_call = n.tokens_per_call();
    const int64_t calls    = (n.n_tokens + per_call - 1)/per_call;

    for (int64_t c = ith; c < calls*n.n_head_kv*n.n_stream; c = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        // the last tokens see the most cells: they go first, so that no thread is left with a long one at the end
        const int64_t t0 = (calls - 1 - c % calls)*per_call, t1 = std::min(t0 + per_call, n.n_tokens);
        const int64_t h  = c/calls % n.n_head_kv, s = c/calls/n.n_head_kv;

        attend(n, cell_source::cache(n), s, h, t0, t1, 0, n.n_kv, mem, own.max, own.sum, own.out);
        if (n.n_tail() > 0) {
            attend_more(n, cell_source::tail(n), s, h, t0, t1, 0, n.n_tail(), mem, own.max, own.sum, own.out);
        }

        for (int64_t g = 0; g < n.group; g++) {
            for (int64_t t = t0; t < t1; t++) {
                const int64_t row = g*(t1 - t0) + t - t0;
                finish(n, s, h*n.group + g, t, own.max[row], own.sum[row], own.out + row*n.dv);
            }
        }
    }
}

bool size_fits(ggml_type type, int64_t n) { return n >= 32 && n <= 576 && n % (type == GGML_TYPE_F16 ? 32 : ggml_blck_size(type)) == 0; }

} // namespace

bool ggml_flash_attn_kv_takes(const ggml_tensor * node) {
    const attn_node n(node);
    const bool kv  = ggml_is_kv_type(n.k->type) && ggml_is_kv_type(n.v->type) && !ggml_is_mixed_kv_type(n.v->type);
    const bool f16 = n.k->type == GGML_TYPE_F16 && n.v->type == GGML_TYPE_F16;
    const bool only_here = n.bias || n.n_tail() > 0;
    const bool ours = kv || (f16 && (only_here || !n.prefill()));

    return (ggml_kv_attn_enabled() || only_here) && ours && n.q->type == GGML_TYPE_F32 && (!n.mask || n.mask->type == GGML_TYPE_F16) &&
        size_fits(n.k->type, n.dk) && size_fits(n.v->type, n.dv) && n.v->ne[2] == n.n_head_kv && n.n_head % n.n_head_kv == 0 &&
        n.k->ne[3] == n.n_stream && n.v->ne[3] == n.n_stream && n.group <= PREFILL_ROWS;
}

size_t ggml_flash_attn_kv_work_size(const ggml_tensor * node, int n_threads) {
    return n_threads*thread_bytes(attn_node(node)) + 64;
}

void ggml_compute_forward_flash_attn_kv(const ggml_compute_params * params, ggml_tensor * node) {
    const attn_node n(node);
    ggml_compute_params aligned = *params;
    aligned.wdata = (void *) (((uintptr_t) params->wdata + 63) & ~(uintptr_t) 63);
    if (n.prefill()) {
        prefill(&aligned, n);
    } else {
        decode(&aligned, n);
    }
}
