/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mews learn": the profile that a plugin would have needed.
 *
 * The plugin runs in confinements that are thrown away: first with nothing, then again
 * with what it was refused, until it is refused nothing new. Opens are observed
 * (observe: true), so that also those are seen that would just have found nothing. Each
 * run is a mews of its own, whose log says what was refused and which line of policy
 * would allow it; those lines are what the profile is made of. Nothing is let through
 * that the policy could not say, and so programs, other processes and the files that no
 * policy gives stay out of reach while learning too.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "broker/cmd/commands.h"
#include "broker/options/command_line.h"
#include "broker/settings/settings.h"
#include "policy/profile.h"

static const char usage[] =
    "mews learn PLUGIN.so [--init-config TEXT] [--open-params TEXT] [-n EVENTS]\n"
    "mews learn NAME -c falco.yaml [-n EVENTS]\n"
    "\n"
    "Runs the plugin, for at most ten seconds or EVENTS events at a time, in "
    "confinements\n"
    "that allow what it was seen to need, and prints the profile that it came to, ready "
    "for\n"
    "a file of its own. Give it the work that it will have: what it does not try, it "
    "does\n"
    "not learn. Read the profile before you use it: a plugin asks for what it wants.\n"
    "\n"
    "  mews learn libk8saudit.so --open-params http://127.0.0.1:9765/k8s-audit\n";

#define MAX_ROUNDS 16
#define RUN_MS     10000
#define NO_PORT    "9" /* discard: which no plugin wants */
#define LOG_BYTES  (4u << 20)
/* How each refusal ends, in the broker's words. */
#define MARK "refused; to allow it, add to its sandbox: "

extern char **environ;

enum list_kind {
	LIST_READ,
	LIST_WRITE,
	LIST_LISTEN,
	LIST_CONNECT,
	LIST_UNIX,
	N_LISTS,
};

static const char *const list_key[N_LISTS] = {
    "read", "write", "listen", "connect", "unix"};

struct learned {
	struct arena arena;
	const char *item[N_LISTS][LIMIT_POLICY_ITEMS];
	unsigned n[N_LISTS];
	/* Names that it asked for: which port, the connect that follows says. */
	const char *name[LIMIT_POLICY_ITEMS];
	unsigned n_names;
	bool sockets, late_dlopen, jit;
	/* What no policy allows, or what is not there. */
	const char *refused[LIMIT_DENIALS];
	unsigned n_refused;
	bool is_new; /* since the round began */
};

struct subject {
	const char *library_path, *init_config, *open_params, *egress_hosts;
	uint64_t max_events;
};

static void
add_unique(struct learned *l, const char **list, unsigned *n, unsigned max,
    const char *text, size_t len)
{
	for (unsigned i = 0; i < *n; i++)
		if (strlen(list[i]) == len && memcmp(list[i], text, len) == 0)
			return;
	if (*n == max)
		return;
	const char *copy = arena_strndup(&l->arena, text, len);
	if (copy == NULL)
		return;
	list[(*n)++] = copy;
	l->is_new = true;
}

static void
add_item(struct learned *l, enum list_kind kind, const char *text, size_t len)
{
	add_unique(l, l->item[kind], &l->n[kind], LIMIT_POLICY_ITEMS, text, len);
}

static void
note_refused(struct learned *l, const char *text, size_t len)
{
	bool was_new = l->is_new;

	add_unique(l, l->refused, &l->n_refused, LIMIT_DENIALS, text, len);
	l->is_new = was_new; /* running again would not change it */
}

/* A directory that is about one thing: not /, /etc, /usr or the like. */
static bool
is_narrow(const char *path, size_t len)
{
	static const char *const wide[] = {"/var/lib", "/var/log", "/var/run", "/usr/lib",
	    "/usr/share", "/usr/local", "/etc/ssl"};
	unsigned depth = 0;

	for (size_t i = 0; i < len; i++)
		depth += path[i] == '/';
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (strlen(wide[i]) == len && memcmp(wide[i], path, len) == 0)
			return false;
	return depth >= 2;
}

/* A directory in which it listens: that it removed an old socket there was no wish to
 * write. */
static bool
is_of_socket(const struct learned *l, const char *dir)
{
	size_t n = strlen(dir);

	for (unsigned i = 0; i < l->n[LIST_LISTEN]; i++) {
		const char *item = l->item[LIST_LISTEN][i];
		if (strncmp(item, "unix:", 5) == 0 && strncmp(item + 5, dir, n) == 0 &&
		    item[5 + n] == '/')
			return true;
	}
	return false;
}

static void
forget_directories_of_sockets(struct learned *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n[LIST_WRITE]; i++)
		if (!is_of_socket(l, l->item[LIST_WRITE][i]))
			l->item[LIST_WRITE][n++] = l->item[LIST_WRITE][i];
	l->n[LIST_WRITE] = n;
}

/* Files become the directory that they are in, where that is about one thing. */
static void
learn_path(struct learned *l, enum list_kind kind, const char *path, size_t len)
{
	char text[4096];
	struct stat st;

	if (len >= sizeof(text))
		return;
	memcpy(text, path, len);
	text[len] = '\0';
	if (profile_path_refusal(text) || stat(text, &st) < 0) {
		struct buf b;
		buf_init(&b, sizeof(text));
		buf_addf(&b, "%s %s: %s", list_key[kind], text,
		    profile_path_refusal(text) ? profile_path_refusal(text) : "not here");
		note_refused(l, buf_str(&b), b.len);
		buf_release(&b);
		return;
	}
	if (S_ISREG(st.st_mode) && !profile_path_is_library(text)) {
		size_t n = (size_t)(strrchr(text, '/') - text);
		if (is_narrow(text, n))
			len = n;
	}
	text[len] = '\0';
	if (kind == LIST_WRITE && is_of_socket(l, text))
		return;
	add_item(l, kind, text, len);
}

/* allow: the policy line, of the forms that policy/ and egress write. */
static void
learn_line(struct learned *l, const char *allow)
{
	if (strncmp(allow, "jit: ", 5) == 0) {
		l->is_new |= !l->jit;
		l->jit = true;
		return;
	}
	if (strncmp(allow, "profile: ", 9) == 0) {
		l->is_new |= !l->sockets;
		l->sockets = true;
		return;
	}
	if (strstr(allow, "late_dlopen: true")) {
		l->is_new |= !l->late_dlopen;
		l->late_dlopen = true;
	}
	for (unsigned k = 0; k < N_LISTS; k++) {
		size_t n = strlen(list_key[k]);
		if (strncmp(allow, list_key[k], n) != 0 ||
		    strncmp(allow + n, ": [", 3) != 0)
			continue;
		const char *item = allow + n + 3, *end = strrchr(item, ']');
		if (end == NULL)
			return;
		size_t len = (size_t)(end - item);
		if (k == LIST_UNIX && len == 4 && memcmp(item, "PATH", 4) == 0) {
			l->is_new |= !l->sockets;
			l->sockets = true;
		} else if (k == LIST_READ || k == LIST_WRITE) {
			learn_path(l, k, item, len);
		} else if (len > 5 && memcmp(end - 5, ":PORT", 5) == 0) {
			add_unique(
			    l, l->name, &l->n_names, LIMIT_POLICY_ITEMS, item, len - 5);
		} else {
			if (len > 2 && *item == '"' && end[-1] == '"') {
				item++;
				len -= 2;
			}
			add_item(l, k, item, len);
			forget_directories_of_sockets(l);
		}
		return;
	}
}

/* "Www Mmm dd HH:MM:SS yyyy: plugin 'NAME' tried to …: refused; …": what plugins print
 * comes with other words before it. */
static void
learn_from(struct learned *l, char *log)
{
	char *save = NULL;

	for (char *line = strtok_r(log, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *text = strlen(line) > 26 ? line + 26 : line, *at, *found = NULL;
		if (strncmp(text, "plugin '", 8) != 0)
			continue;
		for (at = text; (at = strstr(at, MARK)) != NULL; at++)
			found = at;
		if (found)
			learn_line(l, found + strlen(MARK));
		else if (strstr(text, ": refused"))
			note_refused(l, text, strcspn(text, "\n"));
	}
}

static bool
connects(const struct learned *l)
{
	return l->n[LIST_CONNECT] + l->n_names > 0;
}

/* Whether a port of this name was learned. */
static bool
has_port(const struct learned *l, const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = 0; i < l->n[LIST_CONNECT]; i++)
		if (strncmp(l->item[LIST_CONNECT][i], name, n) == 0 &&
		    l->item[LIST_CONNECT][i][n] == ':')
			return true;
	return false;
}

/* In a round, a port that nobody wants: the name is there, and connecting to it says
 * which port was meant. In the end, the usual one, and that it is a guess. */
static void
guess_ports(struct learned *l)
{
	for (unsigned i = 0; i < l->n_names; i++) {
		char text[400];
		if (has_port(l, l->name[i]))
			continue;
		int n = snprintf(text, sizeof(text),
		    "connect %s:443: it asked for the name and did not connect; the port "
		    "is a guess",
		    l->name[i]);
		note_refused(l, text, (size_t)n);
		n = snprintf(text, sizeof(text), "%s:443", l->name[i]);
		add_item(l, LIST_CONNECT, text, (size_t)n);
	}
}

static const char *
base_of(const struct learned *l)
{
	return l->n[LIST_LISTEN] > 0 ? "listener"
	       : connects(l)         ? "client"
	       : l->n[LIST_READ] > 0 ? "file-reader"
				     : "pure";
}

static void
add_lists(const struct learned *l, bool is_file, struct buf *out)
{
	for (unsigned k = 0; k < N_LISTS; k++) {
		unsigned n = l->n[k];
		unsigned n_names = k == LIST_CONNECT && !is_file ? l->n_names : 0;
		if (n + n_names == 0)
			continue;
		buf_addf(out, "%s%s: [", is_file ? "" : ", ", list_key[k]);
		for (unsigned i = 0; i < n; i++)
			buf_addf(out, "%s'%s'", i ? ", " : "", l->item[k][i]);
		for (unsigned i = 0; i < n_names; i++)
			buf_addf(
			    out, "%s'%s:" NO_PORT "'", n + i ? ", " : "", l->name[i]);
		buf_addf(out, "]%s", is_file ? "\n" : "");
	}
	if (l->late_dlopen)
		buf_adds(out, is_file ? "late_dlopen: true\n" : ", late_dlopen: true");
	if (l->jit)
		buf_adds(out, is_file ? "jit: true\n" : ", jit: true");
}

/* For a round. Who asks for sockets gets some that lead nowhere, so that it goes on and
 * says where to; who has nothing yet may make the calls that go with files. */
static void
sandbox_text(const struct learned *l, struct buf *out)
{
	bool explores = l->sockets && l->n[LIST_UNIX] == 0;

	buf_addf(out, "{observe: true, required: false, restart: {max: 0}, profile: %s",
	    explores                          ? "listener"
	    : strcmp(base_of(l), "pure") == 0 ? "file-reader"
					      : base_of(l));
	add_lists(l, false, out);
	if (explores && !connects(l))
		buf_adds(out, ", connect: ['nowhere.invalid:" NO_PORT "']");
	buf_addc(out, '}');
}

static void
read_all(int fd, pid_t pid, struct buf *out)
{
	uint64_t end_ns = clock_mono_ns() + RUN_MS * 1000000ull;
	bool told = false;
	char piece[4096];
	ssize_t n;

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_mono_ns();
		if (now >= end_ns) {
			/* Politely first. */
			kill(pid, told ? SIGKILL : SIGTERM);
			told = true;
			end_ns = now + RUN_MS * 1000000ull;
		}
		if (poll(&pfd, 1, (int)((end_ns - now) / 1000000) + 1) <= 0)
			continue;
		n = read(fd, piece, sizeof(piece));
		if (n <= 0)
			return;
		buf_add(out, piece, (size_t)n);
	}
}

static bool
run_once(const struct subject *s, const char *sandbox, struct buf *log, struct err *err)
{
	char count[32], hosts[PATH_MAX + 32];
	const char *argv[16] = {"mews", "run", s->library_path, "--sandbox", sandbox,
	    "--init-config", s->init_config, "--open-params", s->open_params};
	unsigned n = 9;
	posix_spawn_file_actions_t actions;
	int pipe_fd[2], status;
	pid_t pid;

	if (s->max_events > 0) {
		snprintf(count, sizeof(count), "%llu", (unsigned long long)s->max_events);
		argv[n++] = "-n";
		argv[n++] = count;
	}
	if (s->egress_hosts) {
		snprintf(
		    hosts, sizeof(hosts), "sandbox.egress_hosts=%s", s->egress_hosts);
		argv[n++] = "-o";
		argv[n++] = hosts;
	}
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_sys(err, "pipe2");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], 2);
	int rc = posix_spawn(&pid, "/proc/self/exe", &actions, NULL,
	    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fd[1]);
	if (rc == 0) {
		read_all(pipe_fd[0], pid, log);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(pipe_fd[0]);
	errno = rc;
	return rc == 0 || err_sys(err, "starting mews");
}

static bool
learn(const struct subject *s, struct learned *l, struct err *err)
{
	bool ok = true;

	for (unsigned round = 0; ok && round < MAX_ROUNDS; round++) {
		struct buf sandbox, log;
		buf_init(&sandbox, LIMIT_RULES_FILE_BYTES);
		buf_init(&log, LOG_BYTES);
		l->is_new = false;
		sandbox_text(l, &sandbox);
		fprintf(stderr, "run %u: %s\n", round + 1, buf_str(&sandbox));
		ok = run_once(s, buf_str(&sandbox), &log, err);
		if (ok) {
			/* What went wrong is for whoever watches. */
			const char *why = strstr(buf_str(&log), "Error: ");
			if (why)
				fprintf(stderr, "  %.*s\n", (int)strcspn(why, "\n"), why);
			learn_from(l, (char *)(uintptr_t)buf_str(&log));
		}
		buf_release(&sandbox);
		buf_release(&log);
		if (!l->is_new)
			break;
	}
	return ok;
}

static void
print_profile(const struct learned *l, const char *path)
{
	const char *name = strrchr(path, '/');
	struct buf out;

	name = name ? name + 1 : path;
	if (strncmp(name, "lib", 3) == 0)
		name += 3;
	buf_init(&out, LIMIT_RULES_FILE_BYTES);
	for (unsigned i = 0; i < l->n_refused; i++)
		buf_addf(&out, "# %s\n", l->refused[i]);
	buf_addf(&out, "name: %.*s-learned\nplugins: [%.*s]\nprofile: %s\n",
	    (int)strcspn(name, "."), name, (int)strcspn(name, "."), name, base_of(l));
	add_lists(l, true, &out);
	fputs(buf_str(&out), stdout);
	buf_release(&out);
}

static bool
find_subject(const struct options *options, const struct own_options *own,
    struct subject *s, struct settings **ret_settings, struct err *err)
{
	const char *word = options->word.value[0];

	*s = (struct subject){word, own->init_config ? own->init_config : "",
	    own->open_params ? own->open_params : "", NULL, own->max_events};
	if (!options->config)
		return true;
	if (!settings_load(options, ret_settings, err))
		return false;
	for (uint32_t i = 0; i < (*ret_settings)->n_plugin; i++) {
		const struct plugin_setting *p = &(*ret_settings)->plugin[i];
		if (strcmp(p->name, word) != 0 && strcmp(p->library_path, word) != 0)
			continue;
		s->library_path = p->library_path;
		s->init_config = p->init_config;
		s->open_params = p->open_params;
		s->egress_hosts =
		    conf_text((*ret_settings)->sandbox, "egress_hosts", NULL);
		return true;
	}
	return err_set(
	    err, ERR_USAGE, "%s configures no plugin '%s'", options->config, word);
}

int
cmd_learn(int argc, char **argv)
{
	static struct learned l;
	struct settings *settings = NULL;
	struct command_line line;
	struct subject s;
	struct err err;
	int status;

	if (!command_line_take(&line, OWN_RUN, usage, argc, argv, &status))
		return status;
	if (line.options.word.n != 1)
		return command_line_misused(&line, "which plugin?", usage);
	arena_init(&l.arena, LOG_BYTES);
	if (find_subject(&line.options, &line.own, &s, &settings, &err) &&
	    learn(&s, &l, &err)) {
		guess_ports(&l);
		print_profile(&l, s.library_path);
		status = 0;
	} else {
		fprintf(stderr, "Error: %s\n", err.msg);
		status = 1;
	}
	settings_free(settings);
	arena_release(&l.arena);
	command_line_release(&line);
	return status;
}
