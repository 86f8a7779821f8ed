/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/property_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/ast.h"
#include "rules/compile.h"

enum {
	DEPTH_MAX = 4,
	RULES_BYTES = 64 << 20,
};

uint32_t
property_choice(struct property_source *s, uint32_t below)
{
	uint64_t v = 0;

	if (below < 2)
		return 0;
	for (uint32_t left = below - 1; left && s->n; left >>= 8) {
		v = v << 8 | *s->bytes++;
		s->n--;
	}
	if (!s->n && s->seed) {
		s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
		v ^= s->seed >> 33;
	}
	return (uint32_t)(v % below);
}

/* clang-format off */
#define F(n, t, fl) {.name = n, .desc = "", .type = VALUE_##t, .flags = fl, .provider = PROVIDER_PLUGIN}

static struct field fields[] = {
	F("s.a", CHARBUF, 0), F("s.b", CHARBUF, 0), F("s.c", CHARBUF, 0),
	F("s.arg", CHARBUF, FIELD_ARG_KEY | FIELD_ARG_REQUIRED),
	F("s.list", CHARBUF, FIELD_LIST), F("s.list2", CHARBUF, FIELD_LIST),
	F("u.a", UINT64, 0), F("u.b", UINT64, 0), F("u.list", UINT64, FIELD_LIST),
	F("i.a", INT64, 0), F("i.b", INT64, 0), F("i.c", INT32, 0),
	F("t.rel", RELTIME, 0), F("t.abs", ABSTIME, 0), F("t.list", ABSTIME, FIELD_LIST),
	F("o.a", BOOL, 0), F("o.b", BOOL, 0), F("o.list", BOOL, FIELD_LIST),
	F("ip.a", IPADDR, 0), F("ip.b", IPADDR, 0), F("ip.list", IPADDR, FIELD_LIST),
	F("net.a", IPNET, 0), F("net.list", IPNET, FIELD_LIST),
	F("b.a", BYTEBUF, 0), F("b.b", BYTEBUF, 0), F("p.a", FSPATH, 0), F("port.a", PORT, 0),
	F("x.a", OTHER, 0),
	{.name = "k.a", .desc = "", .type = VALUE_CHARBUF, .provider = PROVIDER_STATIC, .constant = "abc"},
};

/* What conditions name, by the kind of constant that goes with it. */
static const struct {
	const char *text;
	char kind; /* s string, n number, o bool, i address, m network, b bytes; S, N, …: a list */
} operands[] = {
	{"s.a", 's'}, {"s.b", 's'}, {"s.c", 's'}, {"s.arg[k]", 's'}, {"s.arg[l]", 's'}, {"p.a", 's'},
	{"s.list", 'S'}, {"s.list2", 'S'},
	{"u.a", 'n'}, {"u.b", 'n'}, {"i.a", 'n'}, {"i.b", 'n'}, {"i.c", 'n'}, {"t.rel", 'n'}, {"t.abs", 'n'},
	{"port.a", 'n'}, {"u.list", 'N'}, {"t.list", 'N'}, {"o.a", 'o'}, {"o.b", 'o'}, {"o.list", 'O'},
	{"ip.a", 'i'}, {"ip.b", 'i'}, {"ip.list", 'I'}, {"net.a", 'm'}, {"net.list", 'M'},
	{"b.a", 'b'}, {"b.b", 'b'}, {"x.a", 's'}, {"k.a", 's'},
	{"evt.num", 'n'}, {"evt.source", 's'}, {"evt.pluginname", 's'}, {"evt.is_async", 'o'},
	{"evt.asynctype", 's'}, {"evt.time", 's'}, {"evt.hostname", 's'}, {"evt.reltime", 'n'},
	{"tolower(s.a)", 's'}, {"toupper(s.b)", 's'}, {"basename(p.a)", 's'}, {"b64(s.c)", 's'}, {"b64(b.a)", 'b'},
	{"len(s.a)", 'n'}, {"len(s.list)", 'n'}, {"len(b.b)", 'n'}, {"tolower(s.list)", 'S'},
	{"tolower(basename(s.a))", 's'}, {"b64(s.list)", 'S'}, {"tolower(b64(s.c))", 's'}, {"len(b64(s.c))", 'n'},
	{"join(\"/\", s.list)", 's'}, {"join(s.a, (s.b, \"x\", u.a))", 's'}, {"concat(s.a, \"/\", s.b)", 's'},
	{"concat(s.a,\"s.b\")", 's'}, {"concat(s.a,s.b)", 's'}, {"concat(\"a,b\", s.a)", 's'}, {"concat(\"a\", \"b\", s.a)", 's'},
	{"getopt(s.list, \"ab:\")", 'S'}, {"getopt(s.list, \"ab:\")[b]", 's'}, {"getopt(s.list2, \"f:o\")[o]", 's'},
	{"concat(k.a, evt.source)", 's'},
};

static const char *const strings[] = {
	"", "a", "ab", "abc", "abcd", "b", "bc", "foo", "foobar", "barfoo", "FOO", "Foo", "fOObar", "/", "/etc",
	"/etc/passwd", "/etc/", "//etc//passwd", "/usr/bin/ls", "etc/passwd", "x", "s.a", "test", "-a", "-b", "-bfoo", "--",
	"YWJj", "YQBi", "YWI=", "Zm9v", "a\xc3\xa9", "\xc3\xa9", "caf\xc3\xa9.foo", "aaaa", "aab", "a.b", "a*b", "a\nb", "foo bar",
};

static const char *const patterns[] = {
	"*", "a*", "*a", "*bc*", "?b*", "a[bc]*", "**", "*foo*bar*", "[", "[a", "f?o", "/etc/*", "*/passwd", "a*b", "*[o]", "[!a]*",
	"*[f]oo", "???", "*foo?ar", "foo\\\\*", "/*/passwd", "/usr/*/ls", "e?c", "*FoO*", "*o", "A*",
};

static const char *const regexes[] = {
	"abc", "^abc$", ".*foo.*", "a+b?c*", "[a-c]+", "(foo|bar)+", "foo.*bar", "/etc/.*", "abc{1,3}d?", "[[:alpha:]]+", ".",
	"x|abcd", ".*", "", "foo(bar)?", "fo{2}.*", ".*(a|b)foo", "\xc3\xa9+", "[^a].*", "a.*\xef\xbf\xbd", "..+passwd", "foobar*", "abcd?",
	"(abc)(foo)?", "barfo+.*", ".*\xef\xbf\xbd" "foo", "foo|.*passwd", "[]f]oo.*", "[[:lower:]f]oobar", "^foo", "foo$", "(^foo|bar$)",
};

static const char *const numbers[] = {
	"0", "1", "2", "3", "7", "42", "100", "255", "1000", "-1", "-5", "2147483648", "9223372036854775807", "-9223372036854775808",
	"18446744073709551615", "4294967295", "80",
};

static const char *const addresses[] = {
	"10.0.0.1", "10.0.0.2", "192.168.1.7", "255.255.255.255", "0.0.0.0", "::1", "2001:db8::1", "::", "fe80::5",
};

static const char *const networks[] = {
	"10.0.0.0/8", "10.0.0.0/31", "10.0.0.1/32", "0.0.0.0/0", "192.168.0.0/16", "192.168.1.4/30", "::/1", "2001:db8::/32",
	"::1/128", "fe80::/10", "10.1.0.0/7",
};

static const char *const hexes[] = {"61", "6162", "00", "ff", "2f657463", "", "610062"};
/* clang-format on */

#define PICK(s, list) (list)[property_choice(s, sizeof(list) / sizeof(*(list)))]

static const char *
constant(struct property_source *s, char kind, enum rel_op op)
{
	if (op == REL_BCONTAINS || op == REL_BSTARTSWITH)
		return PICK(s, hexes);
	switch (kind | 32) {
	case 'n':
		return PICK(s, numbers);
	case 'o':
		return property_choice(s, 2) ? "true" : "false";
	case 'i':
		return PICK(s, addresses);
	case 'm':
		return PICK(s, networks);
	default:
		break;
	}
	if (op == REL_REGEX && property_choice(s, 8))
		return PICK(s, regexes);
	if ((op == REL_GLOB || op == REL_IGLOB || op == REL_PMATCH) &&
	    property_choice(s, 4))
		return PICK(s, patterns);
	return PICK(s, strings);
}

static void
add_constant(struct buf *out, struct property_source *s, char kind, enum rel_op op)
{
	bool number = op >= REL_LE && op <= REL_GT;

	if (number) {
		buf_adds(out, PICK(s, numbers));
		return;
	}
	buf_addf(out, "\"%s\"", constant(s, kind, op));
}

static void
add_set(struct buf *out, struct property_source *s, char kind, enum rel_op op)
{
	uint32_t n =
	    property_choice(s, 8) ? property_choice(s, 5) : property_choice(s, 40);

	buf_addc(out, '(');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_adds(out, ", ");
		add_constant(out, s, kind, op);
	}
	buf_addc(out, ')');
}

static const char *
other_operand(struct property_source *s, char kind)
{
	/* A few tries for one of the kind; types decide in the end. */
	for (int i = 0; i < 6; i++) {
		uint32_t at = property_choice(s, sizeof(operands) / sizeof(*operands));
		if (operands[at].kind == kind)
			return operands[at].text;
	}
	return "s.b";
}

static void
add_rhs(struct buf *out, struct property_source *s, char kind)
{
	const char *text = other_operand(s, kind);

	if (strchr(text, '('))
		buf_adds(out, text);
	else
		buf_addf(out, "val(%s)", text);
}

static enum rel_op
operator_of(struct property_source *s, char kind)
{
	static const enum rel_op list[] = {REL_IN, REL_INTERSECTS, REL_IN, REL_EXISTS},
				 number[] = {REL_EQ, REL_NE, REL_LT, REL_LE, REL_GT,
				     REL_GE, REL_IN, REL_INTERSECTS, REL_EXISTS},
				 set[] = {
				     REL_EQ, REL_NE, REL_IN, REL_INTERSECTS, REL_EXISTS};

	if (property_choice(s, 50) == 49)
		return (enum rel_op)property_choice(s, REL_N);
	if (kind >= 'A' && kind <= 'Z')
		return PICK(s, list);
	if (kind == 'n')
		return PICK(s, number);
	if (kind == 's' || kind == 'b')
		return (enum rel_op)property_choice(s, REL_N);
	return PICK(s, set);
}

static void
add_check(struct buf *out, struct property_source *s)
{
	const uint32_t n = sizeof(operands) / sizeof(*operands);
	uint32_t way = property_choice(s, 6), at = property_choice(s, n);
	/* Few operands most of the time, so that rules share; now and then the last ones,
	 * the transformers. */
	if (way < 3)
		at %= 12;
	else if (way == 3)
		at = n - 1 - at % 24;
	char kind = operands[at].kind;
	enum rel_op op = operator_of(s, kind);

	buf_addf(out, "%s %s ", operands[at].text, rel_op_text(op));
	if (op == REL_EXISTS)
		return;
	if (property_choice(s, 8) == 7) {
		add_rhs(out, s, kind);
	} else if (op == REL_IN || op == REL_INTERSECTS || op == REL_PMATCH) {
		add_set(out, s, kind, op);
	} else if (op >= REL_EQ && property_choice(s, 5) == 4) {
		buf_addf(out, "%s ",
		    rel_modifier_text(
			(enum rel_modifier)(MODIFIER_ONEOF + property_choice(s, 3))));
		add_set(out, s, kind, op);
	} else {
		add_constant(out, s, kind, op);
	}
}

static void
add_condition(struct buf *out, struct property_source *s, uint32_t depth)
{
	uint32_t what = depth < DEPTH_MAX ? property_choice(s, 10) : 0;

	if (what < 4) {
		add_check(out, s);
	} else if (what < 6) {
		buf_adds(out, "not (");
		add_condition(out, s, depth + 1);
		buf_addc(out, ')');
	} else {
		uint32_t n = 2 + property_choice(s, 3);
		for (uint32_t i = 0; i < n; i++) {
			if (i)
				buf_adds(out, what < 8 ? " and " : " or ");
			buf_addc(out, '(');
			add_condition(out, s, depth + 1);
			buf_addc(out, ')');
		}
	}
}

bool
property_rules_init(struct property_rules *r, enum rule_matching matching)
{
	const struct field_class klass = {
	    .name = "test",
	    .short_desc = "",
	    .desc = "",
	    .field = fields,
	    .n = sizeof(fields) / sizeof(*fields),
	    .plugin = true,
	};
	struct err err;

	*r = (struct property_rules){.config.matching = matching};
	arena_init(&r->arena, RULES_BYTES);
	if (!field_catalog_init(&r->catalog, &err) ||
	    !slot_set_init(&r->slots, &r->arena))
		return false;
	struct field_source *source = field_catalog_add_source(&r->catalog, "test");
	if (!source || !field_source_add_class(&r->catalog, source, &klass, &err))
		return false;
	r->rs =
	    (struct ruleset){.source = source, .config = &r->config, .slots = &r->slots};
	return true;
}

void
property_rules_release(struct property_rules *r)
{
	regex_list_free(r->regexes);
	slot_set_release(&r->slots);
	field_catalog_release(&r->catalog);
	arena_release(&r->arena);
	free(r->rule);
	free(r->text);
}

bool
property_rules_add(struct property_rules *r, const char *condition, struct err *err)
{
	struct compiler c = {
	    .arena = &r->arena,
	    .source = r->rs.source,
	    .slots = &r->slots,
	    .regexes = &r->regexes,
	    .use = SLOT_CONDITION,
	};
	struct rule *rule = arena_alloc(&r->arena, sizeof(*rule));
	const struct ast *ast;
	struct ast_pos pos;

	if (r->rs.n_rule == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->rule = reallocarray(r->rule, r->cap, sizeof(*r->rule));
		r->text = reallocarray(r->text, r->cap, sizeof(*r->text));
		if (!r->rule || !r->text)
			abort();
	}
	if (!rule)
		return err_nomem(err);
	if (!ast_parse(&r->arena, condition, strlen(condition), LIMIT_CONDITION_DEPTH,
		&ast, &pos, err) ||
	    !cond_compile(&c, ast, &rule->cond, err))
		return false;
	rule->name = "rule";
	r->text[r->rs.n_rule] = arena_strdup(&r->arena, condition);
	r->rule[r->rs.n_rule++] = rule;
	r->rs.rule = r->rule;
	return true;
}

void
property_rules_make(struct property_rules *r, struct property_source *s)
{
	struct err err;
	struct buf text;

	buf_init(&text, 1 << 20);
	/* A condition that does not compile (a type and an operator that do not go
	 * together, a value that is no number) is made anew a few times. */
	for (int i = 0; i < 6; i++) {
		buf_clear(&text);
		add_condition(&text, s, 0);
		if (property_rules_add(r, buf_str(&text), &err))
			break;
		r->n_refused++;
	}
	buf_release(&text);
}
