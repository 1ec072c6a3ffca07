// Attention as compiled for each instruction set. Arguments are checked before.
#pragma once
#include "loupe_kv.h"

namespace lkv {

void attendScalar(const lkv_attention & a);
void attendAvx2(const lkv_attention & a);
void attendAvx512(const lkv_attention & a);
void attendNeon(const lkv_attention & a);

} // namespace lkv
