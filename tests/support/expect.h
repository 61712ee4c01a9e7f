/* Checks that teach: when one fails, it prints what was expected, what came, and what the learner should
 * know. */
#ifndef EXPECT_H
#define EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void expect_number(uint64_t got, uint64_t expected, const char *lesson);
void expect_true(bool condition, const char *lesson);
void expect_text(const char *got, const char *expected, const char *lesson);
void expect_contains(const char *got, const char *part, const char *lesson);

/* `size` bytes at `got` (NULL: there is no such memory) must be those at `expected`. */
void expect_bytes(const void *got, const void *expected, size_t size, const char *lesson);

#endif
