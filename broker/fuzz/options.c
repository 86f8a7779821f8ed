/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/fuzz/fuzz.h"
#include "broker/fuzz/option_table.h"

void
fuzz_usage(FILE *to)
{
	static const char *const row[][3] = {
#define ROW(name, arg, help) {name, arg, help},
	    FUZZ_OPTIONS(ROW)
#undef ROW
	};

	fputs(
	    "mews fuzz PLUGIN.so [OPTIONS]\n"
	    "mews fuzz --replay REPRODUCER.json [PLUGIN.so]\n\n"
	    "Looks for input that the plugin does not survive, guided by coverage where "
	    "it was\nbuilt for that, in the confinement that it has in production. "
	    "Ctrl-C "
	    "stops; the\nsame command goes on.\n\n",
	    to);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		fprintf(to, "  %-15s %-6s %s\n", row[i][0], row[i][1], row[i][2]);
	fputs("\nExit status: 0 nothing found, 1 an error, 3 found something of "
	      "--fail-on.\n\n"
	      "  mews fuzz libdummy.so --time 60\n"
	      "  mews fuzz libjson.so --seeds samples/ --rules rules.yaml --fail-on "
	      "crash\n",
	    to);
}

static bool
number(const char *name, const char *text, uint64_t max, uint64_t *ret, struct err *err)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || *ret > max)
		return err_set(err, ERR_USAGE, "%s takes a number up to %llu, not '%s'",
		    name, (unsigned long long)max, text);
	return true;
}

static bool
number32(const char *name, const char *text, uint32_t max, uint32_t *ret, struct err *err)
{
	uint64_t v;

	if (!number(name, text, max, &v, err))
		return false;
	if (v == 0)
		return err_set(err, ERR_USAGE, "%s is at least 1", name);
	*ret = (uint32_t)v;
	return true;
}

static bool
kinds(const char *text, uint32_t *ret_kinds, struct err *err)
{
	*ret_kinds = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		enum finding_kind k = finding_kind_find(text, n);
		if (k == FINDING_NONE && n > 0)
			return err_set(err, ERR_USAGE,
			    "--fail-on: no finding is a '%.*s'", (int)n, text);
		if (n > 0)
			*ret_kinds |= 1u << k;
		text += n + (text[n] == ',');
	}
	return true;
}

static bool
take(struct fuzz_options *o, const char *name, const char *v, struct err *err)
{
#define IS(text) (strcmp(name, text) == 0)
	if (IS("--target")) {
		o->target = fuzz_target_find(v);
		o->target_given = true;
		return o->target != FUZZ_TARGET_N ||
		       err_set(err, ERR_USAGE, "no target is called '%s'", v);
	}
	if (IS("--time"))
		return number(name, v, 1u << 30, &o->time_s, err);
	if (IS("--runs"))
		return number(name, v, 1ull << 60, &o->runs, err);
	if (IS("--seed"))
		return number(name, v, UINT64_MAX, &o->seed, err);
	if (IS("--hang-ms"))
		return number32(name, v, 3600000, &o->hang_ms, err);
	if (IS("--memory"))
		return number32(name, v, 1 << 20, &o->memory_mib, err);
	if (IS("--max-bytes"))
		return number32(name, v, LIMIT_EVENT_BYTES, &o->max_bytes, err);
	if (IS("--jobs"))
		return number32(name, v, FUZZ_JOBS, &o->jobs, err);
	if (IS("--fail-on"))
		return kinds(v, &o->fail_on, err);
	if (IS("--engine")) {
		o->engine = strcmp(v, "afl") == 0 ? FUZZ_ENGINE_AFL : FUZZ_ENGINE_BUILTIN;
		return strcmp(v, "afl") == 0 || strcmp(v, "builtin") == 0 ||
		       err_set(err, ERR_USAGE, "no engine is called '%s'", v);
	}
	if (IS("--coverage")) {
		o->no_blocks = strcmp(v, "none") == 0;
		return o->no_blocks || strcmp(v, "blocks") == 0 ||
		       err_set(err, ERR_USAGE,
			   "--coverage takes blocks or none, not '%s'", v);
	}
	if (IS("--out"))
		o->out = v;
	else if (IS("--init-config"))
		o->init_config = v;
	else if (IS("--open-params"))
		o->open_params = v;
	else if (IS("--post"))
		o->post = v;
	else if (IS("--sandbox"))
		o->sandbox = v;
	else if (IS("--seeds"))
		o->seeds[o->n_seeds++] = v;
	else if (IS("--rules"))
		o->rules[o->n_rules++] = v;
	else if (IS("--replay"))
		o->replay = v;
	else
		o->minimize = v;
#undef IS
	return true;
}

/* The row's name when arg is it or "name=…"; *ret_takes: it has a value. */
static const char *
find(const char *arg, bool *ret_takes)
{
	static const struct {
		const char *name, *arg;
	} row[] = {
#define ROW(name, arg, help) {name, arg},
	    FUZZ_OPTIONS(ROW)
#undef ROW
	};
	size_t n = strcspn(arg, "=");

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		if (strlen(row[i].name) == n && strncmp(row[i].name, arg, n) == 0) {
			*ret_takes = *row[i].arg != '\0';
			return row[i].name;
		}
	}
	return NULL;
}

bool
fuzz_options_take(
    struct fuzz_options *o, struct arena *arena, int argc, char **argv, struct err *err)
{
	o->seed = o->jobs = 1;
	o->hang_ms = 1000;
	o->memory_mib = 256;
	o->max_bytes = 4096;
	o->fail_on = (1u << FINDING_KIND_N) - 1;
	o->seeds = arena_array(arena, (size_t)argc + 1, sizeof(*o->seeds));
	o->rules = arena_array(arena, (size_t)argc + 1, sizeof(*o->rules));
	if (!o->seeds || !o->rules)
		return err_nomem(err);
	for (int i = 1; i < argc; i++) {
		bool takes = false;
		const char *name = find(argv[i], &takes), *eq = strchr(argv[i], '=');

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			o->help = true;
		} else if (strcmp(argv[i], "--afl-target") == 0) {
			o->afl_target = true;
		} else if (strcmp(argv[i], "--job") == 0 && i + 1 < argc) {
			if (!number32("--job", argv[++i], FUZZ_JOBS, &o->job, err))
				return false;
		} else if (!name && argv[i][0] == '-') {
			return err_set(err, ERR_USAGE, "no such option: %s", argv[i]);
		} else if (!name) {
			if (o->plugin)
				return err_set(err, ERR_USAGE, "one plugin at a time");
			o->plugin = argv[i];
		} else if (!takes) {
			if (strcmp(name, "--list-targets") == 0)
				o->list_targets = true;
			else
				o->stop_at_first = true;
		} else if (!eq && i + 1 >= argc) {
			return err_set(err, ERR_USAGE, "%s takes a value", name);
		} else if (!take(o, name, eq ? eq + 1 : argv[++i], err)) {
			return false;
		}
	}
	if (o->jobs > 1 && (o->engine == FUZZ_ENGINE_AFL || o->post))
		return err_set(err, ERR_USAGE,
		    "--jobs is for the built-in engine, and not with --post: jobs would "
		    "share its port");
	/* Each its share of the executions, and random numbers of its own. */
	if (o->job > 0) {
		o->seed += (o->job - 1) * 0x9e3779b97f4a7c15ull;
		o->runs = (o->runs + o->jobs - 1) / o->jobs;
	}
	return true;
}
