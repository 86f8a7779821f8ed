/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/setting.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	KINDS = 10,
	ROBOTS = 50,
	PROBES_PER_S = 2000,
	TRAIL_RECORDS = 200, /* per file */
	SAMPLES = 512,
	SAMPLE_BYTES = 64 << 10,
	FILE_LIMIT = 1 << 30,
};

const char *const cheap_name[4] = {"cheap", "cheap2", "cheap3", "cheap4"};
static const uint32_t list_sizes[] = {10, 30, 100};
static const char *const verbs[] = {
    "get", "list", "watch", "create", "update", "patch", "delete"};

static bool
write_file(const char *folder, const char *name, const struct buf *b, struct err *err)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (!f)
		return err_sys(err, "%s", path);
	bool ok = fwrite(b->data, 1, b->len, f) == b->len && !b->failed;
	ok = fclose(f) == 0 && ok;
	return ok || err_sys(err, "%s", path);
}

/* Rules of the cheap source. */

static void
add_condition(struct buf *out, const char *p, uint32_t i)
{
	switch ((i - 1) % KINDS) {
	case 0: /* the one that "match=" of the plugin matches */
		buf_addf(
		    out, "%s_human and %s.verb = delete and %s.ns = ns-%u", p, p, p, i);
		break;
	case 1:
		buf_addf(out, "%s_writes and %s.name in (%s_names_%u)", p, p, p, i);
		break;
	case 2:
		buf_addf(out, "%s_human and %s.path startswith /api/v%u/", p, p, i);
		break;
	case 3:
		buf_addf(out, "%s.code = 200 and %s.agent contains \"tok%ux\"", p, p, i);
		break;
	case 4:
		buf_addf(out, "%s_writes and %s.path glob \"/srv/*/data-%u/*\"", p, p, i);
		break;
	case 5:
		buf_addf(out, "%s_human and %s.path regex \"^/(srv|opt)/[a-z]+-%u/.*\"",
		    p, p, i);
		break;
	case 6:
		buf_addf(out, "%s.code >= 500 and %s.size > %u and %s.seq > 0", p, p,
		    1000000 + i, p);
		break;
	case 7:
		buf_addf(out,
		    "%s_writes and %s.path pmatch (/etc/app-%u, /opt/app-%u/bin)", p, p,
		    i, i);
		break;
	case 8:
		buf_addf(out,
		    "%s_human and %s.verb = delete and not %s.ns startswith kube- and "
		    "not "
		    "%s.agent contains trusted and %s.name = victim-%u",
		    p, p, p, p, p, i);
		break;
	default:
		buf_addf(out,
		    "%s.resource = secrets and %s.verb = %s and %s.user endswith \"-%u\" "
		    "and not %s.name contains public",
		    p, p, verbs[i / KINDS % 7], p, i, p);
	}
}

static void
add_rule_head(struct buf *out, const char *source, const char *name, uint32_t i)
{
	buf_addf(out,
	    "- rule: %s %s %u\n  desc: generated\n  priority: WARNING\n  source: %s\n",
	    source, name, i, source);
}

static void
add_mark(struct buf *out, const char *source, const char *condition, const char *field)
{
	add_rule_head(out, source, "mark", 0);
	buf_addf(
	    out, "  output: mark %%%s.%s\n  condition: %s\n", source, field, condition);
}

static void
add_cheap_rules(struct buf *out, const struct setting *set, const char *p)
{
	const struct scenario *s = set->scenario;
	char mark[64];

	if (s->alerts != ALERTS_MATCHES) {
		add_rule_head(out, p, "every", 0);
		buf_addf(out,
		    "  output: user=%%%s.user ns=%%%s.ns name=%%%s.name\n"
		    "  condition: %s.seq >= 0\n",
		    p, p, p, p);
		return;
	}
	if (s->rules == 0) {
		add_rule_head(out, p, "mark", 0);
		buf_addf(out,
		    "  output: mark %%evt.num\n  condition: evt.num in (1, %llu)\n",
		    (unsigned long long)set->events);
		return;
	}
	snprintf(mark, sizeof(mark), "%s.user = mark%s", p,
	    s->tables != TABLES_NONE ? " and tabler.failed = 0" : "");
	add_mark(out, p, mark, "seq");
	if (set->rate > 0) {
		add_rule_head(out, p, "probe", 0);
		buf_addf(out,
		    "  output: probe %%evt.rawtime\n  condition: %s.user = probe\n", p);
	}
	if (s->rules < 2)
		return;
	buf_addf(out, "- list: %s_robots\n  items: [", p);
	for (uint32_t i = 0; i < ROBOTS; i++)
		buf_addf(out, "%srobot-%u", i ? ", " : "", i);
	buf_addf(out,
	    "]\n- macro: %s_human\n  condition: (not %s.user startswith \"system:\" and "
	    "not %s.user in (%s_robots))\n"
	    "- macro: %s_writes\n  condition: %s.verb in (create, update, patch, "
	    "delete)\n",
	    p, p, p, p, p, p);
	for (uint32_t i = 1; i < s->rules; i++) {
		if ((i - 1) % KINDS == 1) {
			uint32_t n = list_sizes[i / KINDS % 3];
			buf_addf(out, "- list: %s_names_%u\n  items: [", p, i);
			for (uint32_t k = 0; k < n; k++)
				buf_addf(out, "%sbad-%u-%u", k ? ", " : "", i, k);
			buf_adds(out, "]\n");
		}
		add_rule_head(out, p, "rule", i);
		buf_addf(out,
		    "  output: user=%%%s.user ns=%%%s.ns name=%%%s.name\n  condition: ",
		    p, p, p);
		add_condition(out, p, i);
		buf_addc(out, '\n');
	}
}

static bool
write_rules(const struct places *places, const struct setting *set, struct err *err)
{
	struct buf b;

	buf_init(&b, FILE_LIMIT);
	switch (set->scenario->source) {
	case SOURCE_CHEAP:
		for (uint32_t i = 0; i < set->scenario->pipelines; i++)
			add_cheap_rules(&b, set, cheap_name[i]);
		break;
	case SOURCE_CLOUDTRAIL:
		buf_adds(&b, "- rule: mark\n  desc: d\n  priority: WARNING\n  source: "
			     "aws_cloudtrail\n"
			     "  output: mark %ct.name\n  condition: ct.id = mark\n");
		break;
	case SOURCE_K8SAUDIT_JSON:
	case SOURCE_K8SAUDIT_ASYNC:
		buf_adds(&b,
		    "- rule: by json\n  desc: d\n  priority: WARNING\n  source: "
		    "k8s_audit\n"
		    "  output: json %json.value[/objectRef/name]\n"
		    "  condition: json.value[/verb] = create and ka.target.resource = "
		    "bindings\n");
		/* fall through */
	case SOURCE_K8SAUDIT:
		buf_adds(&b,
		    "- rule: mark\n  desc: d\n  priority: WARNING\n  source: k8s_audit\n"
		    "  output: mark %ka.verb\n  condition: ka.auditid = mark\n");
		break;
	}
	bool ok = write_file(places->tmp, "rules.yaml", &b, err);
	buf_release(&b);
	return ok;
}

/* Events of the published plugins: their samples, again and again. */

struct samples {
	char *line[SAMPLES];
	uint32_t n;
};

static void
take_lines(struct samples *s, const char *path)
{
	static char line[SAMPLE_BYTES];
	FILE *f = fopen(path, "r");

	while (f && s->n < SAMPLES && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '{' && strstr(line, "\"auditID\":\"") &&
		    strstr(line, "audit.k8s.io"))
			s->n += (s->line[s->n] = strdup(line)) != NULL;
	}
	if (f)
		fclose(f);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
take_samples(struct samples *s, const char *folder)
{
	char path[4600];
	DIR *d = opendir(folder);
	const struct dirent *e;

	s->n = 0;
	while (d && (e = readdir(d))) {
		if (!strstr(e->d_name, ".json") || strstr(e->d_name, ".gz"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		take_lines(s, path);
	}
	if (d)
		closedir(d);
	qsort(s->line, s->n, sizeof(*s->line), by_name);
}

/* The line with the value behind the first KEY": " replaced. */
static void
add_marked(struct buf *out, const char *line, const char *key, const char *value)
{
	const char *at = strstr(line, key);
	const char *end = at ? strchr(at + strlen(key), '"') : NULL;

	if (!end) {
		buf_adds(out, line);
		return;
	}
	buf_add(out, line, (size_t)(at - line) + strlen(key));
	buf_adds(out, value);
	buf_adds(out, end);
}

static bool
write_audit(const struct places *places, uint64_t n, struct err *err)
{
	static struct samples s;
	char folder[4300];
	struct buf b;

	snprintf(folder, sizeof(folder), "%s/k8saudit", places->data);
	if (s.n == 0)
		take_samples(&s, folder);
	if (s.n == 0)
		return err_set(err, ERR_SYS, "no samples in %s", folder);
	buf_init(&b, FILE_LIMIT);
	for (uint64_t i = 0; i < n; i++) {
		bool mark = i == 0 || i + 1 == n;
		add_marked(
		    &b, s.line[i % s.n], "\"auditID\":\"", mark ? "mark" : "other");
		buf_addc(&b, '\n');
	}
	bool ok = write_file(places->tmp, "events/audit.json", &b, err);
	buf_release(&b);
	return ok;
}

static void
add_trail_record(struct buf *out, uint64_t i, bool mark)
{
	buf_addf(out,
	    "{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"IAMUser\","
	    "\"principalId\":\"AIDAEXAMPLE\",\"arn\":\"arn:aws:iam::123456789012:user/"
	    "user-%llu\",\"accountId\":\"123456789012\",\"accessKeyId\":\"AKIAEXAMPLE\","
	    "\"userName\":\"user-%llu\"},\"eventTime\":\"2024-03-24T21:11:59Z\","
	    "\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeInstances\","
	    "\"awsRegion\":\"eu-west-1\",\"sourceIPAddress\":\"10.1.2.%llu\","
	    "\"userAgent\":\"console.amazonaws.com\",\"requestParameters\":{"
	    "\"instancesSet\":{},\"filterSet\":{}},\"responseElements\":null,"
	    "\"requestID\":\"r-%llu\",\"eventID\":\"%s\",\"eventType\":\"AwsApiCall\","
	    "\"recipientAccountId\":\"123456789012\"}",
	    (unsigned long long)(i % 97), (unsigned long long)(i % 97),
	    (unsigned long long)(i % 250), (unsigned long long)i,
	    mark ? "mark" : "other");
}

static bool
write_trail(const struct places *places, uint64_t n, struct err *err)
{
	struct buf b;
	bool ok = true;

	buf_init(&b, FILE_LIMIT);
	for (uint64_t first = 0; ok && first < n; first += TRAIL_RECORDS) {
		char name[64];
		uint64_t end = first + TRAIL_RECORDS < n ? first + TRAIL_RECORDS : n;
		buf_clear(&b);
		buf_adds(&b, "{\"Records\":[");
		for (uint64_t i = first; i < end; i++) {
			add_trail_record(&b, i, i == 0 || i + 1 == n);
			buf_addc(&b, i + 1 < end ? ',' : ']');
		}
		buf_addc(&b, '}');
		snprintf(name, sizeof(name), "events/%08llu.json",
		    (unsigned long long)(first / TRAIL_RECORDS));
		ok = write_file(places->tmp, name, &b, err);
	}
	buf_release(&b);
	return ok;
}

static bool
write_events(const struct places *places, const struct setting *set, struct err *err)
{
	char folder[4200], path[4600];
	const struct dirent *e;

	if (set->scenario->source == SOURCE_CHEAP)
		return true;
	snprintf(folder, sizeof(folder), "%s/events", places->tmp);
	mkdir(folder, 0755);
	DIR *d = opendir(folder);
	if (!d)
		return err_sys(err, "%s", folder);
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	closedir(d);
	if (set->scenario->source == SOURCE_CLOUDTRAIL)
		return write_trail(places, set->events, err);
	return write_audit(places, set->events, err);
}

/* Configuration. */

static void
add_params(struct buf *out, const struct setting *set)
{
	const struct scenario *s = set->scenario;

	buf_addf(out,
	    "n=%llu,size=%u,batch=%u,match=%u,kinds=%u,rate=%llu,probe=%llu,then=%d",
	    (unsigned long long)set->events, s->payload, s->batch,
	    s->rules < 2 ? 0 : s->match_permille,
	    s->rules < 2 ? 1 : (s->rules - 2) / KINDS + 1, (unsigned long long)set->rate,
	    (unsigned long long)(set->rate > PROBES_PER_S ? set->rate / PROBES_PER_S
				 : set->rate > 0          ? 1
							  : 0),
	    set->waits);
}

static bool
is_async(const struct scenario *s)
{
	return s->source == SOURCE_K8SAUDIT_ASYNC;
}

bool
setting_plugin(const struct places *places, const struct setting *set,
    struct buf *ret_library, struct buf *ret_config, struct buf *ret_params)
{
	switch (set->scenario->source) {
	case SOURCE_CHEAP:
		buf_addf(ret_library, "%s/%s.so", places->plugins, cheap_name[0]);
		add_params(ret_params, set);
		break;
	case SOURCE_CLOUDTRAIL:
		buf_addf(ret_library, "%s/libcloudtrail.so", places->real);
		buf_adds(ret_config, "{\"useAsync\": false}");
		buf_addf(ret_params, "%s/events", places->tmp);
		break;
	default:
		buf_addf(ret_library, "%s/libk8saudit.so", places->real);
		buf_addf(ret_config, "{\"useAsync\": %s}",
		    is_async(set->scenario) ? "true" : "false");
		buf_addf(ret_params, "%s/events/audit.json", places->tmp);
	}
	return !ret_library->failed && !ret_config->failed && !ret_params->failed;
}

static void
add_sandbox(struct buf *out, const struct places *places, const struct setting *set,
    enum subject subject)
{
	if (subject == SUBJECT_UNCONFINED)
		buf_adds(out, "    sandbox: {profile: unconfined}\n");
	else if (subject != SUBJECT_AGAINST && set->scenario->source != SOURCE_CHEAP)
		buf_addf(out, "    sandbox: {profile: file-reader, read: [%s/events]}\n",
		    places->tmp);
}

static void
add_cheap_plugins(struct buf *out, const struct places *places, const struct setting *set,
    enum subject subject)
{
	for (uint32_t i = 0; i < set->scenario->pipelines; i++) {
		buf_addf(out,
		    "  - name: %s\n    library_path: %s/%s.so\n    open_params: \"",
		    cheap_name[i], places->plugins, cheap_name[i]);
		add_params(out, set);
		buf_adds(out, "\"\n");
		add_sandbox(out, places, set, subject);
	}
}

static void
add_tablers(struct buf *out, const struct places *places, const struct scenario *s)
{
	if (s->tables == TABLES_OTHERS)
		buf_addf(out,
		    "  - name: tablekeeper\n    library_path: %s/tablekeeper.so\n",
		    places->plugins);
	buf_addf(out,
	    "  - name: tabler\n    library_path: %s/tabler.so\n    init_config: %s %u\n",
	    places->plugins, s->tables == TABLES_OTHERS ? "kept" : "threads",
	    s->table_rounds);
}

static void
add_real_plugins(struct buf *out, const struct places *places, const struct setting *set,
    enum subject subject)
{
	const struct scenario *s = set->scenario;
	struct buf library, config, params;

	buf_init(&library, 1 << 16);
	buf_init(&config, 1 << 16);
	buf_init(&params, 1 << 16);
	setting_plugin(places, set, &library, &config, &params);
	buf_addf(out,
	    "  - name: %s\n    library_path: %s\n    init_config: %s\n    open_params: "
	    "%s\n",
	    s->source == SOURCE_CLOUDTRAIL ? "cloudtrail" : "k8saudit", buf_str(&library),
	    buf_str(&config), buf_str(&params));
	add_sandbox(out, places, set, subject);
	/* Stock rules want json, too. */
	buf_addf(out,
	    "  - name: json\n    library_path: %s/libjson.so\n    init_config: %s\n",
	    places->real, buf_str(&config));
	if (subject == SUBJECT_UNCONFINED)
		buf_adds(out, "    sandbox: {profile: unconfined}\n");
	buf_release(&library);
	buf_release(&config);
	buf_release(&params);
}

bool
setting_write(const struct places *places, const struct setting *set,
    enum subject subject, struct err *err)
{
	const struct scenario *s = set->scenario;
	struct buf b;

	if (!write_rules(places, set, err) || !write_events(places, set, err))
		return false;
	buf_init(&b, FILE_LIMIT);
	buf_addf(&b, "rules_files:\n  - %s/rules.yaml\n", places->tmp);
	if (s->source == SOURCE_CLOUDTRAIL)
		buf_addf(&b, "  - %s/rules/aws_cloudtrail_rules.yaml\n", places->real);
	else if (s->source != SOURCE_CHEAP)
		buf_addf(&b, "  - %s/rules/k8s_audit_rules.yaml\n", places->real);
	buf_addf(&b,
	    "engine: {kind: nodriver}\nlog_stderr: true\nlog_syslog: false\n"
	    "syslog_output: {enabled: false}\njson_output: %s\n"
	    "stdout_output: {enabled: %s}\n",
	    s->alerts == ALERTS_JSON ? "true" : "false",
	    s->alerts == ALERTS_MATCHES ? "true" : "false");
	if (s->alerts != ALERTS_MATCHES)
		buf_adds(&b, "file_output: {enabled: true, keep_alive: true, filename: "
			     "/dev/null}\n");
	if (subject == SUBJECT_PLAIN)
		buf_adds(&b, "sandbox: {evaluator: plain}\n");
	buf_adds(&b, "plugins:\n");
	if (s->source == SOURCE_CHEAP)
		add_cheap_plugins(&b, places, set, subject);
	else
		add_real_plugins(&b, places, set, subject);
	if (s->tables != TABLES_NONE)
		add_tablers(&b, places, s);
	bool ok = write_file(places->tmp, "falco.yaml", &b, err);
	buf_release(&b);
	return ok;
}

void
setting_sources(const struct scenario *s, const char *ret_source[5])
{
	uint32_t n = 0;

	if (s->source == SOURCE_CHEAP) {
		for (; n < s->pipelines; n++)
			ret_source[n] = cheap_name[n];
	} else {
		ret_source[n++] =
		    s->source == SOURCE_CLOUDTRAIL ? "aws_cloudtrail" : "k8s_audit";
	}
	ret_source[n] = NULL;
}

bool
setting_possible(const struct places *places, const struct scenario *s)
{
	const char *name = s->source == SOURCE_CLOUDTRAIL ? "cloudtrail" : "k8saudit";
	char path[4300];

	if (s->source == SOURCE_CHEAP)
		return true;
	snprintf(path, sizeof(path), "%s/lib%s.so", places->real, name);
	return access(path, R_OK) == 0;
}
