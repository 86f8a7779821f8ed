/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of JSON that leave it JSON, mostly: by its tokens, without a tree. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "worker/fuzz/mutate.h"

enum {
	TOKENS = 512
};

/* A value or the key of a member, as it stands in the text. */
struct token {
	uint32_t at, n;
	bool is_key;
};

struct scan {
	const uint8_t *text;
	uint32_t n, at;
	struct token token[TOKENS];
	uint32_t n_tokens;
	uint32_t open[64]; /* tokens of arrays and objects that have not ended */
	uint32_t depth;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
ends_word(uint8_t c)
{
	return is_blank(c) || c == ',' || c == ':' || c == '}' || c == ']' || c == '"' ||
	       c == '{' || c == '[';
}

static void
scan_string(struct scan *s)
{
	uint32_t from = s->at++;

	while (s->at < s->n && s->text[s->at] != '"')
		s->at += s->text[s->at] == '\\' ? 2 : 1;
	s->at = s->at < s->n ? s->at + 1 : s->n;
	uint32_t next = s->at;
	while (next < s->n && is_blank(s->text[next]))
		next++;
	s->token[s->n_tokens++] =
	    (struct token){from, s->at - from, next < s->n && s->text[next] == ':'};
}

static void
scan_text(struct scan *s)
{
	while (s->at < s->n && s->n_tokens < TOKENS) {
		uint8_t c = s->text[s->at];
		if (c == '{' || c == '[') {
			s->token[s->n_tokens] = (struct token){s->at++, 0, false};
			if (s->depth < 64)
				s->open[s->depth] = s->n_tokens;
			s->depth++;
			s->n_tokens++;
		} else if (c == '}' || c == ']') {
			s->at++;
			if (s->depth > 0 && --s->depth < 64) {
				struct token *t = &s->token[s->open[s->depth]];
				t->n = s->at - t->at;
			}
		} else if (c == '"') {
			scan_string(s);
		} else if (c == ',' || c == ':' || is_blank(c)) {
			s->at++;
		} else {
			uint32_t from = s->at++;
			while (s->at < s->n && !ends_word(s->text[s->at]))
				s->at++;
			s->token[s->n_tokens++] =
			    (struct token){from, s->at - from, false};
		}
	}
	/* What never ended goes to the end. */
	while (s->depth > 0) {
		if (--s->depth < 64) {
			struct token *t = &s->token[s->open[s->depth]];
			t->n = s->n - t->at;
		}
	}
}

static const char *const values[] = {"null", "true", "false", "0", "-1", "1", "1e400",
    "18446744073709551616", "9223372036854775807", "-9223372036854775809", "0.1", "\"\"",
    "[]", "{}", "[[]]", "\"0\"", "[null]", "\"\\u0000\"", "\"\\ud800\"", "{\"\":null}",
    "1000000000"};

/* A member or element with its comma. */
static void
widen(const struct scan *s, const struct token *t, uint32_t *at, uint32_t *n)
{
	uint32_t from = t->at, to = t->at + t->n;

	if (t->is_key) {
		/* The value is the next token. */
		if (t + 1 < s->token + s->n_tokens)
			to = t[1].at + t[1].n;
	}
	while (to < s->n && is_blank(s->text[to]))
		to++;
	if (to < s->n && s->text[to] == ',') {
		to++;
	} else {
		while (from > 0 && is_blank(s->text[from - 1]))
			from--;
		if (from > 0 && s->text[from - 1] == ',')
			from--;
	}
	*at = from;
	*n = to - from;
}

static uint32_t
quote_word(const struct mutation *m, struct fuzz_rng *r, char to[FUZZ_WORD_BYTES + 3])
{
	const struct fuzz_word *w = &m->word[fuzz_rng_below(r, m->n_words)];
	uint32_t n = 0;

	to[n++] = '"';
	for (uint32_t i = 0; i < w->len; i++)
		if (w->bytes[i] >= 0x20 && w->bytes[i] != '"' && w->bytes[i] != '\\')
			to[n++] = (char)w->bytes[i];
	to[n++] = '"';
	return n;
}

static uint32_t
nest(struct fuzz_rng *r, uint8_t *text, uint32_t n, uint32_t cap, const struct token *t)
{
	static const char *const around[][2] = {
	    {"[", "]"}, {"{\"a\":", "}"}, {"\"", "\""}};
	uint32_t which = fuzz_rng_below(r, 3), times = 1;

	if (fuzz_rng_below(r, 4) == 0)
		times = 1u << fuzz_rng_below(r, 12);
	uint32_t first = (uint32_t)strlen(around[which][0]), at = t->at, end = at + t->n;
	for (; times > 0; times--) {
		if (n + first + 1 > cap)
			break;
		n = mutate_splice(text, n, cap, end, 0, around[which][1], 1);
		n = mutate_splice(text, n, cap, at, 0, around[which][0], first);
		end += first + 1;
	}
	return n;
}

uint32_t
mutate_json(
    const struct mutation *m, struct fuzz_rng *r, uint8_t *text, uint32_t n, uint32_t cap)
{
	struct scan s = {.text = text, .n = n};
	uint8_t copy[1024];
	char word[FUZZ_WORD_BYTES + 3];
	uint32_t at, len;

	while (s.at < n && is_blank(text[s.at]))
		s.at++;
	if (s.at == n || (text[s.at] != '{' && text[s.at] != '['))
		return n;
	scan_text(&s);
	const struct token *t = &s.token[fuzz_rng_below(r, s.n_tokens)];
	const struct token *other = &s.token[fuzz_rng_below(r, s.n_tokens)];
	switch (fuzz_rng_below(r, 7)) {
	case 0: { /* a value that is often forgotten */
		const char *v =
		    values[fuzz_rng_below(r, sizeof(values) / sizeof(*values))];
		return mutate_splice(text, n, cap, t->at, t->n, v, (uint32_t)strlen(v));
	}
	case 1: /* taken out */
		widen(&s, t, &at, &len);
		return mutate_splice(text, n, cap, at, len, NULL, 0);
	case 2: /* doubled */
		widen(&s, t, &at, &len);
		if (len > sizeof(copy))
			return n;
		memcpy(copy, text + at, len);
		return mutate_splice(text, n, cap, at, 0, copy, len);
	case 3: /* one in the place of the other */
		if (other->n > sizeof(copy))
			return n;
		memcpy(copy, text + other->at, other->n);
		return mutate_splice(text, n, cap, t->at, t->n, copy, other->n);
	case 4: /* a word of the plugin's */
		if (!m->n_words)
			return n;
		len = quote_word(m, r, word);
		return mutate_splice(text, n, cap, t->at, t->n, word, len);
	case 5:
		return nest(r, text, n, cap, t);
	default: { /* a new member */
		if (!m->n_words || text[t->at] != '{')
			return n;
		len = quote_word(m, r, word);
		const char *v =
		    values[fuzz_rng_below(r, sizeof(values) / sizeof(*values))];
		char member[FUZZ_WORD_BYTES + 40];
		int k = snprintf(member, sizeof(member), "%.*s:%s,", (int)len, word, v);
		return mutate_splice(text, n, cap, t->at + 1, 0, member, (uint32_t)k);
	}
	}
}
