/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t limit_bytes)
{
	*b = (struct buf){.limit_bytes = limit_bytes};
}

void
buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.limit_bytes = b->limit_bytes};
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

bool
buf_reserve(struct buf *b, size_t n)
{
	if (b->failed)
		return false;
	if (n <= b->cap - b->len && b->data && b->cap - b->len > n)
		return true;
	if (n > b->limit_bytes || b->len > b->limit_bytes - n)
		goto fail;
	size_t want = b->len + n + 1, cap = b->cap ? b->cap : 64;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	if (cap - 1 > b->limit_bytes)
		cap = b->limit_bytes + 1; /* so that room left never exceeds the limit */
	char *p = realloc(b->data, cap);
	if (!p)
		goto fail;
	b->data = p;
	b->cap = cap;
	p[b->len] = '\0';
	return true;
fail:
	b->failed = true;
	return false;
}

void
buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !buf_reserve(b, (size_t)n)) {
		b->failed = true;
		return;
	}
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_addu64(struct buf *b, unsigned long long v)
{
	char digits[24];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, digits + i, sizeof(digits) - i);
}

void
buf_splice(struct buf *b, size_t at, size_t old_n, const void *bytes, size_t n)
{
	if (n > old_n && !buf_reserve(b, n - old_n))
		return;
	if (b->failed || !b->data)
		return;
	memmove(b->data + at + n, b->data + at + old_n, b->len - at - old_n + 1);
	if (n)
		memcpy(b->data + at, bytes, n);
	b->len = b->len - old_n + n;
}

const char *
buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *
buf_steal(struct buf *b)
{
	char *p = NULL;

	if (!b->failed && buf_reserve(b, 0)) {
		p = b->data;
		p[b->len] = '\0';
		b->data = NULL;
	}
	buf_release(b);
	return p;
}
