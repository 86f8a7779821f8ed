/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf/conf.h"
#include "base/log.h"
#include "broker/app/single.h"
#include "broker/cmd/commands.h"
#include "broker/fuzz/fuzz.h"
#include "broker/supervisor/supervisor.h"

/* Of the run under way; steps have no other way to it. */
static struct fuzz_options opt;
static struct fuzz_record record; /* of --replay and --minimize */
static struct arena arena;
static volatile sig_atomic_t stop;

enum {
	ARENA_BYTES = 256 << 20
};

static void
on_stop(int number)
{
	stop = 1;
}

static enum fuzz_target
choose_target(const struct plugin *p)
{
	unsigned t = FUZZ_EXTRACT;

	while (t < FUZZ_TARGET_N && fuzz_target_lack(p, (enum fuzz_target)t))
		t++;
	return (enum fuzz_target)t;
}

static void
list_targets(const struct plugin *p)
{
	for (unsigned t = 0; t < FUZZ_TARGET_N; t++) {
		const char *lack = fuzz_target_lack(p, (enum fuzz_target)t);
		printf("%-8s %s%s%s\n", fuzz_target_name((enum fuzz_target)t),
		    lack ? "no: " : "", lack ? lack : "",
		    lack ? "" : fuzz_target_doc((enum fuzz_target)t));
	}
	if (fuzz_target_lack(p, FUZZ_SOURCE))
		return;
	/* What a source reads is for its open parameters to say. */
	printf(
	    "           --open-params '{file}': a file, as without parameters\n"
	    "           --open-params '{pipe}': a named pipe, written for each case\n"
	    "           --open-params 'http://HOST:PORT/PATH', or --post URL where they "
	    "say less:\n"
	    "             posted to a plugin that listens%s\n",
	    p->profile->n_listen ? "" : "; the profile must let it");
}

static const char *
default_out(const struct plugin *p)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "fuzz-");
	for (const char *s = p->setting->name; *s; s++)
		buf_addc(&b, *s == '/' ? '_' : *s);
	const char *out = arena_strdup(&arena, buf_str(&b));
	buf_release(&b);
	return out;
}

static void
print_verdict(const struct fuzz_verdict *v)
{
	if (v->kind == FINDING_NONE) {
		puts("nothing happened");
		return;
	}
	printf("%s: %s\n", finding_kind_name(v->kind), v->headline);
	for (uint32_t i = 0; i < v->n_frames; i++)
		printf("  %2u %s\n", i, v->frame[i]);
	if (v->allow_with[0])
		printf("  %s would allow it\n", v->allow_with);
	if (v->output[0])
		printf("%s", v->output);
}

static int
status_of(enum finding_kind k)
{
	return k != FINDING_NONE && opt.fail_on >> k & 1 ? FUZZ_EXIT_FOUND : 0;
}

static bool
replay(struct fuzz_subject *s, int *ret_status, struct err *err)
{
	static struct fuzz_campaign c;
	static uint8_t bytes[CASE_BYTES];
	struct fuzz_triage *t = &c.triage;
	struct fuzz_verdict v;
	uint32_t n;

	if (!fuzz_record_case(&record, s->plugin, bytes, &n, err) ||
	    !fuzz_worker_init(&t->worker, s, err))
		return false;
	bool ok = fuzz_try(t, bytes, n, true, &v, err);
	if (ok && opt.minimize && v.kind != FINDING_NONE) {
		struct fuzz_finding f = {
		    .verdict = v, .bytes = bytes, .n_found = n, .reproduced = true};
		ok = fuzz_minimize(t, bytes, &n, &f.verdict, err) &&
		     fuzz_make_dir(opt.out, err);
		f.n = n;
		snprintf(f.id, sizeof(f.id), "%s",
		    *record.id ? record.id : finding_kind_name(v.kind));
		ok = ok && fuzz_record_write(opt.out, s, &f, err);
		if (ok)
			printf("%u bytes became %u: %s/findings/%s\n", f.n_found, f.n,
			    opt.out, f.id);
	}
	if (ok) {
		print_verdict(&v);
		*ret_status = status_of(v.kind);
	}
	fuzz_worker_release(&t->worker);
	return ok;
}

static void
summary(const struct fuzz_campaign *c, int *ret_status)
{
	for (uint32_t i = 0; i < c->n_findings; i++) {
		const struct fuzz_finding *f = &c->finding[i];
		printf("%s\t%llu\t%s/findings/%s\t%s\n",
		    finding_kind_name(f->verdict.kind), (unsigned long long)f->times,
		    opt.out, f->id, f->verdict.headline);
		if (status_of(f->verdict.kind))
			*ret_status = FUZZ_EXIT_FOUND;
	}
	if (opt.job) {
		fuzz_campaign_tally(c);
		return;
	}
	if (c->worker.up->n_blocks)
		printf("coverage: %u of %u blocks\n", c->worker.up->n_blocks_hit,
		    c->worker.up->n_blocks);
	printf("%llu executions, %u findings, %u cases in the corpus\n",
	    (unsigned long long)c->executions, c->n_findings, c->corpus.n);
}

static bool
campaign(struct fuzz_subject *s, int *ret_status, struct err *err)
{
	static struct fuzz_campaign c;
	bool ok = fuzz_campaign_init(&c, &opt, s, &stop, err) &&
		  (opt.engine == FUZZ_ENGINE_AFL ? fuzz_afl_run(&c, err)
						 : fuzz_campaign_run(&c, err));

	/* What was found before something went wrong counts all the same. */
	if (ok || c.n_findings > 0)
		summary(&c, ret_status);
	fuzz_campaign_release(&c);
	return ok;
}

/* What the plugin says of itself is told by a worker that loads instrumented ones too. */
static enum step_rc
step_for_instrumented(struct app *app, struct err *err)
{
	static char path[FUZZ_PATH_BYTES];

	bool sanitized = fuzz_is_sanitized(app->settings->plugin[0].library_path);

	if (!supervisor_program_path(
		sanitized ? "mews-asan-worker" : "mews-instrumented-worker", path,
		sizeof(path), err))
		return STEP_FAILED;
	if (sanitized)
		app->supervisor->memory_bytes = FUZZ_SHADOW_BYTES;
	app->supervisor->worker_path = path;
	return STEP_NEXT;
}

static enum step_rc
step_fuzz(struct app *app, struct err *err)
{
	const struct plugin *p = &app->plugins.plugin[0];
	enum fuzz_target target = opt.target;
	char scratch_name[] = "/tmp/mews-fuzz.XXXXXX", *scratch = NULL;
	struct fuzz_subject s;
	int status = 0;
	bool ok;

	/* It has told what there is to tell. */
	worker_free(p->worker);
	app->plugins.plugin[0].worker = NULL;
	if (opt.list_targets) {
		list_targets(p);
		return STEP_END;
	}
	if (record.root)
		target = record.target;
	else if (!opt.target_given)
		target = choose_target(p);
	const char *lack = fuzz_target_lack(p, target);
	if (lack) {
		err_set(err, ERR_USAGE, "plugin '%s' has no target '%s': %s", p->name,
		    fuzz_target_name(target), lack);
		return STEP_FAILED;
	}
	/* The source target's file lies there; a replay leaves nothing behind. */
	if (!opt.out && opt.replay)
		opt.out = scratch = mkdtemp(scratch_name);
	else if (!opt.out)
		opt.out = default_out(p);
	if (!opt.out) {
		err_sys(err, "no folder to work in");
		return STEP_FAILED;
	}
	if (!fuzz_make_dir(opt.out, err))
		return STEP_FAILED;
	ok = fuzz_subject_init(&s, app, &opt, target, err);
	if (ok && opt.afl_target)
		status = fuzz_afl_target(&s);
	else if (ok && record.root)
		ok = replay(&s, &status, err);
	else if (ok && opt.jobs > 1 && !opt.job)
		ok = fuzz_jobs_run(&opt, &stop, &status, err);
	else if (ok)
		ok = campaign(&s, &status, err);
	fuzz_subject_release(&s);
	if (scratch)
		rmdir(scratch);
	app->exit_status = status;
	if (!ok)
		return STEP_FAILED;
	/* A failed step without words, for the status alone. */
	return status ? STEP_FAILED : STEP_END;
}

static bool
read_record(struct err *err)
{
	const char *path = opt.replay ? opt.replay : opt.minimize;

	if (!path)
		return true;
	if (!fuzz_record_read(&record, &arena, path, err))
		return false;
	if (!opt.plugin)
		opt.plugin = record.library_path;
	if (!opt.init_config)
		opt.init_config = record.config;
	if (!opt.open_params)
		opt.open_params = record.params;
	if (!opt.post)
		opt.post = record.post;
	return true;
}

int
cmd_fuzz(int argc, char **argv)
{
	app_step_fn *const steps[] = {
	    step_start_workers, step_for_instrumented, step_load_plugins, step_fuzz};
	struct sigaction on = {.sa_handler = on_stop};
	struct options options = {0};
	struct own_options own = {0};
	struct app app = {.options = &options};
	struct err err;
	int status = 1;

	arena_init(&arena, ARENA_BYTES);
	opt.argv = argv;
	opt.argc = argc;
	sigaction(SIGINT, &on, NULL);
	sigaction(SIGTERM, &on, NULL);
	bool ok = fuzz_options_take(&opt, &arena, argc, argv, &err) && read_record(&err);
	if (ok && (opt.help || !opt.plugin)) {
		fuzz_usage(opt.help ? stdout : stderr);
		arena_release(&arena);
		return opt.help ? 0 : 1;
	}
	own.init_config = opt.init_config;
	own.open_params = opt.open_params;
	own.sandbox = opt.sandbox;
	if (ok && single_settings(&app, &own, &opt.plugin, 1, &err)) {
		log_configure(&app.settings->log);
		status = app_run_steps(&app, steps, sizeof(steps) / sizeof(*steps));
	} else {
		fprintf(stderr, "Error: %s\n", err.msg);
		settings_free(app.settings);
	}
	arena_release(&arena);
	return status;
}
