// A saved sequence of a compressed cache: what it gives back, and what is refused.

#include "models.h"

#include <cstring>

using namespace models;

namespace {

using bytes = std::vector<uint8_t>;

constexpr shape PRESET { GGML_TYPE_KV5, GGML_TYPE_KV4 };
constexpr size_t N = 300; // more than the tail shows

bytes save(llama_context * ctx, llama_seq_id seq = 0) {
    bytes state(llama_state_seq_get_size(ctx, seq));
    CHECK(llama_state_seq_get_data(ctx, state.data(), state.size(), seq) == state.size());
    return state;
}

bool load(llama_context * ctx, const bytes & state, llama_seq_id seq = 0) {
    captured_log().clear();
    return llama_state_seq_set_data(ctx, state.data(), state.size(), seq) != 0;
}

bool same(const rows & a, const rows & b) {
    for (size_t i = 0; i < a.size(); i++) {
        if (memcmp(a[i].data(), b[i].data(), a[i].size()*sizeof(float)) != 0) {
            return false;
        }
    }
    return a.size() == b.size() && finite(a);
}

// a state of Qwen, which has one cache, and what the model says after it
struct saved {
    llama_model * model = get(QWEN);
    std::vector<llama_token> tokens = text(model, N + 20);
    bytes state;
    rows next;

    saved() {
        context c = make(model, PRESET);
        decode(c.get(), tokens, 0, N, 512);
        state = save(c.get());
        next  = decode(c.get(), tokens, N, N + 20, 1, 20);
    }
    static const saved & once() {
        static const saved s;
        return s;
    }
};

// the sequence is empty, and the context as good as new
void check_usable(llama_context * ctx, const saved & s) {
    CHECK(llama_memory_seq_pos_max(llama_get_memory(ctx), 0) == -1);
    CHECK(load(ctx, s.state));
    CHECK(same(decode(ctx, s.tokens, N, N + 1, 1), { s.next[0] }));
    llama_memory_clear(llama_get_memory(ctx), false);
}

// where the parts of a state lie: magic, version, streams, cells (position, 1, sequence), values transposed, layers, fingerprint, type, row size
size_t after_cells(const bytes & state) {
    uint32_t n_cells;
    memcpy(&n_cells, state.data() + 12, sizeof(n_cells));
    CHECK(n_cells == N);
    return 16 + 12*n_cells;
}

} // namespace

TEST("state: what comes after a loaded sequence is bit for bit what came after the saved one, for every preset") {
    for (const char * name : { GEMMA, QWEN }) {
        for (const shape & preset : presets(name)) {
            // once so many tokens that rows were used again
            const size_t n = name == QWEN && preset.k == PRESET.k ? 900 : N;
            check::context() = std::string(name) + ", " + ggml_type_name(preset.k) + "/" + ggml_type_name(preset.v) + ", " + std::to_string(n);
            llama_model * model = get(name);
            const auto tokens = text(model, n + 60);
            // a question in one batch, then tokens one by one
            const auto next = [&](llama_context * ctx) {
                rows all = decode(ctx, tokens, n, n + 21, 512, 21);
                for (auto & one : decode(ctx, tokens, n + 21, n + 60, 1, 39)) { all.push_back(std::move(one)); }
                return all;
            };
            context a = make(model, preset);
            decode(a.get(), tokens, 0, n, 512);
            const bytes state = save(a.get());
            const rows wanted = next(a.get());
            context b = make(model, preset);
            CHECK(load(b.get(), state));
            CHECK(save(b.get()) == state);
            CHECK(same(next(b.get()), wanted));
            // into a context that holds something else, in place of that
            CHECK(load(b.get(), state));
            CHECK(same(next(b.get()), wanted));
        }
    }
}

TEST("state: of the F16 rows it holds those that what follows still reads, and the last token can be evaluated again") {
    const saved & s = saved::once();
    const auto size_of = [&](size_t n) {
        context c = make(s.model, PRESET);
        decode(c.get(), s.tokens, 0, n, 512);
        return save(c.get()).size();
    };
    // beyond the first and the newest ones a token costs its compressed rows only
    const size_t later = size_of(N) - size_of(N - 1), early = size_of(120) - size_of(119);
    CHECK(later*2 < early);

    context a = make(s.model, PRESET), b = make(s.model, PRESET);
    CHECK(load(a.get(), s.state));
    decode(b.get(), s.tokens, 0, N, 512);
    for (llama_context * ctx : { a.get(), b.get() }) {
        CHECK(llama_memory_seq_rm(llama_get_memory(ctx), 0, N - 1, -1));
    }
    CHECK(same(decode(a.get(), s.tokens, N - 1, N + 4, 1, 5), decode(b.get(), s.tokens, N - 1, N + 4, 1, 5)));
}

TEST("state: a sequence goes into another sequence of another context, between the cells of a third") {
    const saved & s = saved::once();
    shape two = PRESET;
    two.n_seq = 2;
    for (const bool unified : { false, true }) {
        two.unified = unified;
        two.n_ctx = 2048;
        context c = make(s.model, two);
        decode(c.get(), s.tokens, 0, 40, 64, 1, 0, 0);
        bytes state = s.state;
        const uint32_t streams = unified ? 1 : 2;
        check::context() = "streams: " + std::to_string(streams);
        if (!unified) { // the number of streams is part of it
            CHECK(!load(c.get(), state, 1));
            continue;
        }
        CHECK(load(c.get(), state, 1));
        // other cells, so that sums are made in another order
        CHECK_AT_MOST(divergence(s.next, decode(c.get(), s.tokens, N, N + 20, 1, 20, 0, 1)), 0.02);
    }
}

TEST("state: one of another format or of other transforms is refused, and the context stays usable") {
    const saved & s = saved::once();
    context ours = make(s.model, PRESET);
    const auto refused = [&](const char * what, const shape & other) {
        check::context() = what;
        context c = make(s.model, other);
        decode(c.get(), s.tokens, 0, N, 512);
        CHECK(!load(ours.get(), save(c.get())));
        CHECK(llama_memory_seq_pos_max(llama_get_memory(ours.get()), 0) == -1);
        CHECK(!load(c.get(), s.state)); // and the other way round
        check_usable(ours.get(), s);
    };
    refused("kv4/kv2", { GGML_TYPE_KV4, GGML_TYPE_KV2 });
    refused("kv3m_32/kv3", { GGML_TYPE_KV3M_32, GGML_TYPE_KV3 });
    refused("f16", {});
    refused("q8_0", { GGML_TYPE_Q8_0, GGML_TYPE_Q8_0 });
    { const with_env off("LOUPE_KV_BALANCE", "off"); refused("without balance", PRESET); }
    { const with_env off("LOUPE_KV_BIAS", "off");    refused("without bias", PRESET); }
    { const with_env off("LOUPE_KV_TAIL", "off");    refused("without tail", PRESET); }
}

TEST("state: a truncated one is refused, wherever it ends, and the context stays usable") {
    const saved & s = saved::once();
    context c = make(s.model, PRESET);
    const size_t head = after_cells(s.state) + 40;
    std::vector<size_t> ends;
    for (size_t end = 0; end < 64; end++) { ends.push_back(end); }
    for (size_t end = 64; end < head; end += 97) { ends.push_back(end); }
    for (size_t end = head - 40; end < head; end++) { ends.push_back(end); }
    for (int i = 1; i < 40; i++) { ends.push_back(s.state.size()*i/40); }
    for (size_t i = 1; i < 20; i++) { ends.push_back(s.state.size() - i); }
    for (const size_t end : ends) {
        check::context() = std::to_string(end) + " of " + std::to_string(s.state.size()) + " bytes";
        CHECK(!load(c.get(), bytes(s.state.begin(), s.state.begin() + end)));
        CHECK(llama_memory_seq_pos_max(llama_get_memory(c.get()), 0) == -1);
    }
    check_usable(c.get(), s);
}

TEST("state: with a flipped bit in what says how to read it one is refused, and the context stays usable") {
    const saved & s = saved::once();
    context c = make(s.model, PRESET);
    const size_t at = after_cells(s.state);
    for (size_t byte = 0; byte < at + 28; byte++) {
        const bool in_cells = byte >= 16 && byte < at;
        if (in_cells && (byte - 16) % 12 != 4 && byte > 16 + 24) {
            continue; // positions and sequence: below
        }
        for (const int bit : {0, 3, 7}) {
            bytes state = s.state;
            state[byte] ^= (uint8_t) (1 << bit);
            check::context() = "bit " + std::to_string(bit) + " of byte " + std::to_string(byte);
            const bool taken = load(c.get(), state);
            const bool says_how = !in_cells || (byte - 16) % 12/4 == 1;
            const bool version = byte >= 4 && byte < 8; // what is there is the number of the sequence, and is not read
            CHECK(!(taken && says_how && !version));
            llama_memory_clear(llama_get_memory(c.get()), false); // cells at a position below 0 are none that seq_rm finds
        }
    }
    check_usable(c.get(), s);
}

TEST("state: with positions of nowhere, or rows and scales of anything, nothing crashes") {
    const saved & s = saved::once();
    context c = make(s.model, PRESET);
    for (const int32_t position : { -1, INT32_MIN, 1 << 20, INT32_MAX }) {
        bytes state = s.state;
        memcpy(state.data() + 16 + 12*100, &position, sizeof(position));
        if (load(c.get(), state)) {
            try {
                decode(c.get(), s.tokens, N, N + 1, 1);
            } catch (const std::exception &) {
                // it may be refused here: positions must follow one another
            }
        }
        llama_memory_seq_rm(llama_get_memory(c.get()), 0, -1, -1);
    }
    uint32_t x = 1;
    bytes state = s.state;
    for (size_t i = after_cells(state) + 100; i < state.size() - 1000; i++) { // sizes between the layers will be hit as well
        x = x*1664525 + 1013904223;
        if (x >> 24 == 0) {
            state[i] = (uint8_t) (x >> 8);
        }
    }
    if (load(c.get(), state)) {
        decode(c.get(), s.tokens, N, N + 1, 1);
    }
    llama_memory_clear(llama_get_memory(c.get()), false);
    check_usable(c.get(), s);
}
