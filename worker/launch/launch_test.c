/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher as a whole: real workers (testdata/probe_worker.c) are made, looked at and
 * ended. Runs as whoever runs it and, when that is root, once more as an ordinary user.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "proto/ring.h"
#include "worker/launch/launcher.h"

#define PATIENCE_MS 5000
#define ALL_LAYERS  (launch_tier_layers(LAUNCH_TIER_FULL) | LAYER_MDWE)
#define NOBODY      65534u

/* Copies that every user can read. */
static char dir[64], launcher_path[128], worker_path[128], plugin_path[128],
    real_worker_path[128];

struct bench {
	struct launcher *launcher;
	struct arena arena;
	struct profile profile;
	struct confinement confinement;
	struct launch_request request;
	struct launch_result result;
	int control_fd; /* our end */
	int output_fd;  /* our end */
};

static bool
copy_file(const char *from, const char *name, char *ret_path, size_t size)
{
	char bytes[65536];
	ssize_t n;

	snprintf(ret_path, size, "%s/%s", dir, name);
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (in < 0 || out < 0) {
		fprintf(stderr, "%s: %s\n", from, strerror(errno));
		return false;
	}
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			return false;
	close(in);
	return n == 0 && fchmod(out, 0755) == 0 && close(out) == 0;
}

/* A filter that lets everything through: what is refused then, another layer refuses. */
static const struct sock_filter allow_all[] = {
    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
};

static void
make_confinement(struct bench *b, const char *profile)
{
	struct err err;

	assert_true(profile_builtin(&b->profile, profile));
	if (!confinement_make(
		&b->confinement, &b->arena, &b->profile, plugin_path, worker_path, &err))
		fail_msg("%s", err.msg);
}

static int
bench_new(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct err err;

	assert_non_null(b);
	arena_init(&b->arena, 16u << 20);
	b->control_fd = b->output_fd = -1;
	b->launcher = launcher_start(launcher_path, &err);
	if (b->launcher == NULL)
		fail_msg("%s", err.msg);
	make_confinement(b, "pure");
	*state = b;
	return 0;
}

static void
close_ends(struct bench *b)
{
	if (b->control_fd >= 0)
		close(b->control_fd);
	if (b->output_fd >= 0)
		close(b->output_fd);
	b->control_fd = b->output_fd = -1;
}

static int
bench_free(void **state)
{
	struct bench *b = *state;

	close_ends(b);
	launcher_free(b->launcher);
	arena_release(&b->arena);
	free(b);
	/* Nobody of ours is left, dead or alive. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return 0;
}

static bool
launch(struct bench *b, struct err *err)
{
	static uint32_t next_id;
	int control[2], output[2], up, down, wake[2];

	close_ends(b);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	assert_true(ring_memfd_new("up", LIMIT_RING_UP_BYTES, &up, err));
	assert_true(ring_memfd_new("down", LIMIT_RING_DOWN_BYTES, &down, err));
	wake[0] = eventfd(0, EFD_CLOEXEC);
	wake[1] = eventfd(0, EFD_CLOEXEC);
	b->control_fd = control[0];
	b->output_fd = output[0];
	b->request.id = ++next_id;
	b->request.title = "probe";
	b->request.confinement = &b->confinement;
	if (b->request.worker_path == NULL)
		b->request.worker_path = worker_path;
	b->request.control_fd = control[1];
	b->request.up_fd = up;
	b->request.down_fd = down;
	b->request.wake_broker_fd = wake[0];
	b->request.wake_worker_fd = wake[1];
	b->request.output_fd = output[1];
	bool ok = launcher_launch(b->launcher, &b->request, &b->result, err);
	close(control[1]);
	close(output[1]);
	close(up);
	close(down);
	close(wake[0]);
	close(wake[1]);
	return ok;
}

/* What a worker wrote to its output, for messages. */
static const char *
output(struct bench *b)
{
	static char text[4096];

	fcntl(b->output_fd, F_SETFL, O_NONBLOCK);
	ssize_t n = read(b->output_fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
must_launch(struct bench *b)
{
	struct err err;

	if (!launch(b, &err))
		fail_msg("%s; output: %s", err.msg, output(b));
}

static void
must_not_launch(struct bench *b, const char *why)
{
	struct err err;

	assert_false(launch(b, &err));
	if (strstr(err.msg, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
}

static const char *
ask(struct bench *b, const char *command)
{
	static char answer[2048];
	struct pollfd pfd = {.fd = b->control_fd, .events = POLLIN};

	assert_int_equal(
	    write(b->control_fd, command, strlen(command)), (ssize_t)strlen(command));
	if (poll(&pfd, 1, PATIENCE_MS) <= 0)
		fail_msg("no answer to \"%s\"", command);
	ssize_t n = read(b->control_fd, answer, sizeof(answer) - 1);
	answer[n > 0 ? n : 0] = '\0';
	return answer;
}

static int
attempt(struct bench *b, const char *command)
{
	char *end;
	const char *answer = ask(b, command);
	long rc = strtol(answer, &end, 10);

	if (end == answer || *end != '\0')
		fail_msg("\"%s\": %s", command, answer);
	return (int)rc;
}

/* Waits for the next event by way of launcher_fd, as the broker does. */
static struct launch_event
next_event(struct bench *b)
{
	struct launch_event e;
	struct pollfd pfd = {.fd = launcher_fd(b->launcher), .events = POLLIN};

	while (!launcher_event(b->launcher, &e))
		if (poll(&pfd, 1, PATIENCE_MS) <= 0)
			fail_msg("no event");
	return e;
}

static bool
is_gone(pid_t pid)
{
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		usleep(1000);
	}
	return false;
}

static const char *
proc_file(pid_t pid, const char *file)
{
	static char text[8192];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "";
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static pid_t
parent_of(pid_t pid)
{
	const char *line = strstr(proc_file(pid, "status"), "\nPPid:");

	return line != NULL ? (pid_t)strtol(line + 6, NULL, 10) : 0;
}

static void
test_launch_holds_every_layer(void **state)
{
	struct bench *b = *state;

	must_launch(b);
	char held[160];
	launch_layers_text(b->result.layers, held, sizeof(held));
	print_message("layers: %s\n", held);
	assert_int_equal(b->result.layers, ALL_LAYERS);
	assert_string_equal(ask(b, "see"), "uid 0 gid 0 pid 2 env LANG=C,TZ=UTC,");
	assert_string_equal(
	    proc_file(b->result.worker_pid, "cmdline"), "mews-worker probe");
	pid_t shim = parent_of(b->result.worker_pid);
	assert_string_equal(proc_file(shim, "cmdline"), "mews-shim probe");
	assert_non_null(strstr(proc_file(shim, "status"), "\nSeccomp:\t2\n"));
	assert_string_equal(proc_file(parent_of(shim), "cmdline"), "mews-launcher");
	/* On the host it is nobody's uid but its own. */
	if (geteuid() == 0) {
		assert_null(
		    strstr(proc_file(b->result.worker_pid, "status"), "\nUid:\t0\t"));
		pid_t first = b->result.worker_pid;
		char uid[32];
		snprintf(uid, sizeof(uid), "%.30s",
		    strstr(proc_file(first, "status"), "\nUid:\t"));
		int keep = b->control_fd;
		b->control_fd = -1;
		must_launch(b);
		assert_null(strstr(proc_file(b->result.worker_pid, "status"), uid));
		close(keep);
	}
}

/* The program that holds plugins gets as far as waiting for its first message. */
static void
test_real_worker_shuts_itself_in(void **state)
{
	struct bench *b = *state;
	struct err err;

	b->request.worker_path = real_worker_path;
	if (!confinement_make(&b->confinement, &b->arena, &b->profile, plugin_path,
		real_worker_path, &err))
		fail_msg("%s", err.msg);
	must_launch(b);
	assert_int_equal(b->result.layers, ALL_LAYERS);
	assert_int_equal(kill(b->result.worker_pid, 0), 0);
}

/* Wall A: no filter, and still nothing to reach. */
static void
test_launch_leaves_nothing_to_reach(void **state)
{
	struct bench *b = *state;

	b->confinement.filter_load = b->confinement.filter_run = allow_all;
	b->confinement.filter_load_len = b->confinement.filter_run_len =
	    sizeof(allow_all);
	must_launch(b);
	assert_int_equal(b->result.layers, ALL_LAYERS);
	assert_int_equal(attempt(b, "try read /etc/shadow"), ENOENT);
	assert_int_equal(attempt(b, "try read /etc/passwd"), ENOENT);
	assert_int_equal(attempt(b, "try read /proc/self/status"), ENOENT);
	assert_int_equal(attempt(b, "try read /../../etc/passwd"), ENOENT);
	assert_int_equal(attempt(b, "try read /"), EACCES);
	assert_int_equal(attempt(b, "try read /mews-worker"), 0);
	assert_int_equal(attempt(b, "try write /mews-worker"), EACCES);
	assert_int_equal(attempt(b, "try write /new"), EROFS);
	assert_int_equal(attempt(b, "try exec /mews-worker"), EACCES);
	assert_int_equal(attempt(b, "try socket"), EACCES);
	assert_int_equal(attempt(b, "try mount"), EPERM);
	assert_int_equal(attempt(b, "try remount"), EPERM);
	assert_int_equal(attempt(b, "try unshare"), ENOSPC);
	assert_int_equal(attempt(b, "try setuid"), EINVAL);
	assert_int_equal(attempt(b, "try more-memory"), EPERM);
	assert_int_equal(attempt(b, "try writable-code"), EACCES);
}

/* Wall B, and what people hear of it. */
static void
test_watch_tells_each_denial(void **state)
{
	struct bench *b = *state;

	must_launch(b);
	assert_int_equal(attempt(b, "try read /etc/shadow"), ENOENT);
	struct launch_event e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.id, b->request.id);
	assert_int_equal(e.count, 1);
	assert_string_equal(e.what, "tried to read \"/etc/shadow\" (openat, O_RDONLY)");
	assert_string_equal(e.allow_with, "read: [/etc/shadow]");
}

static void
test_watch_counts_repeated_denials(void **state)
{
	struct bench *b = *state;

	must_launch(b);
	for (int i = 0; i < 10; i++)
		assert_int_not_equal(attempt(b, "try socket"), 0);
	struct launch_event e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.count, 1);
	assert_non_null(strstr(e.what, "AF_INET, SOCK_STREAM"));
	e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.count, 10);
	assert_false(launcher_event(b->launcher, &e));
}

static void
test_watch_bounds_kinds_of_denials(void **state)
{
	struct bench *b = *state;
	unsigned told = 0, more = 0;
	struct launch_event e;

	must_launch(b);
	for (unsigned i = 0; i < LIMIT_DENIALS + 40; i++) {
		char command[64];
		snprintf(command, sizeof(command), "try exec /bin/%u", i);
		assert_int_not_equal(attempt(b, command), 0);
	}
	assert_true(launcher_kill(b->launcher, b->request.id, &(struct err){0}));
	while ((e = next_event(b)).kind == LAUNCH_EVENT_DENIED) {
		if (strstr(e.what, "more than") != NULL)
			more = (unsigned)e.count;
		else
			told++;
	}
	assert_int_equal(told, LIMIT_DENIALS);
	assert_int_equal(more, 10); /* 40, told at 1 and at 10 */
}

static void
test_watch_kills_for_an_attack(void **state)
{
	struct bench *b = *state;

	must_launch(b);
	assert_int_equal(write(b->control_fd, "try ptrace", 10), 10);
	struct launch_event e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_true(e.signaled);
	assert_int_equal(e.status, SIGKILL);
	if (strncmp(e.last_call, "ptrace(", 7) != 0)
		fail_msg("last call \"%s\"", e.last_call);
}

static void
test_filter_refuses(void **state)
{
	static const char *const refused[] = {"try exec /mews-worker", "try fork",
	    "try writable-code", "try become-readable", "try more-memory", "try setuid",
	    "try write /new", "try kill-shim"};
	struct bench *b = *state;

	must_launch(b);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_not_equal(attempt(b, refused[i]), 0);
	/* Before and after the second filter. */
	assert_int_equal(attempt(b, "try read /mews-worker"), 0);
	assert_string_equal(ask(b, "tighten"), "0");
	assert_int_not_equal(attempt(b, "try read /mews-worker"), 0);
	assert_string_equal(proc_file(b->result.worker_pid, "comm"), "mews-worker\n");
	assert_non_null(
	    strstr(proc_file(b->result.worker_pid, "status"), "Seccomp_filters:\t2\n"));
}

static void
test_death_is_told_exactly(void **state)
{
	struct bench *b = *state;

	must_launch(b);
	assert_int_equal(write(b->control_fd, "exit 137", 8), 8);
	struct launch_event e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_int_equal(e.id, b->request.id);
	assert_false(e.signaled);
	assert_int_equal(e.status, 137);
	assert_string_equal(e.last_call, "");

	must_launch(b);
	assert_int_equal(write(b->control_fd, "abort", 5), 5);
	e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_int_equal(e.id, b->request.id);
	assert_true(e.signaled);
	assert_int_equal(e.status, SIGABRT);
}

static void
test_kill_ends_worker_and_shim(void **state)
{
	struct bench *b = *state;
	struct err err;

	must_launch(b);
	pid_t shim = parent_of(b->result.worker_pid);
	assert_true(launcher_kill(b->launcher, b->request.id, &err));
	struct launch_event e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_true(e.signaled);
	assert_int_equal(e.status, SIGKILL);
	assert_true(is_gone(b->result.worker_pid));
	assert_true(is_gone(shim));
	/* One that is gone already is no error. */
	assert_true(launcher_kill(b->launcher, b->request.id, &err));
	must_launch(b);
}

static void
test_free_ends_everything(void **state)
{
	struct bench *b = *state;

	must_launch(b);
	pid_t shim = parent_of(b->result.worker_pid);
	pid_t launcher = parent_of(shim);
	launcher_free(b->launcher);
	b->launcher = NULL;
	assert_true(is_gone(b->result.worker_pid));
	assert_true(is_gone(shim));
	assert_true(is_gone(launcher));
}

static void
test_launcher_killed_takes_workers_along(void **state)
{
	struct bench *b = *state;
	struct launch_event e;

	must_launch(b);
	pid_t shim = parent_of(b->result.worker_pid);
	assert_int_equal(kill(parent_of(shim), SIGKILL), 0);
	assert_true(is_gone(b->result.worker_pid));
	assert_true(is_gone(shim));
	assert_int_equal(next_event(b).kind, LAUNCH_EVENT_LOST);
	assert_false(launcher_event(b->launcher, &e));
	must_not_launch(b, "gone");
}

/* A broker in a process of its own, which is killed. */
static void
test_broker_killed_takes_all_along(void **state)
{
	struct bench *b = *state;
	int tell[2];
	pid_t worker;

	assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	pid_t broker = fork();
	assert_true(broker >= 0);
	if (broker == 0) {
		struct err err;
		b->launcher = launcher_start(launcher_path, &err);
		if (b->launcher == NULL || !launch(b, &err))
			_exit(1);
		if (write(tell[1], &b->result.worker_pid, sizeof(worker)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], &worker, sizeof(worker)), sizeof(worker));
	close(tell[0]);
	pid_t shim = parent_of(worker);
	pid_t launcher = parent_of(shim);
	kill(broker, SIGKILL);
	waitpid(broker, NULL, 0);
	assert_true(is_gone(worker));
	assert_true(is_gone(shim));
	assert_true(is_gone(launcher));
}

static void
write_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
confine_to_files(struct bench *b, const char **path, uint32_t n)
{
	struct err err;

	assert_true(profile_builtin(&b->profile, "file-reader"));
	b->profile.read = path;
	b->profile.n_read = n;
	if (!confinement_make(
		&b->confinement, &b->arena, &b->profile, plugin_path, worker_path, &err))
		fail_msg("%s", err.msg);
}

/* As Falco's plugins as root: what the operator lists is read, whoever may read it. */
static void
test_listed_files_are_readable(void **state)
{
	struct bench *b = *state;
	char secret[128], private_dir[128], inside[160], command[200];

	snprintf(secret, sizeof(secret), "%s/secret-%u", dir, geteuid());
	snprintf(private_dir, sizeof(private_dir), "%s/private-%u", dir, geteuid());
	snprintf(inside, sizeof(inside), "%s/secret", private_dir);
	write_file(secret, 0600);
	assert_int_equal(mkdir(private_dir, 0700), 0);
	write_file(inside, 0600);
	const char *read_list[] = {secret, private_dir};
	confine_to_files(b, read_list, 2);
	must_launch(b);
	snprintf(command, sizeof(command), "try read %s", secret);
	assert_int_equal(attempt(b, command), 0);
	snprintf(command, sizeof(command), "try read %s", inside);
	assert_int_equal(attempt(b, command), 0);
	snprintf(command, sizeof(command), "try write %s", inside);
	assert_int_not_equal(attempt(b, command), 0);
	snprintf(command, sizeof(command), "try read %s", launcher_path);
	assert_int_equal(attempt(b, command), ENOENT);
	unlink(inside);
	rmdir(private_dir);
	unlink(secret);
}

static void
test_unconfined_has_no_walls(void **state)
{
	struct bench *b = *state;

	make_confinement(b, "unconfined");
	must_launch(b);
	assert_int_equal(b->result.layers, 0);
	assert_int_equal(attempt(b, "try read /etc/passwd"), 0);
	assert_string_equal(ask(b, "tighten"), "0");
	assert_int_equal(write(b->control_fd, "exit 7", 6), 6);
	struct launch_event e = next_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_false(e.signaled);
	assert_int_equal(e.status, 7);
}

static void
test_launch_refuses_half_confinements(void **state)
{
	struct bench *b = *state;
	struct confinement sound = b->confinement;

	b->confinement.filter_run_len = 0;
	must_not_launch(b, "filters are missing");
	b->confinement = sound;
	b->confinement.filter_load_len = 0;
	must_not_launch(b, "filters are missing");
	b->confinement = sound;
	b->confinement.plugin_ctime_ns++;
	b->confinement.sha256[0] ^= 1;
	must_not_launch(b, "has changed since it was checked");
	b->confinement = sound;
	b->confinement.mount[0].target = "/../x";
	must_not_launch(b, "not an absolute, plain path");
	struct launch_event e;
	assert_false(launcher_event(b->launcher, &e));
}

/* Between preflight and launch somebody writes to the plugin and sets its time back. */
static void
test_launch_takes_no_other_plugin(void **state)
{
	struct bench *b = *state;
	char own[128], name[32];
	struct stat st;
	struct err err;

	snprintf(name, sizeof(name), "libown-%u.so", geteuid());
	assert_true(copy_file(plugin_path, name, own, sizeof(own)));
	if (!confinement_make(
		&b->confinement, &b->arena, &b->profile, own, worker_path, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(stat(own, &st), 0);
	/* A chmod is no change of what it is. */
	assert_int_equal(chmod(own, 0744), 0);
	assert_int_equal(chmod(own, 0755), 0);
	must_launch(b);

	int fd = open(own, O_RDWR | O_CLOEXEC);
	char last;
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &last, 1, st.st_size - 1), 1);
	last ^= 1;
	assert_int_equal(pwrite(fd, &last, 1, st.st_size - 1), 1);
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	assert_int_equal(futimens(fd, times), 0);
	must_not_launch(b, "has changed since it was checked");
	/* The content alone counts. */
	last ^= 1;
	assert_int_equal(pwrite(fd, &last, 1, st.st_size - 1), 1);
	must_launch(b);
	close(fd);
	unlink(own);
}

static void
test_launch_says_why_a_worker_ended_early(void **state)
{
	struct bench *b = *state;

	make_confinement(b, "unconfined");
	b->request.worker_path = "/bin/false";
	must_not_launch(b, "exit code 1");
	b->request.worker_path = "/nowhere";
	must_not_launch(b, "/nowhere");
	struct launch_event e;
	assert_false(launcher_event(b->launcher, &e));
}

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Into a user namespace in which no others may be made. Root keeps all its uids, which
 * needs somebody outside to write the maps. */
static bool
enter_last_user_namespace(int say_fd, int go_fd)
{
	char c = 'x';

	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write(say_fd, &c, 1) == 1 &&
	       read(go_fd, &c, 1) == 1 &&
	       write_text("/proc/sys/user/max_user_namespaces", "0");
}

static bool
write_maps(pid_t pid)
{
	char path[64], map[64];
	uid_t uid = geteuid();
	/* An ordinary user may map itself alone. */
	unsigned n = uid == 0 ? 4000000000u : 1;

	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	if (uid != 0 && !write_text(path, "deny"))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	snprintf(map, sizeof(map), "%u %u %u", getegid(), getegid(), n);
	if (!write_text(path, map))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	snprintf(map, sizeof(map), "%u %u %u", uid, uid, n);
	return write_text(path, map);
}

static void
test_ordinary_user_gets_tier_1(void **state)
{
	struct bench *b = *state;
	char missing[160];

	b->request.min_tier = 2;
	must_not_launch(b, "tier 2 needs");
	b->request.min_tier = 1;
	must_launch(b);
	assert_int_equal(b->result.layers, launch_tier_layers(1) | LAYER_MDWE);
	launch_layers_text(ALL_LAYERS & ~b->result.layers, missing, sizeof(missing));
	assert_string_equal(missing, "user pid mount net ipc uts cgroup root");
	assert_int_equal(attempt(b, "try read /mews-worker"), ENOENT);
	assert_int_equal(attempt(b, "try read /etc/passwd"), EACCES);
	assert_string_equal(next_event(b).allow_with, "read: [/etc/passwd]");
}

static void
test_root_gets_tier_2(void **state)
{
	struct bench *b = *state;
	char secret[128], missing[160];

	b->request.min_tier = 2;
	must_launch(b);
	assert_int_equal(b->result.layers, launch_tier_layers(2) | LAYER_MDWE);
	launch_layers_text(ALL_LAYERS & ~b->result.layers, missing, sizeof(missing));
	assert_string_equal(missing, "user");
	assert_null(strstr(proc_file(b->result.worker_pid, "status"), "\nUid:\t0\t"));
	assert_int_equal(attempt(b, "try read /etc/shadow"), ENOENT);
	/* Nothing can map owners now, and that is said. */
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	write_file(secret, 0600);
	confine_to_files(b, (const char *[]){secret}, 1);
	must_not_launch(b, "can be read by its owner alone");
	unlink(secret);
}

static void
test_tier_3_is_the_default(void **state)
{
	must_not_launch(*state, "user namespace");
}

static int
run_in_last_user_namespace(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_tier_3_is_the_default, bench_new, bench_free),
	    geteuid() == 0 ? (const struct CMUnitTest)cmocka_unit_test_setup_teardown(
				 test_root_gets_tier_2, bench_new, bench_free)
			   : (const struct CMUnitTest)cmocka_unit_test_setup_teardown(
				 test_ordinary_user_gets_tier_1, bench_new, bench_free),
	};

	return cmocka_run_group_tests_name(
	    "launch, where no user namespace can be made", tests, NULL, NULL);
}

/* In a process of its own, because nobody comes back from there. */
static int
run_without_user_namespaces(void)
{
	int say[2], go[2], status;
	char c;

	if (pipe(say) < 0 || pipe(go) < 0)
		return 1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (!enter_last_user_namespace(say[1], go[0])) {
			printf(
			    "SKIP: no user namespace in which there are no others: %s\n",
			    strerror(errno));
			_exit(0);
		}
		int failed = run_in_last_user_namespace();
		fflush(stdout);
		_exit(failed == 0 ? 0 : 1);
	}
	close(say[1]);
	/* Without it the child reads the end of the pipe and says that it skips. */
	if (read(say[0], &c, 1) == 1 && write_maps(pid) && write(go[1], &c, 1) != 1)
		kill(pid, SIGKILL);
	close(say[0]);
	close(go[0]);
	close(go[1]);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Printed, not judged. */
static void
test_launch_start_time(void **state)
{
	enum {
		N = 21
	};
	struct bench *b = *state;
	uint64_t took_ns[N];

	for (int i = 0; i < N; i++) {
		uint64_t start = clock_mono_ns();
		must_launch(b);
		took_ns[i] = clock_mono_ns() - start;
	}
	qsort(took_ns, N, sizeof(took_ns[0]), by_value);
	print_message(
	    "a confined worker was ready after %llu µs (median of %d; best %llu)\n",
	    (unsigned long long)took_ns[N / 2] / 1000, N,
	    (unsigned long long)took_ns[0] / 1000);
}

static int
run_all(const char *who)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bench_new, bench_free)
	const struct CMUnitTest tests[] = {
	    T(test_launch_holds_every_layer),
	    T(test_real_worker_shuts_itself_in),
	    T(test_launch_leaves_nothing_to_reach),
	    T(test_watch_tells_each_denial),
	    T(test_watch_counts_repeated_denials),
	    T(test_watch_bounds_kinds_of_denials),
	    T(test_watch_kills_for_an_attack),
	    T(test_filter_refuses),
	    T(test_death_is_told_exactly),
	    T(test_kill_ends_worker_and_shim),
	    T(test_free_ends_everything),
	    T(test_launcher_killed_takes_workers_along),
	    T(test_broker_killed_takes_all_along),
	    T(test_listed_files_are_readable),
	    T(test_unconfined_has_no_walls),
	    T(test_launch_refuses_half_confinements),
	    T(test_launch_takes_no_other_plugin),
	    T(test_launch_says_why_a_worker_ended_early),
	    T(test_launch_start_time),
	};
#undef T

	return cmocka_run_group_tests_name(who, tests, NULL, NULL);
}

static int
run_as_user(void)
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(1);
		/* Changing credentials made us unreadable to ourselves. */
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		int failed = run_without_user_namespaces();
		if (access("/proc/self/ns/user", F_OK) < 0)
			printf("SKIP: no user namespaces here\n");
		else
			failed += run_all("launch, as an ordinary user");
		fflush(stdout);
		_exit(failed == 0 ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int failed;

	if (argc != 5) {
		fprintf(stderr, "usage: launch_test LAUNCHER PROBE PLUGIN WORKER\n");
		return 2;
	}
	snprintf(dir, sizeof(dir), "/tmp/mews-launch-test.XXXXXX");
	/* World-writable like /tmp, for the second run's files. */
	if (mkdtemp(dir) == NULL || chmod(dir, 01777) < 0 ||
	    !copy_file(argv[1], "mews-launcher", launcher_path, sizeof(launcher_path)) ||
	    !copy_file(argv[2], "worker", worker_path, sizeof(worker_path)) ||
	    !copy_file(argv[3], "libprobe.so", plugin_path, sizeof(plugin_path)) ||
	    !copy_file(
		argv[4], "mews-worker", real_worker_path, sizeof(real_worker_path)))
		return 1;
	failed = run_all(geteuid() == 0 ? "launch, as root" : "launch, as this user");
	failed += run_without_user_namespaces();
	if (geteuid() == 0)
		failed += run_as_user();
	unlink(launcher_path);
	unlink(worker_path);
	unlink(plugin_path);
	unlink(real_worker_path);
	rmdir(dir);
	return failed == 0 ? 0 : 1;
}
