/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: choose a seed, have a round run, look at what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/fuzz/fuzz.h"
#include "worker/fuzz/mutate.h"

enum {
	ROUND = 1024,
	/* What a round may take, and what of that costs its seed as much as a round does.
	 */
	ROUND_MS = 500,
	COST_MS = 20,
	/* Between looks at what other jobs have found. */
	SYNC_ROUNDS = 32,
	/* Where each case waits for a source to be fed. */
	ROUND_FED = 32,
	/* A worker is replaced after that many cases, and with it what a plugin hoards.
	 */
	WORKER_CASES = 1 << 20,
	TELL_S = 2,
	/* Deaths in one round until it is given up, and what each costs its seed: a start
	 * of a worker takes as long as many rounds. */
	DEATHS_MAX = 4,
	DEATH_COST = 16,
	SETTLE_MS = 20,
};

static const uint64_t second_ns = 1000000000;

static uint32_t
below(struct fuzz_campaign *c, uint32_t n)
{
	struct fuzz_rng r = {c->rng};
	uint32_t v = fuzz_rng_below(&r, n);

	c->rng = r.state;
	return v;
}

static bool
is_over(const struct fuzz_campaign *c)
{
	const struct fuzz_options *o = c->options;

	return *c->stop || (o->stop_at_first && c->has_failed) ||
	       (o->runs && c->executions >= o->runs) ||
	       (o->time_s && clock_mono_ns() - c->started_ns >= o->time_s * second_ns);
}

/* Progress. */

void
fuzz_campaign_tally(const struct fuzz_campaign *c)
{
	const struct fuzz_tally t = {
	    .executions = c->executions,
	    .features = c->features,
	    .blocks_hit = c->worker.up->n_blocks_hit,
	    .blocks = c->worker.up->n_blocks,
	    .corpus = c->corpus.n,
	    .findings = c->n_findings,
	};

	fuzz_tally_say(&t);
}

static void
tell(struct fuzz_campaign *c, uint64_t executions)
{
	if (c->options->job) {
		fuzz_campaign_tally(c);
		c->told_ns = clock_mono_ns();
		return;
	}
	uint64_t now = clock_mono_ns();
	double since = (double)(now - c->told_ns) / 1e9;
	char last[64] = "nothing new yet", coverage[64];

	if (c->find_ns)
		snprintf(last, sizeof(last), "last new %llu s ago",
		    (unsigned long long)((now - c->find_ns) / second_ns));
	if (c->worker.up->n_blocks)
		snprintf(coverage, sizeof(coverage), "%u of %u blocks",
		    c->worker.up->n_blocks_hit, c->worker.up->n_blocks);
	else
		snprintf(
		    coverage, sizeof(coverage), "%llu", (unsigned long long)c->features);
	fprintf(stderr,
	    "fuzz %s: %llu s, %llu executions, %.0f/s, coverage %s, corpus %u, "
	    "findings %u, %s\n",
	    fuzz_target_name(c->subject->target),
	    (unsigned long long)((now - c->started_ns) / second_ns),
	    (unsigned long long)executions,
	    since > 0 ? (double)(executions - c->told_executions) / since : 0.0, coverage,
	    c->corpus.n, c->n_findings, last);
	c->told_ns = now;
	c->told_executions = executions;
}

/* What is refused over and over only costs time. */
static bool
is_old_news(struct fuzz_campaign *c, const struct fuzz_worker *w)
{
	struct fuzz_verdict v;

	for (uint32_t i = 0; i < w->n_incidents; i++) {
		fuzz_judge_incident(&v, &w->incident[i]);
		if (!fuzz_campaign_known(c, &v))
			return false;
	}
	return w->n_incidents > 0;
}

static bool
tick(void *arg, const struct fuzz_worker *w)
{
	struct fuzz_campaign *c = arg;
	const struct fuzz_options *o = c->options;
	uint64_t now = clock_mono_ns();

	if (now - c->told_ns >= TELL_S * second_ns)
		tell(c, c->executions + w->up->executions - w->executions);
	if (is_old_news(c, w))
		return false;
	return !*c->stop && !(o->time_s && now - c->started_ns >= o->time_s * second_ns);
}

/* What a round brought. */

struct harvest {
	struct fuzz_campaign *c;
	/* Breaches, kept until the loop over finds is over: looking at them takes time,
	 * and the worker's memory is not ours. */
	struct {
		uint8_t *bytes;
		uint32_t n;
		struct fuzz_verdict verdict;
	} breach[8];
	uint32_t n_breaches;
};

static void
take_find(void *arg, uint32_t kind, const uint8_t *bytes, uint32_t n, const char *message,
    uint32_t message_n)
{
	struct harvest *h = arg;
	struct fuzz_campaign *c = h->c;

	if (kind == FUZZ_FIND_COVERAGE) {
		if (fuzz_corpus_add(&c->corpus, bytes, n))
			c->find_ns = clock_mono_ns();
	} else if (kind == FUZZ_FIND_SEED) {
		fuzz_seeds_payload(&c->corpus, c->subject, bytes, n);
	} else if (kind == FUZZ_FIND_WORD) {
		fuzz_corpus_word(&c->corpus, bytes, n);
	} else if (kind == FUZZ_FIND_BREACH && h->n_breaches < 8) {
		uint8_t *copy = malloc(n + 1);
		if (!copy)
			return;
		memcpy(copy, bytes, n);
		h->breach[h->n_breaches].bytes = copy;
		h->breach[h->n_breaches].n = n;
		fuzz_judge_breach(
		    &h->breach[h->n_breaches++].verdict, message, message_n);
	}
}

static bool
take_finds(struct fuzz_campaign *c, struct err *err)
{
	static struct harvest h;
	bool ok = true;

	h.c = c;
	h.n_breaches = 0;
	fuzz_worker_finds(&c->worker, take_find, &h);
	c->features = c->worker.up->features;
	for (uint32_t i = 0; i < h.n_breaches; i++) {
		ok = ok && fuzz_campaign_found(c, &h.breach[i].verdict, h.breach[i].bytes,
			       h.breach[i].n, err);
		free(h.breach[i].bytes);
	}
	return ok;
}

/* The campaign's worker, alive and loaded. */
static bool
ready(struct fuzz_campaign *c, struct err *err)
{
	enum fuzz_end end;
	struct fuzz_verdict v;

	if (c->worker.loaded && c->worker.executions < WORKER_CASES)
		return true;
	if (!fuzz_worker_start(&c->worker, &end, err))
		return false;
	if (end == FUZZ_END_DONE)
		return true;
	if (end == FUZZ_END_STOPPED) {
		c->is_stopped = is_over(c);
		return err_set(err, ERR_GONE, "stopped");
	}
	fuzz_judge(&v, &c->worker, end);
	return err_set(
	    err, ERR_PLUGIN, "the plugin does not survive being loaded: %s", v.headline);
}

static void
put_round(struct fuzz_campaign *c, const struct fuzz_entry *seed, uint64_t round)
{
	struct fuzz_down *d = c->worker.down;
	const struct fuzz_entry *other = &c->corpus.entry[below(c, c->corpus.n)];

	d->round = round;
	d->verbatim = 0;
	/* A number of executions is a promise to do the same again. */
	d->round_ms = c->options->runs ? 0 : ROUND_MS;
	memcpy(d->rare, c->rare, sizeof(d->rare));
	d->max_bytes = c->options->max_bytes;
	d->seed_len = seed->n;
	memcpy(d->seed, seed->bytes, seed->n);
	d->other_len = other->n;
	memcpy(d->other, other->bytes, other->n);
	if (d->n_words != c->corpus.n_words)
		memcpy(d->word, c->corpus.word, sizeof(d->word));
	d->n_words = c->corpus.n_words;
}

static bool
run_part(struct fuzz_campaign *c, uint32_t first, uint32_t n, enum fuzz_end *ret_end,
    struct err *err)
{
	struct fuzz_worker *w = &c->worker;
	uint64_t before;

	if (!ready(c, err))
		return false;
	before = w->executions;
	w->down->first = first;
	w->down->n = n;
	if (!fuzz_worker_request(w, FUZZ_RUN, ret_end, err))
		return false;
	c->executions += w->executions - before;
	return true;
}

static bool
is_same_incident(const struct fuzz_incident *a, const struct fuzz_incident *b)
{
	struct fuzz_verdict v, w;

	fuzz_judge_incident(&v, a);
	fuzz_judge_incident(&w, b);
	return strcmp(v.key, w.key) == 0;
}

/*
 * Somewhere in cases first to first + n - 1 something was tried, or reported, and nobody
 * said in which. The round is done again in fresh workers, in halves, until one case is
 * left.
 */
static bool
search(struct fuzz_campaign *c, const struct fuzz_incident *wanted, uint32_t first,
    uint32_t n, struct err *err)
{
	static uint8_t bytes[CASE_BYTES];
	struct fuzz_worker *w = &c->worker;
	struct fuzz_verdict v;
	enum fuzz_end end;
	uint32_t len = 0;

	for (;;) {
		uint32_t half = n > 1 ? n / 2 : 1;
		bool seen = false;

		fuzz_worker_kill(w);
		if (!ready(c, err))
			return false;
		w->n_incidents = 0;
		if (!run_part(c, first, half, &end, err))
			return false;
		fuzz_worker_settle(w, SETTLE_MS);
		for (uint32_t i = 0; i < w->n_incidents; i++)
			seen |= is_same_incident(&w->incident[i], wanted);
		if (!take_finds(c, err))
			return false;
		if (n == 1) {
			len = seen ? fuzz_worker_case(w, bytes) : 0;
			break;
		}
		if (!seen)
			first += half;
		n = seen ? half : n - half;
	}
	w->n_incidents = 0;
	fuzz_judge_incident(&v, wanted);
	return fuzz_campaign_found(c, &v, bytes, len, err);
}

static bool
look_at_incidents(struct fuzz_campaign *c, uint32_t first, uint32_t n, struct err *err)
{
	struct fuzz_incident list[FUZZ_INCIDENTS];
	uint32_t n_list = c->worker.n_incidents;

	memcpy(list, c->worker.incident, sizeof(list));
	for (uint32_t i = 0; i < n_list; i++) {
		struct fuzz_verdict v;
		struct fuzz_finding *f;

		fuzz_judge_incident(&v, &list[i]);
		f = fuzz_campaign_known(c, &v);
		if (f)
			f->times++;
		else if (!search(c, &list[i], first, n, err))
			return false;
	}
	return true;
}

/* One seed, changed n - 1 times, through the deaths that this brings. */
static bool
run_round(struct fuzz_campaign *c, uint32_t seed, uint32_t n, struct err *err)
{
	static uint8_t bytes[CASE_BYTES];
	struct fuzz_worker *w = &c->worker;
	struct fuzz_rng r = {c->rng++};
	uint32_t first = 0, deaths = 0;

	put_round(c, &c->corpus.entry[seed], fuzz_rng_next(&r));
	c->corpus.entry[seed].tried++;
	const uint64_t started = clock_mono_ns();
	while (first < n && !is_over(c)) {
		enum fuzz_end end;
		struct fuzz_verdict v;
		uint32_t had = first;

		/* A start's denials are of no case. */
		if (!ready(c, err))
			return false;
		if (!w->executions)
			w->n_incidents = 0;
		if (!run_part(c, first, n - first, &end, err))
			return false;
		uint32_t at = w->up->case_number, len = fuzz_worker_case(w, bytes);
		if (end == FUZZ_END_STOPPED) {
			c->corpus.entry[seed].tried += DEATH_COST;
			break;
		}
		if (end != FUZZ_END_DONE)
			fuzz_judge(&v, w, end);
		if (!take_finds(c, err))
			return false;
		if (w->n_incidents > 0) {
			/* What is refused is slow, too. */
			c->corpus.entry[seed].tried += DEATH_COST;
			uint32_t upto = end == FUZZ_END_DONE ? n : at + 1;
			if (!look_at_incidents(c, had, upto > had ? upto - had : 1, err))
				return false;
		}
		if (end == FUZZ_END_DONE)
			break;
		c->executions++;
		c->past_n = fuzz_worker_past(w, c->past);
		bool ok = fuzz_campaign_found(c, &v, bytes, len, err);
		c->past_n = 0;
		if (!ok)
			return false;
		/* A seed that kills every time says nothing about its variations. */
		c->corpus.entry[seed].tried += DEATH_COST;
		if (at < first || at == 0 || ++deaths == DEATHS_MAX)
			break;
		first = at + 1;
	}
	if (!c->options->runs)
		c->corpus.entry[seed].tried +=
		    (uint32_t)((clock_mono_ns() - started) / (COST_MS * 1000000ull));
	return true;
}

/* The newer and the less tried of two. */
static uint32_t
choose(struct fuzz_campaign *c)
{
	uint32_t n = c->corpus.n, newest = n > 16 ? n - n / 4 : 0;
	uint32_t a = below(c, 2) ? newest + below(c, n - newest) : below(c, n);
	uint32_t b = below(c, n);

	return c->corpus.entry[b].tried < c->corpus.entry[a].tried ? b : a;
}

/* Events of the plugin's own source; that it does not open says nothing. */
static bool
harvest_source(struct fuzz_campaign *c, struct err *err)
{
	const struct fuzz_subject *s = c->subject;
	enum fuzz_end end = FUZZ_END_DONE;

	if (s->target > FUZZ_PARSE || !(s->plugin->caps & PLUGIN_CAP_SOURCING) ||
	    !*s->plugin->setting->open_params)
		return true;
	if (!ready(c, err) || !fuzz_worker_request(&c->worker, FUZZ_HARVEST, &end, err))
		return false;
	uint32_t had = c->corpus.n;
	if (!take_finds(c, err))
		return false;
	fprintf(stderr, "%u seeds from the plugin's own source\n", c->corpus.n - had);
	c->worker.n_incidents = 0;
	return true;
}

bool
fuzz_campaign_init(struct fuzz_campaign *c, const struct fuzz_options *o,
    struct fuzz_subject *s, volatile sig_atomic_t *stop, struct err *err)
{
	static char dir[FUZZ_PATH_BYTES];

	memset(c, 0, sizeof(*c));
	c->options = o;
	c->subject = s;
	c->stop = stop;
	c->rng = o->seed;
	fuzz_corpus_init(&c->corpus);
	fuzz_path(dir, "%s/corpus-%s", o->out, fuzz_target_name(s->target));
	c->corpus.dir = dir;
	c->started_ns = c->told_ns = clock_mono_ns();
	if (!fuzz_worker_init(&c->worker, s, err) ||
	    !fuzz_worker_init(&c->triage.worker, s, err))
		return false;
	/* The worker itself sees whether the plugin has coverage of its own. */
	if (o->engine == FUZZ_ENGINE_BUILTIN && !o->no_blocks &&
	    !fuzz_copy_init(&c->worker.copy, s, o->out, err))
		return false;
	c->worker.tick = tick;
	c->worker.tick_arg = c;
	/* Earlier runs' cases first: resuming goes on where they were. */
	return fuzz_make_dir(o->out, err) && fuzz_make_dir(dir, err) &&
	       fuzz_corpus_load(&c->corpus, err) &&
	       fuzz_seeds_gather(&c->corpus, s, o, err);
}

void
fuzz_campaign_release(struct fuzz_campaign *c)
{
	fuzz_worker_release(&c->worker);
	fuzz_worker_release(&c->triage.worker);
	for (uint32_t i = 0; i < c->n_findings; i++)
		free(c->finding[i].bytes);
	free(c->finding);
	fuzz_corpus_release(&c->corpus);
}

/* What the plugin says it wants, once it is initialised. */
static bool
add_types(struct fuzz_campaign *c, struct err *err)
{
	uint16_t type[FUZZ_TYPES];

	if (!ready(c, err))
		return false;
	uint32_t n = *(volatile uint32_t *)&c->worker.up->n_types;
	memcpy(type, c->worker.up->type, sizeof(type));
	fuzz_seeds_types(&c->corpus, c->subject, type, n < FUZZ_TYPES ? n : FUZZ_TYPES);
	return true;
}

/* Cases of other jobs, each tried once. */
static bool
take_others(struct fuzz_campaign *c, struct err *err)
{
	uint32_t had = c->corpus.n;

	if (!fuzz_corpus_load(&c->corpus, err))
		return false;
	for (uint32_t i = had; i < c->corpus.n && !is_over(c); i++)
		if (!run_round(c, i, 1, err))
			return false;
	return true;
}

static bool
run(struct fuzz_campaign *c, struct err *err)
{
	if (!harvest_source(c, err) || !add_types(c, err))
		return false;
	for (uint32_t i = 0; i < c->corpus.n && !is_over(c); i++)
		if (!run_round(c, i, 1, err))
			return false;
	if (c->worker.up->is_instrumented)
		fprintf(stderr, "the plugin is instrumented: coverage guides\n");
	else if (c->worker.up->n_blocks)
		fprintf(stderr,
		    "the plugin is not instrumented: %u blocks of it are watched\n",
		    c->worker.up->n_blocks);
	else
		fprintf(stderr,
		    "the plugin is not instrumented: no coverage guides, only what it "
		    "compares\n");
	c->told_ns = clock_mono_ns();
	c->told_executions = c->executions;
	for (uint32_t round = 0; !is_over(c); round++) {
		if (c->options->job && round % SYNC_ROUNDS == 0 && !take_others(c, err))
			return false;
		uint64_t n = c->subject->way > FUZZ_WAY_FILE ? ROUND_FED : ROUND;
		if (c->options->runs && c->options->runs - c->executions < n)
			n = c->options->runs - c->executions;
		if (!run_round(c, choose(c), (uint32_t)n, err))
			return false;
	}
	return true;
}

bool
fuzz_campaign_run(struct fuzz_campaign *c, struct err *err)
{
	/* Being stopped while a worker starts is no error. */
	bool ok = run(c, err);
	if (!ok && c->is_stopped) {
		err->msg[0] = '\0';
		ok = true;
	}

	tell(c, c->executions);
	return ok;
}
