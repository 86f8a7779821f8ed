/* SPDX-License-Identifier: Apache-2.0 */
/* "mews top": pipelines and workers of a running broker, renewed every second, readable
 * at 80 columns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf/load.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "broker/cmd/commands.h"
#include "broker/operators/ctl_client.h"

static const char usage[] = "mews top [--socket PATH | -c falco.yaml] [--once]\n"
			    "\n"
			    "Pipelines and workers of a running broker, renewed every "
			    "second until interrupted.\n"
			    "\n"
			    "  mews top\n"
			    "  mews top -c falco.yaml --once\n";

enum {
	ROWS = 256
};

/* What was counted at the last look, to tell rates. */
struct row_before {
	char key[128];
	uint64_t events, cpu_ms;
};

struct top {
	struct ctl_connection c;
	struct arena arena; /* of the answers at hand */
	struct row_before before[ROWS];
	uint32_t n;
	uint64_t at_ns, elapsed_ns; /* of the last look, and since the one before */
	struct buf screen;
};

static struct conf_node *
ask(struct top *t, const char *command, struct err *err)
{
	struct conf_node *root;
	const char *line;
	char *copy;

	if (!ctl_ask(&t->c, command, "", &line, err))
		return NULL;
	copy = arena_strdup(&t->arena, line);
	if (!copy) {
		err_nomem(err);
		return NULL;
	}
	return conf_load(&t->arena, copy, strlen(copy), "answer", false, &root, err)
		   ? root
		   : NULL;
}

/* The counters of a row at the last look; new ones are as they are now. */
static struct row_before *
before_of(struct top *t, const char *a, const char *b, uint64_t events, uint64_t cpu_ms)
{
	struct row_before *r;
	char key[128];

	snprintf(key, sizeof(key), "%.60s/%.60s", a, b);
	for (uint32_t i = 0; i < t->n; i++) {
		if (strcmp(t->before[i].key, key) == 0)
			return &t->before[i];
	}
	r = &t->before[t->n < ROWS ? t->n++ : ROWS - 1];
	snprintf(r->key, sizeof(r->key), "%s", key);
	r->events = events;
	r->cpu_ms = cpu_ms;
	return r;
}

static double
rate(const struct top *t, uint64_t now, uint64_t before)
{
	if (t->elapsed_ns == 0 || now < before)
		return 0;
	return (double)(now - before) * 1e9 / (double)t->elapsed_ns;
}

/* 12345678 as "12.3M": at most five columns. */
static const char *
short_number(char *out, size_t size, double n)
{
	static const char unit[] = " kMGTP";
	size_t i = 0;

	while (n >= 9999.5 && unit[i + 1]) {
		n /= 1000;
		i++;
	}
	snprintf(out, size, "%.0f%.*s", n, i > 0, &unit[i]);
	return out;
}

/* Names are configured, states are ours; all the same nothing reaches a terminal raw. */
static const char *
cell(char *out, size_t size, const char *text)
{
	struct buf b;

	buf_init(&b, 4096);
	utf8_escape(&b, text, strlen(text), 256);
	snprintf(out, size, "%s", buf_str(&b));
	buf_release(&b);
	return out;
}

static void
draw_pipeline(struct top *t, const struct conf_node *p)
{
	uint64_t events = conf_uint(p, "events", 0);
	const char *source = conf_text(p, "source", "");
	struct row_before *r = before_of(t, "pipeline", source, events, 0);
	char name[25], a[32], b[32], c[32], done[32] = "";

	if (conf_get(p, "progress_percent"))
		snprintf(done, sizeof(done), "%" PRIu64 "%%",
		    conf_uint(p, "progress_percent", 0));
	buf_addf(&t->screen, "%-24s %-6s %9s %9s %9s %7" PRIu64 " %5s%s\n",
	    cell(name, sizeof(name), source), conf_bool(p, "ready", false) ? "yes" : "NO",
	    short_number(a, sizeof(a), rate(t, events, r->events)),
	    short_number(b, sizeof(b), (double)events),
	    short_number(c, sizeof(c), (double)conf_uint(p, "matches", 0)),
	    conf_uint(p, "rules", 0), done,
	    conf_bool(p, "rules_pending", false) ? " +new" : "");
	r->events = events;
}

static void
draw_worker(struct top *t, const struct conf_node *w)
{
	uint64_t cpu = conf_uint(w, "cpu_ms", 0), launches = conf_uint(w, "launches", 1);
	const char *plugin = conf_text(w, "plugin", ""),
		   *source = conf_text(w, "source", "");
	struct row_before *r = before_of(t, plugin, source, 0, cpu);
	char a[17], b[15], c[13], rss[32];

	buf_addf(&t->screen,
	    "%-16s %-14s %-12s %7" PRIu64 " %4.0f %5s %4" PRIu64 " %5" PRIu64 " %5" PRIu64
	    "\n",
	    cell(a, sizeof(a), plugin), cell(b, sizeof(b), source),
	    cell(c, sizeof(c), conf_text(w, "state", "")), conf_uint(w, "pid", 0),
	    rate(t, cpu, r->cpu_ms) / 10,
	    short_number(rss, sizeof(rss), (double)conf_uint(w, "rss_bytes", 0)),
	    launches > 0 ? launches - 1 : 0, conf_uint(w, "extract_p99_us", 0) / 1000,
	    conf_uint(w, "denials", 0));
	r->cpu_ms = cpu;
}

static void
draw_list(struct top *t, const struct conf_node *list,
    void (*draw)(struct top *, const struct conf_node *))
{
	for (size_t i = 0; list && list->kind == CONF_SEQ && i < list->n; i++)
		draw(t, list->child[i]);
}

static bool
look(struct top *t, struct err *err)
{
	const struct conf_node *status, *plugins;
	uint64_t now = clock_mono_ns();

	t->elapsed_ns = t->at_ns ? now - t->at_ns : 0;
	t->at_ns = now;
	arena_reset(&t->arena);
	status = ask(t, "status", err);
	plugins = status ? ask(t, "plugins", err) : NULL;
	if (!plugins)
		return false;
	buf_clear(&t->screen);
	buf_addf(&t->screen,
	    "mews %s  pid %" PRIu64 "  up %" PRIu64 " s  alerts %" PRIu64
	    "  dropped %" PRIu64 "  failed %" PRIu64 "  reloads %" PRIu64 "%s\n\n",
	    conf_text(status, "version", ""), conf_uint(status, "pid", 0),
	    conf_uint(status, "uptime_s", 0), conf_uint(status, "alerts", 0),
	    conf_uint(status, "outputs.dropped", 0),
	    conf_uint(status, "outputs.failed", 0),
	    conf_uint(status, "reloads.number", 0),
	    conf_bool(status, "reloads.last_succeeded", true) ? "" : " (last FAILED)");
	buf_addf(&t->screen, "%-24s %-6s %9s %9s %9s %7s %5s\n", "SOURCE", "READY",
	    "EVENTS/s", "EVENTS", "ALERTS", "RULES", "READ");
	draw_list(t, conf_get(status, "pipelines"), draw_pipeline);
	buf_addf(&t->screen, "\n%-16s %-14s %-12s %7s %4s %5s %4s %5s %5s\n", "PLUGIN",
	    "SOURCE", "STATE", "PID", "CPU%", "RSS", "RST", "P99ms", "DENY");
	draw_list(t, conf_get(plugins, "workers"), draw_worker);
	return true;
}

int
cmd_top(int argc, char **argv)
{
	struct ctl_client_options o;
	struct top *t = calloc(1, sizeof(*t));
	struct err err;
	bool live, done;

	if (!t || !ctl_client_options_take(&o, argc, argv, &err) || o.n_word > 0 ||
	    o.help) {
		fputs(usage, stdout);
		free(t);
		return !(t && o.help);
	}
	live = !o.once && isatty(STDOUT_FILENO);
	arena_init(&t->arena, LIMIT_CONFIG_MEMORY);
	buf_init(&t->screen, 1 << 20);
	done = ctl_connect(&t->c, &o, &err);
	while (done && (done = look(t, &err))) {
		/* From the top, the rest of the old picture cleared away. */
		printf("%s%s%s", live ? "\033[H\033[2J" : "", buf_str(&t->screen),
		    live ? "" : "\n");
		fflush(stdout);
		if (o.once)
			break;
		sleep(1);
	}
	if (!done)
		fprintf(stderr, "Error: %s\n", err.msg);
	ctl_disconnect(&t->c);
	arena_release(&t->arena);
	buf_release(&t->screen);
	free(t);
	return done ? 0 : 1;
}
