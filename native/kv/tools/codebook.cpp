/* Writes src/codebook.h to standard output: codebook > src/codebook.h */
#include "codebook_text.h"

int main() {
    const std::string text = codebook::text();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
