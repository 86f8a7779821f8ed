/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finding as a folder: reproducer.json (what --replay reads), case (the same for a
 * debugger), report.json and report.txt. And reproducers read back: of ours, and events
 * that a broker set aside (quarantine.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/conf/load.h"
#include "base/json_write.h"
#include "broker/fuzz/fuzz.h"
#include "broker/settings/files.h"
#include "proto/plugin_api.h"

enum {
	RECORD_BYTES = 16 << 20,
	PREVIEW_BYTES = 400,
};

static const char *const arg_names[] = {"none", "key", "index"};

void
fuzz_path(char to[FUZZ_PATH_BYTES], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to, FUZZ_PATH_BYTES, fmt, ap);
	va_end(ap);
}

bool
fuzz_make_dir(const char *path, struct err *err)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST || err_sys(err, "%s", path);
}

/* Beside its place and renamed: nobody reads half of one. */
bool
fuzz_file_write(
    const char *dir, const char *name, const void *bytes, size_t n, struct err *err)
{
	char path[FUZZ_PATH_BYTES], draft[FUZZ_PATH_BYTES];
	size_t at = 0;

	fuzz_path(path, "%s/%s", dir, name);
	fuzz_path(draft, "%s.%u.new", path, (unsigned)getpid());
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, "%s", draft);
	while (at < n) {
		ssize_t k = write(fd, (const char *)bytes + at, n - at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		at += (size_t)k;
	}
	bool ok = at == n;
	ok = close(fd) == 0 && ok;
	if (ok && rename(draft, path) == 0)
		return true;
	err_sys(err, "%s", path);
	unlink(draft);
	return false;
}

static void
add(struct json_writer *j, const char *key, const char *value)
{
	json_key(j, key);
	json_str(j, value);
}

/* Parts. */

static bool
is_text(const struct case_part *p)
{
	for (uint32_t i = 0; i < p->len; i++)
		if (p->bytes[i] < 0x20 || p->bytes[i] > 0x7e)
			return false;
	return true;
}

static void
add_part(struct json_writer *j, const struct plugin *plugin, const struct case_part *p)
{
	struct buf b;

	json_begin_object(j);
	add(j, "part", case_part_name(p->kind));
	if (p->kind == PART_FIELD && plugin->n_field > 0) {
		add(j, "field", plugin->field[p->id % plugin->n_field].name);
		add(j, "argument", arg_names[p->flags % PART_ARG_N]);
	} else if (p->id || p->flags) {
		json_key(j, "id");
		json_u64(j, p->id);
		json_key(j, "flags");
		json_u64(j, p->flags);
	}
	if (is_text(p)) {
		json_key(j, "text");
		json_str_n(j, (const char *)p->bytes, p->len);
	} else {
		buf_init(&b, RECORD_BYTES);
		base64_encode(&b, p->bytes, p->len);
		add(j, "base64", buf_str(&b));
		buf_release(&b);
	}
	json_end_object(j);
}

static void
add_subject(struct json_writer *j, const struct fuzz_subject *s)
{
	add(j, "target", fuzz_target_name(s->target));
	add(j, "plugin", s->plugin->name);
	add(j, "version", s->plugin->version);
	add(j, "library_path", s->plugin->setting->library_path);
	add(j, "sha256", s->plugin->confinement->sha256);
	add(j, "build_id", s->plugin->confinement->build_id);
	add(j, "init_config", s->config);
	/* As given: a file of the source target is another one next time. */
	add(j, "open_params", s->plugin->setting->open_params);
	if (s->post_url)
		add(j, "post", s->post_url);
	add(j, "profile", s->plugin->profile->name ? s->plugin->profile->name : "");
}

static void
reproducer(struct buf *out, const struct fuzz_subject *s, const struct fuzz_finding *f)
{
	struct case_part part[CASE_PARTS_MAX];
	uint32_t n = case_parts(f->bytes, f->n, part);
	struct json_writer j;
	struct buf b;

	buf_init(&b, RECORD_BYTES);
	json_init(&j, &b);
	json_begin_object(&j);
	add(&j, "kind", "fuzz");
	add(&j, "id", f->id);
	add(&j, "finding", finding_kind_name(f->verdict.kind));
	add_subject(&j, s);
	json_key(&j, "case");
	json_begin_array(&j);
	for (uint32_t i = 0; i < n; i++)
		add_part(&j, s->plugin, &part[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_indent(out, buf_str(&b), b.len);
	buf_addc(out, '\n');
	buf_release(&b);
}

static void
report_json(struct buf *out, const struct fuzz_subject *s, const struct fuzz_finding *f)
{
	const struct fuzz_verdict *v = &f->verdict;
	struct json_writer j;
	struct buf b;

	buf_init(&b, RECORD_BYTES);
	json_init(&j, &b);
	json_begin_object(&j);
	add(&j, "id", f->id);
	add(&j, "finding", finding_kind_name(v->kind));
	add(&j, "headline", v->headline);
	json_key(&j, "reproduced");
	json_bool(&j, f->reproduced);
	add_subject(&j, s);
	json_key(&j, "stack");
	json_begin_array(&j);
	for (uint32_t i = 0; i < v->n_frames; i++)
		json_str(&j, v->frame[i]);
	json_end_array(&j);
	add(&j, "allow_with", v->allow_with);
	add(&j, "last_output", v->output);
	json_key(&j, "executions");
	json_u64(&j, f->executions);
	json_key(&j, "seconds");
	json_u64(&j, f->seconds);
	json_key(&j, "bytes_when_found");
	json_u64(&j, f->n_found);
	json_key(&j, "bytes");
	json_u64(&j, f->n);
	json_end_object(&j);
	json_indent(out, buf_str(&b), b.len);
	buf_addc(out, '\n');
	buf_release(&b);
}

static void
report_parts(struct buf *out, const struct plugin *plugin, const struct fuzz_finding *f)
{
	struct case_part part[CASE_PARTS_MAX];
	uint32_t n = case_parts(f->bytes, f->n, part);

	for (uint32_t i = 0; i < n; i++) {
		const struct case_part *p = &part[i];
		buf_addf(out, "  %s", case_part_name(p->kind));
		if (p->kind == PART_FIELD && plugin->n_field > 0) {
			buf_addf(out, " %s", plugin->field[p->id % plugin->n_field].name);
			if (p->flags % PART_ARG_N == PART_ARG_NONE) {
				buf_addc(out, '\n');
				continue;
			}
		}
		if (p->kind == PART_EVENT && p->id)
			buf_addf(out, " of type %u", p->id);
		buf_addf(out, " (%u bytes): ", p->len);
		for (uint32_t k = 0; k < p->len && k < PREVIEW_BYTES; k++) {
			uint8_t c = p->bytes[k];
			if (c >= 0x20 && c < 0x7f && c != '\\')
				buf_addc(out, (char)c);
			else
				buf_addf(out, "\\x%02x", c);
		}
		buf_adds(out, p->len > PREVIEW_BYTES ? "...\n" : "\n");
	}
}

/* One word for a shell. */
static void
add_quoted(struct buf *out, const char *s)
{
	buf_addc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *s);
	}
	buf_addc(out, '\'');
}

static void
report_text(struct buf *out, const char *dir, const struct fuzz_subject *s,
    const struct fuzz_finding *f)
{
	const struct fuzz_verdict *v = &f->verdict;

	buf_addf(out, "%s\n%s: %s\n\n", f->id, finding_kind_name(v->kind), v->headline);
	buf_addf(out, "plugin   %s %s (%s)\n", s->plugin->name, s->plugin->version,
	    s->plugin->setting->library_path);
	buf_addf(out, "target   %s\n", fuzz_target_name(s->target));
	buf_addf(out,
	    "found    after %llu executions, %llu s; %u bytes, %u when minimised\n",
	    (unsigned long long)f->executions, (unsigned long long)f->seconds, f->n_found,
	    f->n);
	if (!f->reproduced)
		buf_adds(out,
		    "         NOT seen again when the case ran alone: it depends "
		    "on what came before\n");
	if (v->allow_with[0])
		buf_addf(out, "policy   %s would allow it\n", v->allow_with);
	buf_adds(out, "\ncase\n");
	report_parts(out, s->plugin, f);
	if (v->n_frames > 0)
		buf_adds(out, "\nstack\n");
	for (uint32_t i = 0; i < v->n_frames; i++)
		buf_addf(out, "  %2u %s\n", i, v->frame[i]);
	if (v->output[0])
		buf_addf(out, "\nlast output\n%s", v->output);
	buf_addf(out, "\nagain    mews fuzz --replay ");
	add_quoted(out, dir);
	buf_adds(out, "/reproducer.json\ngdb      gdb --args ");
	add_quoted(out, s->worker_path);
	buf_adds(out, " --alone ");
	add_quoted(out, s->plugin->setting->library_path);
	buf_addf(out, " %s ", fuzz_target_name(s->target));
	add_quoted(out, dir);
	buf_adds(out, "/case ");
	add_quoted(out, s->config);
	buf_addc(out, ' ');
	add_quoted(out, s->params);
	buf_adds(out,
	    "\n         (without any confinement: the plugin may do what you may)\n");
}

bool
fuzz_record_is_there(const char *out, const struct fuzz_finding *f)
{
	char path[FUZZ_PATH_BYTES];

	fuzz_path(path, "%s/findings/%s/reproducer.json", out, f->id);
	return access(path, F_OK) == 0;
}

bool
fuzz_record_write(const char *out, const struct fuzz_subject *s,
    const struct fuzz_finding *f, struct err *err)
{
	char findings[FUZZ_PATH_BYTES], dir[FUZZ_PATH_BYTES];
	struct buf b;
	bool ok;

	fuzz_path(findings, "%s/findings", out);
	fuzz_path(dir, "%s/%s", findings, f->id);
	if (!fuzz_make_dir(findings, err) || !fuzz_make_dir(dir, err))
		return false;
	buf_init(&b, RECORD_BYTES);
	reproducer(&b, s, f);
	ok = fuzz_file_write(dir, "reproducer.json", buf_str(&b), b.len, err);
	buf_clear(&b);
	report_json(&b, s, f);
	ok = ok && fuzz_file_write(dir, "report.json", buf_str(&b), b.len, err);
	buf_clear(&b);
	report_text(&b, dir, s, f);
	ok = ok && fuzz_file_write(dir, "report.txt", buf_str(&b), b.len, err) &&
	     fuzz_file_write(dir, "case", f->bytes, f->n, err);
	buf_release(&b);
	return ok;
}

/* Back. */

bool
fuzz_record_read(
    struct fuzz_record *r, struct arena *arena, const char *path, struct err *err)
{
	struct conf_node *root;
	struct buf b;
	const char *kind, *target;

	memset(r, 0, sizeof(*r));
	buf_init(&b, RECORD_BYTES);
	if (!file_read(path, &b, err)) {
		buf_release(&b);
		return err_wrap(err, "%s", path);
	}
	const char *text = arena_strndup(arena, buf_str(&b), b.len);
	size_t n = b.len;
	buf_release(&b);
	if (!text)
		return err_nomem(err);
	if (!conf_load(arena, text, n, path, false, &root, err))
		return false;
	kind = conf_text(root, "kind", "");
	if (strcmp(kind, "fuzz") != 0 && strcmp(kind, "extract") != 0)
		return err_set(err, ERR_USAGE, "%s is no reproducer", path);
	target = conf_text(root, "target", "extract");
	r->root = root;
	r->id = conf_text(root, "id", "");
	r->library_path = conf_text(root, "library_path", "");
	r->config = conf_text(root, "init_config", "");
	r->params = conf_text(root, "open_params", "");
	r->post = conf_text(root, "post", NULL);
	r->target = fuzz_target_find(target);
	if (r->target == FUZZ_TARGET_N)
		return err_set(err, ERR_USAGE, "%s: unknown target", path);
	return true;
}

struct reading {
	const struct plugin *plugin;
	uint8_t *to;
	uint32_t n;
};

static bool
find_field(const struct plugin *p, const char *name, size_t n, uint16_t *ret_id)
{
	for (uint32_t i = 0; i < p->n_field; i++) {
		if (strlen(p->field[i].name) == n &&
		    memcmp(p->field[i].name, name, n) == 0) {
			*ret_id = (uint16_t)i;
			return true;
		}
	}
	return false;
}

static bool
read_part(struct reading *r, const struct conf_node *node, struct err *err)
{
	const char *field = conf_text(node, "field", NULL);
	const char *arg = conf_text(node, "argument", "none");
	const char *text = conf_text(node, "text", ""),
		   *b64 = conf_text(node, "base64", NULL);
	struct case_part p = {
	    .kind = (uint8_t)case_part_find(conf_text(node, "part", "")),
	    .id = (uint16_t)conf_uint(node, "id", 0),
	    .flags = (uint8_t)conf_uint(node, "flags", 0),
	    .len = (uint32_t)strlen(text),
	    .bytes = (const uint8_t *)text,
	};
	struct buf b;

	if (p.kind == PART_N)
		return err_set(err, ERR_USAGE, "an unknown part in the reproducer");
	if (field && !find_field(r->plugin, field, strlen(field), &p.id))
		return err_set(err, ERR_USAGE, "the plugin has no field '%s'", field);
	for (unsigned i = 0; field && i < PART_ARG_N; i++)
		if (strcmp(arg_names[i], arg) == 0)
			p.flags = (uint8_t)i;
	buf_init(&b, CASE_BYTES);
	if (b64 && !base64_decode(&b, b64, strlen(b64))) {
		buf_release(&b);
		return err_set(err, ERR_USAGE, "bad base64 in the reproducer");
	}
	if (b64) {
		p.bytes = (const uint8_t *)buf_str(&b);
		p.len = (uint32_t)b.len;
	}
	bool ok = case_add(r->to, &r->n, CASE_BYTES, &p) ||
		  err_set(err, ERR_LIMIT, "the case is too large");
	buf_release(&b);
	return ok;
}

/* "name" or "name[argument]", as a broker's record has it. */
static bool
read_field(struct reading *r, const char *ref, struct err *err)
{
	const char *bracket = strchr(ref, '[');
	struct case_part p = {.kind = PART_FIELD};
	size_t n = bracket ? (size_t)(bracket - ref) : strlen(ref);

	/* evt.plugininfo and the like: text of the event, which is asked for anyway. */
	if (!find_field(r->plugin, ref, n, &p.id))
		return true;
	if (bracket && strlen(bracket) >= 2) {
		p.bytes = (const uint8_t *)bracket + 1;
		p.len = (uint32_t)strlen(bracket) - 2;
		p.flags = p.len && strspn(bracket + 1, "0123456789") == p.len
			      ? PART_ARG_INDEX
			      : PART_ARG_KEY;
	}
	return case_add(r->to, &r->n, CASE_BYTES, &p) ||
	       err_set(err, ERR_LIMIT, "the case is too large");
}

static bool
read_set_aside(struct reading *r, const struct conf_node *root, struct err *err)
{
	const struct conf_node *fields = conf_get(root, "fields");
	const char *event = conf_text(root, "event", "");
	struct case_part p = {.kind = PART_EVENT};
	struct buf b;

	for (size_t i = 0; fields && fields->kind == CONF_SEQ && i < fields->n; i++) {
		const char *ref = fields->child[i]->text;
		if (ref && !read_field(r, ref, err))
			return false;
	}
	buf_init(&b, LIMIT_EVENT_BYTES);
	bool ok =
	    base64_decode(&b, event, strlen(event)) && b.len >= PLUGIN_EVENT_PAYLOAD_OFF;
	if (ok) {
		p.bytes = (const uint8_t *)b.data + PLUGIN_EVENT_PAYLOAD_OFF;
		p.len = (uint32_t)b.len - PLUGIN_EVENT_PAYLOAD_OFF;
		ok = case_add(r->to, &r->n, CASE_BYTES, &p);
	}
	buf_release(&b);
	return ok || err_set(err, ERR_USAGE, "its event is not whole");
}

bool
fuzz_record_case(const struct fuzz_record *rec, const struct plugin *p,
    uint8_t to[CASE_BYTES], uint32_t *ret_n, struct err *err)
{
	const struct conf_node *parts = conf_get(rec->root, "case");
	struct reading r = {.plugin = p, .to = to};

	if (strcmp(conf_text(rec->root, "kind", ""), "extract") == 0) {
		if (!read_set_aside(&r, rec->root, err))
			return false;
	} else {
		if (!parts || parts->kind != CONF_SEQ)
			return err_set(err, ERR_USAGE, "the reproducer has no case");
		for (size_t i = 0; i < parts->n; i++)
			if (!read_part(&r, parts->child[i], err))
				return false;
	}
	*ret_n = r.n;
	return true;
}
