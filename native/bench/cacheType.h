#pragma once

#include "ggml.h"

#include <stdexcept>
#include <string>

// The type that ggml calls so ("f16", "q8_0", "kv5"). Throws std::runtime_error when there is none.
inline ggml_type cache_type_named(const std::string & name) {
    for (int i = 0; i < GGML_TYPE_COUNT; i++) {
        const char * known = ggml_type_size((ggml_type) i) ? ggml_type_name((ggml_type) i) : nullptr;
        if (known && name == known) {
            return (ggml_type) i;
        }
    }
    throw std::runtime_error("no type " + name);
}
