/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/confinement.h"

#include <limits.h>
#include <linux/filter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"

#define FIXTURE "policy/testdata/fixture.so"
#define WORKER  "/proc/self/exe"

static struct arena arena;

static struct profile
builtin(const char *name)
{
	struct profile p;

	assert_true(profile_builtin(&p, name));
	return p;
}

static const struct confinement_mount *
mount_at(const struct confinement *c, const char *target)
{
	for (uint32_t i = 0; i < c->n_mount; i++)
		if (strcmp(c->mount[i].target, target) == 0)
			return &c->mount[i];
	return NULL;
}

static void
make(struct confinement *c, const struct profile *p)
{
	struct err err = {0};

	if (!confinement_make(c, &arena, p, FIXTURE, WORKER, &err))
		fail_msg("%s", err.msg);
}

static void
assert_refused(const struct profile *p, const char *want)
{
	struct confinement c = {.n_env = 7};
	struct err err = {0};

	assert_false(confinement_make(&c, &arena, p, FIXTURE, WORKER, &err));
	assert_int_equal(err.code, ERR_USAGE);
	if (!strstr(err.msg, want))
		fail_msg("\"%s\" is not in \"%s\"", want, err.msg);
	assert_int_equal(c.n_env, 7);
}

static void
test_confinement_pure_mounts_what_it_loads_alone(void **state)
{
	struct profile p = builtin("pure");
	struct confinement c;
	char real[PATH_MAX];

	make(&c, &p);
	assert_non_null(realpath(FIXTURE, real));
	assert_string_equal(c.plugin_target, real);
	assert_string_equal(c.worker_target, "/mews-worker");
	assert_non_null(mount_at(&c, c.plugin_target));
	assert_non_null(mount_at(&c, c.worker_target));
	for (uint32_t i = 0; i < c.n_mount; i++) {
		assert_true(c.mount[i].exec);
		assert_false(c.mount[i].directory);
		assert_int_equal(c.mount[i].target[0], '/');
		assert_non_null(realpath(c.mount[i].source, real));
		assert_string_equal(c.mount[i].source, real);
		if (i > 0)
			assert_true(strcmp(c.mount[i - 1].target, c.mount[i].target) < 0);
	}
	assert_int_equal(c.n_env, 2);
	assert_string_equal(c.env[0], "LANG=C");
	assert_string_equal(c.env[1], "TZ=UTC");
	assert_false(c.go_runtime);
	assert_true(
	    c.filter_load_len > 0 && c.filter_load_len % sizeof(struct sock_filter) == 0);
	assert_true(c.filter_run_len > 0);
	assert_int_equal(strlen(c.sha256), 64);
	assert_ptr_equal(c.profile, &p);
}

static void
test_confinement_data_is_not_executable(void **state)
{
	const char *read[] = {"/usr", "/usr/lib", "/etc/passwd"};
	struct profile p = builtin("file-reader");
	struct confinement c;

	p.read = read;
	p.n_read = 3;
	make(&c, &p);
	assert_false(mount_at(&c, "/usr")->exec);
	assert_true(mount_at(&c, "/usr")->directory);
	assert_false(mount_at(&c, "/usr/lib")->exec);
	assert_false(mount_at(&c, "/etc/passwd")->directory);
	/* The directory comes first, so that what is mounted inside it stays visible. */
	assert_true(mount_at(&c, "/usr") < mount_at(&c, "/usr/lib"));
}

static void
test_confinement_executable_wins_where_targets_meet(void **state)
{
	struct profile p = builtin("file-reader");
	struct confinement c;
	char real[PATH_MAX];
	const char *read[] = {real};

	assert_non_null(realpath(FIXTURE, real));
	p.read = read;
	p.n_read = 1;
	make(&c, &p);
	assert_true(mount_at(&c, real)->exec);
}

static void
test_confinement_of_what_may_be_written(void **state)
{
	struct profile p = builtin("pure");
	struct confinement c;
	const char *both[] = {"/tmp"};

	p.read = p.write = both;
	p.n_read = p.n_write = 1;
	make(&c, &p);
	assert_true(mount_at(&c, "/tmp")->writable);
	assert_false(mount_at(&c, "/tmp")->exec);
	assert_int_equal(profile_file_size(&p), 64 << 20);
	p.limits.file_size_bytes = 5;
	assert_int_equal(profile_file_size(&p), 5);
	p = builtin("pure");
	assert_int_equal(profile_file_size(&p), 0);
}

static const char *
text_at(const struct confinement *c, const char *target)
{
	for (uint32_t i = 0; i < c->n_file; i++)
		if (strcmp(c->file[i].target, target) == 0)
			return c->file[i].text;
	return NULL;
}

static void
test_confinement_of_who_connects_has_an_etc_of_its_own(void **state)
{
	struct profile p = builtin("client");
	struct confinement c;
	const char *hosts[] = {"/etc/hosts"};

	make(&c, &p);
	assert_non_null(
	    strstr(text_at(&c, "/etc/resolv.conf"), "nameserver 127.0.0.1\n"));
	assert_non_null(text_at(&c, "/etc/hosts"));
	assert_string_equal(text_at(&c, "/proc/self/cmdline"), "mews-worker");
	/* What the policy gives is the host's. */
	p.read = hosts;
	p.n_read = 1;
	make(&c, &p);
	assert_null(text_at(&c, "/etc/hosts"));
	assert_non_null(text_at(&c, "/etc/passwd"));
	p = builtin("listener");
	make(&c, &p);
	assert_int_equal(c.n_file, 0);
}

static void
test_confinement_refuses_what_it_cannot_give(void **state)
{
	const char *file[] = {"/etc/passwd"}, *gone[] = {"/no/such/path"}, *all[] = {"/"};
	struct profile_listen listen = {PROFILE_TCP, NULL, 80};
	struct profile_unix socket = {.path = "/run/x"};
	struct profile_listen_unix local = {.path = "/tmp/a/x"};
	const char *above[] = {"/tmp"};
	struct err err = {0};
	struct profile p = builtin("pure");

	p.listen = &listen;
	p.n_listen = 1;
	p.unix_socket = &socket;
	p.n_unix_socket = 1;
	assert_true(confinement_check(&p, &err));
	p.listen_unix = &local;
	p.n_listen_unix = LIMIT_UNIX_LISTENERS + 1;
	assert_refused(&p, "listen: more than 16 unix sockets");
	p.n_listen_unix = 1;
	p.write = above;
	p.n_write = 1;
	assert_refused(
	    &p, "listen: unix:/tmp/a/x is in /tmp, which the plugin may write");
	p = builtin("pure");
	p.write = all;
	p.n_write = 1;
	assert_refused(&p, "write: /: it is everything");
	p.write = file;
	assert_refused(&p, "write: /etc/passwd is a file: name the directory");
	p = builtin("pure");
	p.sha256 = "00";
	assert_refused(&p, "but the policy wants 00");
	p = builtin("file-reader");
	p.read = all;
	p.n_read = 1;
	assert_refused(&p, "read: /: it is everything");
	/* A link to it is it. */
	const char *link[] = {"/etc/mtab"};
	if (access(link[0], F_OK) == 0) {
		p.read = link;
		assert_refused(&p, "read: /etc/mtab: it shows every process");
	}
	struct confinement c;
	p.read = gone;
	assert_false(confinement_make(&c, &arena, &p, FIXTURE, WORKER, &err));
	assert_string_equal(err.msg, "read: it must be there when the plugin starts: "
				     "/no/such/path: No such file or directory");
}

static void
test_confinement_passes_the_environment_that_is_listed(void **state)
{
	const char *env[] = {"TZ=Europe/Paris", "GIVEN", "ABSENT", "EMPTY="};
	struct profile p = builtin("pure");
	struct confinement c;

	setenv("GIVEN", "a=b", 1);
	setenv("SECRET", "x", 1);
	unsetenv("ABSENT");
	p.env = env;
	p.n_env = 4;
	make(&c, &p);
	assert_int_equal(c.n_env, 4);
	assert_string_equal(c.env[0], "LANG=C");
	assert_string_equal(c.env[1], "TZ=Europe/Paris");
	assert_string_equal(c.env[2], "GIVEN=a=b");
	assert_string_equal(c.env[3], "EMPTY=");
}

/* The fixture, with the section that Go's linker adds. */
static void
write_go_fixture(char path[PATH_MAX])
{
	static char bytes[1 << 20];
	const char *tmp = getenv("TEST_TMPDIR");
	FILE *f = fopen(FIXTURE, "r");

	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	assert_true(n > 0 && n < sizeof(bytes));
	fclose(f);
	char *name = memmem(bytes, n, ".eh_frame_hdr", 14);
	assert_non_null(name);
	memcpy(name, ".go.buildinfo", 14);
	snprintf(path, PATH_MAX, "%s/go.so", tmp ? tmp : "/tmp");
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static bool
has_env(const struct confinement *c, const char *entry)
{
	bool has = false;

	for (uint32_t i = 0; i < c->n_env; i++)
		has |= strcmp(c->env[i], entry) == 0;
	return has;
}

static void
test_confinement_tells_go_what_it_may_take(void **state)
{
	const char *env[] = {"GOGC=50", "GOMEMLIMIT=off", "GOMAXPROCS=2"};
	struct profile p = builtin("pure");
	struct confinement c;
	struct err err = {0};
	char path[PATH_MAX];

	write_go_fixture(path);
	assert_true(confinement_make(&c, &arena, &p, path, WORKER, &err));
	assert_true(c.go_runtime);
	assert_int_equal(c.n_env, 6);
	assert_true(has_env(&c, "GOMAXPROCS=1"));
	assert_true(has_env(&c, "GOTRACEBACK=single"));
	assert_true(has_env(&c, "GOGC=400"));
	assert_true(has_env(&c, "GOMEMLIMIT=402653184"));

	p.limits.memory_bytes = 100 << 20;
	p.limits.processes = 4;
	assert_true(confinement_make(&c, &arena, &p, path, WORKER, &err));
	assert_true(has_env(&c, "GOMEMLIMIT=15728640"));

	p.env = env;
	p.n_env = 3;
	assert_true(confinement_make(&c, &arena, &p, path, WORKER, &err));
	assert_int_equal(c.n_env, 6);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(has_env(&c, env[i]));
	unlink(path);
}

static void
test_confinement_unconfined_has_no_filters(void **state)
{
	struct profile p = builtin("unconfined");
	struct confinement c;

	make(&c, &p);
	assert_int_equal(c.filter_load_len, 0);
	assert_int_equal(c.filter_run_len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_confinement_pure_mounts_what_it_loads_alone),
	    cmocka_unit_test(test_confinement_data_is_not_executable),
	    cmocka_unit_test(test_confinement_executable_wins_where_targets_meet),
	    cmocka_unit_test(test_confinement_of_what_may_be_written),
	    cmocka_unit_test(test_confinement_of_who_connects_has_an_etc_of_its_own),
	    cmocka_unit_test(test_confinement_refuses_what_it_cannot_give),
	    cmocka_unit_test(test_confinement_passes_the_environment_that_is_listed),
	    cmocka_unit_test(test_confinement_tells_go_what_it_may_take),
	    cmocka_unit_test(test_confinement_unconfined_has_no_filters),
	};
	int rc;

	arena_init(&arena, 64u << 20);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
