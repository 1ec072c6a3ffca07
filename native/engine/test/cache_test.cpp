// A compressed cache through llama.cpp's interface: batches, going back, copies, more sequences.

#include "models.h"

#include <cstring>

using namespace models;

namespace {

bool same(const rows & a, const rows & b) {
    for (size_t i = 0; i < a.size(); i++) {
        if (memcmp(a[i].data(), b[i].data(), a[i].size()*sizeof(float)) != 0) {
            return false;
        }
    }
    return a.size() == b.size() && finite(a);
}

} // namespace

// What a query reads does not depend on the batches before it, only how it is computed: few rows with integer products, many with floats. F16
// has no such difference in its products; a preset may diverge by that of its first batch twice.
TEST("cache: prefill in one batch and token by token say the same, for every preset") {
    constexpr size_t n = 176, keep = 24; // more than the tail shows
    llama_model * model = get(QWEN);
    const auto tokens = text(model, n);
    const auto diverges = [&](ggml_type k, ggml_type v) {
        const rows whole = decode(make(model, { k, v }).get(), tokens, 0, n, n, keep);
        context c = make(model, { k, v });
        decode(c.get(), tokens, 0, n - keep, 4); // few tokens go the way of one
        const rows single = decode(c.get(), tokens, n - keep, n, 1, keep);
        return divergence(whole, single);
    };
    const double f16 = diverges(GGML_TYPE_F16, GGML_TYPE_F16);
    for (const shape & preset : presets(QWEN)) {
        const ggml_type k = preset.k, v = preset.v;
        const double ours = diverges(k, v);
        check::context() = std::string(ggml_type_name(k)) + "/" + ggml_type_name(v) + " diverges by " + std::to_string(ours) + ", F16 by " + std::to_string(f16);
        if (getenv("LOUPE_TEST_SHOW")) { printf("     %s\n", check::context().c_str()); }
        CHECK_AT_MOST(ours, 2*f16 + 0.005);
    }
}

TEST("cache: after going back the same tokens give the same logits, bit for bit") {
    llama_model * model = get(QWEN);
    const auto tokens = text(model, 260);
    context c = make(model, { GGML_TYPE_KV5, GGML_TYPE_KV4 });
    decode(c.get(), tokens, 0, 230, 256);
    const rows first = decode(c.get(), tokens, 230, 250, 20, 20);
    for (int i = 0; i < 3; i++) {
        CHECK(llama_memory_seq_rm(llama_get_memory(c.get()), 0, 230, -1));
        CHECK(same(decode(c.get(), tokens, 230, 250, 20, 20), first));
    }
}

TEST("cache: a copied sequence goes on as the one that it came from") {
    llama_model * model = get(QWEN);
    const auto tokens = text(model, 260);
    for (const bool unified : { false, true }) {
        check::context() = unified ? "unified" : "streams";
        shape s { GGML_TYPE_KV5, GGML_TYPE_KV4 };
        s.n_seq = 2;
        s.unified = unified;
        s.n_ctx = 2048;
        context c = make(model, s);
        decode(c.get(), tokens, 0, 250, 256, 1, 0, 0);
        llama_memory_seq_cp(llama_get_memory(c.get()), 0, 1, -1, -1);
        const rows one = decode(c.get(), tokens, 250, 260, 1, 10, 0, 0), two = decode(c.get(), tokens, 250, 260, 1, 10, 0, 1);
        if (unified) { // its new tokens lie in other cells
            CHECK_AT_MOST(divergence(one, two), 0.02);
        } else {
            CHECK(same(one, two));
        }
    }
}

TEST("cache: several sequences in one batch say what each says alone") {
    llama_model * model = get(QWEN);
    const auto tokens = text(model, 400);
    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    // 90 tokens of each text, then one of each at a time. Each begins elsewhere, so that no two have their rows in F16 in the same places.
    const auto decode_texts = [&](llama_context * ctx, const std::vector<int> & texts) {
        std::vector<rows> last(texts.size());
        llama_batch batch = llama_batch_init(512, 0, 1);
        for (int from = 0; from < 110; from += from == 0 ? 90 : 1) {
            batch.n_tokens = 0;
            const int to = from == 0 ? 90 : from + 1;
            for (size_t seq = 0; seq < texts.size(); seq++) {
                for (int i = from; i < to; i++) {
                    const int32_t n = batch.n_tokens++;
                    batch.token[n] = tokens[100*texts[seq] + i];
                    batch.pos[n] = 30*texts[seq] + i;
                    batch.n_seq_id[n] = 1;
                    batch.seq_id[n][0] = (llama_seq_id) seq;
                    batch.logits[n] = i == to - 1;
                }
            }
            CHECK(llama_decode(ctx, batch) == 0);
            for (int32_t n = 0; n < batch.n_tokens; n++) {
                if (batch.logits[n]) {
                    const float * logits = llama_get_logits_ith(ctx, n);
                    last[batch.seq_id[n][0]].emplace_back(logits, logits + n_vocab);
                }
            }
        }
        llama_batch_free(batch);
        return last;
    };
    shape s { GGML_TYPE_KV5, GGML_TYPE_KV4 };
    s.n_seq = 3;
    s.n_ctx = 3072;
    for (const bool unified : { false, true }) {
        s.unified = unified;
        const auto together = decode_texts(make(model, s).get(), { 0, 1, 2 });
        for (int seq = 0; seq < 3; seq++) {
            const auto alone = decode_texts(make(model, { GGML_TYPE_KV5, GGML_TYPE_KV4 }).get(), { seq });
            const double ours = divergence(alone[0], together[seq]);
            check::context() = std::string(unified ? "unified" : "streams") + ", sequence " + std::to_string(seq) + " diverges by " + std::to_string(ours);
            if (getenv("LOUPE_TEST_SHOW")) { printf("     %s\n", check::context().c_str()); }
            // of a unified cache the sequences share the F16 rows: more of them is read compressed
            CHECK_AT_MOST(ours, unified ? 0.02 : 0.002);
        }
    }
}

TEST("cache: a context smaller than the rows in F16 works to its end and then says that it is full") {
    llama_model * model = get(QWEN);
    const auto tokens = text(model, 300);
    shape s { GGML_TYPE_KV5, GGML_TYPE_KV4 };
    s.n_ctx = s.n_batch = 256;
    context c = make(model, s);
    CHECK(finite(decode(c.get(), tokens, 0, 256, 100)));
    bool full = false;
    try {
        decode(c.get(), tokens, 256, 257, 1);
    } catch (const std::exception & error) {
        full = strstr(error.what(), "returned 1") != nullptr;
    }
    CHECK(full);
}
