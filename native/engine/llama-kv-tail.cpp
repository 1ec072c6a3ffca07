#include "llama-kv-tail.h"

#include "llama-kv-cells.h"

#include <algorithm>
#include <cmath>

#ifdef LOUPE_KV_VARIANTS // llama.cpp's tools only: native/bench/variants
#include "graph.h"
#endif

// positions p and p + N_RING share a row
static constexpr uint32_t N_RING = llama_kv_tail::SCRATCH - llama_kv_tail::N_SINKS;

static_assert(N_RING >= llama_kv_tail::N_NEWEST + llama_kv_tail::N_BATCH, "a batch must not push out what its first token still reads");

llama_kv_tail::llama_kv_tail(uint32_t n_cells, uint32_t n_stream) : maps(n_stream) {
    for (map & m : maps) {
        m.row.assign(n_cells, -1);
        m.cell.assign(N_ROWS, -1);
    }
}

void llama_kv_tail::clear() {
    for (uint32_t s = 0; s < maps.size(); s++) {
        clear(s);
    }
}

void llama_kv_tail::clear(uint32_t stream) {
    std::fill(maps[stream].row.begin(),  maps[stream].row.end(),  -1);
    std::fill(maps[stream].cell.begin(), maps[stream].cell.end(), -1);
}

void llama_kv_tail::forget(uint32_t stream, uint32_t cell) {
    map & m = maps[stream];
    const int32_t row = m.row[cell];
    if (row >= 0 && m.cell[row] == (int32_t) cell) {
        m.cell[row] = -1;
    }
    m.row[cell] = -1;
}

void llama_kv_tail::assign(uint32_t stream, uint32_t cell, llama_pos pos) {
    forget(stream, cell);
    map & m = maps[stream];
    const uint32_t row = (uint32_t) pos < N_SINKS ? pos : N_SINKS + (uint32_t) pos % N_RING;
    m.row[cell] = row;
    m.cell[row] = cell;
}

int32_t llama_kv_tail::row_of(uint32_t stream, uint32_t cell) const {
    const map & m = maps[stream];
    const int32_t row = m.row[cell];
    return row >= 0 && m.cell[row] == (int32_t) cell ? row : -1;
}

int32_t llama_kv_tail::cell_of(uint32_t stream, uint32_t row) const {
    return maps[stream].cell[row];
}

void llama_kv_tail::copy(uint32_t stream_from, uint32_t stream_to) {
    maps[stream_to] = maps[stream_from];
}

void llama_kv_tail::set_positions(uint32_t stream, const llama_kv_cells & cells, int32_t * pos) const {
    const map & m = maps[stream];
    llama_pos newest = -1;
    for (uint32_t row = 0; row < N_ROWS; row++) {
        const int32_t cell = m.cell[row];
        pos[row] = cell < 0 || cells.is_empty(cell) ? -1 : cells.pos_get(cell);
        newest = std::max(newest, pos[row]);
    }
    for (uint32_t row = 0; row < N_ROWS; row++) {
        if (pos[row] < 0) {
            const llama_pos in_ring = (llama_pos) row - (llama_pos) N_SINKS;
            pos[row] = in_ring < 0 || row == SCRATCH || newest < in_ring ? 0 : newest - (newest - in_ring) % (llama_pos) N_RING;
        }
    }
}

bool llama_kv_tail::is_read_after(const llama_kv_cells & cells, uint32_t cell, uint32_t n_seq) {
    const llama_pos pos = cells.pos_get(cell);
    if (pos < (llama_pos) N_SINKS) {
        return true;
    }
    for (uint32_t seq = 0; seq < n_seq; seq++) {
        if (cells.seq_has(cell, seq) && cells.seq_pos_max(seq) - pos < (llama_pos) N_NEWEST) {
            return true;
        }
    }
    return false;
}

void llama_kv_tail::split_mask(uint32_t stream, const llama_kv_cells & cells, const llama_pos * pos, uint32_t n_tokens, uint32_t n_kv,
        ggml_fp16_t * mask, ggml_fp16_t * tail) const {
    const ggml_fp16_t hidden = ggml_fp32_to_fp16(-INFINITY);
#ifdef LOUPE_KV_VARIANTS
    const llama_pos n_newest = variants::newestTokens(N_NEWEST, N_RING - n_tokens); // the rows are still there while a batch is computed
#else
    const llama_pos n_newest = N_NEWEST;
#endif
    std::fill(tail, tail + (size_t) n_tokens*N_ROWS, hidden);

    for (uint32_t row = 0; row < N_ROWS; row++) {
        const int32_t cell = maps[stream].cell[row];
        if (cell < 0 || (uint32_t) cell >= n_kv || cells.is_empty(cell)) {
            continue;
        }
        const llama_pos at = cells.pos_get(cell);
        for (uint32_t t = 0; t < n_tokens; t++) {
            if (at < (llama_pos) N_SINKS || pos[t] - at < n_newest) {
                tail[(size_t) t*N_ROWS + row] = mask[(size_t) t*n_kv + cell];
                mask[(size_t) t*n_kv + cell]  = hidden;
            }
        }
    }
}
