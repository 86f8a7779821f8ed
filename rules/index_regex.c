/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "rules/regex.h"

enum {
	SET_PATTERNS = 32, /* bigger sets make automata that outgrow their memory */
	REPAIRED_BYTES = 64 << 20,
};

static struct regex_set *
set_new(const struct index_key *key, uint32_t n)
{
	struct regex_set *set = regex_set_new();

	for (uint32_t i = 0; set && i < n; i++) {
		if (regex_set_add(set, key[i].s, key[i].len) != (int)i) {
			regex_set_free(set);
			set = NULL;
		}
	}
	if (set && !regex_set_compile(set)) {
		regex_set_free(set);
		set = NULL;
	}
	return set;
}

bool
index_regex_build(struct index_regex *ix, struct arena *arena,
    const struct index_key *key, uint32_t n, struct err *err)
{
	*ix = (struct index_regex){.key = key};
	buf_init(&ix->repaired, REPAIRED_BYTES);
	ix->set = arena_array(arena, (size_t)n + 1, sizeof(*ix->set));
	ix->found = arena_array(arena, SET_PATTERNS, sizeof(*ix->found));
	if (!ix->set || !ix->found)
		return err_nomem(err);
	for (uint32_t first = 0; first < n;) {
		uint32_t k = n - first < SET_PATTERNS ? n - first : SET_PATTERNS;
		struct regex_set *set;
		/* Too much together: fewer. */
		while (!(set = set_new(key + first, k)) && k > 1)
			k = (k + 1) / 2;
		ix->set[ix->n_set++] = (struct index_regex_set){set, first, k};
		first += k;
	}
	return true;
}

void
index_regex_release(struct index_regex *ix)
{
	for (uint32_t i = 0; i < ix->n_set; i++)
		regex_set_free(ix->set[i].set);
	buf_release(&ix->repaired);
}

static bool
is_ascii(const char *s, uint32_t len)
{
	uint64_t high = 0, w;

	for (; len >= 8; s += 8, len -= 8) {
		memcpy(&w, s, 8);
		high |= w;
	}
	for (; len; len--)
		high |= (uint64_t)(unsigned char)*s++;
	return !(high & 0x8080808080808080u);
}

void
index_regex_walk(struct index_regex *ix, const char *s, uint32_t len, index_hit_fn *hit,
    index_hit_fn *ask, void *arg)
{
	bool repairable = true;

	if (!is_ascii(s, len) && !utf8_valid(s, len)) {
		buf_clear(&ix->repaired);
		utf8_repair(&ix->repaired, s, len);
		repairable = !ix->repaired.failed;
		s = buf_str(&ix->repaired);
		len = (uint32_t)ix->repaired.len;
	}
	for (uint32_t i = 0; i < ix->n_set; i++) {
		const struct index_regex_set *g = &ix->set[i];
		const struct index_key *key = ix->key + g->first;
		int n = g->set && repairable
			    ? regex_set_match(g->set, s, len, ix->found, SET_PATTERNS)
			    : -1;
		for (int k = 0; k < n; k++)
			hit(arg, &key[ix->found[k]].post, 1);
		for (uint32_t k = 0; n < 0 && k < g->n; k++)
			ask(arg, &key[k].post, 1);
	}
}

/* Backslash and a letter, digit or nothing: more than we follow. */
static bool
is_strange_escape(const char *p, const char *end)
{
	return p + 1 >= end || (p[1] >= 'a' && p[1] <= 'z') ||
	       (p[1] >= 'A' && p[1] <= 'Z') || (p[1] >= '0' && p[1] <= '9') ||
	       p[1] & 0x80;
}

/* Behind a bracket expression that starts at p, or NULL. */
static const char *
skip_bracket(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '^')
		p++;
	if (p < end && *p == ']')
		p++;
	for (; p < end; p++) {
		if (*p == '\\') /* an escape here is more than we follow */
			return NULL;
		if (*p == '[' && p + 1 < end && p[1] == ':') {
			const char *close = memmem(p + 2, (size_t)(end - p - 2), ":]", 2);
			if (!close)
				return NULL;
			p = close + 1;
		} else if (*p == ']') {
			return p + 1;
		}
	}
	return NULL;
}

/* Behind a group that starts at p, or NULL. Nothing inside is looked at. */
static const char *
skip_group(const char *p, const char *end)
{
	uint32_t depth = 0;

	while (p && p < end) {
		if (*p == '\\') {
			p = is_strange_escape(p, end) ? NULL : p + 2;
		} else if (*p == '[') {
			p = skip_bracket(p, end);
		} else {
			depth += *p == '(';
			depth -= *p == ')';
			p++;
			if (!depth)
				return p;
		}
	}
	return NULL;
}

static const char *
skip_count(const char *p, const char *end)
{
	const char *close = memchr(p, '}', (size_t)(end - p));

	for (const char *c = p + 1; close && c < close; c++) {
		if ((*c < '0' || *c > '9') && *c != ',')
			return NULL;
	}
	return close && close > p + 1 ? close + 1 : NULL;
}

static bool
is_quantifier(char c)
{
	return c == '*' || c == '+' || c == '?' || c == '{';
}

uint32_t
index_regex_literal(const char *pattern, uint32_t n, const char **ret)
{
	const char *p = pattern, *end = pattern + n, *run = pattern;
	uint32_t best = 0;

	/* Any doubt ends in 0: then nothing is required. */
	while (p && p < end) {
		const char *atom_end = p + 1;
		bool literal = false;
		switch (*p) {
		case '|':
		case '*':
		case '+':
		case '?':
		case '{':
		case ')':
			return 0;
		case '\\': /* what it stands for is not in the pattern's bytes */
			if (is_strange_escape(p, end))
				return 0;
			atom_end = p + 2;
			break;
		case '[':
			atom_end = skip_bracket(p, end);
			break;
		case '(':
			atom_end = skip_group(p, end);
			break;
		case '.':
		case '^':
		case '$':
			break;
		default:
			literal = !(*p & 0x80) && *p != '\n';
			break;
		}
		if (!atom_end)
			return 0;
		bool counted = atom_end < end && is_quantifier(*atom_end);
		if (literal && !counted) {
			if ((uint32_t)(atom_end - run) > best) {
				best = (uint32_t)(atom_end - run);
				*ret = run;
			}
			p = atom_end;
			continue;
		}
		p = atom_end;
		while (p && p < end && is_quantifier(*p))
			p = *p == '{' ? skip_count(p, end) : p + 1;
		if (!p)
			return 0;
		run = p;
	}
	return p ? best : 0;
}
