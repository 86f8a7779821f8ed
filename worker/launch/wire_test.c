/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "worker/launch/wire.h"

static const char filter[16] = "abcdefghijklmnop";

/* One of everything that travels. */
struct sample {
	struct profile profile;
	struct profile_listen_unix at[1];
	struct confinement_mount mount[3];
	const char *env[2], *read[1];
	struct confinement confinement;
	struct launch_request request;
};

static void
sample_init(struct sample *s)
{
	*s = (struct sample){
	    .profile =
		{
		    .name = "mine",
		    .base = PROFILE_FILE_READER,
		    .late_dlopen = true,
		    .limits = {.memory_bytes = 1ull << 33,
			.threads = 7,
			.processes = 3,
			.open_files = 99},
		},
	    .mount =
		{
		    {"/usr/bin/worker", "/worker", false, true},
		    {"/opt/libx.so", "/libx.so", false, true},
		    {"/var/log", "/var/log", true, false},
		},
	    .at = {{"/run/x.sock", 0640, 0660, PROFILE_NOBODY, 7, true}},
	    .env = {"LANG=C", "A="},
	    .read = {"/var/log"},
	};
	s->profile.read = s->read;
	s->profile.n_read = 1;
	s->profile.listen_unix = s->at;
	s->profile.n_listen_unix = 1;
	s->confinement = (struct confinement){
	    .profile = &s->profile,
	    .plugin_target = "/libx.so",
	    .worker_target = "/worker",
	    .mount = s->mount,
	    .n_mount = 3,
	    .env = s->env,
	    .n_env = 2,
	    .filter_load = filter,
	    .filter_load_len = 16,
	    .filter_run = filter + 8,
	    .filter_run_len = 8,
	    .sha256 = "00ff",
	    .plugin_ino = 1ull << 40,
	    .plugin_ctime_ns = -5,
	};
	s->request = (struct launch_request){
	    .id = 77,
	    .title = "x",
	    .confinement = &s->confinement,
	    .worker_path = "/usr/bin/worker",
	    .min_tier = 2,
	};
}

static int
pack(const struct sample *s)
{
	struct err err;
	int fd;

	if (!wire_plan_pack(&s->request, &fd, &err))
		fail_msg("%s", err.msg);
	return fd;
}

static bool
unpack_fd(int fd, struct arena *arena, struct launch_request *r, struct err *err)
{
	arena_init(arena, 4 * LIMIT_LAUNCH_BYTES);
	bool ok = wire_plan_unpack(fd, arena, r, err);
	close(fd);
	return ok;
}

static void
test_plan_comes_out_as_it_went_in(void **state)
{
	struct launch_request r;
	struct sample s;
	struct arena arena;
	struct err err;

	sample_init(&s);
	if (!unpack_fd(pack(&s), &arena, &r, &err))
		fail_msg("%s", err.msg);
	const struct confinement *c = r.confinement;
	assert_int_equal(r.id, 77);
	assert_int_equal(r.min_tier, 2);
	assert_string_equal(r.title, "x");
	assert_string_equal(r.worker_path, "/usr/bin/worker");
	assert_int_equal(c->profile->base, PROFILE_FILE_READER);
	assert_true(c->profile->late_dlopen);
	assert_false(c->profile->jit);
	assert_true(c->profile->limits.memory_bytes == 1ull << 33);
	assert_int_equal(c->profile->limits.processes, 3);
	assert_string_equal(c->profile->read[0], "/var/log");
	assert_int_equal(c->profile->n_listen_unix, 1);
	const struct profile_listen_unix *at = c->profile->listen_unix;
	assert_string_equal(at->path, "/run/x.sock");
	assert_int_equal(at->mode, 0640);
	assert_int_equal(at->most_mode, 0660);
	assert_true(at->owner == PROFILE_NOBODY && at->group == 7 && at->descriptors);
	assert_int_equal(c->n_mount, 3);
	assert_string_equal(c->mount[2].source, "/var/log");
	assert_true(c->mount[2].directory);
	assert_false(c->mount[2].exec);
	assert_string_equal(c->env[1], "A=");
	assert_null(c->env[2]);
	assert_int_equal(c->filter_run_len, 8);
	assert_memory_equal(c->filter_run, filter + 8, 8);
	assert_string_equal(c->sha256, "00ff");
	assert_true(c->plugin_ctime_ns == -5);
	arena_release(&arena);
}

/* Nothing that is cut or bent crashes, and nothing cut is taken. */
static void
test_plan_takes_nothing_broken(void **state)
{
	char bytes[2048], bent[2048];
	struct launch_request r;
	struct sample s;
	struct arena arena;
	struct err err;
	int fd;

	sample_init(&s);
	fd = pack(&s);
	ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
	close(fd);
	assert_true(size > 0 && size < (ssize_t)sizeof(bytes));
	for (size_t n = 0; n < (size_t)size; n++) {
		assert_true(wire_memfd("cut", bytes, n, &fd, &err));
		assert_false(unpack_fd(fd, &arena, &r, &err));
		arena_release(&arena);
	}
	for (size_t i = 0; i < (size_t)size * 8; i++) {
		memcpy(bent, bytes, (size_t)size);
		bent[i / 8] ^= (char)(1 << i % 8);
		assert_true(wire_memfd("bent", bent, (size_t)size, &fd, &err));
		if (unpack_fd(fd, &arena, &r, &err))
			assert_true(r.confinement->n_mount <= LIMIT_WORKER_MOUNTS);
		arena_release(&arena);
	}
}

static void
expect_refused(const struct sample *s, const char *why)
{
	struct launch_request r;
	struct arena arena;
	struct err err;

	assert_false(unpack_fd(pack(s), &arena, &r, &err));
	if (strstr(err.msg, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
	arena_release(&arena);
}

static void
test_plan_is_checked(void **state)
{
	static const char *const paths[] = {
	    "", "/", "x", "/a/../b", "/a/./b", "/a//b", "/a/", "/..", "/."};
	struct sample s;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		sample_init(&s);
		s.mount[2].target = paths[i];
		expect_refused(&s, "plain path");
		sample_init(&s);
		s.mount[2].source = paths[i];
		expect_refused(&s, "plain path");
	}
	sample_init(&s);
	s.confinement.filter_run_len = 0;
	expect_refused(&s, "filters are missing");
	sample_init(&s);
	s.confinement.filter_load_len = 9;
	expect_refused(&s, "filters are missing");
	sample_init(&s);
	s.confinement.worker_target = "/elsewhere";
	expect_refused(&s, "does not mount the worker");
	sample_init(&s);
	s.confinement.plugin_target = "/elsewhere";
	expect_refused(&s, "does not mount the plugin");
	sample_init(&s);
	s.profile.limits.open_files = 8;
	expect_refused(&s, "limits are too small");
	sample_init(&s);
	s.request.min_tier = 4;
	expect_refused(&s, "no tier 4");
	sample_init(&s);
	s.request.worker_path = "worker";
	expect_refused(&s, "not absolute");
}

static void
test_plan_must_be_sealed(void **state)
{
	int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct launch_request r;
	struct arena arena;
	struct err err;

	assert_false(unpack_fd(fd, &arena, &r, &err));
	assert_non_null(strstr(err.msg, "not sealed"));
	arena_release(&arena);
}

static unsigned
open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
test_receive_closes_what_is_too_much(void **state)
{
	int pair[2], sent[3] = {0, 1, 2}, got[2];
	struct packet_in in = {.fds = got, .max_fd = 2};
	struct wire_head head = {.kind = WIRE_KILL, .id = 1};
	char small[4];
	struct err err;
	size_t size;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	unsigned before = open_fds();
	assert_int_equal(
	    wire_send(pair[0], &head, sizeof(head), sent, 2, 0, &err), PACKET_OK);
	assert_int_equal(
	    wire_receive(pair[1], &head, sizeof(head), &size, &in, 0, &err), PACKET_OK);
	assert_int_equal(size, sizeof(head));
	assert_int_equal(in.n_fd, 2);
	assert_int_equal(open_fds(), before + 2);
	close(got[0]);
	close(got[1]);
	/* One descriptor too many. */
	assert_int_equal(
	    wire_send(pair[0], &head, sizeof(head), sent, 3, 0, &err), PACKET_OK);
	assert_int_equal(wire_receive(pair[1], &head, sizeof(head), &size, &in, 0, &err),
	    PACKET_ERROR);
	assert_int_equal(open_fds(), before);
	/* Bytes too many. */
	assert_int_equal(
	    wire_send(pair[0], &head, sizeof(head), sent, 1, 0, &err), PACKET_OK);
	assert_int_equal(wire_receive(pair[1], small, sizeof(small), &size, &in, 0, &err),
	    PACKET_ERROR);
	assert_int_equal(open_fds(), before);
	/* None wanted. */
	assert_int_equal(
	    wire_send(pair[0], &head, sizeof(head), sent, 1, 0, &err), PACKET_OK);
	assert_int_equal(wire_receive(pair[1], &head, sizeof(head), &size, NULL, 0, &err),
	    PACKET_ERROR);
	assert_int_equal(open_fds(), before);
	close(pair[0]);
	assert_int_equal(wire_receive(pair[1], &head, sizeof(head), &size, &in, 0, &err),
	    PACKET_CLOSED);
	close(pair[1]);
}

static void
test_layers_have_names_and_tiers(void **state)
{
	char text[160], tight[10];

	launch_layers_text(LAYER_USER_NS | LAYER_SECCOMP, text, sizeof(text));
	assert_string_equal(text, "user seccomp");
	launch_layers_text(LAYER_USER_NS | LAYER_SECCOMP, tight, sizeof(tight));
	assert_string_equal(tight, "user");
	launch_layers_text(0, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(launch_tier_layers(0), launch_tier_layers(3));
	assert_int_equal(launch_tier_layers(3) & ~launch_tier_layers(2), LAYER_USER_NS);
	assert_true((launch_tier_layers(1) & LAYER_SECCOMP) != 0);
	assert_true((launch_tier_layers(1) & LAYER_PID_NS) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan_comes_out_as_it_went_in),
	    cmocka_unit_test(test_plan_takes_nothing_broken),
	    cmocka_unit_test(test_plan_is_checked),
	    cmocka_unit_test(test_plan_must_be_sealed),
	    cmocka_unit_test(test_receive_closes_what_is_too_much),
	    cmocka_unit_test(test_layers_have_names_and_tiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
