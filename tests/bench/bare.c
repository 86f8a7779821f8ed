/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bare.h"

#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "proto/plugin_api.h"
#include "worker/fields_json.h"

enum {
	MAX_FIELDS = 256,
};

struct symbols {
#define SYM(name, required, ret, params) ret(*name) params;
#include "proto/plugin_symbols.h"
#undef SYM
};

struct fields {
	struct plugin_extract_field field[MAX_FIELDS], work[MAX_FIELDS];
	uint32_t n;
};

static const char *
no_error(plugin_owner *owner)
{
	return "";
}

static void
no_log(plugin_owner *owner, const char *component, const char *msg, int32_t severity)
{
}

static bool
load(struct symbols *s, const char *library, struct err *err)
{
	void *dl = dlopen(library, RTLD_NOW);

	if (!dl)
		return err_set(err, ERR_PLUGIN, "%s", dlerror());
#define SYM(name, required, ret, params)                                                 \
	*(void **)&s->name = dlsym(dl, "plugin_" #name);                                 \
	if (required && !s->name)                                                        \
		return err_set(err, ERR_PLUGIN, "%s: no plugin_" #name, library);
#include "proto/plugin_symbols.h"
#undef SYM
	if (!s->open || !s->close || !s->next_batch || !s->get_fields ||
	    !s->extract_fields)
		return err_set(err, ERR_PLUGIN, "%s is no source with fields", library);
	return true;
}

static bool
in_name(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

/* Where rules name the field; the end of that. */
static const char *
named_in(const char *rules, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = rules; (at = strstr(at, name)); at += n) {
		if ((at == rules || !in_name(at[-1])) && !in_name(at[n]))
			return at + n;
	}
	return NULL;
}

/* Without an argument, or with the first one that is there: what counts is the work. */
static bool
choose_fields(struct fields *x, const struct symbols *s, const char *rules,
    struct arena *arena, struct err *err)
{
	Control__Field **field;
	size_t n;

	if (!fields_json_parse(s->get_fields(), s->get_name(), arena, &field, &n, err))
		return false;
	for (uint32_t i = 0; i < n && x->n < MAX_FIELDS; i++) {
		const char *after = named_in(rules, field[i]->name);
		if (!after || (field[i]->arg_required && *after != '['))
			continue;
		struct plugin_extract_field *f = &x->field[x->n++];
		*f = (struct plugin_extract_field){
		    .field_id = i,
		    .field = field[i]->name,
		    .ftype = field[i]->type,
		    .flist = field[i]->is_list,
		};
		if (*after != '[')
			continue;
		f->arg_present = 1;
		f->arg_key = arena_strndup(arena, after + 1, strcspn(after + 1, "]"));
		f->arg_index = strtoull(after + 1, NULL, 10);
		if (!field[i]->arg_key)
			f->arg_key = NULL;
	}
	return true;
}

static bool
pass(const struct symbols *s, plugin_state *state, const char *params, struct fields *x,
    uint64_t *ret_events, double *ret_seconds, double *ret_cpu, struct err *err)
{
	struct plugin_event **event;
	struct plugin_extract_input in = {
	    .get_owner_last_error = no_error, .num_fields = x->n, .fields = x->work};
	const char *source = s->get_event_source ? s->get_event_source() : "";
	struct timespec cpu0, cpu1;
	uint64_t events = 0;
	int32_t rc;
	uint32_t n;

	plugin_instance *h = s->open(state, params, &rc);
	if (rc != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN, "%s", s->get_last_error(state));
	uint64_t before = clock_mono_ns();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu0);
	do {
		n = 0;
		rc = s->next_batch(state, h, &n, &event);
		for (uint32_t i = 0; x->n > 0 && i < n; i++) {
			const struct plugin_event_input e = {
			    .evt = event[i], .evtnum = events + i + 1, .evtsrc = source};
			memcpy(x->work, x->field, x->n * sizeof(*x->work));
			s->extract_fields(state, &e, &in);
		}
		events += n;
	} while (rc == PLUGIN_SUCCESS || rc == PLUGIN_TIMEOUT);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu1);
	*ret_seconds = (double)(clock_mono_ns() - before) / 1e9;
	*ret_cpu = (double)(cpu1.tv_sec - cpu0.tv_sec) +
		   (double)(cpu1.tv_nsec - cpu0.tv_nsec) / 1e9;
	*ret_events = events;
	s->close(state, h);
	return rc == PLUGIN_EOF ||
	       err_set(err, ERR_PLUGIN, "%s", s->get_last_error(state));
}

static bool
run(const char *library, const char *config, const char *params, const char *rules,
    struct bare_result *r, struct err *err)
{
	static struct fields fields, none;
	const struct plugin_init_input in = {
	    .config = config, .get_owner_last_error = no_error, .log_fn = no_log};
	struct symbols s;
	struct arena arena;
	double seconds;
	int32_t rc;

	arena_init(&arena, 1u << 24);
	if (!load(&s, library, err) || !choose_fields(&fields, &s, rules, &arena, err))
		return false;
	plugin_state *state = s.init(&in, &rc);
	if (rc != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN, "%s: init failed", library);
	r->fields = fields.n;
	return pass(&s, state, params, &none, &r->events, &seconds, &r->next_cpu_seconds,
		   err) &&
	       pass(&s, state, params, &fields, &r->events, &r->seconds, &r->cpu_seconds,
		   err);
}

bool
bare_run(const char *library, const char *config, const char *params, const char *rules,
    struct bare_result *ret_result, struct err *err)
{
	struct {
		struct bare_result result;
		struct err err;
		bool ok;
	} answer = {0};
	int fd[2];

	if (pipe(fd) < 0)
		return err_sys(err, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		/* Plugins talk. */
		int null = open("/dev/null", O_WRONLY);
		if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(1);
		answer.ok =
		    run(library, config, params, rules, &answer.result, &answer.err);
		_exit(write(fd[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	close(fd[1]);
	bool whole = pid > 0 && read(fd[0], &answer, sizeof(answer)) == sizeof(answer);
	close(fd[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (!whole)
		return err_set(err, ERR_GONE, "the bare loop ended early");
	*ret_result = answer.result;
	*err = answer.err;
	return answer.ok;
}
