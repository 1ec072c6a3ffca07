#include "isa.h"
#if defined(LKV_X86)
#include "attend.h"
#include "driver.h"
#include "float_tiles.h"
#include "integer_tiles.h"
#include "kernels_avx2.h"

namespace lkv {

void attendAvx2(const lkv_attention & a) {
    if (a.k_format == LKV_F16) {
        Attention<Avx2Floats, HalfTiles<Avx2Floats>>(a).run();
    } else {
        Attention<Avx2Floats, IntegerTiles<Avx2Kernels>>(a).run();
    }
}

} // namespace lkv

#endif
