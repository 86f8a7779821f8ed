/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/eval.h"
#include "policy/notify.h"

#define FIXTURE "policy/testdata/fixture.so"

static struct arena arena;

static void
make(struct confinement *c, const struct profile *p)
{
	struct err err = {0};

	if (!confinement_make(c, &arena, p, FIXTURE, "/proc/self/exe", &err))
		fail_msg("%s", err.msg);
}

static struct profile
builtin(const char *name)
{
	struct profile p;

	assert_true(profile_builtin(&p, name));
	return p;
}

static void
assert_has(const struct buf *b, const char *text)
{
	if (!strstr(buf_str(b), text))
		fail_msg("\"%s\" is not in:\n%s", text, buf_str(b));
}

static void
test_explain_profile_in_words(void **state)
{
	struct profile p = builtin("pure");
	struct buf b;

	buf_init(&b, 1u << 20);
	explain_profile(&p, &b);
	assert_string_equal(buf_str(&b),
	    "profile pure: compute only: no files, no network, no processes\n"
	    "  reads        nothing\n"
	    "  writes       nothing\n"
	    "  network      nothing\n"
	    "  memory       512 MiB; code is what its files hold, nothing else\n"
	    "  processes    its own alone, 64 threads, 256 open files\n"
	    "  kept by      resource limits, and a cgroup where mews is given one\n"
	    "  rates        100 log lines/s\n"
	    "  deadlines    init 30 s, open 30 s, next_batch none, extract 5 s, parse 5 "
	    "s, "
	    "close 5 s\n"
	    "  restarts     5 in 600 s, waiting 100 ms to 30 s; then mews ends\n");
	buf_release(&b);
}

static void
test_explain_confinement_shows_root_and_calls(void **state)
{
	const char *read[] = {"/etc/passwd"}, *env[] = {"TOKEN=hunter2"};
	struct profile p = builtin("file-reader");
	struct confinement c;
	struct buf b;

	p.read = read;
	p.n_read = 1;
	p.env = env;
	p.n_env = 1;
	make(&c, &p);
	buf_init(&b, 1u << 20);
	explain_confinement(&c, &b);
	assert_has(&b, ": compute, and what is listed here; nothing else\n");
	assert_null(strstr(buf_str(&b), "no files"));
	assert_has(&b, "  reads        /etc/passwd\n");
	assert_has(&b, "  file         /etc/passwd\n");
	assert_has(&b, "/mews-worker (/");
	assert_has(&b, "  environment  TOKEN\n");
	assert_has(&b, "its environment\n  LANG\n  TZ\n  TOKEN\n");
	assert_null(strstr(buf_str(&b), "hunter2"));
	assert_has(&b, "    mmap         private memory, or");
	assert_has(&b, "  end the worker, and are reported\n    ptrace ");
	assert_has(&b, "  refused, and reported\n    socket socketpair fork ");
	buf_release(&b);
}

/* A call whose answer depends on arguments must be listed as such. */
static void
test_explain_has_words_for_every_condition(void **state)
{
	static const char *const names[] = {"pure", "file-reader"};

	for (size_t k = 0; k < 2; k++) {
		struct profile p = builtin(names[k]);
		struct confinement c;
		struct buf b;
		make(&c, &p);
		buf_init(&b, 1u << 20);
		explain_filters(&c, &b);
		for (int nr = 0; nr < 512; nr++) {
			struct seccomp_data d = {.nr = nr, .arch = AUDIT_ARCH_X86_64};
			char line[80];
			uint32_t n =
			    c.filter_load_len / (uint32_t)sizeof(struct sock_filter);
			uint32_t first = bpf_run(c.filter_load, n, &d);
			bool same = true;
			for (int bit = 0; bit < 64; bit++)
				for (int a = 0; a < 6; a++) {
					memset(d.args, 0, sizeof(d.args));
					d.args[a] = 1ull << bit;
					same &= bpf_run(c.filter_load, n, &d) == first;
				}
			if (same)
				continue;
			snprintf(line, sizeof(line), "\n    %-12s ", notify_name(nr));
			assert_has(&b, line);
		}
		buf_release(&b);
	}
}

static void
test_explain_risks_name_the_worst_first(void **state)
{
	const char *read[] = {"/etc", "/etc/falco/tls"};
	struct profile_connect connect = {"amazonaws.com", true, 443, false};
	struct profile_unix sockets[] = {{.path = "/run/docker.sock"},
	    {.path = "/run/filtered.sock", .filtered = true}};
	struct profile p = builtin("pure");
	struct buf b;

	buf_init(&b, 1u << 16);
	assert_int_equal(explain_risks(&p, &b), 0);
	assert_string_equal(buf_str(&b), "");
	p.read = read;
	p.n_read = 2;
	p.connect = &connect;
	p.n_connect = 1;
	p.unix_socket = sockets;
	p.n_unix_socket = 2;
	p.jit = true;
	assert_int_equal(explain_risks(&p, &b), 4);
	assert_string_equal(buf_str(&b),
	    "DANGER: jit: true: whoever takes the plugin over may run code of his own in "
	    "it\n"
	    "DANGER: /run/docker.sock: its service would obey the plugin; list requests "
	    "in http-get\n"
	    "note: /etc: is much to read; name the files that the plugin needs\n"
	    "note: amazonaws.com: every name below it may be one of somebody else's\n");
	p = builtin("unconfined");
	buf_clear(&b);
	assert_int_equal(explain_risks(&p, &b), 1);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_explain_profile_in_words),
	    cmocka_unit_test(test_explain_confinement_shows_root_and_calls),
	    cmocka_unit_test(test_explain_has_words_for_every_condition),
	    cmocka_unit_test(test_explain_risks_name_the_worst_first),
	};
	int rc;

	arena_init(&arena, 64u << 20);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
