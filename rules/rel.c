/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rel.h"

#include <fnmatch.h>
#include <limits.h>
#include <string.h>

#include "base/utf8.h"
#include "rules/regex.h"

static int
order(uint64_t a, uint64_t b, bool is_signed)
{
	if (is_signed)
		return ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
	return (a > b) - (a < b);
}

static bool
compare_number(enum rel_op op, int o)
{
	switch (op) {
	case REL_EQ:
		return o == 0;
	case REL_NE:
		return o != 0;
	case REL_LT:
		return o < 0;
	case REL_LE:
		return o <= 0;
	case REL_GT:
		return o > 0;
	case REL_GE:
		return o >= 0;
	default:
		return false;
	}
}

static bool
matches_regex(const struct regex *re, const char *s, uint32_t n, struct arena *scratch)
{
	if (utf8_valid(s, n))
		return regex_matches(re, s, n);
	struct buf fixed;
	buf_init(&fixed, 64u << 20);
	utf8_repair(&fixed, s, n);
	bool yes = !fixed.failed && regex_matches(re, buf_str(&fixed), fixed.len);
	buf_release(&fixed);
	(void)scratch;
	return yes;
}

static bool
compare_string(enum rel_op op, const struct scalar *v, const struct constant *k,
    struct arena *scratch)
{
	uint32_t n = (uint32_t)strnlen(v->s, v->len);

	switch (op) {
	case REL_EQ:
		return n == k->len && memcmp(v->s, k->s, n) == 0;
	case REL_NE:
		return n != k->len || memcmp(v->s, k->s, n) != 0;
	case REL_CONTAINS:
		return memmem(v->s, n, k->s, k->len) != NULL;
	case REL_ICONTAINS:
		return strcasestr(v->s, k->s) != NULL;
	case REL_STARTSWITH:
		return n >= k->len && memcmp(v->s, k->s, k->len) == 0;
	case REL_ENDSWITH:
		return n >= k->len && memcmp(v->s + n - k->len, k->s, k->len) == 0;
	case REL_GLOB:
		return fnmatch(k->s, v->s, 0) == 0;
	case REL_IGLOB:
		return fnmatch(k->s, v->s, FNM_CASEFOLD) == 0;
	case REL_REGEX:
		return matches_regex(k->re, v->s, n, scratch);
	case REL_LT:
	case REL_LE:
	case REL_GT:
	case REL_GE:
		return compare_number(op, strcmp(v->s, k->s));
	default:
		return false;
	}
}

static bool
compare_bytes(enum rel_op op, const struct scalar *v, const struct constant *k)
{
	switch (op) {
	case REL_EQ:
		return v->len == k->len && memcmp(v->s, k->s, k->len) == 0;
	case REL_NE:
		return v->len != k->len || memcmp(v->s, k->s, k->len) != 0;
	case REL_CONTAINS:
	case REL_BCONTAINS:
		return memmem(v->s, v->len, k->s, k->len) != NULL;
	case REL_STARTSWITH:
	case REL_BSTARTSWITH:
		return v->len >= k->len && memcmp(v->s, k->s, k->len) == 0;
	case REL_ENDSWITH:
		return v->len >= k->len &&
		       memcmp(v->s + v->len - k->len, k->s, k->len) == 0;
	default:
		return false;
	}
}

static bool
in_network(const struct scalar *v, const struct constant *k)
{
	const unsigned char *a = (const unsigned char *)v->s,
			    *b = (const unsigned char *)k->s;
	uint32_t whole = k->prefix / 8, rest = k->prefix % 8;

	if (v->len != k->len || memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

bool
rel_compare(enum rel_op op, enum value_type type, const struct scalar *v,
    const struct constant *k, struct arena *scratch, uint64_t *oddities)
{
	if (value_type_is_string(type))
		return compare_string(op, v, k, scratch);
	if (type == VALUE_BYTEBUF)
		return compare_bytes(op, v, k);
	if (value_type_is_ip(type)) {
		if (v->len != 4 && v->len != 16) {
			++*oddities;
			return false;
		}
		bool same = type == VALUE_IPNET
				? in_network(v, k)
				: v->len == k->len && memcmp(v->s, k->s, k->len) == 0;
		return (op == REL_NE) != same;
	}
	return compare_number(op, order(v->num, k->num, value_type_is_signed(type)));
}

bool
rel_is_member(enum value_type type, const struct scalar *v, const struct constant *k)
{
	if (type == VALUE_IPNET)
		return in_network(v, k);
	if (value_type_is_number(type))
		return v->num == k->num;
	return v->len == k->len && memcmp(v->s, k->s, k->len) == 0;
}

/* The next component at *p, behind slashes; its length, 0 at the end. */
static size_t
component(const char **p)
{
	*p += strspn(*p, "/");
	return strcspn(*p, "/");
}

static bool
component_matches(const char *pattern, size_t pn, const char *text, size_t tn)
{
	char a[PATH_MAX], b[PATH_MAX];

	if (!memchr(pattern, '*', pn) && !memchr(pattern, '?', pn) &&
	    !memchr(pattern, '[', pn))
		return pn == tn && memcmp(pattern, text, pn) == 0;
	if (pn >= sizeof(a) || tn >= sizeof(b))
		return false;
	memcpy(a, pattern, pn);
	a[pn] = '\0';
	memcpy(b, text, tn);
	b[tn] = '\0';
	return fnmatch(a, b, 0) == 0;
}

bool
rel_path_match(const char *path, const char *prefix)
{
	for (;;) {
		size_t want = component(&prefix), have = component(&path);
		if (want == 0)
			return true;
		if (have == 0 || !component_matches(prefix, want, path, have))
			return false;
		prefix += want;
		path += have;
	}
}
