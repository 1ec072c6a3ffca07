// loupe-engine-test MODELS [part of a test's name]; MODELS: the folder of the test models.

#include "check.h"
#include "models.h"

#include "ggml-backend.h"

int main(int argc, char ** argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: loupe-engine-test MODELS [part of a test's name]\n");
        return 2;
    }
    // refusals are wanted here, and their messages are checked: see captured_log
    llama_log_set(models::log, nullptr);
    llama_backend_init();
    ggml_backend_load_all();
    models::folder() = argv[1];
    const int failed = check::runAll(argc > 2 ? argv[2] : "");
    models::unload();
    return failed == 0 ? 0 : 1;
}
