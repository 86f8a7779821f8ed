/* SPDX-License-Identifier: Apache-2.0 */
/* Making workers: every wall stands, each alone suffices, and what cannot be had is said.
 */
#include "worker/launch/test_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* A filter that lets everything through: what is refused then, another layer refuses. */
static const struct sock_filter allow_all[] = {
    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
};

static void
test_launch_holds_every_layer(void **state)
{
	struct bench *b = *state;

	bench_must_launch(b);
	char held[160];
	launch_layers_text(b->result.layers, held, sizeof(held));
	print_message("layers: %s\n", held);
	assert_int_equal(b->result.layers, BENCH_ALL_LAYERS);
	assert_string_equal(bench_ask(b, "see"), "uid 0 gid 0 pid 2 env LANG=C,TZ=UTC,");
	assert_string_equal(
	    bench_proc(b->result.worker_pid, "cmdline"), "mews-worker probe");
	pid_t shim = bench_parent(b->result.worker_pid);
	assert_string_equal(bench_proc(shim, "cmdline"), "mews-shim probe");
	assert_non_null(strstr(bench_proc(shim, "status"), "\nSeccomp:\t2\n"));
	assert_string_equal(bench_proc(bench_parent(shim), "cmdline"), "mews-launcher");
	/* On the host it is nobody's uid but its own, where there is more than one. */
	if (geteuid() == 0 && strstr(bench_proc(getpid(), "uid_map"), " 1\n") == NULL) {
		assert_null(
		    strstr(bench_proc(b->result.worker_pid, "status"), "\nUid:\t0\t"));
		pid_t first = b->result.worker_pid;
		char uid[32];
		snprintf(uid, sizeof(uid), "%.30s",
		    strstr(bench_proc(first, "status"), "\nUid:\t"));
		int keep = b->control_fd;
		b->control_fd = -1;
		bench_must_launch(b);
		assert_null(strstr(bench_proc(b->result.worker_pid, "status"), uid));
		close(keep);
	}
}

/* The proof is the kernel's word, not the worker's. */
static void
test_attestation_believes_no_worker(void **state)
{
	static const struct {
		const char *how, *found;
	} cheats[] = {
	    {"CHEAT=descriptor", "descriptor 20 is open in it"},
	    {"CHEAT=listener", "kept its filter's listener"},
	    {"CHEAT=thread", "Threads: 2 where 1 was meant"},
	    {"CHEAT=filter", "listener is missing"},
	    /* With a filter that needs no listener. */
	    {"CHEAT=filter", "Seccomp: 0 where 2 was meant"},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(cheats) / sizeof(cheats[0]); i++) {
		const char *env[] = {cheats[i].how};
		b->confinement.env = env;
		b->confinement.n_env = 1;
		if (i == 4) {
			b->confinement.filter_load = b->confinement.filter_run =
			    allow_all;
			b->confinement.filter_load_len = sizeof(allow_all);
			b->confinement.filter_run_len = sizeof(allow_all);
		}
		bench_must_not_launch(b, cheats[i].found);
	}
}

/* The program that holds plugins gets as far as waiting for its first message. */
static void
test_real_worker_shuts_itself_in(void **state)
{
	struct bench *b = *state;
	struct err err;

	b->request.worker_path = bench_worker;
	if (!confinement_make(&b->confinement, &b->arena, &b->profile, bench_plugin,
		bench_worker, &err))
		fail_msg("%s", err.msg);
	bench_must_launch(b);
	assert_int_equal(b->result.layers, BENCH_ALL_LAYERS);
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
	bench_must_launch(b);
	assert_int_equal(b->result.layers, BENCH_ALL_LAYERS);
	assert_int_equal(bench_attempt(b, "try read /etc/shadow"), ENOENT);
	assert_int_equal(bench_attempt(b, "try read /etc/passwd"), ENOENT);
	assert_int_equal(bench_attempt(b, "try read /proc/self/status"), ENOENT);
	assert_int_equal(bench_attempt(b, "try read /../../etc/passwd"), ENOENT);
	assert_int_equal(bench_attempt(b, "try read /"), EACCES);
	assert_int_equal(bench_attempt(b, "try read /mews-worker"), 0);
	/* Not its own, in use, on a read-only mount: which is said first may differ. */
	assert_int_not_equal(bench_attempt(b, "try write /mews-worker"), 0);
	assert_int_equal(bench_attempt(b, "try write /new"), EROFS);
	assert_int_equal(bench_attempt(b, "try exec /mews-worker"), EACCES);
	assert_int_equal(bench_attempt(b, "try socket"), EACCES);
	assert_int_equal(bench_attempt(b, "try mount"), EPERM);
	assert_int_equal(bench_attempt(b, "try remount"), EPERM);
	assert_int_equal(bench_attempt(b, "try unshare"), ENOSPC);
	assert_int_equal(bench_attempt(b, "try setuid"), EINVAL);
	assert_int_equal(bench_attempt(b, "try more-memory"), EPERM);
	assert_int_equal(bench_attempt(b, "try writable-code"), EACCES);
}

static void
test_filter_refuses(void **state)
{
	static const char *const refused[] = {"try exec /mews-worker", "try fork",
	    "try writable-code", "try become-readable", "try more-memory", "try setuid",
	    "try write /new", "try kill-shim"};
	struct bench *b = *state;

	bench_must_launch(b);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_not_equal(bench_attempt(b, refused[i]), 0);
	/* Before and after the second filter. */
	assert_int_equal(bench_attempt(b, "try read /mews-worker"), 0);
	assert_string_equal(bench_ask(b, "tighten"), "0");
	assert_int_not_equal(bench_attempt(b, "try read /mews-worker"), 0);
	assert_string_equal(bench_proc(b->result.worker_pid, "comm"), "mews-worker\n");
	assert_non_null(
	    strstr(bench_proc(b->result.worker_pid, "status"), "Seccomp_filters:\t2\n"));
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

/* As Falco's plugins as root: what the operator lists is read, whoever may read it. */
static void
test_listed_files_are_readable(void **state)
{
	struct bench *b = *state;
	char secret[128], private_dir[128], inside[160], command[200];

	snprintf(secret, sizeof(secret), "%s/secret-%u", bench_dir, geteuid());
	snprintf(private_dir, sizeof(private_dir), "%s/private-%u", bench_dir, geteuid());
	snprintf(inside, sizeof(inside), "%s/secret", private_dir);
	write_file(secret, 0600);
	assert_int_equal(mkdir(private_dir, 0700), 0);
	write_file(inside, 0600);
	const char *read_list[] = {secret, private_dir};
	bench_confine_to(b, read_list, 2);
	bench_must_launch(b);
	assert_string_equal(b->result.note, "");
	snprintf(command, sizeof(command), "try read %s", secret);
	assert_int_equal(bench_attempt(b, command), 0);
	snprintf(command, sizeof(command), "try read %s", inside);
	assert_int_equal(bench_attempt(b, command), 0);
	snprintf(command, sizeof(command), "try write %s", inside);
	assert_int_not_equal(bench_attempt(b, command), 0);
	snprintf(command, sizeof(command), "try read %s", bench_launcher);
	assert_int_equal(bench_attempt(b, command), ENOENT);
	unlink(inside);
	rmdir(private_dir);
	unlink(secret);
}

static void
test_unconfined_has_no_walls(void **state)
{
	struct bench *b = *state;

	bench_confine(b, "unconfined");
	bench_must_launch(b);
	assert_int_equal(b->result.layers, 0);
	assert_int_equal(bench_attempt(b, "try read /etc/passwd"), 0);
	assert_string_equal(bench_ask(b, "tighten"), "0");
	bench_tell(b, "exit 7");
	struct launch_event e = bench_event(b);
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
	bench_must_not_launch(b, "filters are missing");
	b->confinement = sound;
	b->confinement.filter_load_len = 0;
	bench_must_not_launch(b, "filters are missing");
	b->confinement = sound;
	b->confinement.plugin_ctime_ns++;
	b->confinement.sha256[0] ^= 1;
	bench_must_not_launch(b, "has changed since it was checked");
	b->confinement = sound;
	b->confinement.mount[0].target = "/../x";
	bench_must_not_launch(b, "not an absolute, plain path");
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
	assert_true(bench_copy(bench_plugin, name, own, sizeof(own)));
	if (!confinement_make(
		&b->confinement, &b->arena, &b->profile, own, bench_probe, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(stat(own, &st), 0);
	/* A chmod is no change of what it is. */
	assert_int_equal(chmod(own, 0744), 0);
	assert_int_equal(chmod(own, 0755), 0);
	bench_must_launch(b);

	int fd = open(own, O_RDWR | O_CLOEXEC);
	char last;
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &last, 1, st.st_size - 1), 1);
	last ^= 1;
	assert_int_equal(pwrite(fd, &last, 1, st.st_size - 1), 1);
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	assert_int_equal(futimens(fd, times), 0);
	bench_must_not_launch(b, "has changed since it was checked");
	/* The content alone counts. */
	last ^= 1;
	assert_int_equal(pwrite(fd, &last, 1, st.st_size - 1), 1);
	bench_must_launch(b);
	close(fd);
	unlink(own);
}

static void
test_launch_says_why_a_worker_ended_early(void **state)
{
	struct bench *b = *state;

	bench_confine(b, "unconfined");
	b->request.worker_path = "/bin/false";
	bench_must_not_launch(b, "exit code 1");
	b->request.worker_path = "/nowhere";
	bench_must_not_launch(b, "/nowhere");
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
	bench_must_not_launch(b, "tier 2 needs");
	b->request.min_tier = 1;
	bench_must_launch(b);
	assert_int_equal(b->result.layers, launch_tier_layers(1) | LAYER_MDWE);
	launch_layers_text(
	    BENCH_ALL_LAYERS & ~b->result.layers, missing, sizeof(missing));
	assert_string_equal(missing, "user pid mount net ipc uts cgroup root");
	assert_int_equal(bench_attempt(b, "try read /mews-worker"), ENOENT);
	assert_int_equal(bench_attempt(b, "try read /etc/passwd"), EACCES);
	assert_string_equal(bench_event(b).allow_with, "read: [/etc/passwd]");
}

static void
test_root_gets_tier_2(void **state)
{
	struct bench *b = *state;
	char secret[128], missing[160];

	b->request.min_tier = 2;
	bench_must_launch(b);
	assert_int_equal(b->result.layers, launch_tier_layers(2) | LAYER_MDWE);
	launch_layers_text(
	    BENCH_ALL_LAYERS & ~b->result.layers, missing, sizeof(missing));
	assert_string_equal(missing, "user");
	assert_null(strstr(bench_proc(b->result.worker_pid, "status"), "\nUid:\t0\t"));
	assert_int_equal(bench_attempt(b, "try read /etc/shadow"), ENOENT);
	/* Nothing can map owners now, and that is said. */
	snprintf(secret, sizeof(secret), "%s/secret", bench_dir);
	write_file(secret, 0600);
	bench_confine_to(b, (const char *[]){secret}, 1);
	bench_must_not_launch(b, "can be read by its owner alone");
	unlink(secret);
	bench_confine_to(b, (const char *[]){bench_dir}, 1);
	bench_must_launch(b);
	if (strncmp(b->result.note, bench_dir, strlen(bench_dir)) != 0)
		fail_msg("note \"%s\"", b->result.note);
}

static void
test_tier_3_is_the_default(void **state)
{
	bench_must_not_launch(*state, "user namespace");
}

static int
run_in_last_user_namespace(void)
{
	const struct CMUnitTest as_root[] = {
	    BENCH_TEST(test_tier_3_is_the_default),
	    BENCH_TEST(test_root_gets_tier_2),
	};
	const struct CMUnitTest as_user[] = {
	    BENCH_TEST(test_tier_3_is_the_default),
	    BENCH_TEST(test_ordinary_user_gets_tier_1),
	};
	static const char name[] = "where no user namespace can be made";

	return geteuid() == 0 ? cmocka_run_group_tests_name(name, as_root, NULL, NULL)
			      : cmocka_run_group_tests_name(name, as_user, NULL, NULL);
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
		close(say[0]);
		close(go[1]);
		if (!enter_last_user_namespace(say[1], go[0])) {
			printf(
			    "SKIP: no user namespace in which there are no others: %s\n",
			    strerror(errno));
			fflush(stdout);
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
		bench_must_launch(b);
		took_ns[i] = clock_mono_ns() - start;
	}
	qsort(took_ns, N, sizeof(took_ns[0]), by_value);
	print_message(
	    "a confined worker was ready after %llu µs (median of %d; best %llu)\n",
	    (unsigned long long)took_ns[N / 2] / 1000, N,
	    (unsigned long long)took_ns[0] / 1000);
}

static int
run(const char *who)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(test_launch_holds_every_layer),
	    BENCH_TEST(test_real_worker_shuts_itself_in),
	    BENCH_TEST(test_attestation_believes_no_worker),
	    BENCH_TEST(test_launch_leaves_nothing_to_reach),
	    BENCH_TEST(test_filter_refuses),
	    BENCH_TEST(test_listed_files_are_readable),
	    BENCH_TEST(test_unconfined_has_no_walls),
	    BENCH_TEST(test_launch_refuses_half_confinements),
	    BENCH_TEST(test_launch_takes_no_other_plugin),
	    BENCH_TEST(test_launch_says_why_a_worker_ended_early),
	    BENCH_TEST(test_launch_start_time),
	};

	return run_without_user_namespaces() +
	       cmocka_run_group_tests_name(who, tests, NULL, NULL);
}

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, run);
}
