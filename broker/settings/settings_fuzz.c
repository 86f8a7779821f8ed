/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file, and after a NUL one -o option. Beside not crashing: the tree that
 * comes out, written as YAML, reads back as the same tree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/conf/load.h"
#include "base/limits.h"
#include "broker/settings/settings.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "engine: {kind: nodriver}\nplugins:\n  - {name: a, library_path: liba.so, "
    "init_config: "
    "{b: 5, c: [1.5, x]}, open_params: p}\nload_plugins: [a]\n",
    "rules: [{disable: {rule: a*}}, {enable: {tag: t}}]\nappend_output:\n  - match: "
    "{rule: "
    "r, tags: [t]}\n    extra_fields: [f, {k: text %f}]\n",
    "static_fields: {env: prod, ${HOME}: $${X}}\nmetrics: {enabled: true, interval: "
    "1h30m, "
    "output_rule: true}\nhttp_output: {enabled: true, url: \"'http://x'\"}\n",
    "a: &x {k: 1}\nb: *x\nwebserver: {listen_port: 0x1F, listen_address: ::1}\n",
    NULL,
};
const char *const fuzz_words[] = {"config_files", "strategy: override", "plugins:\n  - ",
    "library_path: ../", "sandbox: {profile: pure}", "priority: ", "rule_matching: all",
    "syscall_event_drops: {actions: [ignore, log]}", "load_plugins[0]=", "[]", "${", "}",
    "~", "|\n ", NULL};

static void
check_round_trip(const struct conf_node *root)
{
	struct conf_node *again;
	struct buf first, second;
	struct arena arena;
	struct err err;

	arena_init(&arena, LIMIT_CONFIG_MEMORY);
	buf_init(&first, LIMIT_CONFIG_BYTES);
	buf_init(&second, LIMIT_CONFIG_BYTES);
	conf_flow(root, &first);
	if (!conf_load(&arena, buf_str(&first), first.len, "", false, &again, &err)) {
		fprintf(stderr, "%s: %s\n", err.msg, buf_str(&first));
		abort();
	}
	conf_flow(again, &second);
	if (strcmp(buf_str(&first), buf_str(&second)) != 0) {
		fprintf(stderr, "%s\n%s\n", buf_str(&first), buf_str(&second));
		abort();
	}
	buf_release(&first);
	buf_release(&second);
	arena_release(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	const uint8_t *nul = memchr(data, 0, size);
	size_t n = nul ? (size_t)(nul - data) : size;
	char *option = nul ? strndup((const char *)nul + 1, size - n - 1) : NULL;
	const char *options[] = {option};
	struct options o = {.config = path, .option = {options, option != NULL}};
	struct settings *s;
	struct err err;

	if (fd < 0) {
		fd = memfd_create("config", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
		abort();
	if (settings_load(&o, &s, &err)) {
		check_round_trip(s->root);
		settings_free(s);
	} else if (!err.msg[0]) {
		abort();
	}
	free(option);
	return 0;
}
