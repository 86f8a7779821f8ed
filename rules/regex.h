/* SPDX-License-Identifier: Apache-2.0 */
/* The only door to the regex library: RE2 in POSIX syntax, full match, 8 MiB. */
#ifndef RULES_REGEX_H
#define RULES_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct regex;

/* NULL when the pattern does not compile: the library's words are in reterr_text. */
struct regex *regex_new(const char *pattern, size_t n, char *reterr_text, size_t size);
void regex_free(struct regex *re);
/* Does all of s match? s must be valid UTF-8. Thread-safe. */
bool regex_matches(const struct regex *re, const char *s, size_t n);

enum {
	REGEX_RANGE_BYTES = 8,
};

/* What matches lies, as bytes are ordered, from low to high, of which no more than the
 * first bytes are given, filled up with zeros. False: nothing is known. */
bool regex_range(
    const struct regex *re, char low[REGEX_RANGE_BYTES], char high[REGEX_RANGE_BYTES]);

/* Many patterns at once: one pass tells which match all of the subject. */
struct regex_set;
struct regex_set *regex_set_new(void);
void regex_set_free(struct regex_set *set);
/* The pattern's number in the set, or -1. */
int regex_set_add(struct regex_set *set, const char *pattern, size_t n);
bool regex_set_compile(struct regex_set *set);
/* Numbers of the matching patterns into ret (room for cap); -1: the memory budget was
 * hit, ask each pattern alone. */
int regex_set_match(
    const struct regex_set *set, const char *s, size_t n, int *ret, int cap);

#ifdef __cplusplus
}
#endif

#endif
