/* cmocka.h - as much of cmocka as the tests that run under qemu need.
 *
 * Room:     tests/arm. First in the include path of VARIANT=arm alone: an amd64 machine has
 *           no arm64 cmocka without a second architecture in its package lists.
 * Callers:  the tests, unchanged. They include setjmp.h, stdarg.h and stddef.h before it, as
 *           cmocka wants.
 *
 * A failure ends the program with exit code 1, instead of going on with the next test. */
#ifndef JOBQ_ARM_CMOCKA_H
#define JOBQ_ARM_CMOCKA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(function)                                                       \
    {                                                                                    \
#function, function                                                              \
    }

#define fail_msg(...)                                                                    \
    do {                                                                                 \
        printf("%s:%d: ", __FILE__, __LINE__);                                           \
        printf(__VA_ARGS__);                                                             \
        printf("\n");                                                                    \
        exit(1);                                                                         \
    } while (0)
#define print_message(...) printf(__VA_ARGS__)
#define fail() fail_msg("fail")

#define assert_true(c)                                                                   \
    do {                                                                                 \
        if (!(c))                                                                        \
            fail_msg("not true: %s", #c);                                                \
    } while (0)
#define assert_false(c) assert_true(!(c))
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
/* Integers are compared as cmocka does, as unsigned 64-bit numbers. */
#define assert_int_equal(a, b)                                                           \
    do {                                                                                 \
        uint64_t left_ = (uint64_t)(a), right_ = (uint64_t)(b);                          \
        if (left_ != right_)                                                             \
            fail_msg("%s: %lld is not %lld", #a, (long long)left_, (long long)right_);   \
    } while (0)
#define assert_int_not_equal(a, b) assert_true((uint64_t)(a) != (uint64_t)(b))
#define assert_in_range(a, low, high)                                                    \
    assert_true((uint64_t)(a) >= (uint64_t)(low) && (uint64_t)(a) <= (uint64_t)(high))
#define assert_string_equal(a, b)                                                        \
    do {                                                                                 \
        const char *left_ = (a), *right_ = (b);                                          \
        if (strcmp(left_, right_) != 0)                                                  \
            fail_msg("%s: \"%s\" is not \"%s\"", #a, left_, right_);                     \
    } while (0)
#define assert_string_not_equal(a, b) assert_true(strcmp((a), (b)) != 0)
#define assert_memory_equal(a, b, bytes) assert_true(memcmp((a), (b), (bytes)) == 0)

static inline int cmocka_run_tests_(const struct CMUnitTest *test, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *state = NULL;
        test[i].run(&state);
        printf("ok %s\n", test[i].name);
    }
    return 0;
}
#define cmocka_run_group_tests(tests, setup, teardown)                                   \
    ((void)(setup), (void)(teardown),                                                    \
     cmocka_run_tests_(tests, sizeof(tests) / sizeof *(tests)))

#endif
