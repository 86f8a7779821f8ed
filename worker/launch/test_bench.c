/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/test_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "proto/ring.h"

#define NOBODY 65534u

char bench_dir[64], bench_launcher[128], bench_probe[128], bench_plugin[128],
    bench_worker[128];

bool
bench_copy(const char *from, const char *name, char *ret_path, size_t size)
{
	char bytes[65536];
	ssize_t n;

	snprintf(ret_path, size, "%s/%s", bench_dir, name);
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

void
bench_confine(struct bench *b, const char *profile)
{
	struct err err;

	assert_true(profile_builtin(&b->profile, profile));
	if (!confinement_make(
		&b->confinement, &b->arena, &b->profile, bench_plugin, bench_probe, &err))
		fail_msg("%s", err.msg);
}

int
bench_new(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct err err;

	assert_non_null(b);
	arena_init(&b->arena, 16u << 20);
	b->control_fd = b->output_fd = -1;
	b->launcher = launcher_start(bench_launcher, &err);
	if (b->launcher == NULL)
		fail_msg("%s", err.msg);
	bench_confine(b, "pure");
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

int
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

bool
bench_launch(struct bench *b, struct err *err)
{
	static uint32_t next_id;
	int control[2], output[2], up, down, wake[2];

	close_ends(b);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	assert_true(
	    ring_pair_new("up", LIMIT_RING_UP_BYTES, LIMIT_RING_SIDE_UP_BYTES, &up, err));
	assert_true(ring_pair_new(
	    "down", LIMIT_RING_DOWN_BYTES, LIMIT_RING_SIDE_DOWN_BYTES, &down, err));
	wake[0] = eventfd(0, EFD_CLOEXEC);
	wake[1] = eventfd(0, EFD_CLOEXEC);
	b->control_fd = control[0];
	b->output_fd = output[0];
	b->request.id = ++next_id;
	b->request.title = "probe";
	b->request.confinement = &b->confinement;
	if (b->request.worker_path == NULL)
		b->request.worker_path = bench_probe;
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

void
bench_must_launch(struct bench *b)
{
	struct err err;

	if (!bench_launch(b, &err))
		fail_msg("%s; output: %s", err.msg, output(b));
}

void
bench_must_not_launch(struct bench *b, const char *why)
{
	struct err err;

	assert_false(bench_launch(b, &err));
	if (strstr(err.msg, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
}

void
bench_tell(struct bench *b, const char *command)
{
	assert_int_equal(
	    write(b->control_fd, command, strlen(command)), (ssize_t)strlen(command));
}

const char *
bench_ask(struct bench *b, const char *command)
{
	static char answer[2048];
	struct pollfd pfd = {.fd = b->control_fd, .events = POLLIN};

	bench_tell(b, command);
	if (poll(&pfd, 1, BENCH_PATIENCE_MS) <= 0)
		fail_msg("no answer to \"%s\"", command);
	ssize_t n = read(b->control_fd, answer, sizeof(answer) - 1);
	answer[n > 0 ? n : 0] = '\0';
	return answer;
}

int
bench_attempt(struct bench *b, const char *command)
{
	char *end;
	const char *answer = bench_ask(b, command);
	long rc = strtol(answer, &end, 10);

	if (end == answer || *end != '\0')
		fail_msg("\"%s\": %s", command, answer);
	return (int)rc;
}

struct launch_event
bench_event(struct bench *b)
{
	struct launch_event e;
	struct pollfd pfd = {.fd = launcher_fd(b->launcher), .events = POLLIN};

	while (!launcher_event(b->launcher, &e))
		if (poll(&pfd, 1, BENCH_PATIENCE_MS) <= 0)
			fail_msg("no event");
	return e;
}

bool
bench_is_gone(pid_t pid)
{
	for (int ms = 0; ms < BENCH_PATIENCE_MS; ms++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		usleep(1000);
	}
	return false;
}

const char *
bench_proc(pid_t pid, const char *file)
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

pid_t
bench_parent(pid_t pid)
{
	const char *line = strstr(bench_proc(pid, "status"), "\nPPid:");

	return line != NULL ? (pid_t)strtol(line + 6, NULL, 10) : 0;
}

void
bench_confine_to(struct bench *b, const char **path, uint32_t n)
{
	struct err err;

	assert_true(profile_builtin(&b->profile, "file-reader"));
	b->profile.read = path;
	b->profile.n_read = n;
	if (!confinement_make(
		&b->confinement, &b->arena, &b->profile, bench_plugin, bench_probe, &err))
		fail_msg("%s", err.msg);
}

static int
run_as_user(int (*run)(const char *who))
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
		int failed = 0;
		if (access("/proc/self/ns/user", F_OK) < 0)
			printf("SKIP: no user namespaces here\n");
		else
			failed = run("as an ordinary user");
		fflush(stdout);
		_exit(failed == 0 ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

int
bench_main(int argc, char **argv, int (*run)(const char *who))
{
	if (argc != 5) {
		fprintf(stderr, "usage: %s LAUNCHER PROBE PLUGIN WORKER\n", argv[0]);
		return 2;
	}
	snprintf(bench_dir, sizeof(bench_dir), "/tmp/mews-launch-test.XXXXXX");
	/* World-writable like /tmp, for the second run's files. */
	if (mkdtemp(bench_dir) == NULL || chmod(bench_dir, 01777) < 0 ||
	    !bench_copy(
		argv[1], "mews-launcher", bench_launcher, sizeof(bench_launcher)) ||
	    !bench_copy(argv[2], "probe", bench_probe, sizeof(bench_probe)) ||
	    !bench_copy(argv[3], "libprobe.so", bench_plugin, sizeof(bench_plugin)) ||
	    !bench_copy(argv[4], "mews-worker", bench_worker, sizeof(bench_worker)))
		return 1;
	int failed = run(geteuid() == 0 ? "as root" : "as this user");
	if (geteuid() == 0)
		failed += run_as_user(run);
	unlink(bench_launcher);
	unlink(bench_probe);
	unlink(bench_plugin);
	unlink(bench_worker);
	rmdir(bench_dir);
	return failed == 0 ? 0 : 1;
}
