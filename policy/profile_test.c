/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf/load.h"
#include "base/limits.h"

static struct arena arena;

static int
setup(void **state)
{
	arena_init(&arena, 16u << 20);
	return 0;
}

static int
teardown(void **state)
{
	arena_release(&arena);
	return 0;
}

static struct conf_node *
tree(const char *text)
{
	struct conf_node *root = NULL;
	struct err err = {0};

	if (!conf_load(&arena, text, strlen(text), "falco.yaml", false, &root, &err))
		fail_msg("%s", err.msg);
	return root;
}

static struct profile
parsed(const char *text)
{
	struct profile p;
	struct err err = {0};

	if (!profile_parse(&p, &arena, tree(text), "falco.yaml", &err))
		fail_msg("%s", err.msg);
	return p;
}

static void
assert_mistakes(const char *text, const char *want)
{
	struct profile p = {.name = "untouched"};
	struct err err = {0};

	assert_false(profile_parse(&p, &arena, tree(text), "falco.yaml", &err));
	assert_int_equal(err.code, ERR_SYNTAX);
	assert_string_equal(err.msg, want);
	assert_string_equal(p.name, "untouched");
}

static void
test_profile_without_block_is_pure(void **state)
{
	struct profile p;
	struct err err = {0};

	assert_true(profile_parse(&p, &arena, NULL, "falco.yaml", &err));
	assert_string_equal(p.name, "pure");
	assert_int_equal(p.base, PROFILE_PURE);
	assert_int_equal(p.limits.memory_bytes, 512u << 20);
	assert_int_equal(p.limits.threads, 64);
	assert_int_equal(p.limits.next_batch_ms, 0);
	assert_int_equal(p.limits.extract_ms, 5000);
	assert_true(p.required);
	assert_string_equal(parsed("# nothing").name, "pure");
}

static void
test_profile_builtins_have_names(void **state)
{
	struct profile p;

	assert_string_equal(
	    profile_builtin_names(), "pure, file-reader, listener, client, unconfined");
	assert_true(profile_builtin(&p, "unconfined"));
	assert_int_equal(p.base, PROFILE_UNCONFINED);
	assert_string_equal(profile_base_name(PROFILE_FILE_READER), "file-reader");
	assert_false(profile_builtin(&p, "Pure"));
}

static void
test_profile_reads_every_key(void **state)
{
	struct profile p =
	    parsed("profile: listener\n"
		   "read: [/etc/falco/tls/, /var/log/audit.json]\n"
		   "write: /var/lib/nginx\n"
		   "listen: [tcp:9765, 'udp:514', '127.0.0.1:80', 'udp:[::1]:53']\n"
		   "connect: ['Api.GitHub.com:443', '*.amazonaws.com:443', "
		   "'[2001:db8::1]:8443']\n"
		   "unix:\n"
		   "  - /run/a.sock\n"
		   "  - path: /var/run/docker.sock\n"
		   "    http-get: [/containers/*, /events]\n"
		   "env: [AWS_REGION=eu, HOME]\n"
		   "limits: {memory: 256M, threads: 32, open_files: 100, file_size: 1G, "
		   "cpu: 50%,\n"
		   "         processes: 2, events_per_s: 100000, log_lines_per_s: 7}\n"
		   "deadlines: {init: 30s, open: 2m, next_batch: 500ms, extract: 50ms, "
		   "parse: 0,\n"
		   "            close: 1h}\n"
		   "restart: {max: 3, window: 10m, backoff_min: 1s, backoff_max: 60s}\n"
		   "required: no\n"
		   "late_dlopen: true\n"
		   "jit: true\n"
		   "sha256: "
		   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
	struct buf b;

	assert_int_equal(p.base, PROFILE_LISTENER);
	assert_int_equal(p.n_read, 2);
	assert_string_equal(p.read[0], "/etc/falco/tls");
	assert_string_equal(p.read[1], "/var/log/audit.json");
	assert_int_equal(p.n_write, 1);
	assert_int_equal(p.n_listen, 4);
	buf_init(&b, 4096);
	for (uint32_t i = 0; i < p.n_listen; i++) {
		profile_listen_text(&p.listen[i], &b);
		buf_addc(&b, ' ');
	}
	for (uint32_t i = 0; i < p.n_connect; i++) {
		profile_connect_text(&p.connect[i], &b);
		buf_addc(&b, ' ');
	}
	assert_string_equal(buf_str(&b),
	    "tcp:9765 udp:514 tcp:127.0.0.1:80 udp:[::1]:53 api.github.com:443 "
	    "*.amazonaws.com:443 [2001:db8::1]:8443 ");
	buf_release(&b);
	assert_int_equal(p.n_unix_socket, 2);
	assert_string_equal(p.unix_socket[0].path, "/run/a.sock");
	assert_false(p.unix_socket[0].filtered);
	assert_true(p.unix_socket[1].filtered);
	assert_int_equal(p.unix_socket[1].n_http_get, 2);
	assert_string_equal(p.unix_socket[1].http_get[0], "/containers/*");
	assert_int_equal(p.n_env, 2);
	assert_int_equal(p.limits.memory_bytes, 256u << 20);
	assert_int_equal(p.limits.threads, 32);
	assert_int_equal(p.limits.open_files, 100);
	assert_int_equal(p.limits.file_size_bytes, 1u << 30);
	assert_int_equal(p.limits.cpu_percent, 50);
	assert_int_equal(p.limits.processes, 2);
	assert_int_equal(p.limits.events_per_s, 100000);
	assert_int_equal(p.limits.log_lines_per_s, 7);
	assert_int_equal(p.limits.init_ms, 30000);
	assert_int_equal(p.limits.open_ms, 120000);
	assert_int_equal(p.limits.next_batch_ms, 500);
	assert_int_equal(p.limits.extract_ms, 50);
	assert_int_equal(p.limits.parse_ms, 0);
	assert_int_equal(p.limits.close_ms, 3600000);
	assert_int_equal(p.restart_max, 3);
	assert_int_equal(p.restart_window_s, 600);
	assert_int_equal(p.backoff_min_ms, 1000);
	assert_int_equal(p.backoff_max_ms, 60000);
	assert_false(p.required);
	assert_true(p.late_dlopen);
	assert_true(p.jit);
	assert_non_null(p.sha256);
}

static void
test_profile_listens_at_unix_sockets(void **state)
{
	struct profile p =
	    parsed("listen: [unix:/run/a.sock, tcp:1, {unix: /run/b/c.sock, mode: 0660, "
		   "owner: root, group: 7, descriptors: true}, {unix: /run/a.sock, "
		   "mode: 666}]");
	const struct profile_listen_unix *l = p.listen_unix;

	assert_int_equal(p.n_listen, 1);
	assert_int_equal(p.n_listen_unix, 2);
	assert_string_equal(l[0].path, "/run/a.sock");
	assert_int_equal(l[0].mode, 0666);
	assert_int_equal(l[0].most_mode, 0666);
	assert_true(l[0].owner == PROFILE_NOBODY && l[0].group == PROFILE_NOBODY);
	assert_false(l[0].descriptors);
	assert_string_equal(l[1].path, "/run/b/c.sock");
	assert_int_equal(l[1].mode, 0660);
	assert_int_equal(l[1].owner, 0);
	assert_int_equal(l[1].group, 7);
	assert_true(l[1].descriptors);
	p = parsed("listen: {unix: /run/a.sock}");
	assert_int_equal(p.listen_unix[0].mode, 0600);
	assert_int_equal(p.listen_unix[0].most_mode, 0777);
}

static void
test_profile_marks_hosts_as_internal(void **state)
{
	struct profile p =
	    parsed("connect: [a.example:1, {host: '*.b.example:2', internal: true}]");

	assert_int_equal(p.n_connect, 2);
	assert_false(p.connect[0].internal);
	assert_true(p.connect[1].internal && p.connect[1].subdomains);
	assert_string_equal(p.connect[1].host, "b.example");
	assert_int_equal(p.connect[1].port, 2);
}

static void
test_profile_reports_each_mistake_where_it_stands(void **state)
{
	assert_mistakes("profile: file-readr\n"
			"raed: [/x]\n"
			"read: [relative, /proc/1/environ, /a/../b, '']\n"
			"limits:\n"
			"  memory: lots\n"
			"  threads: 0\n"
			"  cpus: 4\n",
	    "falco.yaml:1:10: \"file-readr\" is no profile, which are pure, file-reader, "
	    "listener, client, unconfined: did you mean file-reader?\n"
	    "falco.yaml:2:7: \"raed\" is no key of sandbox: did you mean read?\n"
	    "falco.yaml:3:8: \"relative\" cannot be given to a plugin: it is not "
	    "absolute; "
	    "write the full path of what it needs\n"
	    "falco.yaml:3:18: \"/proc/1/environ\" cannot be given to a plugin: it shows "
	    "every "
	    "process of the host; write the full path of what it needs\n"
	    "falco.yaml:3:35: \"/a/../b\" cannot be given to a plugin: it has . or .. in "
	    "it; "
	    "write the full path of what it needs\n"
	    "falco.yaml:3:44: read: wants a word here, not nothing\n"
	    "falco.yaml:5:11: \"lots\" is not what memory: wants: write something like "
	    "256M\n"
	    "falco.yaml:6:12: \"0\" is out of bounds: threads: is from 1 to 4096\n"
	    "falco.yaml:7:9: \"cpus\" is no key of limits: did you mean cpu?");
}

static void
test_profile_counts_mistakes_past_the_bound(void **state)
{
	struct buf b;
	struct profile p;
	struct err err = {0};

	buf_init(&b, 1u << 20);
	buf_adds(&b, "read: [");
	for (int i = 0; i < 30; i++)
		buf_adds(&b, "relative,");
	buf_adds(&b, "/b]");
	assert_false(profile_parse(&p, &arena, tree(buf_str(&b)), "f", &err));
	unsigned n_lines = 0, n_more = 0;
	for (const char *c = err.msg; (c = strchr(c, '\n')); c++) {
		n_lines++;
		sscanf(c, "\nand %u more", &n_more);
	}
	assert_true(n_lines > 5);
	assert_int_equal(n_lines + n_more, 30);
	buf_release(&b);
}

static void
test_profile_says_what_to_write_instead(void **state)
{
	assert_mistakes("deadlines: {init: 30}",
	    "falco.yaml:1:19: \"30\" is not what init: wants: write something like 30s "
	    "or "
	    "500ms");
	assert_mistakes("listen: [9765x, 'host:80', tcp:0, 'tcp:70000']",
	    "falco.yaml:1:10: \"9765x\" is no place to listen: write tcp:PORT, udp:PORT, "
	    "ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH\n"
	    "falco.yaml:1:17: \"host:80\" is no place to listen: write tcp:PORT, "
	    "udp:PORT, "
	    "ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH\n"
	    "falco.yaml:1:28: \"tcp:0\" is no place to listen: write tcp:PORT, udp:PORT, "
	    "ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH\n"
	    "falco.yaml:1:35: \"tcp:70000\" is no place to listen: write tcp:PORT, "
	    "udp:PORT, "
	    "ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH");
	assert_mistakes("connect: [github.com, 'a b:1', '*.[::1]:5']",
	    "falco.yaml:1:11: \"github.com\" is no host: write HOST:PORT, *.HOST:PORT or "
	    "ADDRESS:PORT\n"
	    "falco.yaml:1:23: \"a b:1\" is no host: write HOST:PORT, *.HOST:PORT or "
	    "ADDRESS:PORT\n"
	    "falco.yaml:1:32: \"*.[::1]:5\" is no host: write HOST:PORT, *.HOST:PORT or "
	    "ADDRESS:PORT");
	assert_mistakes("listen: [unix:run/x, {mode: 0660}, {unix: /x, mode: 888}, "
			"{unix: /y, owner: nobody-there}]",
	    "falco.yaml:1:10: \"run/x\" cannot be given to a plugin: it is not absolute; "
	    "write the full path of what it needs\n"
	    "falco.yaml:1:22: listen: an entry that is a map needs unix: the socket's "
	    "full path\n"
	    "falco.yaml:1:53: mode: write who may connect as chmod does, as in 0660\n"
	    "falco.yaml:1:77: \"nobody-there\" is no user of this host");
	assert_mistakes("connect: [{internal: true}, {host: a}]",
	    "falco.yaml:1:11: connect: an entry that is a map needs host: HOST:PORT\n"
	    "falco.yaml:1:36: \"a\" is no host: write HOST:PORT, *.HOST:PORT or "
	    "ADDRESS:PORT");
	assert_mistakes("env: [LD_PRELOAD=/x.so, '=x', A B]",
	    "falco.yaml:1:7: \"LD_PRELOAD=/x.so\" cannot be set: it would act on the "
	    "worker "
	    "before it is confined; take it out\n"
	    "falco.yaml:1:25: \"=x\" is no variable: write NAME=value, or NAME to pass "
	    "on "
	    "what is set here\n"
	    "falco.yaml:1:31: \"A B\" is no variable: write NAME=value, or NAME to pass "
	    "on "
	    "what is set here");
	assert_mistakes("restart: {backoff_min: 2s, backoff_max: 1s}",
	    "falco.yaml:1:10: restart: backoff_min (2000 ms) is longer than backoff_max "
	    "(1000 ms): raise backoff_max");
	assert_mistakes("unix: [{http-get: [events]}]",
	    "falco.yaml:1:20: \"events\" is no request path: write it as in "
	    "/containers/* or "
	    "/events\n"
	    "falco.yaml:1:8: unix: an entry needs path: the socket's full path");
	assert_mistakes(
	    "read: {a: b}", "falco.yaml:1:7: read: is a list: write read: [a, b]");
	assert_mistakes(
	    "[a]", "falco.yaml:1:1: sandbox: wants keys and values, as in {profile: …}");
	assert_mistakes("late-dlopen: 1", "falco.yaml:1:14: \"late-dlopen\" is no key of "
					  "sandbox: did you mean late_dlopen?");
	assert_mistakes("zzzzzzzz: 1",
	    "falco.yaml:1:11: \"zzzzzzzz\" is no key of sandbox, which are profile, "
	    "read, "
	    "write, listen, connect, unix, env, limits, deadlines, restart, required, "
	    "late_dlopen, observe, jit, sha256");
	assert_mistakes(
	    "jit: maybe", "falco.yaml:1:6: \"maybe\" jit: write true or false");
	assert_mistakes("name: x", "falco.yaml:1:7: \"name\" is no key of sandbox, which "
				   "are profile, read, write, "
				   "listen, connect, unix, env, limits, deadlines, "
				   "restart, required, late_dlopen, "
				   "observe, jit, sha256");
}

static void
test_profile_escapes_what_it_quotes(void **state)
{
	assert_mistakes("read: [\"x\\e[31m\\n\"]",
	    "falco.yaml:1:8: \"x\\x1b[31m\\n\" cannot be given to a plugin: it is not "
	    "absolute; write the full path of what it needs");
}

static void
test_profile_block_adds_to_what_it_names(void **state)
{
	struct profile file, p;
	struct profile_set set = {&file, 1};
	struct err err = {0};

	assert_true(profile_parse_file(&file, &arena, NULL,
	    tree("name: audit-reader\nplugins: [k8saudit]\ncomment: reads audit logs\n"
		 "profile: file-reader\nread: [/var/log/audit]\nlimits: {threads: 8}\n"),
	    "audit.yaml", &err));
	assert_string_equal(file.name, "audit-reader");
	assert_int_equal(file.n_plugin, 1);
	assert_true(profile_parse_in(&p, &arena, &set,
	    tree("profile: audit-reader\nread: [/etc/tls]\nlimits: {memory: 64M}\n"),
	    "falco.yaml", &err));
	assert_string_equal(p.name, "audit-reader");
	assert_int_equal(p.base, PROFILE_FILE_READER);
	assert_int_equal(p.n_read, 2);
	assert_string_equal(p.read[0], "/var/log/audit");
	assert_string_equal(p.read[1], "/etc/tls");
	assert_int_equal(p.limits.threads, 8);
	assert_int_equal(p.limits.memory_bytes, 64u << 20);
	assert_int_equal(file.n_read, 1);
}

static void
test_profile_file_needs_a_name(void **state)
{
	struct profile p;
	struct err err = {0};

	assert_false(
	    profile_parse_file(&p, &arena, NULL, tree("profile: pure"), "x.yaml", &err));
	assert_string_equal(err.msg,
	    "falco.yaml:1:1: a profile needs name: what plugins' entries call it");
	assert_false(profile_parse_file(&p, &arena, NULL, NULL, "x.yaml", &err));
	assert_string_equal(
	    err.msg, "x.yaml: a profile needs name: what plugins' entries call it");
}

static void
test_profile_lists_are_bounded(void **state)
{
	struct buf b;
	struct profile p;
	struct err err = {0};

	buf_init(&b, 1u << 20);
	buf_adds(&b, "read: [");
	for (unsigned i = 0; i <= LIMIT_POLICY_ITEMS; i++)
		buf_adds(&b, "/a,");
	buf_adds(&b, "/b]");
	assert_false(profile_parse(&p, &arena, tree(buf_str(&b)), "f", &err));
	assert_string_equal(err.msg, "falco.yaml:1:7: read: has more than 256 entries");
	buf_release(&b);
}

static void
test_profile_set_reads_every_file_of_ours(void **state)
{
	struct profile_set set;
	struct err err = {0};

	if (!profile_set_load(&set, &arena, "policy/profiles", &err))
		fail_msg("%s", err.msg);
	assert_true(set.n >= 7);
	for (uint32_t i = 0; i < set.n; i++) {
		assert_true(set.profile[i].n_plugin > 0);
		assert_non_null(set.profile[i].comment);
	}
	assert_true(profile_set_load(&set, &arena, "/no/such/folder", &err));
	assert_int_equal(set.n, 0);
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
remove_file(const char *dir, const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

static void
test_profile_set_names_file_and_line(void **state)
{
	const char *tmp = getenv("TEST_TMPDIR");
	struct profile_set set = {.n = 7};
	struct err err = {0};
	char dir[500], want[700];

	snprintf(dir, sizeof(dir), "%s/profiles.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	write_file(dir, "a.yaml", "name: first\nprofile: file-reader\nread: /a\n");
	write_file(dir, "b.yaml", "name: second\nprofile: first\nread: /b\n");
	write_file(dir, "ignored.txt", "[");
	assert_true(profile_set_load(&set, &arena, dir, &err));
	assert_int_equal(set.n, 2);
	assert_int_equal(set.profile[1].n_read, 2);
	assert_int_equal(set.profile[1].base, PROFILE_FILE_READER);

	write_file(dir, "c.yaml", "name: third\nraed: /c\n");
	assert_false(profile_set_load(&set, &arena, dir, &err));
	snprintf(want, sizeof(want),
	    "%s/c.yaml:2:7: \"raed\" is no key of a profile: did you mean read?", dir);
	assert_string_equal(err.msg, want);
	write_file(dir, "c.yaml", "name: first\n");
	assert_false(profile_set_load(&set, &arena, dir, &err));
	snprintf(want, sizeof(want),
	    "%s/c.yaml: there is a profile first already: give one another name", dir);
	assert_string_equal(err.msg, want);
	assert_int_equal(set.n, 2);
	remove_file(dir, "a.yaml");
	remove_file(dir, "b.yaml");
	remove_file(dir, "c.yaml");
	remove_file(dir, "ignored.txt");
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_profile_without_block_is_pure),
	    cmocka_unit_test(test_profile_builtins_have_names),
	    cmocka_unit_test(test_profile_reads_every_key),
	    cmocka_unit_test(test_profile_listens_at_unix_sockets),
	    cmocka_unit_test(test_profile_marks_hosts_as_internal),
	    cmocka_unit_test(test_profile_reports_each_mistake_where_it_stands),
	    cmocka_unit_test(test_profile_counts_mistakes_past_the_bound),
	    cmocka_unit_test(test_profile_says_what_to_write_instead),
	    cmocka_unit_test(test_profile_escapes_what_it_quotes),
	    cmocka_unit_test(test_profile_block_adds_to_what_it_names),
	    cmocka_unit_test(test_profile_file_needs_a_name),
	    cmocka_unit_test(test_profile_lists_are_bounded),
	    cmocka_unit_test(test_profile_set_reads_every_file_of_ours),
	    cmocka_unit_test(test_profile_set_names_file_and_line),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
