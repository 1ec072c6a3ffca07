// What caches of one model hold and how far their results are from those of the first: one prompt of random tokens through each, in batches,
// and some more tokens one by one.
//
//   caches MODEL PROMPT TOKENS BATCH CACHE...
//   CACHE: see cacheName.h
//
// Prints one JSON object: for each cache bytes, cells and types as they are allocated, of the layers that keep every token ("global") and of
// those with a window ("local"), and the KL divergence from the first cache over the prompt and over the tokens after it.

#include "cacheName.h"

#include "ggml-backend.h"
#include "llama-kv-cache-iswa.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

namespace {

using row = std::vector<float>; // log probabilities of one position

struct results {
    std::vector<row> prompt, tokens;
};

row log_softmax(const float * logits, int n) {
    const float max = *std::max_element(logits, logits + n);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += exp((double) logits[i] - max);
    }
    row out(n);
    for (int i = 0; i < n; i++) {
        out[i] = (float) (logits[i] - max - log(sum));
    }
    return out;
}

// the results of all tokens, which come n_batch at a time
std::vector<row> decode(llama_context * context, const std::vector<llama_token> & tokens, int first_pos, int n_batch) {
    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context)));
    std::vector<row> rows;
    llama_batch batch = llama_batch_init(n_batch, 0, 1);
    for (size_t from = 0; from < tokens.size(); from += n_batch) {
        batch.n_tokens = (int) std::min<size_t>(n_batch, tokens.size() - from);
        for (int i = 0; i < batch.n_tokens; i++) {
            batch.token[i]     = tokens[from + i];
            batch.pos[i]       = first_pos + (int) from + i;
            batch.n_seq_id[i]  = 1;
            batch.seq_id[i][0] = 0;
            batch.logits[i]    = true;
        }
        if (llama_decode(context, batch) != 0) {
            throw std::runtime_error("llama_decode failed");
        }
        for (int i = 0; i < batch.n_tokens; i++) {
            rows.push_back(log_softmax(llama_get_logits_ith(context, i), n_vocab));
        }
    }
    llama_batch_free(batch);
    return rows;
}

std::vector<llama_token> random_tokens(int n, int n_vocab, unsigned seed) {
    std::minstd_rand random(seed); // the standard fixes its sequence
    std::vector<llama_token> tokens(n);
    for (auto & t : tokens) {
        t = random() % n_vocab;
    }
    return tokens;
}

void print_divergence(const char * name, const std::vector<row> & p, const std::vector<row> & q) {
    double sum = 0, max = 0;
    size_t same = 0;
    for (size_t i = 0; i < p.size(); i++) {
        double kld = 0;
        for (size_t t = 0; t < p[i].size(); t++) {
            kld += exp((double) p[i][t])*((double) p[i][t] - q[i][t]);
        }
        sum += kld;
        max = std::max(max, kld);
        same += std::max_element(p[i].begin(), p[i].end()) - p[i].begin() == std::max_element(q[i].begin(), q[i].end()) - q[i].begin();
    }
    // NaN is no JSON: a divergence that is none is a large one
    const auto shown = [](double x) { return std::isfinite(x) ? x : 1e9; };
    printf(", \"%s\": {\"mean\": %.4g, \"max\": %.4g, \"same_top\": %.4f}", name, shown(sum/p.size()), shown(max), (double) same/p.size());
}

void print_cache(const char * name, const llama_kv_cache & cache) {
    size_t bytes = 0;
    for (const auto & part : cache.memory_breakdown()) {
        bytes += part.second;
    }
    printf(", \"%s\": {\"layers\": %zu, \"cells\": %u, \"bytes\": %zu, \"keys\": \"%s\", \"values\": \"%s\"}", name, cache.get_layer_ids().size(),
        cache.get_size(), bytes, ggml_type_name(cache.type_k()), ggml_type_name(cache.type_v()));
}

} // namespace

int main(int argc, char ** argv) try {
    if (argc < 6) {
        fprintf(stderr, "usage: caches MODEL PROMPT TOKENS BATCH CACHE...\n");
        return 2;
    }
    llama_log_set([](ggml_log_level level, const char * text, void *) { if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr); }, nullptr);
    llama_backend_init();
    ggml_backend_load_all();
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model) {
        return 1;
    }
    const int n_prompt = atoi(argv[2]), n_tokens = atoi(argv[3]), n_batch = atoi(argv[4]);
    const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model));
    const auto prompt = random_tokens(n_prompt, n_vocab, 1), tokens = random_tokens(n_tokens, n_vocab, 2);

    results first;
    printf("[");
    for (int i = 5; i < argc; i++) {
        const cache_name name(argv[i]);
        llama_context * context = name.make_context(model, n_prompt + n_tokens, n_batch);
        name.choose_kernels();
        // one thread: two wait for one another by turning in a circle, which takes ages where others work too
        llama_set_n_threads(context, 1, 1);
        results now;
        now.prompt = decode(context, prompt, 0, n_batch);
        now.tokens = decode(context, tokens, n_prompt, 1);
        if (i == 5) {
            first = now;
        }
        const auto * memory = dynamic_cast<llama_kv_cache_iswa *>(llama_get_memory(context));
        if (!memory) {
            throw std::runtime_error("the model has no layers with a window");
        }
        printf("%s{\"cache\": \"%s\"", i > 5 ? ",\n " : "", name.text.c_str());
        print_cache("global", *memory->get_base());
        print_cache("local", *memory->get_swa());
        print_divergence("prompt", first.prompt, now.prompt);
        print_divergence("tokens", first.tokens, now.tokens);
        printf("}");
        fflush(stdout);
        llama_free(context);
    }
    printf("]\n");
    llama_model_free(model);
    return 0;
} catch (const std::exception & error) {
    fprintf(stderr, "caches: %s\n", error.what());
    return 1;
}
