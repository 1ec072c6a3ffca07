/*
 * Test runner. TEST(what it proves) { ... CHECK(condition); CHECK_NEAR(a, b, tolerance); }: one line per test, the totals last. A failed check is
 * reported with its place and ends the test.
 */
#pragma once
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace check {

struct Test { const char * name; void (* run)(); };

inline std::vector<Test> & tests() {
    static std::vector<Test> all;
    return all;
}

struct Registration {
    Registration(const char * name, void (* run)()) { tests().push_back({name, run}); }
};

struct Failure : std::runtime_error { using std::runtime_error::runtime_error; };

[[noreturn]] inline void fail(const char * file, int line, const std::string & what) {
    const char * slash = std::strrchr(file, '/');
    throw Failure(std::string(slash ? slash + 1 : file) + ":" + std::to_string(line) + ": " + what);
}

/* What the loop around a check is at: "kv4 on avx2". Shown with a failure. */
inline std::string & context() {
    static std::string text;
    return text;
}

/* Runs the tests whose name contains `part`; the number of failures. Says how long a test took that is worth making quicker. */
inline int runAll(const char * part) {
    int passed = 0, failed = 0;
    for (const Test & test : tests()) {
        if (!std::strstr(test.name, part)) continue;
        context().clear();
        std::string why;
        const auto started = std::chrono::steady_clock::now();
        try {
            test.run();
        } catch (const std::exception & error) {
            why = error.what();
        }
        (why.empty() ? passed : failed)++;
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
        if (seconds > 2) std::printf("slow %s: %.1f s\n", test.name, seconds);
        std::printf("%s %s%s%s%s\n", why.empty() ? "ok  " : "FAIL", test.name, why.empty() ? "" : ": ", why.c_str(),
                    why.empty() || context().empty() ? "" : (" (" + context() + ")").c_str());
        std::fflush(stdout); // a crash in the next test must not take this line with it
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed;
}

} // namespace check

#define LKV_JOIN2(a, b) a##b
#define LKV_JOIN(a, b) LKV_JOIN2(a, b)
#define TEST(name) LKV_TEST(name, LKV_JOIN(test_, __LINE__))
#define LKV_TEST(name, function) \
    static void function(); \
    static const check::Registration LKV_JOIN(function, _registration)(name, function); \
    static void function()
#define CHECK(condition) do { if (!(condition)) check::fail(__FILE__, __LINE__, #condition); } while (0)
#define CHECK_NEAR(actual, expected, tolerance) do { \
        const double actual_ = (actual), expected_ = (expected); \
        if (!(std::fabs(actual_ - expected_) <= (tolerance))) check::fail(__FILE__, __LINE__, #actual " is " + std::to_string(actual_) + ", not " + std::to_string(expected_)); \
    } while (0)
#define CHECK_AT_MOST(actual, limit) do { \
        const double actual_ = (actual), limit_ = (limit); \
        if (!(actual_ <= limit_)) check::fail(__FILE__, __LINE__, #actual " is " + std::to_string(actual_) + ", above " + std::to_string(limit_)); \
    } while (0)
