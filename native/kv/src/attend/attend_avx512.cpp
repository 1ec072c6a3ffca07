#include "isa.h"
#if defined(LKV_X86)
#include "attend.h"
#include "driver.h"
#include "float_tiles.h"
#include "integer_tiles.h"
#include "kernels_avx512.h"

namespace lkv {

void attendAvx512(const lkv_attention & a) {
    if (a.k_format == LKV_F16) {
        Attention<Avx512Floats, HalfTiles<Avx512Floats>>(a).run();
    } else {
        Attention<Avx512Floats, IntegerTiles<Avx512Kernels>>(a).run();
    }
}

} // namespace lkv

#endif
