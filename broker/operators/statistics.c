/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/statistics.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "broker/http/prom.h"

enum {
	PRINT_WAIT_MS = 1000
};

struct statistics {
	uint64_t total, by_priority[PRIORITY_N];
	struct map by_name; /* of struct statistics_row */
	struct statistics_row **row;
	uint32_t n, cap;
};

struct statistics_index {
	struct statistics *of;
	struct statistics_row *row[]; /* by index of the rule */
};

struct statistics *
statistics_new(struct err *err)
{
	struct statistics *s = calloc(1, sizeof(*s));

	if (!s)
		err_nomem(err);
	else
		map_init(&s->by_name);
	return s;
}

void
statistics_free(struct statistics *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		free(s->row[i]->name);
		free(s->row[i]->labels);
		free(s->row[i]);
	}
	free(s->row);
	map_release(&s->by_name);
	free(s);
}

static char *
labels_of(const struct rule *rule)
{
	struct buf out, tag;

	buf_init(&out, LIMIT_TEXT_BYTES * 4);
	buf_init(&tag, LIMIT_TEXT_BYTES * 4);
	prom_label_u64(&out, "priority", rule->priority);
	prom_label(&out, "rule_name", rule->name);
	prom_label(&out, "source", rule->source);
	for (uint32_t i = 0; i < rule->n_tag; i++) {
		buf_clear(&tag);
		buf_addf(&tag, "tag_%s", rule->tag[i]);
		prom_label(&out, buf_str(&tag), "true");
	}
	buf_release(&tag);
	return buf_steal(&out);
}

static struct statistics_row *
row_of(struct statistics *s, const struct rule *rule)
{
	struct statistics_row *row = map_gets(&s->by_name, rule->name);

	if (row)
		return row;
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 64;
		struct statistics_row **more = reallocarray(s->row, cap, sizeof(*s->row));
		if (!more)
			return NULL;
		s->row = more;
		s->cap = cap;
	}
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->name = strdup(rule->name);
	if (!row->name || !map_puts(&s->by_name, row->name, row)) {
		free(row->name);
		free(row);
		return NULL;
	}
	return s->row[s->n++] = row;
}

/* The rows of the index in its order, then the rest as they were. */
static bool
sort_rows(struct statistics *s, struct statistics_row *const *first, uint32_t n_first)
{
	struct statistics_row **sorted = calloc(s->cap, sizeof(*sorted));
	uint32_t n = 0;
	struct map seen;
	bool ok = sorted != NULL;

	map_init(&seen);
	for (uint32_t i = 0; ok && i < n_first; i++) {
		if (!first[i] || map_gets(&seen, first[i]->name))
			continue;
		ok = map_puts(&seen, first[i]->name, first[i]);
		sorted[n++] = first[i];
	}
	for (uint32_t i = 0; ok && i < s->n; i++) {
		if (!map_gets(&seen, s->row[i]->name))
			sorted[n++] = s->row[i];
	}
	map_release(&seen);
	if (!ok) {
		free(sorted);
		return false;
	}
	free(s->row);
	s->row = sorted;
	return true;
}

struct statistics_index *
statistics_index_new(struct statistics *s, const struct loader *loader, struct err *err)
{
	uint32_t n, n_index = 0;
	const struct rule *const *rule = loader_rules(loader, &n);
	struct statistics_index *x;

	for (uint32_t i = 0; i < n; i++) {
		if (rule[i]->index >= n_index)
			n_index = rule[i]->index + 1;
	}
	x = calloc(1, sizeof(*x) + n_index * sizeof(x->row[0]));
	if (!x) {
		err_nomem(err);
		return NULL;
	}
	x->of = s;
	for (uint32_t i = 0; i < n; i++) {
		struct statistics_row *row = row_of(s, rule[i]);
		char *labels = labels_of(rule[i]);

		if (!row || !labels) {
			free(labels);
			free(x);
			err_nomem(err);
			return NULL;
		}
		free(row->labels);
		row->labels = labels;
		x->row[rule[i]->index] = row;
	}
	if (s->n > 0 && !sort_rows(s, x->row, n_index)) {
		free(x);
		err_nomem(err);
		return NULL;
	}
	return x;
}

void
statistics_index_free(struct statistics_index *x)
{
	free(x);
}

void
statistics_count(struct statistics_index *x, const struct rule *rule)
{
	x->of->total++;
	x->of->by_priority[rule->priority]++;
	x->row[rule->index]->n++;
}

uint64_t
statistics_total(const struct statistics *s)
{
	return s->total;
}

const struct statistics_row *const *
statistics_rows(const struct statistics *s, uint32_t *ret_n)
{
	*ret_n = s->n;
	return (const struct statistics_row *const *)s->row;
}

void
statistics_text(const struct statistics *s, struct buf *out)
{
	buf_addf(
	    out, "Events detected: %" PRIu64 "\nRule counts by severity:\n", s->total);
	for (int p = 0; p < PRIORITY_N; p++) {
		if (s->by_priority[p])
			buf_addf(out, "   %s: %" PRIu64 "\n",
			    priority_short_name((enum priority)p), s->by_priority[p]);
	}
	buf_adds(out, "Triggered rules by rule name:\n");
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->row[i]->n)
			buf_addf(
			    out, "   %s: %" PRIu64 "\n", s->row[i]->name, s->row[i]->n);
	}
}

/* Whoever should read it may have stopped long ago: this is the end of the program. */
static void
print_bounded(const char *p, size_t n)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	/* A pipe that is ready takes so much without blocking. */
	while (n > 0 && poll(&out, 1, PRINT_WAIT_MS) > 0) {
		ssize_t k = write(STDOUT_FILENO, p, n < PIPE_BUF ? n : PIPE_BUF);
		if (k < 0)
			return;
		p += k;
		n -= (size_t)k;
	}
}

void
statistics_print(const struct statistics *s)
{
	struct buf text;

	buf_init(&text, LIMIT_CONFIG_BYTES);
	statistics_text(s, &text);
	fflush(stdout);
	print_bounded(buf_str(&text), text.len);
	buf_release(&text);
}
