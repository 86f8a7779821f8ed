/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf/load.h"

static struct arena arena;
static char dir[400];

static int
setup(void **state)
{
	const char *tmp = getenv("TEST_TMPDIR");

	arena_init(&arena, 64u << 20);
	snprintf(dir, sizeof(dir), "%s/template.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chdir(dir) != 0)
		return -1;
	setenv("HOME", dir, 1);
	setenv("A_URL", "https://10.1.2.3:8443/x", 1);
	FILE *f = fopen("a.pem", "w");
	return f ? fclose(f) : -1;
}

static int
teardown(void **state)
{
	arena_release(&arena);
	unlink("a.pem");
	return chdir("/") || rmdir(dir);
}

static bool
parse_parts(struct profile *p, const char *parts, struct err *err)
{
	struct conf_node *root;
	char text[4096];

	snprintf(text, sizeof(text), "name: x\nparts:\n%s", parts);
	assert_true(conf_load(&arena, arena_strdup(&arena, text), strlen(text), "x.yaml",
	    false, &root, err));
	return profile_parse_file(p, &arena, NULL, root, "x.yaml", err);
}

/* What the parts give, in the words of policy: "tcp:80 a.example:443 /path". A path below
 * the folder of this test is shown as ./path. */
static const char *
given(const char *parts, const char *init_config, const char *open_params,
    struct buf *notes)
{
	const struct template_entry entry = {init_config, open_params};
	struct conf_node *block = NULL;
	struct profile file, p;
	struct profile_set set = {&file, 1};
	struct err err = {0};
	struct buf b;

	if (!parse_parts(&file, parts, &err) ||
	    !template_expand(&file, &arena, &entry, &block, notes, &err) ||
	    !profile_parse_in(&p, &arena, &set, block, "falco.yaml", &err))
		fail_msg("%s", err.msg);
	buf_init(&b, 8192);
	for (uint32_t i = 0; i < p.n_listen; i++) {
		profile_listen_text(&p.listen[i], &b);
		buf_addc(&b, ' ');
	}
	for (uint32_t i = 0; i < p.n_listen_unix; i++) {
		const char *path = p.listen_unix[i].path;
		bool ours = strncmp(path, dir, strlen(dir)) == 0;
		buf_addf(&b, "at:%s%s,%o ", ours ? "." : "",
		    path + (ours ? strlen(dir) : 0), p.listen_unix[i].mode);
	}
	for (uint32_t i = 0; i < p.n_connect; i++) {
		profile_connect_text(&p.connect[i], &b);
		buf_addc(&b, ' ');
	}
	const char **const list[] = {p.read, p.write, p.env};
	const uint32_t n[] = {p.n_read, p.n_write, p.n_env};
	for (int k = 0; k < 3; k++)
		for (uint32_t i = 0; i < n[k]; i++)
			if (strncmp(list[k][i], dir, strlen(dir)) == 0)
				buf_addf(&b, ".%s ", list[k][i] + strlen(dir));
			else
				buf_addf(&b, "%s ", list[k][i]);
	for (uint32_t i = 0; i < p.n_unix_socket; i++) {
		const char *path = p.unix_socket[i].path;
		bool ours = strncmp(path, dir, strlen(dir)) == 0;
		buf_addf(&b, "unix:%s%s%s ", ours ? "." : "",
		    path + (ours ? strlen(dir) : 0),
		    p.unix_socket[i].filtered ? "?" : "");
	}
	const char *kept = arena_strdup(&arena, buf_str(&b));
	buf_release(&b);
	return kept;
}

#define WEBHOOK                                                                          \
	"- from: open_params\n"                                                          \
	"  match: [\"http://{address}:{port}{rest}\", "                                  \
	"\"https://{address}:{port}{rest}\"]\n"                                          \
	"  listen: \"tcp:{address}:{port}\"\n"                                           \
	"- from: init_config.sslCertificate\n"                                           \
	"  default: [\"{home}/a.pem\", /no/such/file]\n"                                 \
	"  when: {open_params: \"https://{any}\"}\n"                                     \
	"  match: \"{path}\"\n"                                                          \
	"  read: \"{path}\"\n"                                                           \
	"- {from: open_params, match: \"{path}\", read: \"{path}\"}\n"                   \
	"- {from: open_params, match: \"file://{path}\", read: \"{dir}\"}\n"
#define URL                                                                              \
	"- from: init_config.address\n"                                                  \
	"  default: http://localhost:4646\n"                                             \
	"  match: [\"http://{host}:{port}{rest}\", \"https://{host}:{port}{rest}\"]\n"   \
	"  connect: \"{host}:{port}\"\n"                                                 \
	"- {from: init_config.address, match: \"https://{host}{rest}\", connect: "       \
	"\"{host}:443\"}\n"
#define REGION                                                                           \
	"- {from: init_config.aws.region, match: \"{name}\", connect: "                  \
	"\"s3.{name}.amazonaws.com:443\"}\n"                                             \
	"- {unless: {init_config.aws.region: \"{name}\"}, connect: "                     \
	"\"*.amazonaws.com:443\"}\n"
#define ACCOUNT                                                                          \
	"- {from: init_config.c, match: \"{any}AccountName={name};{any}\", connect: "    \
	"\"{name}.blob.core.windows.net:443\"}\n"
#define LIST                                                                             \
	"- {from: init_config.brokers, match: \"{host}:{port}\", connect: "              \
	"\"{host}:{port}\"}\n"
#define JSON                                                                             \
	"- {from: open_params.addr, default: \":54827\", match: \"{address}:{port}\", "  \
	"listen: \"tcp:{address}:{port}\"}\n"
#define SWITCH                                                                           \
	"- {from: init_config.useHTTPs, default: \"true\", match: \"true\", listen: "    \
	"tcp:443}\n"                                                                     \
	"- {from: init_config.useHTTPs, match: \"false\", listen: tcp:80}\n"
#define ENTRIES                                                                          \
	"- {unless: {init_config.engines.docker.enabled: \"false\"}, unix: {path: "      \
	"/run/docker.sock, http-get: [/events]}, env: [A=b]}\n"                          \
	"- {from: init_config.engines.cri.sockets, match: \"{path}\", unix: "            \
	"\"{path}\"}\n"
#define TWO                                                                              \
	"- {from: init_config.host, when: {init_config.port: \"{port}\"}, match: "       \
	"\"{host}\", connect: \"{host}:{port}\"}\n"
#define DEFAULTS                                                                         \
	"- {from: init_config.sockets, default: [/run/a, \"{home}/b\"], match: "         \
	"\"{path}\", unix: \"{path}\"}\n"
#define VARIABLE                                                                         \
	"- {from: env.A_URL, match: \"https://{host}:{port}{rest}\", connect: "          \
	"\"{host}:{port}\"}\n"

#define SOCKET                                                                           \
	"- {from: open_params, match: \"unixgram://{path}\", listen: "                   \
	"\"unix:{path}\"}\n"                                                             \
	"- {from: init_config.s, default: \"~/r/b.sock\", match: \"{path}\", "           \
	"listen: {unix: \"{path}\", mode: 0660}}\n"
#define INTERNAL                                                                         \
	"- {from: init_config.brokers, match: \"{host}:{port}\", connect: {host: "       \
	"\"{host}:{port}\", internal: true}}\n"

/* clang-format off */
static const struct {
	const char *parts, *init_config, *open_params, *want, *note;
} cases[] = {
    {WEBHOOK, "", "http://:9765/k8s-audit", "tcp:9765 ", ""},
    {WEBHOOK, "", "http://0.0.0.0:9765", "tcp:0.0.0.0:9765 ", ""},
    {WEBHOOK, "", "http://[::1]:9765/a?b#c", "tcp:[::1]:9765 ", ""},
    {WEBHOOK, "", "http://localhost:9765/", "tcp:127.0.0.1:9765 ", ""},
    {WEBHOOK, "", "https://:9765/x", "tcp:9765 ./a.pem ", ""},
    {WEBHOOK, "{\"SSLcertificate\": \"a.pem\"}", "https://:1/", "tcp:1 ./a.pem ", ""},
    {WEBHOOK, "{\"sslCertificate\": \"/etc/shadow.no\"}", "http://:1/", "tcp:1 ", ""},
    {WEBHOOK, "{\"sslCertificate\": \"/no\"}", "https://:1/", "tcp:1 ",
	"init_config.sslCertificate: \"/no\" is not given to read: it is not there"},
    {WEBHOOK, "", "./x/.././a.pem", "./a.pem ", ""},
    {WEBHOOK, "", "~/a.pem", "./a.pem ", ""},
    {WEBHOOK, "", "file://a.pem", ". ", ""},
    {WEBHOOK, "", "", "", ""},
    /* What has not the form of its hole gives nothing. */
    {WEBHOOK, "", "http://:0/x", "", "open_params: \"http://:0/x\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "http://:65536/x", "", "open_params: \"http://:65536/x\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "http://:80x/x", "", "open_params: \"http://:80x/x\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "http://:80 tcp:22/", "", "open_params: \"http://:80 tcp:22/\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "http://evil.example:80/", "", "open_params: \"http://evil.example:80/\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "http://1.2.3:80/", "", "open_params: \"http://1.2.3:80/\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "ftp://:80/\n\x1b", "", "open_params: \"ftp://:80/\\n\\x1b\" has none of the forms that the profile knows"},
    {WEBHOOK, "", "/", "", "open_params: \"/\" is not given to read: it is everything"},
    {WEBHOOK, "", "/etc/../..", "", "open_params: \"/\" is not given to read: it is everything"},
    {WEBHOOK, "", "/usr/../proc/1/environ", "", "open_params: \"/proc/1/environ\" is not given to read: it shows every process of the host"},
    {WEBHOOK, "", "/dev/zero", "", "open_params: \"/dev/zero\" is not given to read: devices reach past every other wall"},
    {WEBHOOK, "", "file:///x", "", "open_params: \"/\" is not given to read: it is everything"},
    {URL, "", "", "localhost:4646 ", ""},
    {URL, "{}", "", "localhost:4646 ", ""},
    {URL, "address: http://Nomad.Example:80", "", "nomad.example:80 ", ""},
    {URL, "{\"address\": \"https://n.example/v1\"}", "", "n.example:443 ", ""},
    {URL, "{\"address\": \"https://n.example:8443/v1\"}", "", "n.example:8443 ", ""},
    {URL, "{\"address\": \"https://[2001:db8::1]:1\"}", "", "[2001:db8::1]:1 ", ""},
    {URL, "{\"address\": \"http://*.example:80\"}", "", "", ""},
    {URL, "{\"address\": \"http://a..example:80\"}", "", "", ""},
    {URL, "{\"address\": \"http://.:80\"}", "", "", ""},
    {URL, "{\"address\": \"http://user@a.example:80\"}", "", "", ""},
    {URL, "{\"address\": {\"a\": 1}}", "", "localhost:4646 ", ""},
    {URL, "{\"address\": ", "", "localhost:4646 ", ""},
    {REGION, "{\"aws\": {\"region\": \"eu-west-1\"}}", "", "s3.eu-west-1.amazonaws.com:443 ", ""},
    {REGION, "{\"aws\": {}}", "", "*.amazonaws.com:443 ", ""},
    {REGION, "{\"aws\": {\"region\": \"evil.example:1/\"}}", "", "*.amazonaws.com:443 ", ""},
    {ACCOUNT, "{\"c\": \"A=b;AccountName=logs;AccountKey=k==\"}", "", "logs.blob.core.windows.net:443 ", ""},
    {ACCOUNT, "{\"c\": \"AccountName=lo.gs;K=v\"}", "", "", ""},
    {LIST, "{\"brokers\": [\"a:9092\", \"b.example:9093\", \"c\"]}", "", "a:9092 b.example:9093 ", ""},
    {LIST, "{\"brokers\": \"a:9092\"}", "", "a:9092 ", ""},
    {JSON, "", "", "tcp:54827 ", ""},
    {JSON, "", "{\"addr\": \"127.0.0.1:8080\", \"buffer\": 4}", "tcp:127.0.0.1:8080 ", ""},
    {SWITCH, "", "", "tcp:443 ", ""},
    {SWITCH, "{\"useHTTPs\": false}", "", "tcp:80 ", ""},
    {ENTRIES, "", "", "A=b unix:/run/docker.sock? ", ""},
    {ENTRIES, "{\"engines\": {\"docker\": {\"enabled\": false}, \"cri\": {\"sockets\": [\"/run/a.sock\", \"/run/b.sock\"]}}}",
	"", "unix:/run/a.sock unix:/run/b.sock ", ""},
    {TWO, "{\"host\": \"a.example\", \"port\": 45000}", "", "a.example:45000 ", ""},
    {TWO, "{\"host\": \"a.example\", \"port\": \"x\"}", "", "", ""},
    {TWO, "{\"host\": \"a.example\"}", "", "", ""},
    {DEFAULTS, "{\"sockets\": \"c\"}", "", "unix:./c ", ""},
    {DEFAULTS, "", "", "unix:/run/a unix:./b ", ""},
    {SOCKET, "", "unixgram://syslog.sock", "at:./syslog.sock,600 at:./r/b.sock,660 ", ""},
    {SOCKET, "s: /run/x.sock", "", "at:/run/x.sock,660 ", ""},
    {SOCKET, "s: /proc/self/x", "", "", "init_config.s: \"/proc/self/x\" is not given to listen: it shows every process of the host"},
    {INTERNAL, "{\"brokers\": [\"a:9092\"]}", "", "a:9092 (internal) ", ""},
    {VARIABLE, "", "", "10.1.2.3:8443 ", ""},
};
/* clang-format on */

static void
test_template_gives_what_its_forms_fit(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf notes;
		buf_init(&notes, 4096);
		const char *got = given(
		    cases[i].parts, cases[i].init_config, cases[i].open_params, &notes);
		if (strcmp(got, cases[i].want) != 0 ||
		    strcmp(buf_str(&notes), cases[i].note) != 0)
			fail_msg("%s | %s: \"%s\" (%s)", cases[i].init_config,
			    cases[i].open_params, got, buf_str(&notes));
		buf_release(&notes);
	}
}

/* clang-format off */
static const struct {
	const char *parts, *want;
} mistakes[] = {
    {"- {raed: /x}\n", "x.yaml:3:10: \"raed\" is no key of a part: did you mean read?"},
    {"- {from: initconfig.a, read: /x}\n", "x.yaml:3:10: \"initconfig.a\" is nothing that a part is taken from: write init_config.KEY, open_params, open_params.KEY or env.NAME"},
    {"- {from: init_config, read: /x}\n", "x.yaml:3:10: \"init_config\" is nothing that a part is taken from: write init_config.KEY, open_params, open_params.KEY or env.NAME"},
    {"- {match: \"{port}\", listen: \"tcp:{port}\"}\n", "x.yaml:3:3: a part with match: or default: needs from: where the value is"},
    {"- {from: open_params, match: \"{prt}\"}\n", "x.yaml:3:30: \"{prt}\" has a hole that is none of {address}, {host}, {port}, {path}, {name}, {rest}, {any}"},
    {"- {from: open_params, match: \"{home}\"}\n", "x.yaml:3:30: \"{home}\" has a hole that is none of {address}, {host}, {port}, {path}, {name}, {rest}, {any}"},
    {"- {from: open_params, match: \"{port\"}\n", "x.yaml:3:30: \"{port\" has a hole that is none of {address}, {host}, {port}, {path}, {name}, {rest}, {any}"},
    {"- {from: open_params, match: \"{port}{port}\"}\n", "x.yaml:3:30: \"{port}{port}\" has {port} twice: take one out"},
    {"- {from: open_params, match: \"{path}x\"}\n", "x.yaml:3:30: \"{path}x\" has something after {path}, which takes all: take it out"},
    {"- {from: open_params, match: \"{any}{port}\"}\n", "x.yaml:3:30: \"{any}{port}\" has something after {any}, which takes all: take it out"},
    {"- {from: open_params, match: [\"{port}\", \"{name}\"], listen: \"tcp:{port}\"}\n", "x.yaml:3:60: \"tcp:{port}\" has a hole that match: and when: do not have in each of their forms"},
    {"- {from: open_params, match: \"{any}\", read: \"{any}\"}\n", "x.yaml:3:45: \"{any}\" has a hole that match: and when: do not have in each of their forms"},
    {"- {from: open_params, match: \"{port}\", listen: \"tcp{port}\"}\n", "x.yaml:3:48: \"tcp1\" is no place to listen: write tcp:PORT, udp:PORT, ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH"},
    {"- {from: open_params, match: \"{host}\", read: \"{host}\"}\n", "x.yaml:3:46: \"a.example\" cannot be given to a plugin: it is not absolute; write the full path of what it needs"},
    {"- {from: open_params, match: \"{name}\", env: [\"LD_{name}=x\"]}\n", "x.yaml:3:46: \"LD_a=x\" cannot be set: it would act on the worker before it is confined; take it out"},
    {"- {unix: {http-get: [/a]}}\n", "x.yaml:3:10: unix: an entry needs path: the socket's full path"},
    {"- {when: open_params, read: /x}\n", "x.yaml:3:10: when: wants where from and which form, as in {open_params: \"https://{any}\"}"},
    {"- {when: {open_parms: a}, read: /x}\n", "x.yaml:3:23: \"open_parms\" is nothing that a part is taken from: write init_config.KEY, open_params, open_params.KEY or env.NAME"},
    {"- /x\n", "x.yaml:3:3: a part: wants keys and values, as in {from: …}"},
    {"  a\n", "x.yaml:3:3: \"a\" parts: wants a list of parts, as in - {read: /etc/a}"},
};
/* clang-format on */

static void
test_template_mistakes_are_told_where_they_stand(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct err err = {0};
		struct profile p;
		if (parse_parts(&p, mistakes[i].parts, &err))
			fail_msg("no mistake in %s", mistakes[i].parts);
		assert_string_equal(err.msg, mistakes[i].want);
	}
}

static void
test_template_parts_add_to_those_of_the_base(void **state)
{
	struct conf_node *root;
	struct profile base, p;
	struct profile_set set = {&base, 1};
	struct err err = {0};
	static const char text[] = "name: y\nprofile: x\nparts: [{listen: tcp:2}]\n";

	assert_true(parse_parts(&base, "- {listen: tcp:1}\n", &err));
	assert_true(conf_load(&arena, text, strlen(text), "y.yaml", false, &root, &err));
	assert_true(profile_parse_file(&p, &arena, &set, root, "y.yaml", &err));
	assert_int_equal(p.n_part, 2);
	assert_int_equal(p.n_listen, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_template_gives_what_its_forms_fit),
	    cmocka_unit_test(test_template_mistakes_are_told_where_they_stand),
	    cmocka_unit_test(test_template_parts_add_to_those_of_the_base),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
