#pragma once

// Beside a compressed cache: the first tokens of a sequence (attention sinks) and its newest ones as F16 rows. A query reads the tokens
// less than N_NEWEST before it from here and all others from the compressed rows, so its result does not depend on how the tokens
// before it were cut into batches of up to N_BATCH. Every token is in the compressed cache too.

#include "ggml.h"
#include "llama.h"

#include <cstdint>
#include <vector>

class llama_kv_cells;

class llama_kv_tail {
public:
    static constexpr uint32_t N_SINKS  = 8;
    static constexpr uint32_t N_NEWEST = 128;
    static constexpr uint32_t N_BATCH  = 512;

    // rows of a stream, the last of them without meaning: tokens that find no place are written there
    static constexpr uint32_t N_ROWS  = 704; // a multiple of 64
    static constexpr uint32_t SCRATCH = N_ROWS - 1;

    llama_kv_tail(uint32_t n_cells, uint32_t n_stream);

    // nothing is in F16 any more: of all streams, of one
    void clear();
    void clear(uint32_t stream);

    // the token at position pos is stored in the cell: it takes the place of an older one
    void assign(uint32_t stream, uint32_t cell, llama_pos pos);

    // what the cell holds from now on is not in F16
    void forget(uint32_t stream, uint32_t cell);

    // the row of a cell; -1 when it is not in F16
    int32_t row_of(uint32_t stream, uint32_t cell) const;
    // the cell of a row; -1 when it holds none. The cell may have been emptied since.
    int32_t cell_of(uint32_t stream, uint32_t row) const;

    void copy(uint32_t stream_from, uint32_t stream_to);

    // The positions of the rows, N_ROWS values. A row that holds no token gets the one that it would hold: the angles of neighbours are computed
    // from each other, so what is read would otherwise depend, in its last bits, on rows that are not, which a saved state does not bring.
    void set_positions(uint32_t stream, const llama_kv_cells & cells, int32_t * pos) const;

    // whether a token that follows, or the last one when it is evaluated again, would read the cell in F16: what a saved state must hold
    static bool is_read_after(const llama_kv_cells & cells, uint32_t cell, uint32_t n_seq);

    // For n_tokens queries at positions pos: moves the entries of their mask rows (n_kv values each) that are read in F16 to tail (N_ROWS
    // values each), and hides them in both otherwise.
    void split_mask(uint32_t stream, const llama_kv_cells & cells, const llama_pos * pos, uint32_t n_tokens, uint32_t n_kv,
        ggml_fp16_t * mask, ggml_fp16_t * tail) const;

private:
    struct map {
        std::vector<int32_t> row;  // [n_cells]
        std::vector<int32_t> cell; // [N_ROWS]
    };
    std::vector<map> maps; // of each stream
};
