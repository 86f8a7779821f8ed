/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/statistics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

struct statistics {
	const struct rule *const *rule; /* by definition order */
	uint32_t n_rule;
	uint64_t total, by_priority[PRIORITY_N];
	uint64_t by_rule[]; /* by index of the rule */
};

struct statistics *
statistics_new(const struct loader *loader, struct err *err)
{
	uint32_t n, n_index = 0;
	const struct rule *const *rule = loader_rules(loader, &n);
	struct statistics *s;

	for (uint32_t i = 0; i < n; i++) {
		if (rule[i]->index >= n_index)
			n_index = rule[i]->index + 1;
	}
	s = calloc(1, sizeof(*s) + n_index * sizeof(s->by_rule[0]));
	if (!s) {
		err_nomem(err);
		return NULL;
	}
	s->rule = rule;
	s->n_rule = n;
	return s;
}

void
statistics_free(struct statistics *s)
{
	free(s);
}

void
statistics_count(struct statistics *s, const struct rule *rule)
{
	s->total++;
	s->by_priority[rule->priority]++;
	s->by_rule[rule->index]++;
}

uint64_t
statistics_total(const struct statistics *s)
{
	return s->total;
}

uint64_t
statistics_of_rule(const struct statistics *s, const struct rule *rule)
{
	return s->by_rule[rule->index];
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
	for (uint32_t i = 0; i < s->n_rule; i++) {
		uint64_t n = s->by_rule[s->rule[i]->index];
		if (n)
			buf_addf(out, "   %s: %" PRIu64 "\n", s->rule[i]->name, n);
	}
}

void
statistics_print(const struct statistics *s)
{
	struct buf text;

	buf_init(&text, LIMIT_CONFIG_BYTES);
	statistics_text(s, &text);
	fwrite(buf_str(&text), 1, text.len, stdout);
	fflush(stdout);
	buf_release(&text);
}
