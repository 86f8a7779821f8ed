/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a sandbox block or a profile file: a profile, or mistakes that can be
 * shown. */
#include <stdlib.h>
#include <string.h>

#include "base/conf/load.h"
#include "base/utf8.h"
#include "policy/profile.h"
#include "policy/template.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "profile: listener\nread: [/etc/tls/, /var/log/a.json]\nlisten: [tcp:9765, "
    "'udp:[::1]:53']\nenv: [A=b, HOME]\n",
    "connect: ['*.example.com:443', '10.0.0.1:80']\nunix:\n  - path: /run/d.sock\n    "
    "http-get: [/events]\n",
    "limits: {memory: 256M, threads: 32, cpu: 50%}\ndeadlines: {init: 30s, parse: 0}\n"
    "restart: {max: 3, window: 10m, backoff_min: 1s, backoff_max: 60s}\n",
    "name: x\nplugins: [a]\ncomment: c\nprofile: file-reader\nrequired: no\njit: yes\n",
    "listen: [unix:/run/a.sock, {unix: /b, mode: 0660, owner: root, group: 0, "
    "descriptors: true}]\nconnect: [{host: a.example:1, internal: true}]\n",
    "name: x\nparts:\n- from: open_params\n  match: [\"http://{address}:{port}{rest}\"]\n"
    "  listen: \"tcp:{address}:{port}\"\n- {from: init_config.a, default: "
    "[\"{home}/b\"], "
    "when: {open_params: \"{any}k{name}\"}, match: \"{path}\", unix: \"{path}\"}\n",
    NULL,
};
const char *const fuzz_words[] = {"profile:", "read:", "limits:", "- ", "[", "]", "{",
    "}", ": ", "tcp:", "udp:", "unix:", "mode:", "*.",
    "http-get:", "late_dlopen:", "sha256:", "99999999999999999999", "&a ", "*a",
    "parts:", "from:", "match:", "{any}", "{path}", "{host}", "{dir}", NULL};

static void
check(bool ok, const struct profile *p, const struct err *err)
{
	struct buf b;

	if (!ok) {
		/* Goes to a log as it is. */
		if (err->msg[0] == '\0' || strpbrk(err->msg, "\x1b\r"))
			abort();
		return;
	}
	for (uint32_t i = 0; i < p->n_read; i++)
		if (profile_path_refusal(p->read[i]))
			abort();
	buf_init(&b, 1u << 20);
	for (uint32_t i = 0; i < p->n_listen; i++)
		profile_listen_text(&p->listen[i], &b);
	for (uint32_t i = 0; i < p->n_listen_unix; i++) {
		if (profile_path_refusal(p->listen_unix[i].path) ||
		    (p->listen_unix[i].mode | p->listen_unix[i].most_mode) > 0777)
			abort();
		profile_listen_unix_text(&p->listen_unix[i], &b);
	}
	for (uint32_t i = 0; i < p->n_connect; i++)
		profile_connect_text(&p->connect[i], &b);
	if (p->limits.threads == 0 || p->backoff_min_ms > p->backoff_max_ms)
		abort();
	buf_release(&b);
}

/* A profile that was accepted gives something that is accepted, whatever the entry says.
 */
static void
expand(const struct profile *p, struct arena *arena)
{
	static const struct template_entry entries[] = {
	    {"{\"a\": [\"b\", \"/c/../d\"], \"h\": \"x.example\"}",
		"http://[::1]:80/k8s"},
	    {"a: ~/b", "x:65536"},
	    {"", ""},
	};
	const struct profile_set known = {p, 1};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		struct conf_node *block;
		struct profile made;
		struct err err = {0};
		struct buf notes;
		buf_init(&notes, 1u << 20);
		if (template_expand(p, arena, &entries[i], &block, &notes, &err))
			check(profile_parse_in(&made, arena, &known, block, "f", &err),
			    &made, &err);
		if (strpbrk(buf_str(&notes), "\x1b\r"))
			abort();
		buf_release(&notes);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct conf_node *root;
	struct profile p;
	struct err err = {0};

	arena_init(&arena, 64u << 20);
	if (conf_load(&arena, (const char *)data, size, "f", false, &root, &err)) {
		err = (struct err){0};
		check(profile_parse(&p, &arena, root, "f", &err), &p, &err);
		err = (struct err){0};
		bool ok = profile_parse_file(&p, &arena, NULL, root, "f", &err);
		check(ok, &p, &err);
		if (ok)
			expand(&p, &arena);
	}
	arena_release(&arena);
	return 0;
}
