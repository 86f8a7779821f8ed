/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/golden_source.h"

#include <stdio.h>
#include <string.h>

static const char *const words[] = {"alpha", "Beta", "gamma ray", "delta", "", "Epsilon",
    "zeta/eta", "theta.iota", "kappa\"q\"", "lam\\bda", "mu\tnu", "\xc3\xa9t\xc3\xa9",
    "bad\xff\xfe utf", "omicron", "pi=3,14", "rho (sigma)"};
static const char *const paths[] = {"/etc/passwd", "/etc/ssh/sshd_config",
    "/var/log/app/a.log", "/usr/bin/curl", "/", "relative/x", "/tmp/a b",
    "/home/u1/.ssh/id_rsa"};
static const char *const b64s[] = {"aGVsbG8=", "d29ybGQ", "not base64!", ""};
static const char *const argvs[][5] = {{"-a", "-b", "val", "rest", NULL},
    {"-ab", "x", NULL}, {"--", "-a", NULL}, {"plain", "-a", NULL},
    {"-bval", "-a", "--long", "-c", NULL}};

/* clang-format off */
#define GOLDEN_FIELDS(F) \
	F(STR,  "g.str",  CHARBUF, 0, "s<i mod 50>") \
	F(WORD, "g.word", CHARBUF, 0, "a word, with awkward characters") \
	F(OPT,  "g.opt",  CHARBUF, 0, "missing on two events of three") \
	F(LONG, "g.long", CHARBUF, 0, "a string of i*2 characters") \
	F(NUM,  "g.num",  UINT64,  FIELD_ADD_OUTPUT, "i mod 17") \
	F(BIG,  "g.big",  UINT64,  0, "near the limits of 64 bits") \
	F(BOOL, "g.bool", BOOL,    0, "i odd") \
	F(IP,   "g.ip",   IPADDR,  0, "IPv4 or IPv6") \
	F(NET,  "g.net",  IPNET,   0, "an address compared with networks") \
	F(REL,  "g.rel",  RELTIME, 0, "i ms in ns") \
	F(ABS,  "g.abs",  ABSTIME, 0, "time of the event") \
	F(STRS, "g.strs", CHARBUF, FIELD_LIST, "0 to 4 strings") \
	F(NUMS, "g.nums", UINT64,  FIELD_LIST, "0 to 3 numbers") \
	F(IPS,  "g.ips",  IPADDR,  FIELD_LIST, "1 to 2 addresses") \
	F(KEY,  "g.key",  CHARBUF, FIELD_ARG_REQUIRED | FIELD_ARG_KEY, "<arg>-<i mod 5>") \
	F(IDX,  "g.idx",  UINT64,  FIELD_ARG_REQUIRED | FIELD_ARG_INDEX, \
	    "arg + i mod 7; missing when arg > 9") \
	F(ANY,  "g.any",  CHARBUF, FIELD_ARG_ALLOWED | FIELD_ARG_KEY | FIELD_ARG_INDEX, "none, key or index") \
	F(PATH, "g.path", CHARBUF, 0, "a path") \
	F(B64,  "g.b64",  CHARBUF, 0, "base64, sometimes not") \
	F(ARGV, "g.argv", CHARBUF, FIELD_LIST, "an argument vector")
/* clang-format on */

enum golden_field {
#define GOLDEN_ENUM(id, name, type, flags, desc) GOLDEN_##id,
	GOLDEN_FIELDS(GOLDEN_ENUM)
#undef GOLDEN_ENUM
	GOLDEN_N,
};

bool
golden_catalog(struct field_catalog *catalog, struct err *err)
{
	struct field fields[] = {
#define GOLDEN_ROW(id, n, t, f, d)                                                       \
	{.name = n,                                                                      \
	    .desc = d,                                                                   \
	    .type = VALUE_##t,                                                           \
	    .flags = f,                                                                  \
	    .provider = PROVIDER_PLUGIN,                                                 \
	    .field_id = GOLDEN_##id},
	    GOLDEN_FIELDS(GOLDEN_ROW)
#undef GOLDEN_ROW
	};
	const struct field_class klass = {
	    .name = "golden (plugin)", .field = fields, .n = GOLDEN_N, .plugin = true};
	struct field_source *source;

	if (!field_catalog_init(catalog, err))
		return false;
	source = field_catalog_add_source(catalog, "golden");
	if (!source)
		return err_nomem(err);
	return field_source_add_class(catalog, source, &klass, err);
}

static uint64_t
event_time(uint32_t i)
{
	return 1700000000000000000ull + i * 1000000ull;
}

void
golden_meta(struct event_meta *meta, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		meta[i] = (struct event_meta){
		    .num = i + 1,
		    .ts_ns = event_time(i),
		    .first_ts_ns = event_time(0),
		    .type = 322,
		    .plugin_name = "golden",
		};
}

/* A column being filled; the arrays are large enough for any field. */
struct filling {
	uint32_t *first, n;
	uint64_t *num;
	struct span *str;
	char *bytes;
	uint32_t used;
};

enum {
	MAX_VALUES = 4,
	MAX_BYTES = 700, /* of one event */
};

static void
add_num(struct filling *f, uint64_t v)
{
	f->num[f->n++] = v;
}

static void
add_bytes(struct filling *f, const void *s, uint32_t n)
{
	memcpy(f->bytes + f->used, s, n);
	f->bytes[f->used + n] = '\0';
	f->str[f->n++] = (struct span){f->used, n};
	f->used += n + 1;
}

static void
add_text(struct filling *f, const char *s)
{
	add_bytes(f, s, (uint32_t)strlen(s));
}

static void
add_addresses(struct filling *f, uint32_t i, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		unsigned char p[16] = {0};
		if ((i + k) % 4 == 3) {
			memcpy(p, "\x20\x01\x0d\xb8", 4);
			p[15] = (unsigned char)(i % 16);
			add_bytes(f, p, 16);
			continue;
		}
		p[0] = 10;
		p[1] = (unsigned char)((i + k) % 3);
		p[3] = (unsigned char)((i + k) % 200);
		add_bytes(f, p, 4);
	}
}

static void
add_text_value(
    struct filling *f, enum golden_field id, const struct field_ref *ref, uint32_t i)
{
	char t[MAX_BYTES];

	switch (id) {
	case GOLDEN_STR:
		snprintf(t, sizeof(t), "s%u", i % 50);
		break;
	case GOLDEN_OPT:
		if (i % 3)
			return;
		snprintf(t, sizeof(t), "o%u", i);
		break;
	case GOLDEN_LONG:
		memset(t, 'a' + (int)(i % 26), i * 2 % 590);
		t[i * 2 % 590] = '\0';
		break;
	case GOLDEN_KEY:
		snprintf(
		    t, sizeof(t), "%.600s-%u", ref->arg_key ? ref->arg_key : "?", i % 5);
		break;
	default: /* GOLDEN_ANY */
		snprintf(t, sizeof(t), "%.600s/%d/%lld",
		    ref->arg_key ? ref->arg_key : "-", ref->arg_present,
		    ref->arg_present ? (long long)ref->arg_index : -1LL);
		break;
	}
	add_text(f, t);
}

static void
add_values(struct filling *f, const struct field_ref *ref, uint32_t i)
{
	enum golden_field id = (enum golden_field)ref->field->field_id;
	char t[32];

	switch (id) {
	case GOLDEN_WORD:
		add_text(f, words[i % 16]);
		break;
	case GOLDEN_PATH:
		add_text(f, paths[i % 8]);
		break;
	case GOLDEN_B64:
		add_text(f, b64s[i % 4]);
		break;
	case GOLDEN_NUM:
		add_num(f, i % 17);
		break;
	case GOLDEN_BIG:
		add_num(f, i % 4 == 0   ? ~0ull
			   : i % 4 == 1 ? 1ull << 63
			   : i % 4 == 2 ? 9007199254740993ull
					: i);
		break;
	case GOLDEN_BOOL:
		add_num(f, i & 1);
		break;
	case GOLDEN_REL:
		add_num(f, i * 1000000ull);
		break;
	case GOLDEN_ABS:
		add_num(f, event_time(i));
		break;
	case GOLDEN_IDX:
		if (ref->arg_index <= 9)
			add_num(f, ref->arg_index + i % 7);
		break;
	case GOLDEN_IP:
	case GOLDEN_NET:
		add_addresses(f, i, 1);
		break;
	case GOLDEN_IPS:
		add_addresses(f, i, 1 + i % 2);
		break;
	case GOLDEN_STRS:
		for (uint32_t k = 0; k < i % 5; k++) {
			snprintf(t, sizeof(t), "%s%u", k % 2 ? "X" : "l", (i + k) % 6);
			add_text(f, t);
		}
		break;
	case GOLDEN_NUMS:
		for (uint32_t k = 0; k < i % 4; k++)
			add_num(f, (i + k) % 9);
		break;
	case GOLDEN_ARGV:
		for (uint32_t k = 0; argvs[i % 5][k]; k++)
			add_text(f, argvs[i % 5][k]);
		break;
	default:
		add_text_value(f, id, ref, i);
		break;
	}
}

/* evt.plugininfo: what the plugin says an event is. */
static void
add_info(struct filling *f, uint32_t i)
{
	char t[32];

	snprintf(t, sizeof(t), "event <%u>", i);
	add_text(f, t);
}

bool
golden_column(struct arena *arena, const struct field_ref *ref, uint32_t n,
    struct column *ret_column)
{
	struct filling f = {
	    .first = arena_array(arena, n + 1, sizeof(*f.first)),
	    .num = arena_array(arena, n * MAX_VALUES, sizeof(*f.num)),
	    .str = arena_array(arena, n * MAX_VALUES, sizeof(*f.str)),
	    .bytes = arena_alloc(arena, n * MAX_BYTES),
	};

	if (!f.first || !f.num || !f.str || !f.bytes)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		f.first[i] = f.n;
		if (ref->field->provider == PROVIDER_EVENT_TEXT)
			add_info(&f, i);
		else
			add_values(&f, ref, i);
	}
	f.first[n] = f.n;
	*ret_column = (struct column){
	    .n = n, .first = f.first, .num = f.num, .str = f.str, .bytes = f.bytes};
	return true;
}
