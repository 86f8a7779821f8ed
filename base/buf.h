/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte string, bounded.
 *
 * data is NUL-terminated whenever it is not NULL; len does not count the NUL. Growth
 * stops at limit_bytes or when memory is gone: from then on "failed" is set and every
 * write is a no-op, so that a writer may check once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len, cap, limit_bytes;
	bool failed;
};

void buf_init(struct buf *b, size_t limit_bytes);
void buf_release(struct buf *b);
/* Empties it, keeps the memory, clears failed. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);
/* Decimal, faster than buf_addf. */
void buf_addu64(struct buf *b, unsigned long long v);
/* Replaces [at, at + old_n) by n bytes. at + old_n <= len. */
void buf_splice(struct buf *b, size_t at, size_t old_n, const void *bytes, size_t n);
/* Room for n more bytes; false (and failed) when there is none. */
bool buf_reserve(struct buf *b, size_t n);
/* "" when nothing was ever written. */
const char *buf_str(const struct buf *b);
/* Gives the malloc'ed text away (never NULL unless failed) and empties b. */
char *buf_steal(struct buf *b);

#endif
