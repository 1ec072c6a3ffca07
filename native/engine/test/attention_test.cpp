// ggml-cpu-kv-attn: a flash attention node split over threads, against the definition in double precision.

#include "check.h"
#include "transforms.h"

#include "ggml-kv-attn.h"

namespace {

struct node_shape {
    ggml_type k = GGML_TYPE_KV5, v = GGML_TYPE_KV4;
    int64_t dk = 64, dv = 64, n_head = 4, n_head_kv = 2, n_kv = 1024, n_tokens = 1, n_stream = 1;
    int64_t n_tail = 0; // F16 rows beside the cells
    int32_t n_pairs = 0; // with an exact bias

    std::string text() const {
        return std::string(ggml_type_name(k)) + "/" + ggml_type_name(v) + ", " + std::to_string(n_kv) + " cells, " + std::to_string(n_tokens) + " tokens, " +
            std::to_string(n_stream) + " streams, tail of " + std::to_string(n_tail) + ", " + std::to_string(n_pairs) + " pairs";
    }
};

// one node with random contents, and its result by definition
class attention {
public:
    explicit attention(const node_shape & s) : s(s), random(s.n_kv + 31*s.n_tokens + s.n_stream) {
        q = g.input(GGML_TYPE_F32, s.dk, s.n_tokens, s.n_head, s.n_stream);
        k = cache(s.k, s.dk, s.n_kv);
        v = cache(s.v, s.dv, s.n_kv);
        mask = g.input(GGML_TYPE_F16, s.n_kv, s.n_tokens, 1, s.n_stream);
        node = ggml_flash_attn_ext(g.ctx.get(), q, k, v, mask, 1.0f/std::sqrt((float) s.dk), 0.0f, 0.0f);
        if (s.n_pairs > 0) {
            products  = g.input(GGML_TYPE_F32, 2*s.n_pairs, s.n_head, s.n_tokens, s.n_stream);
            positions = g.input(GGML_TYPE_I32, s.n_kv + s.n_tail, s.n_stream);
            make_bias();
            ggml_flash_attn_ext_add_kv_bias(node, products, positions, &bias);
        }
        if (s.n_tail > 0) {
            k_tail = cache(GGML_TYPE_F16, s.dk, s.n_tail);
            v_tail = cache(GGML_TYPE_F16, s.dv, s.n_tail);
            mask_tail = g.input(GGML_TYPE_F16, s.n_tail, s.n_tokens, 1, s.n_stream);
            ggml_flash_attn_ext_add_kv_tail(node, k_tail, v_tail, mask_tail);
        }
        g.outputs = { node };
        g.allocate();
        CHECK(ggml_flash_attn_kv_takes(node));

        fill(q, 1.0);
        fill(k, 1.0); fill(v, 1.0);
        fill_mask(mask, s.n_kv);
        if (s.n_tail > 0) {
            fill(k_tail, 1.0); fill(v_tail, 1.0);
            fill_mask(mask_tail, s.n_tail);
        }
        if (s.n_pairs > 0) {
            fill(products, 1.0);
            std::vector<int32_t> at((s.n_kv + s.n_tail)*s.n_stream);
            for (size_t i = 0; i < at.size(); i++) {
                // runs of consecutive positions with holes between them, and single ones in the tail
                at[i] = (int32_t) ((int64_t) i % (s.n_kv + s.n_tail) < s.n_kv ? i + i/100*3 : random.below(4000));
            }
            ggml_backend_tensor_set(positions, at.data(), 0, at.size()*sizeof(int32_t));
        }
    }

    std::vector<float> run(int threads) {
        g.run(threads);
        return small_graph::floats(node);
    }

    // [stream][token][head][dv], as the node has it
    std::vector<double> definition() const {
        std::vector<double> out(s.dv*s.n_head*s.n_tokens*s.n_stream, 0.0);
        for (int64_t st = 0; st < s.n_stream; st++) {
            for (int64_t h = 0; h < s.n_head; h++) {
                for (int64_t t = 0; t < s.n_tokens; t++) {
                    std::vector<double> scores;
                    std::vector<std::vector<float>> values;
                    cells(st, h, t, k, v, mask, 0, scores, values);
                    if (s.n_tail > 0) {
                        cells(st, h, t, k_tail, v_tail, mask_tail, s.n_kv, scores, values);
                    }
                    const double max = *std::max_element(scores.begin(), scores.end());
                    double sum = 0;
                    double * y = out.data() + ((st*s.n_tokens + t)*s.n_head + h)*s.dv;
                    for (size_t c = 0; c < scores.size(); c++) {
                        const double w = std::exp(scores[c] - max);
                        sum += w;
                        for (int64_t i = 0; i < s.dv; i++) {
                            y[i] += w*values[c][i];
                        }
                    }
                    for (int64_t i = 0; i < s.dv; i++) {
                        y[i] /= sum;
                    }
                }
            }
        }
        return out;
    }

private:
    // as the model has it: the heads of a cell beside each other
    ggml_tensor * cache(ggml_type type, int64_t d, int64_t n) {
        return ggml_permute(g.ctx.get(), g.input(type, d, s.n_head_kv, n, s.n_stream), 0, 2, 1, 3);
    }

    void fill(ggml_tensor * t, double deviation) {
        const auto x = normals(random, ggml_nelements(t), deviation);
        ggml_tensor * whole = t->view_src ? t->view_src : t;
        std::vector<uint8_t> bytes(ggml_nbytes(whole));
        ggml_quantize_chunk(whole->type, x.data(), bytes.data(), 0, ggml_nelements(whole)/whole->ne[0], whole->ne[0], nullptr);
        ggml_backend_tensor_set(whole, bytes.data(), 0, bytes.size());
    }

    // every fifth cell hidden, by the token
    void fill_mask(ggml_tensor * t, int64_t n) {
        std::vector<ggml_fp16_t> x(ggml_nelements(t));
        for (size_t i = 0; i < x.size(); i++) {
            x[i] = ggml_fp32_to_fp16((i + i/n) % 5 == 0 ? -INFINITY : 0.0f);
        }
        ggml_backend_tensor_set(t, x.data(), 0, x.size()*sizeof(ggml_fp16_t));
    }

    void make_bias() {
        const int64_t n_coarse = 64;
        fine.resize(s.n_pairs*128);
        coarse.resize(n_coarse*s.n_pairs*2);
        for (int32_t i = 0; i < s.n_pairs; i++) {
            theta.push_back(std::pow(1e4, -(double) i/s.n_pairs));
            for (int r = 0; r < 64; r++) {
                fine[i*128 + r]      = (float) std::cos(theta[i]*r);
                fine[i*128 + 64 + r] = (float) std::sin(theta[i]*r);
            }
            for (int64_t c = 0; c < n_coarse; c++) {
                coarse[(c*s.n_pairs + i)*2]     = (float) std::cos(theta[i]*64*c);
                coarse[(c*s.n_pairs + i)*2 + 1] = (float) std::sin(theta[i]*64*c);
            }
        }
        bias = { s.n_pairs, fine.data(), coarse.data(), n_coarse };
    }

    static std::vector<float> row(const ggml_tensor * t, int64_t i1, int64_t i2, int64_t i3) {
        std::vector<float> x(t->ne[0]);
        const char * data = (const char *) t->data + i1*t->nb[1] + i2*t->nb[2] + i3*t->nb[3];
        if (t->type == GGML_TYPE_F32) {
            memcpy(x.data(), data, x.size()*sizeof(float));
        } else {
            ggml_get_type_traits(t->type)->to_float(data, x.data(), x.size());
        }
        return x;
    }

    void cells(int64_t st, int64_t h, int64_t t, const ggml_tensor * kt, const ggml_tensor * vt, const ggml_tensor * mt, int64_t first,
               std::vector<double> & scores, std::vector<std::vector<float>> & values) const {
        const int64_t hk = h/(s.n_head/s.n_head_kv);
        const auto query = row(q, t, h, st), open = row(mt, t, 0, st);
        for (int64_t c = 0; c < kt->ne[1]; c++) {
            if (open[c] == -INFINITY) {
                continue;
            }
            const auto key = row(kt, c, hk, st);
            double score = 0;
            for (int64_t i = 0; i < s.dk; i++) {
                score += (double) query[i]*key[i];
            }
            if (s.n_pairs > 0) {
                const auto ab = row(products, h, t, st);
                const int32_t p = ((const int32_t *) positions->data)[st*positions->ne[0] + first + c];
                for (int32_t i = 0; i < s.n_pairs; i++) {
                    score += ab[2*i]*std::cos(theta[i]*p) + ab[2*i + 1]*std::sin(theta[i]*p);
                }
            }
            scores.push_back(score/std::sqrt((double) s.dk) + open[c]);
            values.push_back(row(vt, c, hk, st));
        }
    }

    const node_shape s;
    Random random;
    small_graph g;
    ggml_tensor * q, * k, * v, * mask, * node, * products = nullptr, * positions = nullptr, * k_tail = nullptr, * v_tail = nullptr, * mask_tail = nullptr;
    std::vector<double> theta;
    std::vector<float> fine, coarse;
    ggml_kv_attn_bias bias;
};

// largest difference, in units of the deviation of the results
template<typename A, typename B> double distance(const A & a, const B & b) {
    double worst = 0, square = 0;
    for (size_t i = 0; i < a.size(); i++) {
        const double d = std::fabs((double) a[i] - b[i]);
        worst = std::isfinite(d) ? std::max(worst, d) : INFINITY;
        square += (double) b[i]*b[i];
    }
    return worst/std::sqrt(square/b.size());
}

// With plain floats only the order of the sums may differ, so that a lost or doubled cell shows. What integer products add to that is bounded
// by the tests of native/kv; here it must not depend on the split by more than that.
constexpr double FLOATS = 1e-4, INTEGERS = 0.15;

void check_threads(const node_shape & s) {
    check::context() = s.text();
    attention node(s);
    const auto wanted = node.definition();
    {
        const WithIsa plain(LKV_ISA_SCALAR);
        for (const int threads : {1, 2, 3, 7}) {
            check::context() = s.text() + ", scalar, threads: " + std::to_string(threads);
            CHECK_AT_MOST(distance(node.run(threads), wanted), FLOATS);
        }
    }
    const auto alone = node.run(1);
    for (const int threads : {1, 2, 3, 7}) {
        check::context() = s.text() + ", " + lkv_isa_name(lkv_isa_in_use()) + ", threads: " + std::to_string(threads);
        const auto got = node.run(threads);
        CHECK_AT_MOST(distance(got, wanted), INTEGERS);
        if (s.n_tokens >= 64) { // the rows are split, not the cells: each is computed in the same way wherever it is
            CHECK(sameBits(got, alone));
        }
    }
}

} // namespace

TEST("attention: one token, however many threads, around the borders of their parts") {
    for (const int64_t n_kv : {1, 63, 64, 65, 1023, 1024, 1025, 2049}) {
        check_threads({ GGML_TYPE_KV5, GGML_TYPE_KV4, 64, 64, 4, 2, n_kv + (n_kv == 1), 1 });
    }
}

TEST("attention: few tokens, several sequences, odd groups") {
    check_threads({ GGML_TYPE_KV8, GGML_TYPE_KV5, 128, 64, 6, 2, 1025, 3, 2 });
    check_threads({ GGML_TYPE_KV4, GGML_TYPE_KV2, 64, 128, 7, 1, 1023, 5, 3 });
    check_threads({ GGML_TYPE_KV3_32, GGML_TYPE_KV2_32, 96, 96, 6, 2, 130, 63, 2 });
    check_threads({ GGML_TYPE_F16, GGML_TYPE_F16, 64, 64, 4, 2, 1025, 2, 2 });
}

TEST("attention: mixed keys, in decode and in prefill") {
    check_threads({ GGML_TYPE_KV3M, GGML_TYPE_KV3, 128, 64, 6, 2, 1025, 3, 2 });
    check_threads({ GGML_TYPE_KV3M, GGML_TYPE_KV2, 256, 256, 4, 1, 513, 70, 1, 704 });
    check_threads({ GGML_TYPE_KV3M_32, GGML_TYPE_KV3, 64, 64, 7, 1, 130, 1, 1 });
    check_threads({ GGML_TYPE_KV43M, GGML_TYPE_KV3, 128, 128, 6, 2, 600, 1, 2 });
    check_threads({ GGML_TYPE_KV43M_32, GGML_TYPE_KV3, 64, 64, 7, 1, 513, 70, 2, 704 });
}

TEST("attention: prefill, whole tiles and a rest, several sequences") {
    for (const int64_t n_tokens : {64, 65, 129}) {
        check_threads({ GGML_TYPE_KV5, GGML_TYPE_KV4, 64, 64, 4, 2, 513, n_tokens, 2 });
    }
    check_threads({ GGML_TYPE_KV4, GGML_TYPE_KV2, 64, 64, 7, 1, 1025, 70, 1 });
}

TEST("attention: with a tail in F16 and an exact bias, in decode and in prefill") {
    for (const int64_t n_tokens : {1, 3, 70}) {
        check_threads({ GGML_TYPE_KV5, GGML_TYPE_KV4, 64, 64, 4, 2, 1025, n_tokens, 2, 704 });
        check_threads({ GGML_TYPE_KV5, GGML_TYPE_KV4, 64, 64, 4, 2, 1025, n_tokens, 2, 0, 5 });
        check_threads({ GGML_TYPE_KV5, GGML_TYPE_KV4, 64, 64, 4, 2, 1023, n_tokens, 2, 704, 16 });
    }
}
