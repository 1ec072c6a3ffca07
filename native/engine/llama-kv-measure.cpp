#include "llama-kv-measure.h"

#include "llama-cpp.h"
#include "llama-impl.h"
#include "llama-kv-tail.h"
#include "llama-model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

namespace {

constexpr int32_t N_TOKENS = 64; // more gain little, and a large model on a slow processor reads few in a second
constexpr int32_t N_FREQUENT = 256; // numbers of bytes, in most vocabularies

thread_local kv_measurement * measured_now = nullptr;

// until the end of the scope, also when that is an exception: contexts made on this thread afterwards are ordinary ones
struct measuring {
    explicit measuring(kv_measurement * into) { measured_now = into; }
    ~measuring() { measured_now = nullptr; }
    measuring(const measuring &) = delete;
    measuring & operator=(const measuring &) = delete;
};

// Ours; cut off after N_TOKENS. With tokens drawn at random in its place the divergence from f16 was a tenth larger or so (keys of 3 and 5 bits, Gemma
// 3 270M and Qwen2.5-Coder 1.5B).
const char * const TEXT =
    "// Finds the shortest way between two places of a map.\n"
    "export function shortestPath(graph: Map<string, Edge[]>, from: string, to: string): string[] | undefined {\n"
    "  const distance = new Map<string, number>([[from, 0]]);\n"
    "  for (const { node, cost } of queue) {\n"
    "    if (cost > limit) return undefined; // it is too far\n"
    "    this.seen.add(node);\n";

// For a model without a tokenizer. In most vocabularies frequent tokens have low numbers, so numbers are drawn evenly on a logarithmic scale.
std::vector<llama_token> random_tokens(int32_t n_vocab) {
    std::minstd_rand random(1); // the standard fixes its sequence
    std::vector<llama_token> tokens(N_TOKENS);
    const int32_t least = std::min(n_vocab, N_FREQUENT);
    for (llama_token & token : tokens) {
        const double x = (double) random()/std::minstd_rand::max();
        token = std::min((llama_token) (least*pow((double) n_vocab/least, x)), n_vocab - 1);
    }
    return tokens;
}

std::vector<llama_token> some_tokens(const llama_vocab * vocab) {
    std::vector<llama_token> tokens(strlen(TEXT) + 2);
    if (llama_vocab_type(vocab) != LLAMA_VOCAB_TYPE_NONE) {
        const int32_t n = llama_tokenize(vocab, TEXT, strlen(TEXT), tokens.data(), tokens.size(), true, false);
        if (n >= N_TOKENS/2) {
            tokens.resize(std::min(n, N_TOKENS));
            return tokens;
        }
    }
    return random_tokens(llama_vocab_n_tokens(vocab));
}

bool run(llama_model * model, kv_measurement * into) {
    if (llama_model_has_encoder(model) || llama_vocab_n_tokens(llama_model_get_vocab(model)) < 1) {
        return false;
    }
    const measuring scope(into);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = N_TOKENS;
    params.n_seq_max = 1;
    params.n_threads = params.n_threads_batch = std::clamp((int32_t) std::thread::hardware_concurrency(), 1, 8);
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    params.type_k = params.type_v = GGML_TYPE_F16;
    params.offload_kqv = false;
    params.no_perf = true;
    llama_context_ptr ctx { llama_init_from_model(model, params) };
    if (!ctx) {
        return false;
    }
    std::vector<llama_token> tokens = some_tokens(llama_model_get_vocab(model));
    return llama_decode(ctx.get(), llama_batch_get_one(tokens.data(), tokens.size())) == 0;
}

} // namespace

kv_measurement * kv_measured_now() { return measured_now; }

std::shared_ptr<const kv_measurement> kv_measure(const llama_model & model) {
    static std::mutex one_at_a_time; // contexts are made on several threads
    std::lock_guard<std::mutex> lock(one_at_a_time);
    if (model.hparams.no_alloc) { // only the sizes are wanted: there are no weights
        return nullptr;
    }
    if (!model.kv_measured) {
        auto result = std::make_shared<kv_measurement>();
        result->layers.resize(model.hparams.n_layer_all);
        const int64_t start = ggml_time_us();
        if (!run(const_cast<llama_model *>(&model), result.get())) {
            throw std::runtime_error("compressed cache types need queries and keys that can be measured: a short run of the model failed");
        }
        LLAMA_LOG_INFO("%s: queries and keys measured in %.0f ms\n", __func__, (ggml_time_us() - start)/1e3);
        model.kv_measured = result;
    }
    return model.kv_measured;
}
