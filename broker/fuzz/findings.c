/* SPDX-License-Identifier: Apache-2.0 */
/* What a campaign has found: looked at again, made small, written, counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "broker/fuzz/fuzz.h"

#define SECOND_NS 1000000000ull

enum {
	FINDINGS_MAX = 1000,
	/* Deaths by one field, until it is asked for less. */
	RARE_FROM = 3,
};

struct fuzz_finding *
fuzz_campaign_known(struct fuzz_campaign *c, const struct fuzz_verdict *v)
{
	for (uint32_t i = 0; i < c->n_findings; i++)
		if (strcmp(c->finding[i].verdict.key, v->key) == 0)
			return &c->finding[i];
	return NULL;
}

static struct fuzz_finding *
new_finding(struct fuzz_campaign *c)
{
	if (c->n_findings == c->cap_findings) {
		uint32_t cap = c->cap_findings ? 2 * c->cap_findings : 16;
		struct fuzz_finding *f = reallocarray(c->finding, cap, sizeof(*f));
		if (!f || c->n_findings >= FINDINGS_MAX)
			return NULL;
		c->finding = f;
		c->cap_findings = cap;
	}
	memset(&c->finding[c->n_findings], 0, sizeof(*c->finding));
	return &c->finding[c->n_findings];
}

static void
name_finding(struct fuzz_finding *f)
{
	struct sha256 s;
	char hex[65];

	sha256_init(&s);
	sha256_add(&s, f->verdict.key, strlen(f->verdict.key));
	sha256_hex(&s, hex);
	snprintf(
	    f->id, sizeof(f->id), "%s-%.10s", finding_kind_name(f->verdict.kind), hex);
}

/* Once more; when it comes too often and one field is to blame, that field is spared. */
static void
count(struct fuzz_campaign *c, struct fuzz_finding *f)
{
	struct case_part part[CASE_PARTS_MAX];
	uint32_t n = case_parts(f->bytes, f->n, part), id = FUZZ_RARE_FIELDS;

	if (++f->times != RARE_FROM || f->verdict.kind == FINDING_BREACH)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (part[i].kind != PART_FIELD)
			continue;
		if (id != FUZZ_RARE_FIELDS)
			return;
		id = part[i].id %
		     (c->subject->plugin->n_field ? c->subject->plugin->n_field : 1);
	}
	if (id < FUZZ_RARE_FIELDS)
		c->rare[id / 8] |= (uint8_t)(1u << id % 8);
}

bool
fuzz_campaign_found(struct fuzz_campaign *c, const struct fuzz_verdict *v,
    const uint8_t *bytes, uint32_t n, struct err *err)
{
	static uint8_t small[CASE_BYTES];
	struct fuzz_finding *f = fuzz_campaign_known(c, v);
	struct fuzz_verdict again;

	if (f) {
		count(c, f);
		return true;
	}
	memcpy(small, bytes, n);
	uint32_t small_n = n;
	if (!fuzz_try(&c->triage, bytes, n, true, &again, err))
		return false;
	if (again.kind == FINDING_NONE && c->past_n > 0) {
		/* Alone it does nothing: what came before may be a part of it. */
		memcpy(small, c->past, c->past_n);
		small_n = c->past_n;
		if (!fuzz_try(&c->triage, small, small_n, true, &again, err))
			return false;
		if (again.kind == FINDING_NONE) {
			memcpy(small, bytes, n);
			small_n = n;
		}
	}
	/* It may show as what it is by another stack. */
	bool reproduced = again.kind != FINDING_NONE;
	if (reproduced && (f = fuzz_campaign_known(c, &again))) {
		count(c, f);
		return true;
	}
	const struct fuzz_verdict *is = reproduced ? &again : v;
	if (reproduced && !fuzz_minimize(&c->triage, small, &small_n, &again, err))
		return false;
	f = new_finding(c);
	if (!f)
		return true;
	f->verdict = *is;
	f->bytes = malloc(small_n + 1);
	if (!f->bytes)
		return err_nomem(err);
	memcpy(f->bytes, small, small_n);
	f->n = small_n;
	f->n_found = n;
	f->executions = c->executions;
	f->seconds = (clock_mono_ns() - c->started_ns) / SECOND_NS;
	f->reproduced = reproduced;
	f->times = 1;
	name_finding(f);
	c->n_findings++;
	c->find_ns = clock_mono_ns();
	c->has_failed |= c->options->fail_on >> f->verdict.kind & 1;
	/* Another job was first: it has told, and written it. */
	if (c->options->job && fuzz_record_is_there(c->options->out, f))
		return true;
	fprintf(stderr, "FOUND %s %s%s\n", f->id, f->verdict.headline,
	    reproduced ? "" : " (not seen again alone)");
	return fuzz_record_write(c->options->out, c->subject, f, err);
}
