/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

size_t
utf8_step(const char *p, size_t n, size_t *ret_bad)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned char low = 0x80, high = 0xbf;
	size_t want;

	*ret_bad = 1;
	if (n == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		want = 2;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		want = 3;
		if (s[0] == 0xe0)
			low = 0xa0; /* no overlong forms */
		else if (s[0] == 0xed)
			high = 0x9f; /* no surrogates */
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		want = 4;
		if (s[0] == 0xf0)
			low = 0x90;
		else if (s[0] == 0xf4)
			high = 0x8f; /* nothing past U+10FFFF */
	} else {
		return 0;
	}
	for (size_t i = 1; i < want; i++) {
		if (i == n || s[i] < low || s[i] > high) {
			*ret_bad = i;
			return 0;
		}
		low = 0x80;
		high = 0xbf;
	}
	return want;
}

bool
utf8_valid(const char *s, size_t n)
{
	const uint64_t high = 0x8080808080808080u;
	uint64_t word;
	size_t bad;

	while (n) {
		/* Mostly it is all ASCII. */
		if (n >= sizeof(word)) {
			memcpy(&word, s, sizeof(word));
			if (!(word & high)) {
				s += sizeof(word);
				n -= sizeof(word);
				continue;
			}
		}
		size_t k = utf8_step(s, n, &bad);
		if (k == 0)
			return false;
		s += k;
		n -= k;
	}
	return true;
}

void
utf8_repair(struct buf *out, const char *s, size_t n)
{
	size_t bad, clean = 0;

	while (clean < n) {
		size_t k = utf8_step(s + clean, n - clean, &bad);
		if (k) {
			clean += k;
			continue;
		}
		buf_add(out, s, clean);
		buf_add(out, "\xef\xbf\xbd", 3);
		s += clean + bad;
		n -= clean + bad;
		clean = 0;
	}
	buf_add(out, s, n);
}

static uint32_t
decode(const unsigned char *s, size_t k)
{
	switch (k) {
	case 1:
		return s[0];
	case 2:
		return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
	case 3:
		return (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	default:
		return (s[0] & 7u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 |
		       (s[3] & 0x3fu);
	}
}

/* Code points that move the cursor, reorder or hide text. */
static bool
unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x061c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2069) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

void
utf8_escape(struct buf *out, const char *s, size_t n, size_t max_bytes)
{
	bool cut = n > max_bytes;
	size_t bad;

	if (cut)
		n = max_bytes;
	while (n) {
		size_t k = utf8_step(s, n, &bad);
		if (k == 0) {
			for (size_t i = 0; i < bad; i++)
				buf_addf(out, "\\x%02x", (unsigned char)s[i]);
			k = bad;
		} else {
			uint32_t c = decode((const unsigned char *)s, k);
			if (c == '\\')
				buf_adds(out, "\\\\");
			else if (c == '\n')
				buf_adds(out, "\\n");
			else if (c == '\t')
				buf_adds(out, "\\t");
			else if (c == '\r')
				buf_adds(out, "\\r");
			else if (unsafe(c))
				buf_addf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
			else
				buf_add(out, s, k);
		}
		s += k;
		n -= k;
	}
	if (cut)
		buf_adds(out, "...");
}

void
utf8_escape_except(struct buf *out, const char *s, size_t n, const char *keep)
{
	const char *end = s + n;

	while (s < end) {
		const char *stop = s;
		while (stop < end && (!*stop || !strchr(keep, *stop)))
			stop++;
		utf8_escape(out, s, (size_t)(stop - s), (size_t)(stop - s));
		if (stop < end)
			buf_addc(out, *stop++);
		s = stop;
	}
}
