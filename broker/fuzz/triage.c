/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/fuzz/fuzz.h"

enum {
	/* Tries of minimising; a hang costs its whole deadline each time. */
	TRIES = 400,
	TRIES_OF_HANGS = 12,
	/* The launcher tells of a denial a moment after it. */
	SETTLE_MS = 20,
};

static void
take_breach(void *arg, uint32_t kind, const uint8_t *bytes, uint32_t n,
    const char *message, uint32_t message_n)
{
	struct fuzz_verdict *v = arg;

	if (kind == FUZZ_FIND_BREACH && v->kind == FINDING_NONE)
		fuzz_judge_breach(v, message, message_n);
}

bool
fuzz_try(struct fuzz_triage *t, const uint8_t *bytes, uint32_t n, bool fresh,
    struct fuzz_verdict *ret_verdict, struct err *err)
{
	struct fuzz_worker *w = &t->worker;
	struct fuzz_verdict *v = ret_verdict;
	enum fuzz_end end = FUZZ_END_DONE;

	if ((fresh || !w->loaded) && !fuzz_worker_start(w, &end, err))
		return false;
	memset(v, 0, sizeof(*v));
	v->kind = FINDING_NONE;
	if (end == FUZZ_END_DONE) {
		struct fuzz_down *d = w->down;
		/* Denials of the start belong to no case. */
		w->n_incidents = 0;
		w->up->n_breaches = 0;
		w->up->trap.kind = FUZZ_TRAP_NONE;
		d->first = 0;
		d->n = d->verbatim = 1;
		d->seed_len = n < CASE_BYTES ? n : CASE_BYTES;
		memcpy(d->seed, bytes, d->seed_len);
		if (!fuzz_worker_request(w, FUZZ_RUN, &end, err))
			return false;
		if (!t->quick)
			fuzz_worker_settle(w, SETTLE_MS);
	}
	if (end != FUZZ_END_DONE) {
		fuzz_judge(v, w, end);
		return true;
	}
	fuzz_worker_finds(w, take_breach, v);
	/* A sanitizer's report comes before what its library tries in order to make one.
	 */
	for (uint32_t i = 0; i < w->n_incidents; i++)
		if (v->kind == FINDING_NONE ||
		    (v->kind == FINDING_DENIAL &&
			w->incident[i].kind == FINDING_SANITIZER))
			fuzz_judge_incident(v, &w->incident[i]);
	return true;
}

struct minimizing {
	struct fuzz_triage *triage;
	const struct fuzz_verdict *wanted;
	uint8_t *best;
	uint32_t n;
	unsigned tries_left;
	bool fresh; /* each try in a process of its own */
	uint8_t candidate[CASE_BYTES];
};

/* The candidate of n bytes becomes the best, when it does the same. */
static bool
accept(struct minimizing *m, uint32_t n, bool *ret_same, struct err *err)
{
	struct fuzz_verdict v;

	*ret_same = false;
	if (m->tries_left == 0)
		return true;
	m->tries_left--;
	if (!fuzz_try(m->triage, m->candidate, n, m->fresh, &v, err))
		return false;
	*ret_same = v.kind == m->wanted->kind && strcmp(v.key, m->wanted->key) == 0;
	if (*ret_same) {
		memcpy(m->best, m->candidate, n);
		m->n = n;
	}
	return true;
}

/* The best with part i in other words, or (NULL) without it. */
static uint32_t
rewrite(struct minimizing *m, uint32_t i, const struct case_part *with)
{
	struct case_part part[CASE_PARTS_MAX];
	uint32_t n = case_parts(m->best, m->n, part), len = 0;

	for (uint32_t k = 0; k < n; k++) {
		if (k != i)
			case_add(m->candidate, &len, CASE_BYTES, &part[k]);
		else if (with)
			case_add(m->candidate, &len, CASE_BYTES, with);
	}
	return len;
}

static uint32_t
count_parts(const struct minimizing *m)
{
	struct case_part part[CASE_PARTS_MAX];

	return case_parts(m->best, m->n, part);
}

static bool
drop_parts(struct minimizing *m, struct err *err)
{
	bool same;

	for (uint32_t i = count_parts(m); i-- > 0 && m->tries_left;)
		if (count_parts(m) > 1 && !accept(m, rewrite(m, i, NULL), &same, err))
			return false;
	return true;
}

/* Bytes taken out of part i, ever smaller pieces of them. */
static bool
shorten_part(struct minimizing *m, uint32_t i, struct err *err)
{
	static uint8_t bytes[CASE_BYTES];
	struct case_part part[CASE_PARTS_MAX];
	bool same;

	case_parts(m->best, m->n, part);
	for (uint32_t step = part[i].len; step > 0 && m->tries_left; step /= 2) {
		for (uint32_t at = 0; at < part[i].len && m->tries_left;) {
			struct case_part p = part[i];
			uint32_t cut = step < p.len - at ? step : p.len - at;
			memcpy(bytes, p.bytes, at);
			memcpy(bytes + at, p.bytes + at + cut, p.len - at - cut);
			p.bytes = bytes;
			p.len -= cut;
			if (!accept(m, rewrite(m, i, &p), &same, err))
				return false;
			if (!same)
				at += step;
			case_parts(m->best, m->n, part);
		}
	}
	return true;
}

static bool
make_smaller(struct minimizing *m, struct err *err)
{
	uint32_t before;

	do {
		before = m->n;
		if (!drop_parts(m, err))
			return false;
		for (uint32_t i = 0; i < count_parts(m); i++)
			if (!shorten_part(m, i, err))
				return false;
	} while (m->n < before && m->tries_left > 0);
	return true;
}

bool
fuzz_minimize(struct fuzz_triage *t, uint8_t *bytes, uint32_t *n,
    struct fuzz_verdict *verdict, struct err *err)
{
	static struct minimizing m;
	static uint8_t original[CASE_BYTES];
	struct fuzz_verdict last;
	/* A denial is told once per kind and process. */
	bool fresh =
	    verdict->kind == FINDING_DENIAL || verdict->kind == FINDING_SANITIZER;

	memcpy(original, bytes, *n);
	for (;;) {
		m.triage = t;
		m.wanted = verdict;
		m.best = bytes;
		m.n = *n;
		m.tries_left = verdict->kind == FINDING_HANG ? TRIES_OF_HANGS : TRIES;
		m.fresh = fresh;
		/* Reports tell of the case as it then is. */
		if (!make_smaller(&m, err) || !fuzz_try(t, bytes, m.n, true, &last, err))
			return false;
		bool same =
		    last.kind == verdict->kind && strcmp(last.key, verdict->key) == 0;
		if (same) {
			*verdict = last;
			*n = m.n;
		}
		if (same || fresh)
			break;
		/* One try had left something behind for the next: again, without that. */
		memcpy(bytes, original, *n);
		fresh = true;
	}
	if (m.n != *n)
		memcpy(bytes, original, *n);
	return true;
}
