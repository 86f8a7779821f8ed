/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/eval.h"
#include "policy/notify.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#else
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Past the last call that any kernel of today has. */
#define N_CALLS 512

static void
add_text(struct buf *out, const char *text)
{
	utf8_escape(out, text, strlen(text), 1024);
}

static void
add_label(struct buf *out, const char *label)
{
	buf_addf(out, "  %-12s ", label);
}

/* "label  a", then the others under it; "nothing" where there are none. */
static void
add_strings(struct buf *out, const char *label, const char *const *text, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		add_label(out, i ? "" : label);
		add_text(out, text[i]);
		buf_addc(out, '\n');
	}
	if (n == 0) {
		add_label(out, label);
		buf_adds(out, "nothing\n");
	}
}

/* Its name alone: values may be secrets. */
static void
add_variable(struct buf *out, const char *entry)
{
	utf8_escape(out, entry, strcspn(entry, "="), 256);
	buf_addc(out, '\n');
}

static void
add_duration(struct buf *out, uint32_t ms)
{
	if (ms == 0)
		buf_adds(out, "none");
	else if (ms % 1000 == 0)
		buf_addf(out, "%u s", ms / 1000);
	else
		buf_addf(out, "%u ms", ms);
}

static void
add_places(struct buf *out, const struct profile *p)
{
	for (uint32_t i = 0; i < p->n_listen; i++) {
		add_label(out, i ? "" : "listens at");
		profile_listen_text(&p->listen[i], out);
		buf_addc(out, '\n');
	}
	for (uint32_t i = 0; i < p->n_listen_unix; i++) {
		const struct profile_listen_unix *l = &p->listen_unix[i];
		add_label(out, p->n_listen + i ? "" : "listens at");
		profile_listen_unix_text(l, out);
		buf_addf(out, ", mode %04o, at most %04o%s\n", l->mode, l->most_mode,
		    l->descriptors ? ", and is handed descriptors" : "");
	}
	for (uint32_t i = 0; i < p->n_connect; i++) {
		add_label(out, i ? "" : "connects to");
		profile_connect_text(&p->connect[i], out);
		buf_addc(out, '\n');
	}
	for (uint32_t i = 0; i < p->n_unix_socket; i++) {
		const struct profile_unix *u = &p->unix_socket[i];
		add_label(out, i ? "" : "unix socket");
		add_text(out, u->path);
		if (u->filtered)
			buf_adds(out, ", only GET of");
		for (uint32_t k = 0; k < u->n_http_get; k++) {
			buf_addc(out, ' ');
			add_text(out, u->http_get[k]);
		}
		buf_addc(out, '\n');
	}
	if (p->n_listen + p->n_listen_unix + p->n_connect + p->n_unix_socket == 0) {
		add_label(out, "network");
		buf_adds(out, "nothing\n");
	}
}

static void
add_limits(struct buf *out, const struct profile *p)
{
	const struct profile_limits *l = &p->limits;

	add_label(out, "memory");
	buf_addf(out, "%llu MiB; code is %s\n",
	    (unsigned long long)(l->memory_bytes >> 20),
	    p->jit ? "made at run time too" : "what its files hold, nothing else");
	add_label(out, "processes");
	if (l->processes)
		buf_addf(out, "%u besides its own", l->processes);
	else
		buf_adds(out, "its own alone");
	buf_addf(out, ", %u threads, %u open files", l->threads, l->open_files);
	if (l->cpu_percent)
		buf_addf(out, ", %u%% of one CPU", l->cpu_percent);
	buf_addc(out, '\n');
	add_label(out, "kept by");
	buf_adds(out, "resource limits, and a cgroup where mews is given one\n");
	add_label(out, "rates");
	if (l->events_per_s)
		buf_addf(out, "%llu events/s, ", (unsigned long long)l->events_per_s);
	buf_addf(out, "%llu log lines/s\n", (unsigned long long)l->log_lines_per_s);
	add_label(out, "deadlines");
	const struct {
		const char *name;
		uint32_t ms;
	} calls[] = {{"init", l->init_ms}, {"open", l->open_ms},
	    {"next_batch", l->next_batch_ms}, {"extract", l->extract_ms},
	    {"parse", l->parse_ms}, {"close", l->close_ms}};
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		buf_addf(out, "%s%s ", i ? ", " : "", calls[i].name);
		add_duration(out, calls[i].ms);
	}
	buf_addc(out, '\n');
}

/* A base's own words say what it names; the lists may name more. */
static const char *
doc_of(const struct profile *p)
{
	bool gives = p->n_read + p->n_write + p->n_listen + p->n_listen_unix +
			 p->n_connect + p->n_unix_socket + p->limits.processes >
		     0;

	return gives && p->base != PROFILE_UNCONFINED
		   ? "compute, and what is listed here; nothing else"
		   : profile_base_doc(p->base);
}

void
explain_profile(const struct profile *p, struct buf *out)
{
	buf_adds(out, "profile ");
	add_text(out, p->name);
	buf_addf(out, ": %s\n", doc_of(p));
	if (p->comment) {
		add_label(out, "comment");
		add_text(out, p->comment);
		buf_addc(out, '\n');
	}
	add_strings(out, "reads", p->read, p->n_read);
	add_strings(out, "writes", p->write, p->n_write);
	if (p->n_write > 0)
		buf_addf(out, "  %-12s files of at most %llu KiB\n", "",
		    (unsigned long long)(profile_file_size(p) >> 10));
	add_places(out, p);
	for (uint32_t i = 0; i < p->n_env; i++) {
		add_label(out, i ? "" : "environment");
		add_variable(out, p->env[i]);
	}
	if (p->late_dlopen) {
		add_label(out, "libraries");
		buf_adds(out, "are loaded after init too\n");
	}
	add_limits(out, p);
	add_label(out, "restarts");
	buf_addf(out, "%u in %u s, waiting ", p->restart_max, p->restart_window_s);
	add_duration(out, p->backoff_min_ms);
	buf_adds(out, " to ");
	add_duration(out, p->backoff_max_ms);
	buf_addf(out, "; then %s\n", p->required ? "mews ends" : "the others run on");
}

/* What may be asked of calls whose arguments decide. */
/* clang-format off */
static const struct {
	int nr;
	const char *what;
} conditions[] = {
#define C(call, what) {__NR_##call, what}
    C(mmap, "private memory, or read-only; never both writable and executable"),
    C(mprotect, "anything but making memory executable"),
    C(madvise, "advice on speed, and giving private memory back"),
    C(futex, "waiting and waking, without priority inheritance"),
    C(clone, "a thread; a process is refused, a namespace ends the worker"),
    C(tgkill, "signals to itself"),
    C(kill, "signals to itself"),
    C(openat, "to read what stands in its root"),
    C(newfstatat, "of what stands in its root"),
    C(readlinkat, "of what stands in its root"),
    C(faccessat, "of what stands in its root"),
    C(sendmsg, "handing out the filter's listener, before the plugin is loaded"),
    C(fcntl, "duplicating, and a descriptor's own flags"),
    C(ioctl, "FIONREAD, FIONBIO, FIOCLEX, FIONCLEX"),
    C(prctl, "names of threads and memory, until it is sealed"),
    C(prlimit64, "reading limits"),
    C(personality, "asking for it; changing it ends the worker"),
    C(seccomp, "the worker's own second filter, once"),
#if defined(__x86_64__)
    C(open, "to read what stands in its root"),
    C(stat, "of what stands in its root"),
    C(lstat, "of what stands in its root"),
    C(access, "of what stands in its root"),
    C(readlink, "of what stands in its root"),
#endif
#undef C
};
/* clang-format on */

/* The same of what sockets are used with, where there may be some. */
static const struct {
	int nr;
	const char *what;
} socket_conditions[] = {
    {__NR_socket, "TCP and UDP, and local ones where the policy names one"},
    {__NR_socketpair, "local ones, which lead nowhere"},
    {__NR_sendto, "without MSG_FASTOPEN; where datagrams are received, to no address"},
    {__NR_sendmsg, "without MSG_FASTOPEN; not where datagrams are received"},
    {__NR_sendmmsg, "without MSG_FASTOPEN; not where datagrams are received"},
    {__NR_setsockopt, "time-outs, buffers, keep-alive and the like"},
    {__NR_getsockopt, "of sockets, TCP and IP"},
};

static const char *
condition_of(const struct profile *p, int nr)
{
	for (size_t i = 0; i < sizeof(socket_conditions) / sizeof(*socket_conditions);
	     i++)
		if (socket_conditions[i].nr == nr && profile_has_sockets(p))
			return socket_conditions[i].what;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		if (conditions[i].nr == nr)
			return conditions[i].what;
	return NULL;
}

enum outcome {
	OUTCOME_ALLOWED,
	OUTCOME_JUDGED,
	OUTCOME_BY_ARGUMENTS,
	OUTCOME_TOLD,
	OUTCOME_REFUSED,
	OUTCOME_KILLED,
};

static uint32_t
answer(const void *program, uint32_t n_bytes, int nr)
{
	struct seccomp_data d = {.nr = nr, .arch = THIS_ARCH};

	return bpf_run(program, n_bytes / (uint32_t)sizeof(struct sock_filter), &d);
}

/* Of a sealed worker's call. */
static enum outcome
outcome_of(const struct confinement *c, int nr)
{
	struct notify_verdict v;

	if (condition_of(c->profile, nr))
		return OUTCOME_BY_ARGUMENTS;
	uint32_t action = bpf_stricter(answer(c->filter_load, c->filter_load_len, nr),
	    answer(c->filter_run, c->filter_run_len, nr));
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return OUTCOME_ALLOWED;
	case SECCOMP_RET_USER_NOTIF:
		notify_judge(
		    c->profile, true, CONFINEMENT_WORKER_PID, nr, (uint64_t[6]){0}, &v);
		if (v.answer == NOTIFY_BIND || v.answer == NOTIFY_LISTEN ||
		    v.answer == NOTIFY_CONNECT)
			return OUTCOME_JUDGED;
		return v.answer == NOTIFY_KILL ? OUTCOME_KILLED : OUTCOME_TOLD;
	default:
		return OUTCOME_REFUSED;
	}
}

static void
add_calls(
    const struct confinement *c, enum outcome outcome, const char *title, struct buf *out)
{
	size_t width = 0;

	for (int nr = 0; nr < N_CALLS; nr++) {
		const char *name = notify_name(nr);
		if (!name || outcome_of(c, nr) != outcome)
			continue;
		if (width == 0)
			buf_addf(out, "  %s\n   ", title);
		else if (width + strlen(name) > 76)
			buf_adds(out, "\n   ");
		if (width == 0 || width + strlen(name) > 76)
			width = 3;
		buf_addf(out, " %s", name);
		width += strlen(name) + 1;
	}
	if (width > 0)
		buf_addc(out, '\n');
}

void
explain_filters(const struct confinement *c, struct buf *out)
{
	buf_adds(out, "system calls\n");
	if (c->filter_load_len == 0) {
		buf_adds(out, "  every one: this profile has no filter\n");
		return;
	}
	add_calls(c, OUTCOME_ALLOWED, "allowed", out);
	buf_adds(out, "  allowed by their arguments\n");
	for (int nr = 0; nr < N_CALLS; nr++)
		if (condition_of(c->profile, nr))
			buf_addf(out, "    %-12s %s\n", notify_name(nr),
			    condition_of(c->profile, nr));
	add_calls(c, OUTCOME_JUDGED,
	    "done by the launcher in its place, where the policy names it", out);
	add_calls(c, OUTCOME_TOLD, "refused, and reported", out);
	add_calls(c, OUTCOME_REFUSED, "refused", out);
	add_calls(c, OUTCOME_KILLED, "end the worker, and are reported", out);
	buf_adds(out, "  any other: not implemented, as on an older kernel\n"
		      "  by another table (x32, 32-bit): end the worker\n");
}

void
explain_confinement(const struct confinement *c, struct buf *out)
{
	explain_profile(c->profile, out);
	buf_addf(out, "plugin\n  %-12s ", "file");
	add_text(out, c->plugin_target);
	buf_addf(out, "\n  %-12s %s\n", "sha256", c->sha256);
	if (c->build_id[0])
		buf_addf(out, "  %-12s %s\n", "build-id", c->build_id);
	if (c->go_runtime)
		buf_addf(out, "  %-12s Go\n", "runtime");
	buf_adds(out, "its root holds, read-only but for what it writes\n");
	for (uint32_t i = 0; i < c->n_mount; i++) {
		const struct confinement_mount *m = &c->mount[i];
		buf_addf(out, "  %-12s ",
		    m->exec        ? "code"
		    : m->writable  ? "writes"
		    : m->directory ? "directory"
				   : "file");
		add_text(out, m->target);
		if (strcmp(m->target, m->source) != 0) {
			buf_adds(out, " (");
			add_text(out, m->source);
			buf_addc(out, ')');
		}
		buf_addc(out, '\n');
	}
	for (uint32_t i = 0; i < c->n_file; i++)
		buf_addf(out, "  %-12s %s\n", "made for it", c->file[i].target);
	buf_adds(out, "its environment\n");
	for (uint32_t i = 0; i < c->n_env; i++) {
		buf_adds(out, "  ");
		add_variable(out, c->env[i]);
	}
	explain_filters(c, out);
}

static bool
is_wide(const char *path)
{
	static const char *const wide[] = {"/etc", "/root", "/home", "/var", "/run",
	    "/var/run", "/usr", "/opt", "/tmp", "/sys"};

	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (strcmp(path, wide[i]) == 0)
			return true;
	return false;
}

static unsigned
add_risk(struct buf *out, bool is_danger, const char *about, const char *why)
{
	buf_adds(out, is_danger ? "DANGER: " : "note: ");
	add_text(out, about);
	buf_addf(out, ": %s\n", why);
	return 1;
}

static unsigned
add_dangers(const struct profile *p, struct buf *out)
{
	unsigned n = 0;

	if (p->base == PROFILE_UNCONFINED)
		n += add_risk(out, true, "profile: unconfined",
		    "the plugin may do whatever the user running mews may");
	if (p->jit)
		n += add_risk(out, true, "jit: true",
		    "whoever takes the plugin over may run code of his own in it");
	for (uint32_t i = 0; i < p->n_unix_socket; i++)
		if (!p->unix_socket[i].filtered)
			n += add_risk(out, true, p->unix_socket[i].path,
			    "its service would obey the plugin; list requests in "
			    "http-get");
	for (uint32_t i = 0; i < p->n_listen_unix; i++)
		if (p->listen_unix[i].descriptors)
			n += add_risk(out, true, p->listen_unix[i].path,
			    "whoever connects may hand the plugin files, sockets and "
			    "processes of the host");
	return n;
}

static unsigned
add_notes(const struct profile *p, struct buf *out)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->n_read; i++)
		if (is_wide(p->read[i]))
			n += add_risk(out, false, p->read[i],
			    "is much to read; name the files that the plugin needs");
	for (uint32_t i = 0; i < p->n_connect; i++)
		if (p->connect[i].subdomains)
			n += add_risk(out, false, p->connect[i].host,
			    "every name below it may be one of somebody else's");
	for (uint32_t i = 0; i < p->n_listen; i++)
		if (!p->listen[i].address)
			n += add_risk(out, false, "listen",
			    "a port without an address is open to every network");
	for (uint32_t i = 0; i < p->n_connect; i++)
		if (p->connect[i].internal && p->connect[i].subdomains)
			n += add_risk(out, false, p->connect[i].host,
			    "who answers for names below it chooses among your private "
			    "addresses");
	if (p->late_dlopen)
		n += add_risk(out, false, "late_dlopen: true",
		    "files may be opened and libraries loaded after init");
	if (p->limits.extract_ms == 0)
		n += add_risk(out, false, "deadlines: extract: 0",
		    "a plugin that hangs stops its pipeline for good");
	return n;
}

unsigned
explain_risks(const struct profile *p, struct buf *out)
{
	unsigned n = add_dangers(p, out);

	return n + add_notes(p, out);
}
