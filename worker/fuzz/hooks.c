/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/hooks.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "worker/fuzz/coverage.h"
#include "worker/fuzz/trap.h"

#define HOOK __attribute__((visibility("default")))

/* glibc's own, under the names that stay. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

enum {
	KEPT = 256,
	KEPT_BYTES = 4096, /* larger blocks are given back at once */
	MARK_BYTES = 8     /* blocks are aligned to twice that */
};

static uint64_t taken, may_take;
static void *kept[KEPT];
static unsigned kept_at;
static uint8_t mark[MARK_BYTES];

bool
hooks_init(struct err *err)
{
	if (getrandom(mark, sizeof(mark), 0) != (ssize_t)sizeof(mark))
		return err_sys(err, "getrandom");
	/* A text must not end in it. */
	for (size_t i = 0; i < MARK_BYTES; i++)
		mark[i] |= 1;
	return true;
}

bool
hooks_looks_freed(const void *p, size_t n)
{
	const uint8_t *b = p;

	if (n < MARK_BYTES)
		return false;
	for (size_t i = 0; i < MARK_BYTES; i++)
		if (b[i] != mark[((uintptr_t)p + i) % MARK_BYTES])
			return false;
	return true;
}

void
hooks_begin(uint64_t memory_bytes)
{
	taken = 0;
	may_take = memory_bytes;
}

/* Memory. */

static bool
watches(void)
{
	return coverage_counts && may_take > 0;
}

static void *
account(void *p, size_t n)
{
	if (!watches())
		return p;
	taken += n;
	if (!p || taken > may_take)
		trap_raise(FUZZ_TRAP_MEMORY,
		    p ? "one case took %llu bytes of memory"
		      : "no memory: %llu bytes were asked for",
		    (unsigned long long)(p ? taken : n));
	return p;
}

/* Asking for too much is refused before it costs anything. */
static void
foresee(size_t n)
{
	if (watches() && n > may_take)
		trap_raise(FUZZ_TRAP_MEMORY,
		    "%llu bytes of memory were asked for at once", (unsigned long long)n);
}

HOOK void *
malloc(size_t n)
{
	foresee(n);
	return account(__libc_malloc(n), n);
}

HOOK void *
calloc(size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		all = SIZE_MAX;
	foresee(all);
	return account(__libc_calloc(n, size), all);
}

HOOK void *
realloc(void *p, size_t n)
{
	foresee(n);
	size_t had = watches() && p ? malloc_usable_size(p) : 0;
	void *got = __libc_realloc(p, n);
	if (had > 0 && got)
		taken -= had < taken ? had : taken;
	return n == 0 ? got : account(got, n);
}

HOOK void
free(void *p)
{
	if (!p || !watches()) {
		__libc_free(p);
		return;
	}
	size_t n = malloc_usable_size(p);
	taken -= n < taken ? n : taken;
	if (n > KEPT_BYTES) {
		__libc_free(p);
		return;
	}
	for (size_t i = 0; i + MARK_BYTES <= n; i += MARK_BYTES)
		__builtin_memcpy((char *)p + i, mark, MARK_BYTES);
	void *old = kept[kept_at];
	kept[kept_at] = p;
	kept_at = (kept_at + 1) % KEPT;
	__libc_free(old);
}

/* Comparisons. Written out, for libc's own cannot be reached under another name, and the
 * loader's choice among them may be asked for before anything runs here. */

static inline bool
wanted(void)
{
	return coverage_compares && coverage_counts;
}

static bool
is_same(const char *a, const char *b, size_t n)
{
	while (n > 0 && *a == *b) {
		a++;
		b++;
		n--;
	}
	return n == 0;
}

HOOK int
memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	size_t i = 0;
	uint64_t u, v;

	for (; n - i >= sizeof(u); i += sizeof(u)) {
		__builtin_memcpy(&u, x + i, sizeof(u));
		__builtin_memcpy(&v, y + i, sizeof(v));
		if (u != v)
			break;
	}
	while (i < n && x[i] == y[i])
		i++;
	if (i == n)
		return 0;
	if (wanted())
		coverage_text(a, n, b, n);
	return x[i] - y[i];
}

HOOK int
bcmp(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}

static int
fold_case(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static int
compare(const char *a, const char *b, size_t n, bool folds)
{
	size_t i = 0;
	int x = 0, y = 0;

	for (; i < n; i++) {
		x = (unsigned char)a[i];
		y = (unsigned char)b[i];
		if (folds) {
			x = fold_case(x);
			y = fold_case(y);
		}
		if (x != y || x == 0)
			break;
	}
	if (i == n || x == y)
		return 0;
	if (wanted())
		coverage_text(a, strnlen(a, n < OPERAND_BYTES ? n : OPERAND_BYTES), b,
		    strnlen(b, n < OPERAND_BYTES ? n : OPERAND_BYTES));
	return x - y;
}

HOOK int
strcmp(const char *a, const char *b)
{
	return compare(a, b, SIZE_MAX, false);
}

HOOK int
strncmp(const char *a, const char *b, size_t n)
{
	return compare(a, b, n, false);
}

HOOK int
strcasecmp(const char *a, const char *b)
{
	return compare(a, b, SIZE_MAX, true);
}

HOOK int
strncasecmp(const char *a, const char *b, size_t n)
{
	return compare(a, b, n, true);
}

HOOK char *
strstr(const char *in, const char *what)
{
	size_t n = strlen(what);

	for (const char *p = in; (p = n ? strchr(p, what[0]) : p); p++)
		if (strnlen(p, n) == n && is_same(p, what, n))
			return (char *)(uintptr_t)p;
	if (wanted())
		coverage_text(in, strnlen(in, OPERAND_BYTES), what,
		    n < OPERAND_BYTES ? n : OPERAND_BYTES);
	return NULL;
}

HOOK void *
memmem(const void *in, size_t in_n, const void *what, size_t n)
{
	const char *p = in, *end = p + in_n;

	if (n == 0)
		return (void *)(uintptr_t)in;
	for (; (size_t)(end - p) >= n; p++) {
		p = memchr(p, *(const char *)what, (size_t)(end - p) - n + 1);
		if (!p)
			break;
		if (is_same(p + 1, (const char *)what + 1, n - 1))
			return (void *)(uintptr_t)p;
	}
	if (wanted())
		coverage_text(in, in_n, what, n);
	return NULL;
}
