/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static const char *
in_dir(const char *name)
{
	static char path[4][128];
	static int next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static const char *
write_file(const char *name, const char *text)
{
	const char *path = in_dir(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static int
setup(void **state)
{
	strcpy(dir, "/tmp/settings_test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* Loads yaml with options "-o A -o B …" (NULL-terminated); NULL and err on failure. */
static struct settings *
load_with(struct err *err, const char *yaml, const char **option)
{
	struct options o = {.config = write_file("main.yaml", yaml)};
	struct settings *s = NULL;

	o.option.value = option;
	while (option && option[o.option.n])
		o.option.n++;
	return settings_load(&o, &s, err) ? s : NULL;
}

static struct settings *
load(const char *yaml)
{
	struct err err;
	struct settings *s = load_with(&err, yaml, NULL);

	if (!s)
		fail_msg("%s", err.msg);
	return s;
}

static void
test_settings_refuse_with_the_text(void **state)
{
	static const struct {
		const char *yaml, *error; /* %s: the file */
	} rows[] = {
	    {"priority: nope",
		"Unknown priority \"nope\"--must be one of emergency, alert, critical, "
		"error, warning, notice, informational, debug"},
	    {"rule_matching: some",
		"Unknown rule matching strategy \"some\"--must be one of first, all"},
	    {"log_level: loud", "Unknown log level loud"},
	    {"libs_logger: {severity: x}", "Unknown sinsp log severity x"},
	    {"engine: {kind: gvisor}", "Error reading config file (%s): engine.kind "
				       "'gvisor' is not a valid kind."},
	    {"engine: {kind: replay}",
		"Error reading config file (%s): engine.kind is 'replay' but no "
		"engine.replay.capture_file specified."},
	    {"file_output: {enabled: true}",
		"Error reading config file (%s): file output enabled but no filename in "
		"configuration block"},
	    {"program_output: {enabled: yes}", "Error reading config file (%s): program "
					       "output enabled but no program in "
					       "configuration block"},
	    {"http_output: {enabled: on}",
		"Error reading config file (%s): http output enabled but no url in "
		"configuration block"},
	    {"webserver: {listen_address: here}",
		"Error reading config file (%s): webserver listen address \"here\" is "
		"not "
		"a valid IP address"},
	    {"rules_files: [a]\nrules_file: b", "Error reading config file (%s): both "
						"'rules_files' and 'rules_file' keys "
						"set"},
	    {"load_plugins: [p]",
		"Cannot load plugin 'p': plugin config not found for given name"},
	    {"plugins: [{name: p}]", "Error reading config file(%s): could not load "
				     "plugins config: an entry has "
				     "no library_path (line 1)"},
	    {"plugins: [{name: p, library_path: ../x.so}]",
		"Error reading config file(%s): could not load plugins config: plugin "
		"library_path '../x.so' resolves outside the plugins directory "
		"(/usr/share/falco/plugins/)"},
	    {"rules: [{enable: {}}]",
		"Error reading config file (%s): rules: entry 1 has neither 'rule' nor "
		"'tag'"},
	    {"rules: [{x: {}}]",
		"Error reading config file (%s): rules: entry 1 has neither 'enable' nor "
		"'disable'"},
	    {"append_output: [{extra_fields: [a, {a: b}]}]",
		"Error reading config file (%s): append_output: extra field 'a' is there "
		"twice"},
	    {"metrics: {enabled: true, interval: 5000}",
		"Metrics interval was passed as numeric value without Prometheus time "
		"unit. "
		"Please specify a time unit"},
	    {"metrics: {enabled: true, interval: 1h}",
		"Metrics are enabled with no output configured. Please enable at least "
		"one "
		"output channel ('metrics.output_rule', 'metrics.output_file' or "
		"'webserver.prometheus_metrics_enabled')"},
	    {"sandbox: {evaluator: other}",
		"Error reading config file (%s): sandbox.evaluator 'other' is neither "
		"fast nor "
		"plain."},
	    {"capture: {mode: some}", "Error reading config file (%s): capture.mode "
				      "'some' is not a valid mode."},
	    {"syscall_event_drops: {actions: [ignore, log]}",
		"Error reading config file (%s): syscall event drop action \"log\" does "
		"not "
		"make sense with the \"ignore\" action"},
	    {"syscall_event_timeouts: {max_consecutives: 0}",
		"Error reading config file(%s): the maximum consecutive timeouts without "
		"an "
		"event must be an unsigned integer > 0"},
	    {"just text", "Cannot read config file (%s): the configuration is not a map"},
	};
	char want[1200];
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *mark = strstr(rows[i].error, "%s");
		size_t before = mark ? (size_t)(mark - rows[i].error) : 0;
		snprintf(want, sizeof(want), "%.*s%s%s", (int)before, rows[i].error,
		    mark ? in_dir("main.yaml") : "",
		    mark ? mark + 2 : rows[i].error + before);
		struct settings *s = load_with(&err, rows[i].yaml, NULL);
		if (s)
			fail_msg("accepted: %s", rows[i].yaml);
		assert_string_equal(err.msg, want);
	}
}

static void
test_settings_have_falcos_defaults(void **state)
{
	struct settings *s = load("");

	assert_int_equal(s->engine, ENGINE_KMOD);
	assert_int_equal(s->output_timeout_ms, 2000);
	assert_int_equal(s->rules.min_priority, PRIORITY_DEBUG);
	assert_int_equal(s->rules.matching, RULE_MATCHING_FIRST);
	assert_int_equal(s->webserver.listen_port, 8765);
	assert_string_equal(s->webserver.k8s_healthz_endpoint, "/healthz");
	assert_string_equal(s->http.user_agent, "falcosecurity/falco");
	assert_int_equal(s->http.max_consecutive_timeouts, 5);
	assert_true(
	    s->json_include_output && s->json_include_tags && s->watch_config_files);
	assert_false(s->json_output || s->json_include_message || s->stdout_enabled);
	assert_true(s->log.to_syslog && !s->log.to_stderr);
	assert_int_equal(s->log.max_level, LOG_LEVEL_INFO);
	assert_int_equal(s->libs_logger_severity, 6);
	assert_int_equal(s->metrics.interval_ms, 5000);
	assert_int_equal(s->capture_default_duration_ms, 5000);
	assert_int_equal(s->n_notice, 0);
	assert_string_equal(s->file[0].schema_status, "ok");
	settings_free(s);
}

static void
test_settings_of_the_wrong_type_are_the_default(void **state)
{
	struct settings *s = load("json_output: maybe\noutput_timeout: soon\n"
				  "webserver: {listen_port: 70000}\n");

	assert_false(s->json_output);
	assert_int_equal(s->output_timeout_ms, 2000);
	assert_int_equal(s->webserver.listen_port, 8765);
	assert_string_equal(s->file[0].schema_status,
	    "failed for <root>[json_output]: the value does not fit: 'maybe' (line 1)");
	settings_free(s);
}

static void
test_settings_plugins_are_chosen_in_order(void **state)
{
	static const char yaml[] =
	    "plugins:\n"
	    "  - {name: a, library_path: ./x/../liba.so, init_config: {b: '5', a: yes, "
	    "c: [1.5, x, null]}, open_params: ' p '}\n"
	    "  - {name: b, library_path: /b.so, init_config: '{\"k\": 1}', sandbox: "
	    "{profile: pure}}\n";
	char text[512];

	struct settings *s = load(yaml);
	assert_int_equal(s->n_plugin, 2);
	assert_string_equal(
	    s->plugin[0].library_path, "/usr/share/falco/plugins/liba.so");
	assert_string_equal(
	    s->plugin[0].init_config, "{\"a\":true,\"b\":5,\"c\":[1.5,\"x\",null]}");
	assert_string_equal(s->plugin[0].open_params, "p");
	assert_null(s->plugin[0].sandbox);
	assert_string_equal(s->plugin[1].init_config, "{\"k\": 1}");
	assert_string_equal(conf_text(s->plugin[1].sandbox, "profile", ""), "pure");
	assert_string_equal(s->file[0].schema_status, "ok");
	settings_free(s);

	snprintf(text, sizeof(text), "%sload_plugins: [b, a]\n", yaml);
	s = load(text);
	assert_int_equal(s->n_plugin, 2);
	assert_string_equal(s->plugin[0].name, "b");
	settings_free(s);

	snprintf(text, sizeof(text), "%sload_plugins: []\n", yaml);
	s = load(text);
	assert_int_equal(s->n_plugin, 0);
	settings_free(s);
}

static void
test_settings_files_merge_by_strategy(void **state)
{
	char yaml[1024];
	struct err err;

	write_file("add.yaml", "json_output: true\npriority: error\n");
	write_file("app.yaml", "load_plugins: [c]\nstatic_fields: {b: 2}\n");
	mkdir(in_dir("conf.d"), 0755);
	write_file("conf.d/1.yaml", "rules_files: [z.yaml]\n");
	write_file("conf.d/2.any", "rules_files: [y.yaml]\noutput_timeout: 1\n");
	snprintf(yaml, sizeof(yaml),
	    "config_files:\n  - {path: %s/add.yaml, strategy: add-only}\n  - "
	    "%s/app.yaml\n"
	    "  - {path: %s/conf.d, strategy: override}\n  - /nowhere\n"
	    "priority: notice\nstatic_fields: {a: 1}\nrules_files: [x.yaml]\n"
	    "plugins: [{name: c, library_path: /c}]\n",
	    dir, dir, dir);
	struct settings *s = load(yaml);
	assert_true(s->json_output);
	assert_int_equal(s->rules.min_priority, PRIORITY_NOTICE);
	assert_int_equal(s->n_plugin, 1);
	assert_int_equal(s->n_static, 1);
	assert_string_equal(s->static_key[0], "b");
	assert_int_equal(s->n_rules_file, 1);
	assert_string_equal(s->rules_file[0], "y.yaml");
	assert_int_equal(s->output_timeout_ms, 1);
	assert_int_equal(s->n_file, 5);
	settings_free(s);

	snprintf(yaml, sizeof(yaml), "config_files: [%s/main.yaml]\n", dir);
	assert_null(load_with(&err, yaml, NULL));
	assert_non_null(strstr(err.msg,
	    "'config_files' directive tried to recursively include main config file: "));
	write_file("add.yaml", "config_files: []\n");
	snprintf(yaml, sizeof(yaml), "config_files: [%s/add.yaml]\n", dir);
	assert_null(load_with(&err, yaml, NULL));
	assert_non_null(
	    strstr(err.msg, "'config_files' directive in included config file "));
}

static void
test_settings_options_come_last(void **state)
{
	const char *option[] = {"json_output=true", "rules[].disable.rule=A*",
	    "rules[].enable.tag=t", "append_output.suggested_output=false",
	    "load_plugins[0]=b", "static_fields.env=prod", NULL};
	struct err err;
	struct settings *s = load_with(&err,
	    "json_output: false\nappend_output: [{suggested_output: true}]\n"
	    "plugins: [{name: a, library_path: /a}, {name: b, library_path: /b}]\n"
	    "load_plugins: []\n",
	    option);

	assert_non_null(s);
	assert_true(s->json_output && s->rules.json_output);
	assert_int_equal(s->rules.n_selection, 2);
	assert_string_equal(s->rules.selection[0].rule, "A*");
	assert_false(s->rules.selection[0].enable);
	assert_string_equal(s->rules.selection[1].tag, "t");
	assert_true(s->rules.selection[1].enable);
	assert_int_equal(s->rules.n_append_output, 0);
	assert_int_equal(s->n_plugin, 1);
	assert_string_equal(s->plugin[0].name, "b");
	assert_string_equal(s->static_value[0], "prod");
	settings_free(s);
}

static void
test_settings_append_output_takes_fields_and_print(void **state)
{
	const char *option[] = {"append_output[]={\"match\": {\"rule\": \"R\", \"tags\": "
				"[\"x\"]}, \"extra_output\": \"e\", \"extra_fields\": "
				"[\"g.num\", {\"f\": \"text %g.str\"}]}",
	    NULL};
	struct options o = {.print = "P=%x"};
	struct settings *s;
	struct err err;

	o.option.value = option;
	o.option.n = 1;
	assert_true(settings_default(&o, &s, &err));
	assert_int_equal(s->rules.n_append_output, 2);
	const struct append_output *a = s->rules.append_output;
	assert_string_equal(a[0].rule, "R");
	assert_string_equal(a[0].tag[0], "x");
	assert_int_equal(a[0].n_extra_field, 2);
	assert_null(a[0].extra_field[0].format);
	assert_string_equal(a[0].extra_field[1].format, "text %g.str");
	assert_string_equal(a[1].extra_output, "P=%x");
	assert_int_equal(s->n_notice, 1);
	settings_free(s);
}

static void
test_settings_name_kernel_keys_once(void **state)
{
	struct settings *s = load("engine: {kind: kmod, kmod: {buf_size_preset: 4}}\n"
				  "base_syscalls: {custom_set: [], repair: false}\n"
				  "metrics: {kernel_event_counters_per_cpu_enabled: "
				  "false, output_rule: true}\n");

	assert_int_equal(s->n_notice, 1);
	assert_string_equal(s->notice[0],
	    "Keys of kernel drivers have no effect here: engine.kmod, "
	    "metrics.kernel_event_counters_per_cpu_enabled, base_syscalls");
	settings_free(s);
}

static void
test_settings_schema_finds_unknown_keys_at_every_depth(void **state)
{
	static const char *const rows[][2] = {
	    {"jsn_output: true\n",
		"failed for <root>: unknown key 'jsn_output' (line 1)"},
	    {"engine:\n  kmod: {x: 1}\n",
		"failed for <root>[engine][kmod]: unknown key 'x' (line 2)"},
	    {"plugins:\n- {name: a, library_path: /a, opn: b}\n",
		"failed for <root>[plugins][0]: unknown key 'opn' (line 2)"},
	    {"json_output: {a: b}\n",
		"failed for <root>[json_output]: an unexpected map (line 1)"},
	    {"plugins: x\n",
		"failed for <root>[plugins]: a value where more is expected (line 1)"},
	    {"plugins: [{name: a, library_path: /a, sandbox: {raed: [/x]}}]\n",
		"failed for <root>[plugins][0][sandbox]: unknown key 'raed' (line 1)"},
	    {"engine.kind: nodriver\n",
		"failed for <root>: unknown key 'engine.kind' (line 1)"},
	    {"static_fields: {any: thing}\nsandbox: {min_tier: 2}\nconfig_files: [a, "
	     "{path: "
	     "b}]\nplugins:\nload_plugins: []\nlog_level: INFO\n",
		"ok"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct settings *s = load(rows[i][0]);
		assert_string_equal(s->file[0].schema_status, rows[i][1]);
		settings_free(s);
	}
}

static void
test_settings_rules_files_expand_folders(void **state)
{
	struct options o = {0};
	const char *const *path;
	struct settings *s;
	struct err err;
	char yaml[512];
	uint32_t n;

	mkdir(in_dir("rules.d"), 0755);
	write_file("rules.d/b.yaml", "");
	write_file("rules.d/a.yml", "");
	write_file("rules.d/c.txt", "");
	write_file("one.yaml", "");
	snprintf(yaml, sizeof(yaml),
	    "rules_files: [%s/one.yaml, %s/rules.d, /nowhere.yaml, %s/rules.d/c.txt]\n",
	    dir, dir, dir);
	s = load(yaml);
	assert_true(settings_rules_files(s, &path, &n, &err));
	assert_int_equal(n, 3);
	assert_non_null(strstr(path[0], "/one.yaml"));
	assert_non_null(strstr(path[1], "/rules.d/a.yml"));
	assert_non_null(strstr(path[2], "/rules.d/b.yaml"));
	settings_free(s);

	const char *rules[] = {"/nowhere.yaml"};
	o.rules.value = rules;
	o.rules.n = 1;
	o.config = in_dir("main.yaml");
	assert_true(settings_load(&o, &s, &err));
	assert_false(settings_rules_files(s, &path, &n, &err));
	assert_string_equal(err.msg, "Could not open file /nowhere.yaml for reading");
	settings_free(s);

	s = load("");
	assert_false(settings_rules_files(s, &path, &n, &err));
	assert_string_equal(err.msg, "You must specify at least one rules file/directory "
				     "via -r or a rules_file entry "
				     "in falco.yaml");
	settings_free(s);
}

static void
test_settings_schema_prints_each_key_once(void **state)
{
	struct buf out;
	size_t n = 0;

	buf_init(&out, 1 << 20);
	settings_schema(&out);
	assert_false(out.failed);
	for (const char *p = out.data; (p = strstr(p, "\"webserver\":{")); p++)
		n++;
	assert_int_equal(n, 1);
	n = 0;
	for (const char *p = out.data; (p = strstr(p, "\"sandbox\":{")); p++)
		n++;
	assert_int_equal(n, 2);
	assert_non_null(
	    strstr(out.data, "\"capacity\":{\"type\":\"integer\",\"default\":0,"));
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_settings_refuse_with_the_text),
	    cmocka_unit_test(test_settings_have_falcos_defaults),
	    cmocka_unit_test(test_settings_of_the_wrong_type_are_the_default),
	    cmocka_unit_test(test_settings_plugins_are_chosen_in_order),
	    cmocka_unit_test(test_settings_files_merge_by_strategy),
	    cmocka_unit_test(test_settings_options_come_last),
	    cmocka_unit_test(test_settings_append_output_takes_fields_and_print),
	    cmocka_unit_test(test_settings_name_kernel_keys_once),
	    cmocka_unit_test(test_settings_schema_finds_unknown_keys_at_every_depth),
	    cmocka_unit_test(test_settings_rules_files_expand_folders),
	    cmocka_unit_test(test_settings_schema_prints_each_key_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
