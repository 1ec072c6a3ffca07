// Time of one decoded token at a depth of the context, without the long prefill: the state of a short sequence is saved, its rows are
// repeated until it has the wanted number of cells, and loaded again. What the rows say does not matter for the time.
//
//   depth MODEL CONTEXT TOKENS ROUNDS DEPTHS THREADS CACHE...
//   DEPTHS and THREADS: numbers with commas. CACHE: see cacheName.h
//
// All caches take turns in every round; the best time of a cell counts. Prints one JSON object.

#include "cacheName.h"

#include "ggml-kv-types.h"
#include "loupe_kv.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using bytes = std::vector<uint8_t>;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<std::string> split(const std::string & text, char at) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == at) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

// Reads a saved sequence and writes it again with another number of cells.
class repeater {
public:
    // window: tokens that the layers with a window hold, 0 when there are none
    repeater(const bytes & from, uint32_t cells, uint32_t window, bool fingerprint) : from(from), cells(cells), window(window), fingerprint(fingerprint) {}

    bytes run() {
        copy(8); // magic and version of the sequence's state
        cache(cells, fingerprint);
        // the layers with a window, always F16: they hold the newest tokens only
        while (at < from.size()) {
            cache(std::min(cells, window), false);
        }
        return out;
    }

private:
    template<typename T> T read() { T v; memcpy(&v, from.data() + at, sizeof(v)); at += sizeof(v); return v; }
    template<typename T> void write(T v) { const auto * p = (const uint8_t *) &v; out.insert(out.end(), p, p + sizeof(v)); }
    template<typename T> T copy_value() { const T v = read<T>(); write(v); return v; }
    void copy(size_t n) { out.insert(out.end(), from.begin() + at, from.begin() + at + n); at += n; }

    void rows(uint32_t layers, uint32_t n, uint32_t kept) {
        for (uint32_t l = 0; l < layers; l++) {
            copy_value<int32_t>(); // type
            const uint64_t size = copy_value<uint64_t>();
            for (uint32_t i = 0; i < kept; i++) {
                const auto row = from.begin() + at + size*(i % n);
                out.insert(out.end(), row, row + size);
            }
            at += size*n;
        }
    }

    void cache(uint32_t kept, bool compressed) {
        copy_value<uint32_t>(); // streams
        const uint32_t n = read<uint32_t>();
        write(kept);
        for (uint32_t i = 0; i < n; i++) {
            read<int32_t>(); // position
            at += read<uint32_t>()*sizeof(int32_t);
        }
        for (uint32_t i = cells - kept; i < cells; i++) {
            write<int32_t>(i);
            write<uint32_t>(1);
            write<int32_t>(0);
        }
        copy_value<uint32_t>(); // values transposed
        const uint32_t layers = copy_value<uint32_t>();
        if (compressed) {
            copy_value<uint64_t>(); // fingerprint
        }
        rows(layers, n, kept);
        rows(layers, n, kept);
        if (compressed) {
            tail(layers, kept);
        }
    }

    // the F16 rows of the newest cells and of the first ones
    void tail(uint32_t layers, uint32_t kept) {
        const uint32_t n_rows = read<uint32_t>();
        at += n_rows*sizeof(uint32_t);
        const uint32_t n_kept = std::min<uint32_t>(kept, n_rows);
        write(n_kept);
        for (uint32_t i = 0; i < n_kept; i++) {
            write<uint32_t>(kept - n_kept + i);
        }
        for (uint32_t l = 0; l < 2*layers; l++) {
            const uint64_t size = copy_value<uint64_t>();
            copy(size*n_kept);
            at += size*(n_rows - n_kept);
        }
    }

    const bytes & from;
    const uint32_t cells, window;
    const bool fingerprint;
    size_t at = 0;
    bytes out;
};

struct candidate {
    cache_name name;
    llama_context * context;
    bytes state;
    std::vector<double> best; // [threads][depths]
};

// bytes per second that n threads read together from memory that no cache holds
double bandwidth(int n_threads) {
    const size_t n = (size_t) 256 << 20;
    std::vector<uint64_t> data(n/8, 1);
    double best = 1e9;
    uint64_t sink = 0;
    for (int round = 0; round < 4; round++) {
        std::vector<std::thread> threads;
        std::vector<uint64_t> sums(n_threads*8);
        const double begin = now();
        for (int t = 0; t < n_threads; t++) {
            threads.emplace_back([&, t] {
                uint64_t a = 0, b = 0, c = 0, d = 0;
                const size_t from = data.size()*t/n_threads, to = data.size()*(t + 1)/n_threads;
                for (size_t i = from; i + 32 <= to; i += 32) {
                    for (size_t j = 0; j < 32; j += 4) { a += data[i + j]; b += data[i + j + 1]; c += data[i + j + 2]; d += data[i + j + 3]; }
                }
                sums[t*8] = a + b + c + d;
            });
        }
        for (auto & t : threads) {
            t.join();
        }
        best = std::min(best, now() - begin);
        sink += std::accumulate(sums.begin(), sums.end(), (uint64_t) 0);
    }
    return sink ? n/best : 0;
}

std::vector<int> numbers(const char * text) {
    std::vector<int> result;
    for (const auto & part : split(text, ',')) {
        result.push_back(atoi(part.c_str()));
    }
    return result;
}

candidate make(llama_model * model, const std::string & text, int n_ctx, int n_threads) {
    candidate c { cache_name(text), nullptr, {}, {} };
    c.context = c.name.make_context(model, n_ctx, 512);
    llama_set_n_threads(c.context, n_threads, n_threads);

    std::vector<llama_token> tokens(256);
    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    srand(1);
    for (auto & t : tokens) {
        t = rand() % n_vocab;
    }
    llama_decode(c.context, llama_batch_get_one(tokens.data(), (int) tokens.size()));
    c.state.resize(llama_state_seq_get_size(c.context, 0));
    c.state.resize(llama_state_seq_get_data(c.context, c.state.data(), c.state.size(), 0));
    return c;
}

} // namespace

int main(int argc, char ** argv) try {
    if (argc < 8) {
        fprintf(stderr, "usage: depth MODEL CONTEXT TOKENS ROUNDS DEPTHS THREADS CACHE...\n");
        return 2;
    }
    llama_log_set([](ggml_log_level level, const char * text, void *) { if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
    llama_backend_init();
    ggml_backend_load_all();
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) {
        return 1;
    }
    const int n_ctx = atoi(argv[2]), n_tokens = atoi(argv[3]), rounds = atoi(argv[4]);
    const auto depths = numbers(argv[5]), threads = numbers(argv[6]);

    std::vector<candidate> all;
    for (int i = 7; i < argc; i++) {
        all.push_back(make(model, argv[i], n_ctx, threads[0]));
        all.back().best.assign(threads.size()*depths.size(), 1e9);
    }

    for (int round = 0; round < rounds; round++) {
        for (size_t t = 0; t < threads.size(); t++) {
            for (size_t d = 0; d < depths.size(); d++) {
                for (auto & c : all) {
                    c.name.choose_kernels();
                    llama_set_n_threads(c.context, threads[t], threads[t]);
                    llama_memory_clear(llama_get_memory(c.context), false);
                    if (depths[d] > 0) {
                        const bool ours = ggml_is_kv_type(c.name.type_k);
                        const bytes state = repeater(c.state, depths[d], llama_model_n_swa(model), ours).run();
                        if (!llama_state_seq_set_data(c.context, state.data(), state.size(), 0)) {
                            throw std::runtime_error("the repeated state of " + c.name.text + " was refused");
                        }
                    }
                    llama_token token = 100;
                    for (int i = 0; i <= n_tokens; i++) {
                        const double begin = now();
                        llama_decode(c.context, llama_batch_get_one(&token, 1));
                        llama_synchronize(c.context);
                        if (i > 0) { // the first one builds the graph
                            double & best = c.best[t*depths.size() + d];
                            best = std::min(best, now() - begin);
                        }
                        token = 100 + i;
                    }
                }
            }
        }
    }

    printf("{\"isa\": \"%s\", \"depths\": [", lkv_isa_name(lkv_isa_in_use()));
    for (size_t d = 0; d < depths.size(); d++) {
        printf("%s%d", d ? ", " : "", depths[d]);
    }
    printf("], \"runs\": [");
    for (size_t t = 0; t < threads.size(); t++) {
        printf("%s\n {\"threads\": %d, \"bandwidth_gb_s\": %.1f, \"ms_per_token\": {", t ? "," : "", threads[t], bandwidth(threads[t])/1e9);
        for (size_t i = 0; i < all.size(); i++) {
            printf("%s\n  \"%s\": [", i ? "," : "", all[i].name.text.c_str());
            for (size_t d = 0; d < depths.size(); d++) {
                printf("%s%.2f", d ? ", " : "", all[i].best[t*depths.size() + d]*1e3);
            }
            printf("]");
        }
        printf("}}");
    }
    printf("]}\n");
    return 0;
} catch (const std::exception & error) {
    fprintf(stderr, "depth: %s\n", error.what());
    return 1;
}
