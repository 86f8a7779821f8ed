/* SPDX-License-Identifier: Apache-2.0 */
/* Columns for generated rules, and the comparison of the two evaluators. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "rules/compile.h"
#include "rules/property_gen.h"

enum {
	CHUNK_BYTES = 64 << 20,
	LONG_VALUE = 5000,
};

/* The values of one column, as they grow. */
struct growing {
	uint64_t *num;
	struct span *str;
	uint32_t n, cap;
	struct buf bytes;
};

static void
put_bytes(struct growing *g, const void *s, size_t n)
{
	g->str[g->n] = (struct span){(uint32_t)g->bytes.len, (uint32_t)n};
	buf_add(&g->bytes, s, n);
	buf_addc(&g->bytes, '\0');
}

/* clang-format off */
static const char *const texts[] = {
	"", "a", "ab", "abc", "abcd", "b", "bc", "foo", "foobar", "barfoo", "FOO", "Foo", "fOObar", "foofoobar", "xfooybarz", "/",
	"/etc", "/etc/passwd", "//etc///passwd", "/etc/passwd/x", "/usr/bin/ls", "/usr/lib/ls", "etc/passwd", "x", "test", "-a", "-b",
	"-bfoo", "-ab", "--", "--long", "YWJj", "YQBi", "YWI=", "Zm9v", "YWJ", "Zm9vYmFy", "a\xc3\xa9", "\xc3\xa9", "caf\xc3\xa9.foo",
	"\xff", "a\xff", "a\xc3", "a\xe2\x82", "\xf0\x9f\x98", "foo\x80", "a\xff" "foo", "\xff\xff" "foo", "aaaa", "aaab", "a.b", "a*b", "a\nb",
	"abc\n", "foo bar", "/etc/passwd ", "passwd", "xpasswd", "s.a", "abcabcabc", "ABC", "a,b", "[a", "[",
};
static const uint64_t values[] = {
	0, 1, 2, 3, 6, 7, 8, 41, 42, 43, 100, 255, 256, 999, 1000, 1001, 80, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX, UINT64_MAX - 4,
	UINT32_MAX, 2147483648u, 1ull << 63,
};
static const char *const ips[] = {
	"10.0.0.1", "10.0.0.2", "10.0.0.3", "11.0.0.1", "192.168.1.7", "192.168.1.8", "255.255.255.255", "0.0.0.0", "::1", "2001:db8::1", "::",
	"fe80::5", "febf::1", "fec0::1",
};
/* clang-format on */

#define PICK(s, list) (list)[property_choice(s, sizeof(list) / sizeof(*(list)))]

static void
put_string(struct growing *g, struct property_source *s)
{
	static const char letters[] = "abcfo/.AF*\xc3";
	char text[LONG_VALUE];
	uint32_t n;

	switch (property_choice(s, 24)) {
	case 0: /* anything but NUL */
		n = property_choice(s, 40);
		for (uint32_t i = 0; i < n; i++)
			text[i] = (char)(1 + property_choice(s, 255));
		break;
	case 1:
		n = property_choice(s, 12);
		for (uint32_t i = 0; i < n; i++)
			text[i] = letters[property_choice(s, sizeof(letters) - 1)];
		break;
	case 2:
		n = 200 + property_choice(s, LONG_VALUE - 200);
		memset(text, letters[property_choice(s, 5)], n);
		memcpy(text + n - 6, "foobar", 6);
		break;
	default: {
		const char *known = PICK(s, texts);
		n = (uint32_t)strlen(known);
		memcpy(text, known, n);
		break;
	}
	}
	put_bytes(g, text, n);
}

static void
put_address(struct growing *g, struct property_source *s)
{
	unsigned char bytes[24] = {10};
	const char *text = PICK(s, ips);
	bool v4 = strchr(text, '.') != NULL;

	/* Now and then of a length that no address has. */
	if (property_choice(s, 10) == 9) {
		put_bytes(g, bytes, property_choice(s, sizeof(bytes)));
		return;
	}
	if (inet_pton(v4 ? AF_INET : AF_INET6, text, bytes) != 1)
		abort();
	put_bytes(g, bytes, v4 ? 4 : 16);
}

static void
put_buffer(struct growing *g, struct property_source *s)
{
	char bytes[12];
	uint32_t n = property_choice(s, sizeof(bytes));

	if (property_choice(s, 2)) {
		put_string(g, s);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = "ab\0\xff/e"[property_choice(s, 6)];
	put_bytes(g, bytes, n);
}

static bool
put_value(struct growing *g, enum value_type type, struct property_source *s)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : LIMIT_CHUNK_EVENTS;
		g->num = reallocarray(g->num, g->cap, sizeof(*g->num));
		g->str = reallocarray(g->str, g->cap, sizeof(*g->str));
		if (!g->num || !g->str)
			return false;
	}
	g->num[g->n] = 0;
	g->str[g->n] = (struct span){0, 0};
	if (type == VALUE_BOOL)
		g->num[g->n] = property_choice(s, 8) ? property_choice(s, 2) : 7;
	else if (value_type_is_number(type))
		g->num[g->n] = property_choice(s, 6) ? PICK(s, values)
						     : property_choice(s, 1u << 31);
	else if (value_type_is_ip(type))
		put_address(g, s);
	else if (type == VALUE_BYTEBUF)
		put_buffer(g, s);
	else
		put_string(g, s);
	g->n++;
	return true;
}

static bool
make_column(struct property_chunk *c, struct column *out, const struct field *f,
    struct property_source *s)
{
	struct growing g = {0};
	uint32_t *first = arena_array(&c->arena, (size_t)c->n + 1, sizeof(*first));
	/* How much of it is missing, and whether values repeat. */
	uint32_t missing = property_choice(s, 4), few = property_choice(s, 3);
	struct property_source again = *s;
	bool ok = first != NULL;

	buf_init(&g.bytes, CHUNK_BYTES);
	for (uint32_t e = 0; ok && e < c->n; e++) {
		uint32_t n = f->flags & FIELD_LIST ? property_choice(s, 4) : 1;
		first[e] = g.n;
		if (missing && property_choice(s, 4) < missing)
			n = 0;
		for (uint32_t i = 0; ok && i < n; i++) {
			struct property_source same = again;
			bool repeat = few && property_choice(s, 3) < few;
			ok = put_value(&g, f->type, repeat ? &same : s);
		}
	}
	if (ok)
		first[c->n] = g.n;
	uint64_t *num = arena_array(&c->arena, (size_t)g.n + 1, sizeof(*num));
	struct span *str = arena_array(&c->arena, (size_t)g.n + 1, sizeof(*str));
	char *bytes = arena_strndup(&c->arena, buf_str(&g.bytes), g.bytes.len);
	ok = ok && num && str && bytes && !g.bytes.failed;
	if (ok && g.n) {
		memcpy(num, g.num, g.n * sizeof(*num));
		memcpy(str, g.str, g.n * sizeof(*str));
	}
	bool number = value_type_is_number(f->type);
	*out = (struct column){.n = c->n,
	    .first = first,
	    .num = number ? num : NULL,
	    .str = number ? NULL : str,
	    .bytes = bytes};
	free(g.num);
	free(g.str);
	buf_release(&g.bytes);
	return ok;
}

bool
property_chunk_make(
    struct property_chunk *c, const struct property_rules *r, struct property_source *s)
{
	static const char *const names[] = {"abc", "foo", NULL, "test"};

	*c = (struct property_chunk){0};
	arena_init(&c->arena, CHUNK_BYTES);
	c->n = property_choice(s, 3) ? 1 + property_choice(s, 20)
				     : 1 + property_choice(s, LIMIT_CHUNK_EVENTS);
	c->meta = arena_array(&c->arena, c->n, sizeof(*c->meta));
	c->column = arena_array(&c->arena, (size_t)r->slots.n + 1, sizeof(*c->column));
	if (!c->meta || !c->column)
		return false;
	for (uint32_t e = 0; e < c->n; e++)
		c->meta[e] = (struct event_meta){
		    .num = e + 1,
		    .ts_ns = 1700000000000000000u + e * 1000u,
		    .first_ts_ns = 1700000000000000000u,
		    .plugin_name = PICK(s, names),
		    .async_name = PICK(s, names),
		};
	for (uint32_t i = 0; i < r->slots.n; i++) {
		if (!make_column(c, &c->column[i], r->slots.slot[i].ref.field, s))
			return false;
	}
	return true;
}

void
property_chunk_release(struct property_chunk *c)
{
	arena_release(&c->arena);
}

bool
property_run(struct evaluator *ev, const struct property_chunk *c)
{
	uint32_t n, rounds = 0;

	evaluator_begin(ev, c->n, c->meta);
	while (evaluator_run(ev) == EVAL_NEED) {
		const struct eval_need *need = evaluator_needs(ev, &n);
		if (n == 0 || ++rounds > 2)
			return false;
		for (uint32_t i = 0; i < n; i++)
			evaluator_supply(
			    ev, need[i].slot, &c->column[need[i].slot], &need[i].events);
	}
	return true;
}

static void
explain(struct buf *why, const struct property_rules *r, const struct eval_match *m,
    uint32_t n, uint32_t at, const char *who)
{
	if (at < n)
		buf_addf(why, "%s alone: event %u, rule %u: %s\n", who, m[at].event,
		    m[at].rule, r->text[m[at].rule]);
	else
		buf_addf(why, "%s has no match %u\n", who, at);
}

static bool
compare_chunk(struct property_source *s, const struct property_rules *r,
    struct evaluator *plain, struct evaluator *fast, struct buf *why)
{
	struct property_chunk c;
	const struct eval_match *a, *b;
	uint32_t n, m, at = 0;
	bool ok = property_chunk_make(&c, r, s);

	if (!ok)
		buf_adds(why, "no memory for columns\n");
	if (ok && (!property_run(plain, &c) || !property_run(fast, &c))) {
		buf_adds(why, "asks for more than two rounds\n");
		ok = false;
	}
	if (ok) {
		a = evaluator_matches(plain, &n);
		b = evaluator_matches(fast, &m);
		while (at < n && at < m && a[at].event == b[at].event &&
		       a[at].rule == b[at].rule)
			at++;
		ok = at == n && at == m;
		if (!ok) {
			explain(why, r, a, n, at, "plain");
			explain(why, r, b, m, at, "fast");
		}
	}
	property_chunk_release(&c);
	return ok;
}

bool
property_compare(
    struct property_source *s, uint32_t n_rule, uint32_t n_chunk, struct buf *why)
{
	static const struct eval_config config = {.hostname = "foo"};
	struct property_rules r;
	struct evaluator *plain = NULL, *fast = NULL;
	struct err err = {0};
	bool ok = property_rules_init(
	    &r, property_choice(s, 2) ? RULE_MATCHING_ALL : RULE_MATCHING_FIRST);

	for (uint32_t i = 0; ok && i < n_rule; i++)
		property_rules_make(&r, s);
	ok = ok && (plain = evaluator_new_plain(&r.rs, &config, &err)) &&
	     (fast = evaluator_new(&r.rs, &config, &err));
	if (!ok)
		buf_addf(why, "%s\n", err.msg);
	for (uint32_t i = 0; ok && i < n_chunk; i++)
		ok = compare_chunk(s, &r, plain, fast, why);
	evaluator_free(plain);
	evaluator_free(fast);
	property_rules_release(&r);
	return ok;
}
