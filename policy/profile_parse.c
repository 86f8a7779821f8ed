/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile.h"

#include <string.h>

#include "base/utf8.h"
#include "policy/profile_keys.h"

/* As much as struct err holds, with room for the last line. */
#define MISTAKES_BYTES 1100u

void
parser_mistake(struct parser *ps, const struct conf_node *at, const char *value,
    const char *fmt, ...)
{
	const char *file = at->file ? at->file : ps->file;
	struct buf line;
	va_list ap;

	buf_init(&line, 4096);
	if (at->line > 0)
		buf_addf(&line, "%s:%u:%u: ", file, at->line, at->col);
	else
		buf_addf(&line, "%s: ", file);
	if (value) {
		buf_addc(&line, '"');
		utf8_escape(&line, value, strlen(value), 80);
		buf_adds(&line, "\" ");
	}
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	if (line.failed || ps->mistakes.len + line.len + 1 > MISTAKES_BYTES) {
		ps->n_more++;
	} else {
		if (ps->mistakes.len > 0)
			buf_addc(&ps->mistakes, '\n');
		buf_adds(&ps->mistakes, buf_str(&line));
	}
	buf_release(&line);
}

/* clang-format off */
#define P(member) offsetof(struct profile, member)
#define DAY_MS    86400000ull

static const struct key limit_keys[] = {
    {"memory", profile_read_bytes, P(limits.memory_bytes), 16 << 20, 1ull << 40, false},
    {"threads", profile_read_u32, P(limits.threads), 1, 4096, false},
    {"open_files", profile_read_u32, P(limits.open_files), 16, 65536, false},
    {"file_size", profile_read_bytes, P(limits.file_size_bytes), 0, 1ull << 40, false},
    {"cpu", profile_read_percent, P(limits.cpu_percent), 0, 100000, false},
    {"processes", profile_read_u32, P(limits.processes), 0, 4096, false},
    {"events_per_s", profile_read_u64, P(limits.events_per_s), 0, 1ull << 40, false},
    {"log_lines_per_s", profile_read_u64, P(limits.log_lines_per_s), 0, 1000000, false},
    {0},
};

static const struct key deadline_keys[] = {
    {"init", profile_read_ms, P(limits.init_ms), 0, DAY_MS, false},
    {"open", profile_read_ms, P(limits.open_ms), 0, DAY_MS, false},
    {"next_batch", profile_read_ms, P(limits.next_batch_ms), 0, DAY_MS, false},
    {"extract", profile_read_ms, P(limits.extract_ms), 0, DAY_MS, false},
    {"parse", profile_read_ms, P(limits.parse_ms), 0, DAY_MS, false},
    {"close", profile_read_ms, P(limits.close_ms), 0, DAY_MS, false},
    {0},
};

static const struct key restart_keys[] = {
    {"max", profile_read_u32, P(restart_max), 0, 1000000, false},
    {"window", profile_read_seconds, P(restart_window_s), 1000, 30 * DAY_MS, false},
    {"backoff_min", profile_read_ms, P(backoff_min_ms), 1, DAY_MS, false},
    {"backoff_max", profile_read_ms, P(backoff_max_ms), 1, DAY_MS, false},
    {0},
};
/* clang-format on */

static void
read_limits(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	profile_read_map(ps, node, k->name, limit_keys, &ps->p);
}

static void
read_deadlines(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	profile_read_map(ps, node, k->name, deadline_keys, &ps->p);
}

static void
read_restart(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	profile_read_map(ps, node, k->name, restart_keys, &ps->p);
	if (ps->p.backoff_min_ms > ps->p.backoff_max_ms)
		parser_mistake(ps, node, NULL,
		    "restart: backoff_min (%u ms) is longer than backoff_max (%u ms): "
		    "raise backoff_max",
		    ps->p.backoff_min_ms, ps->p.backoff_max_ms);
}

/* Read before all others: what it names is what they add to. */
static void
read_nothing(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
}

/* clang-format off */
static const struct key keys[] = {
    {"profile", read_nothing, 0, 0, 0, false},
    {"read", profile_read_paths, P(read), 0, 0, false},
    {"write", profile_read_paths, P(write), 0, 0, false},
    {"listen", profile_read_listen, P(listen), 0, 0, false},
    {"connect", profile_read_connect, P(connect), 0, 0, false},
    {"unix", profile_read_unix, P(unix_socket), 0, 0, false},
    {"env", profile_read_env, P(env), 0, 0, false},
    {"limits", read_limits, 0, 0, 0, false},
    {"deadlines", read_deadlines, 0, 0, 0, false},
    {"restart", read_restart, 0, 0, 0, false},
    {"required", profile_read_bool, P(required), 0, 0, false},
    {"late_dlopen", profile_read_bool, P(late_dlopen), 0, 0, false},
    {"observe", profile_read_bool, P(observe), 0, 0, false},
    {"jit", profile_read_bool, P(jit), 0, 0, false},
    {"sha256", profile_read_sha256, P(sha256), 0, 0, false},
    {"name", profile_read_text, P(name), 0, 0, true},
    {"plugins", profile_read_names, P(plugin), 0, 0, true},
    {"comment", profile_read_text, P(comment), 0, 0, true},
    {"parts", profile_read_parts, 0, 0, 0, true},
    {0},
};
/* clang-format on */

/* Letters to change, add or take to make b of a; "-" is as good as "_". */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[32];
	size_t n = strlen(b);

	if (n >= 32 || strlen(a) >= 32)
		return 32;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned corner = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			char x = a[i - 1] == '-' ? '_' : a[i - 1];
			char y = b[j - 1] == '-' ? '_' : b[j - 1];
			unsigned best = corner + (x != y);
			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

/* Keeps the nearest name seen so far. */
static void
consider(const char *word, const char *name, const char **nearest, unsigned *least)
{
	unsigned d = distance(word, name);

	if (d < *least) {
		*least = d;
		*nearest = name;
	}
}

static void
unknown_key(struct parser *ps, const struct conf_node *at, const char *name,
    const char *where, const struct key *known)
{
	const char *nearest = NULL;
	unsigned least = strlen(name) > 4 ? 4 : 3;
	struct buf all;

	buf_init(&all, 1024);
	for (const struct key *k = known; k->name; k++)
		if (ps->is_file || !k->file_only) {
			consider(name, k->name, &nearest, &least);
			buf_addf(&all, "%s%s", all.len ? ", " : "", k->name);
		}
	if (nearest)
		parser_mistake(
		    ps, at, name, "is no key of %s: did you mean %s?", where, nearest);
	else
		parser_mistake(
		    ps, at, name, "is no key of %s, which are %s", where, buf_str(&all));
	buf_release(&all);
}

void
profile_read_map(struct parser *ps, const struct conf_node *node, const char *where,
    const struct key *known, void *base)
{
	if (node->kind == CONF_NULL)
		return;
	if (node->kind != CONF_MAP) {
		parser_mistake(ps, node, NULL, "%s: wants keys and values, as in {%s: …}",
		    where, known[0].name);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct key *k = known;
		while (k->name && (strcmp(k->name, node->key[i]) != 0 ||
				      (k->file_only && !ps->is_file)))
			k++;
		if (k->name)
			k->read(ps, node->child[i], k, (char *)base + k->offset);
		else
			unknown_key(ps, node->child[i], node->key[i], where, known);
	}
}

static bool
find_profile(
    const struct profile_set *known, const char *name, struct profile *ret_profile)
{
	for (uint32_t i = 0; known && i < known->n; i++)
		if (strcmp(known->profile[i].name, name) == 0) {
			*ret_profile = known->profile[i];
			return true;
		}
	return profile_builtin(ret_profile, name);
}

static void
read_base(struct parser *ps, const struct conf_node *node)
{
	const char *nearest = NULL;
	unsigned least = 4;
	struct buf all;

	if (!node || !node_is_text(ps, node, "profile") ||
	    find_profile(ps->known, node->text, &ps->p))
		return;
	/* Past this the list is cut, so that the mistake still fits. */
	buf_init(&all, 400);
	buf_adds(&all, profile_builtin_names());
	for (uint32_t i = 0; ps->known && i < ps->known->n; i++) {
		consider(node->text, ps->known->profile[i].name, &nearest, &least);
		buf_addf(&all, ", %s", ps->known->profile[i].name);
	}
#define BASE(id, name, doc) consider(node->text, name, &nearest, &least);
	PROFILE_BASES(BASE)
#undef BASE
	parser_mistake(ps, node, node->text, "is no profile, which are %s%s%s%s",
	    buf_str(&all), nearest ? ": did you mean " : "", nearest ? nearest : "",
	    nearest ? "?" : "");
	buf_release(&all);
}

static bool
parse(struct profile *p, struct arena *arena, const struct profile_set *known,
    const struct conf_node *root, const char *file, bool is_file, struct err *err)
{
	static const struct conf_node nothing = {.kind = CONF_MAP};
	struct parser ps = {
	    .arena = arena, .known = known, .file = file, .is_file = is_file};
	bool ok;

	if (!root || root->kind == CONF_NULL)
		root = &nothing;
	buf_init(&ps.mistakes, MISTAKES_BYTES + 1);
	profile_builtin(&ps.p, "pure");
	read_base(&ps, conf_get(root, "profile"));
	if (is_file) {
		/* These are the file's own, not its base's. */
		ps.p.n_plugin = 0;
		ps.p.comment = NULL;
		if (!conf_get(root, "name"))
			parser_mistake(&ps, root, NULL,
			    "a profile needs name: what plugins' entries call it");
	}
	profile_read_map(&ps, root, is_file ? "a profile" : "sandbox", keys, &ps.p);
	ok = !ps.nomem && ps.mistakes.len == 0 && ps.n_more == 0;
	if (ok)
		*p = ps.p;
	else if (ps.nomem || ps.mistakes.failed)
		err_nomem(err);
	else if (ps.n_more > 0)
		err_set(
		    err, ERR_SYNTAX, "%s\nand %u more", buf_str(&ps.mistakes), ps.n_more);
	else
		err_set(err, ERR_SYNTAX, "%s", buf_str(&ps.mistakes));
	buf_release(&ps.mistakes);
	return ok;
}

bool
profile_parse(struct profile *p, struct arena *arena, const struct conf_node *block,
    const char *file, struct err *err)
{
	return parse(p, arena, NULL, block, file, false, err);
}

bool
profile_parse_in(struct profile *p, struct arena *arena, const struct profile_set *known,
    const struct conf_node *block, const char *file, struct err *err)
{
	return parse(p, arena, known, block, file, false, err);
}

bool
profile_parse_file(struct profile *p, struct arena *arena,
    const struct profile_set *known, const struct conf_node *root, const char *file,
    struct err *err)
{
	return parse(p, arena, known, root, file, true, err);
}
