/* SPDX-License-Identifier: Apache-2.0 */
/* One bug in extract_fields: BUG is its name. */
#include "tests/fuzzing/bugs.h"

#include <fcntl.h>

enum bug {
	MAGIC,    /* a crash behind eight bytes, told apart one by one */
	NUMBER,   /* a crash behind a number of eight bytes, compared at once */
	CHECKSUM, /* a crash behind a checksum inside JSON */
	HANG,
	MEMORY,
	DENIAL,
	OVERREAD, /* one byte past the event */
	LENGTH,   /* several values of what is no list */
	FREED,    /* a text that was given back already */
	WILD,     /* a text that is nowhere */
	EXIT,
	OVERFLOW, /* for the undefined behaviour sanitizer */
	HEAP,     /* for the address sanitizer: a byte past a block that goes */
	NONE,
};

static int
is_hidden(const unsigned char *p, uint32_t n, const char *word)
{
	for (uint32_t i = 0; word[i]; i++)
		if (i >= n || p[i] != (unsigned char)word[i])
			return 0;
	return 1;
}

/* {"data":"…","sum":N}: N is the sum of data. */
static int
checks(const unsigned char *p, uint32_t n)
{
	static const char data[] = "\"data\":\"", sum[] = "\"sum\":";
	const unsigned char *d = memmem(p, n, data, sizeof(data) - 1), *end = p + n, *s;
	uint32_t want = 2166136261u, got = 0;

	if (!d || n == 0 || p[0] != '{')
		return 0;
	for (d += sizeof(data) - 1; d < end && *d != '"'; d++)
		want = (want ^ *d) * 16777619u;
	s = memmem(d, (size_t)(end - d), sum, sizeof(sum) - 1);
	if (!s)
		return 0;
	for (s += sizeof(sum) - 1; s < end && *s >= '0' && *s <= '9'; s++)
		got = got * 10 + (uint32_t)(*s - '0');
	return got == want;
}

static void
bug_extract(const unsigned char *p, uint32_t n, struct plugin_extract_field *f)
{
	static volatile int large = 2147483600;
	static const char *str, **where;
	static void *hoard[1 << 16];
	uint64_t number = 0;

	bug_answer(p, n, f);
	switch ((enum bug)BUG) {
	case MAGIC:
		if (is_hidden(p, n, "mews\x01\xfe!?"))
			bug_crash();
		break;
	case NUMBER:
		if (n >= sizeof(number))
			memcpy(&number, p, sizeof(number));
		if (number == 0x1badb002c0ffee11ull)
			bug_crash();
		break;
	case CHECKSUM:
		if (checks(p, n))
			bug_crash();
		break;
	case HANG:
		while (is_hidden(p, n, "loop!"))
			;
		break;
	case MEMORY:
		if (is_hidden(p, n, "hoard"))
			for (uint32_t i = 0; i < sizeof(hoard) / sizeof(*hoard); i++)
				if ((hoard[i] = malloc(1 << 20)))
					memset(hoard[i], 1, 4096);
		break;
	case DENIAL:
		if (is_hidden(p, n, "/etc")) {
			int fd = open("/etc/shadow", O_RDONLY);
			if (fd >= 0)
				close(fd);
		}
		break;
	case OVERREAD:
		if (is_hidden(p, n, "len=") && p[n] == 'x')
			f->res_len = 0;
		break;
	case LENGTH:
		if (is_hidden(p, n, "list:"))
			f->res_len = 2;
		break;
	case FREED:
		if (is_hidden(p, n, "free") && f->field_id == BUG_TEXT) {
			char *copy = strdup("a text of some length");
			str = copy;
			f->res.str = where = &str;
			free(copy);
		}
		break;
	case WILD:
		if (is_hidden(p, n, "wild") && f->field_id == BUG_TEXT) {
			str = (const char *)bug_nowhere;
			f->res.str = &str;
		}
		break;
	case EXIT:
		if (is_hidden(p, n, "exit"))
			exit(0);
		break;
	case OVERFLOW:
		if (is_hidden(p, n, "over"))
			large = large + (int)n * 100;
		break;
	case HEAP:
		if (is_hidden(p, n, "heap")) {
			volatile size_t past = 16;
			volatile char *block = malloc(16);
			if (block)
				block[past] = 1;
			free((void *)block);
		}
		break;
	case NONE:
		break;
	}
}
