/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/rules_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_BYTES = 192,
	TAGS = 3,
	ROBOTS = 50,
	NEAR_PERMILLE = 20, /* events that miss a rule by little */
};

/* clang-format off */
#define FIELDS(F) \
	F(STAGE, "ev.stage", CHARBUF)   F(VERB, "ev.verb", CHARBUF)   F(USER, "ev.user", CHARBUF) \
	F(NS, "ev.ns", CHARBUF)         F(RESOURCE, "ev.resource", CHARBUF) F(NAME, "ev.name", CHARBUF) \
	F(IMAGE, "ev.image", CHARBUF)   F(PATH, "ev.path", CHARBUF)   F(CMD, "ev.cmd", CHARBUF) \
	F(AGENT, "ev.agent", CHARBUF)   F(CODE, "ev.code", UINT64)    F(SIZE, "ev.size", UINT64) \
	F(SRC, "ev.src", IPADDR)        F(DST, "ev.dst", IPNET)       F(TAGS, "ev.tags", CHARBUF)

enum field_number {
#define FIELD_ENUM(id, name, type) FIELD_##id,
	FIELDS(FIELD_ENUM)
#undef FIELD_ENUM
	FIELD_N,
};

static struct field fields[] = {
#define FIELD_ROW(id, field, kind) \
	{.name = field, .desc = field, .type = VALUE_##kind, .provider = PROVIDER_PLUGIN, .field_id = FIELD_##id},
	FIELDS(FIELD_ROW)
#undef FIELD_ROW
};

static const char *const verbs[] = {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"};
static const char *const resources[] = {
	"pods", "secrets", "configmaps", "services", "deployments", "daemonsets", "jobs", "cronjobs", "nodes", "events", "leases",
	"endpoints", "ingresses", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "namespaces", "serviceaccounts",
	"statefulsets", "replicasets", "networkpolicies", "persistentvolumes", "tokenreviews",
};
static const uint32_t codes[] = {200, 200, 200, 201, 404, 409, 403};
static const uint32_t list_sizes[] = {10, 30, 100, 300, 1000};
/* The kinds of rules and how often each comes; the first ten are one of each family. */
static const enum kind {
	EQUALITY, LIST, PREFIX, SUBSTRING, GLOB, REGEX, NUMBER, NETWORK, NEGATION, TAG, PATH, OTHER_VERB,
} mix[] = {
	EQUALITY, LIST, PREFIX, SUBSTRING, GLOB, REGEX, NUMBER, NETWORK, NEGATION, TAG,
	EQUALITY, LIST, EQUALITY, PATH, SUBSTRING, EQUALITY, LIST, PREFIX, OTHER_VERB, EQUALITY,
};

/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static enum kind
kind_of(uint32_t rule)
{
	return mix[rule % COUNT(mix)];
}

static uint32_t
list_size(uint32_t rule)
{
	return list_sizes[rule / COUNT(mix) % COUNT(list_sizes)];
}

struct event {
	char text[FIELD_N][TEXT_BYTES];
	uint64_t num[FIELD_N];
	uint32_t address[FIELD_N];
	char tag[TAGS][32];
	uint32_t n_tag;
};

static uint32_t
draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % below);
}

bool
bench_catalog_init(struct field_catalog *c, struct err *err)
{
	const struct field_class klass = {.name = "audit",
	    .short_desc = "",
	    .desc = "",
	    .field = fields,
	    .n = FIELD_N,
	    .plugin = true};

	fields[FIELD_TAGS].flags = FIELD_LIST;
	if (!field_catalog_init(c, err))
		return false;
	struct field_source *source = field_catalog_add_source(c, "audit");
	return source && field_source_add_class(c, source, &klass, err);
}

/* Each digit of i in brackets: a pattern without a literal part. */
static void
add_bracketed(struct buf *out, uint32_t i)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%u", i);
	for (char *d = digits; *d; d++)
		buf_addf(out, "[%c]", *d);
}

static void
add_condition(struct buf *out, uint32_t i)
{
	uint32_t n = list_size(i);

	switch (kind_of(i)) {
	case EQUALITY:
		buf_addf(out,
		    "completed and human and ev.verb = %s and ev.resource = %s and "
		    "ev.ns = ns-%u",
		    verbs[i % COUNT(verbs)], resources[i % COUNT(resources)], i);
		break;
	case LIST:
		buf_addf(out, "completed and writes and ev.image in (images_%u)", i);
		break;
	case PREFIX:
		buf_addf(out, "human and ev.path startswith /api/v%u/", i);
		break;
	case SUBSTRING:
		buf_addf(out, "completed and ev.cmd contains \"tok%ux\"", i);
		break;
	case GLOB:
		buf_addf(out, "writes and ev.path glob \"/srv/*/data-%u/*\"", i);
		break;
	case REGEX:
		if (i / COUNT(mix) % 5 == 0) {
			buf_addf(out, "completed and ev.name regex \"[a-z]+-");
			add_bracketed(out, i);
			buf_adds(out, "\"");
			break;
		}
		buf_addf(out,
		    "completed and ev.cmd regex \".*(curl|wget).*host-%u[.]example.*\"",
		    i);
		break;
	case NUMBER:
		buf_addf(out, "ev.code >= 500 and ev.size > %u", 1000000 + i);
		break;
	case NETWORK:
		buf_addf(out,
		    "completed and ev.dst in (\"10.%u.%u.0/24\", \"172.%u.0.0/20\")",
		    i / 256 % 256, i % 256, 16 + i % 16);
		break;
	case PATH:
		buf_addf(out, "writes and ev.path pmatch (/etc/app-%u, /opt/app-%u/bin)",
		    i, i);
		break;
	case NEGATION:
		buf_addf(out,
		    "completed and human and ev.verb = delete and not ev.ns startswith "
		    "kube- "
		    "and not ev.image contains trusted and ev.name = victim-%u",
		    i);
		break;
	case OTHER_VERB:
		buf_addf(out,
		    "not ev.verb in (known_verbs) and not ev.ns startswith \"x%u\" and "
		    "ev.code != 200",
		    i);
		break;
	case TAG:
		buf_addf(out,
		    "writes and (ev.tags intersects (t-%u-a, t-%u-b) or (ev.resource = "
		    "secrets and ev.name endswith \"-%u-key\"))",
		    i, i, n + i);
		break;
	}
}

void
bench_rules_write(struct buf *out, uint32_t n_rule)
{
	buf_adds(out, "- list: robots\n  items: [");
	for (uint32_t i = 0; i < ROBOTS; i++)
		buf_addf(out, "%srobot-%u", i ? ", " : "", i);
	buf_adds(out,
	    "]\n"
	    "- list: known_verbs\n  items: [get, list, watch, create, update, patch, "
	    "delete, deletecollection]\n"
	    "- macro: completed\n  condition: ev.stage in (ResponseComplete, Panic)\n"
	    "- macro: human\n  condition: (not ev.user startswith \"system:\" and not "
	    "ev.user in (robots))\n"
	    "- macro: writes\n  condition: ev.verb in (create, update, patch, delete)\n");
	for (uint32_t i = 0; i < n_rule; i++) {
		if (kind_of(i) == LIST) {
			uint32_t n = list_size(i);
			buf_addf(out, "- list: images_%u\n  items: [", i);
			for (uint32_t k = 0; k < n; k++)
				buf_addf(out, "%sbad-%u/img-%u", k ? ", " : "", i, k);
			buf_adds(out, "]\n");
		}
		buf_addf(out,
		    "- rule: rule %u\n  desc: generated\n  priority: WARNING\n  source: "
		    "audit\n  output: user=%%ev.user ns=%%ev.ns name=%%ev.name\n"
		    "  condition: >\n    ",
		    i);
		add_condition(out, i);
		buf_addc(out, '\n');
	}
}

#define SET(e, field, ...) snprintf((e)->text[FIELD_##field], TEXT_BYTES, __VA_ARGS__)

/* What happens all day, and matches nothing. */
static void
background(struct event *e, uint64_t *seed)
{
	const char *resource = resources[draw(seed, COUNT(resources))];
	uint32_t ns = draw(seed, 50), name = draw(seed, 1u << 30);

	SET(e, STAGE, "%s", draw(seed, 20) ? "ResponseComplete" : "RequestReceived");
	SET(e, VERB, "%s", verbs[draw(seed, COUNT(verbs))]);
	if (draw(seed, 5) < 2)
		SET(e, USER, "system:serviceaccount:kube-system:controller-%u",
		    draw(seed, 30));
	else
		SET(e, USER, "user-%u@example.com", draw(seed, 200));
	SET(e, NS, "team-%u", ns);
	SET(e, RESOURCE, "%s", resource);
	SET(e, NAME, "%s-%08x-x", resource, name);
	SET(e, IMAGE, "registry.example.com/team-%u/app-%u:1.2", ns, draw(seed, 300));
	SET(e, PATH, "/api/core/namespaces/team-%u/%s/%08x", ns, resource, name);
	SET(e, CMD, "/usr/bin/python3 -m app.serve --port 80%u --token %08x",
	    draw(seed, 90), name);
	SET(e, AGENT, "kubectl/v1.%u (linux/amd64) kubernetes/%06x", draw(seed, 30),
	    draw(seed, 40) * 77777);
	e->num[FIELD_CODE] = codes[draw(seed, COUNT(codes))];
	e->num[FIELD_SIZE] = draw(seed, 1000000);
	e->address[FIELD_SRC] = 0x0b000000u | draw(seed, 1u << 24);
	e->address[FIELD_DST] = 0xc0a80000u | draw(seed, 1u << 16);
	e->n_tag = draw(seed, TAGS + 1);
	for (uint32_t i = 0; i < e->n_tag; i++)
		snprintf(e->tag[i], sizeof(e->tag[i]), "tag-%u", draw(seed, 20));
}

/* Makes the event match rule i, or some rule before it. */
static void
witness(struct event *e, uint32_t i, uint64_t *seed)
{
	uint32_t n = list_size(i);

	SET(e, STAGE, "ResponseComplete");
	SET(e, VERB, "delete");
	SET(e, USER, "mallory");
	switch (kind_of(i)) {
	case EQUALITY:
		SET(e, VERB, "%s", verbs[i % COUNT(verbs)]);
		SET(e, RESOURCE, "%s", resources[i % COUNT(resources)]);
		SET(e, NS, "ns-%u", i);
		break;
	case LIST:
		SET(e, IMAGE, "bad-%u/img-%u", i, draw(seed, n));
		break;
	case PREFIX:
		SET(e, PATH, "/api/v%u/pods", i);
		break;
	case SUBSTRING:
		SET(e, CMD, "sh -c 'echo tok%ux'", i);
		break;
	case GLOB:
		SET(e, PATH, "/srv/volume-7/data-%u/file", i);
		break;
	case REGEX:
		SET(e, CMD, "curl -s http://host-%u.example/x", i);
		SET(e, NAME, "pod-%u", i);
		break;
	case NUMBER:
		e->num[FIELD_CODE] = 503;
		e->num[FIELD_SIZE] = 2000000000;
		break;
	case NETWORK:
		e->address[FIELD_DST] =
		    0x0a000000u | i / 256 % 256 << 16 | i % 256 << 8 | draw(seed, 256);
		break;
	case PATH:
		SET(e, PATH, "/opt/app-%u/bin/tool", i);
		break;
	case NEGATION:
		SET(e, NAME, "victim-%u", i);
		break;
	case OTHER_VERB:
		SET(e, VERB, "impersonate");
		e->num[FIELD_CODE] = 403;
		break;
	case TAG:
		e->n_tag = 1;
		snprintf(e->tag[0], sizeof(e->tag[0]), "t-%u-b", i);
		break;
	}
}

/* A witness that lacks one thing. */
static void
near_miss(struct event *e, uint32_t i, uint64_t *seed)
{
	uint64_t code = e->num[FIELD_CODE];

	witness(e, i, seed);
	e->num[FIELD_CODE] = code;
	SET(e, STAGE, "RequestReceived");
	SET(e, VERB, "get");
	SET(e, USER, "system:node");
}

/* One column while it is filled. */
struct filling {
	uint32_t first[LIMIT_CHUNK_EVENTS + 1];
	uint64_t num[LIMIT_CHUNK_EVENTS];
	struct span str[LIMIT_CHUNK_EVENTS * TAGS];
	struct buf bytes;
	uint32_t n;
};

static void
put(struct filling *f, const void *s, size_t n)
{
	f->str[f->n++] = (struct span){(uint32_t)f->bytes.len, (uint32_t)n};
	buf_add(&f->bytes, s, n);
	buf_addc(&f->bytes, '\0');
}

static void
put_field(struct filling *f, const struct event *e, uint32_t field)
{
	uint32_t a = e->address[field];
	const unsigned char address[4] = {(unsigned char)(a >> 24),
	    (unsigned char)(a >> 16), (unsigned char)(a >> 8), (unsigned char)a};

	switch (field) {
	case FIELD_TAGS:
		for (uint32_t i = 0; i < e->n_tag; i++)
			put(f, e->tag[i], strlen(e->tag[i]));
		break;
	case FIELD_CODE:
	case FIELD_SIZE:
		f->num[f->n++] = e->num[field];
		break;
	case FIELD_SRC:
	case FIELD_DST:
		put(f, address, sizeof(address));
		break;
	default:
		put(f, e->text[field], strlen(e->text[field]));
		break;
	}
}

static void *
copied(struct arena *arena, const void *p, size_t n)
{
	void *to = arena_alloc(arena, n);

	return to ? memcpy(to, p, n) : NULL;
}

static bool
make_column(struct column *c, struct arena *arena, const struct event *event, uint32_t n,
    uint32_t field)
{
	static struct filling f;
	bool number = field == FIELD_CODE || field == FIELD_SIZE;

	f.n = 0;
	buf_init(&f.bytes, 1 << 24);
	for (uint32_t e = 0; e < n; e++) {
		f.first[e] = f.n;
		put_field(&f, &event[e], field);
	}
	f.first[n] = f.n;
	*c = (struct column){.n = n,
	    .first = copied(arena, f.first, (n + 1) * sizeof(*f.first)),
	    .num = number ? copied(arena, f.num, f.n * sizeof(*f.num)) : NULL,
	    .str = number ? NULL : copied(arena, f.str, f.n * sizeof(*f.str)),
	    .bytes = arena_strndup(arena, buf_str(&f.bytes), f.bytes.len)};
	buf_release(&f.bytes);
	return c->first && c->bytes && (number ? c->num != NULL : c->str != NULL);
}

bool
bench_chunk_make(struct bench_chunk *c, struct arena *arena, const struct slot_set *slots,
    uint32_t n_rule, uint32_t match_permille, uint64_t *seed)
{
	static struct event event[LIMIT_CHUNK_EVENTS];
	bool ok = true;

	c->n = LIMIT_CHUNK_EVENTS;
	c->meta = arena_array(arena, c->n, sizeof(*c->meta));
	c->column = arena_array(arena, (size_t)slots->n + 1, sizeof(*c->column));
	if (!c->meta || !c->column)
		return false;
	for (uint32_t e = 0; e < c->n; e++) {
		uint32_t fate = draw(seed, 1000), rule = draw(seed, n_rule);
		background(&event[e], seed);
		if (fate < match_permille)
			witness(&event[e], rule, seed);
		else if (fate < match_permille + NEAR_PERMILLE)
			near_miss(&event[e], rule, seed);
		c->meta[e] = (struct event_meta){.num = e + 1};
	}
	for (uint32_t i = 0; ok && i < slots->n; i++) {
		const struct field *f = slots->slot[i].ref.field;
		if (f->provider == PROVIDER_PLUGIN)
			ok = make_column(&c->column[i], arena, event, c->n, f->field_id);
	}
	return ok;
}
