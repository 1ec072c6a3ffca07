/* loupe-kv-test [part of a test's name]; --isa prints the instruction set in use and the ones granted. */
#include "check.h"
#include "loupe_kv.h"
#include "support.h"

int main(int argc, char ** argv) {
    if (argc > 1 && std::strcmp(argv[1], "--isa") == 0) {
        std::printf("%s", lkv_isa_name(lkv_isa_in_use()));
        for (lkv_isa isa : grantedIsas()) std::printf(" %s", lkv_isa_name(isa));
        std::printf("\n");
        return 0;
    }
    return check::runAll(argc > 1 ? argv[1] : "") == 0 ? 0 : 1;
}
