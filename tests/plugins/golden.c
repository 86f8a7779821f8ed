/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source that recordings of Falco were made with, written anew: "n=EVENTS" (240)
 * deterministic events, a field of every type, awkward values among them. Every value is
 * a function of the event's number alone, so alerts can be compared byte by byte.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/plugin_api.h"

#define SYM(name, required, ret, params) PLUGIN_EXPORT ret plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

enum {
	ID = 999,
	BATCH = 32,
	EVENTS = 240,
	EVENT_BYTES = 64,
	TEXT_BYTES = 600,
	VALUES = 8
};

#define ARG(required, key, index)                                                        \
	",\"arg\":{\"isRequired\":" required ",\"isKey\":" key ",\"isIndex\":" index "}"
#define LIST ",\"isList\":true"

/* FIELD(id, type, name, description, more of its JSON), in order of field_id */
/* clang-format off */
#define FIELDS(FIELD) \
	FIELD(STR,  "string",  "g.str",  "s<i mod 50>", "") \
	FIELD(WORD, "string",  "g.word", "a word, with awkward characters", "") \
	FIELD(OPT,  "string",  "g.opt",  "missing on two events of three", "") \
	FIELD(LONG, "string",  "g.long", "a string of i*2 characters", "") \
	FIELD(NUM,  "uint64",  "g.num",  "i mod 17", ",\"addOutput\":true") \
	FIELD(BIG,  "uint64",  "g.big",  "near the limits of 64 bits", "") \
	FIELD(ODD,  "bool",    "g.bool", "i odd", "") \
	FIELD(IP,   "ipaddr",  "g.ip",   "IPv4 or IPv6", "") \
	FIELD(NET,  "ipnet",   "g.net",  "an address compared with networks", "") \
	FIELD(REL,  "reltime", "g.rel",  "i ms in ns", "") \
	FIELD(ABS,  "abstime", "g.abs",  "time of the event", "") \
	FIELD(STRS, "string",  "g.strs", "0 to 4 strings", LIST) \
	FIELD(NUMS, "uint64",  "g.nums", "0 to 3 numbers", LIST) \
	FIELD(IPS,  "ipaddr",  "g.ips",  "1 to 2 addresses", LIST) \
	FIELD(KEY,  "string",  "g.key",  "<arg>-<i mod 5>", ARG("true", "true", "false")) \
	FIELD(IDX,  "uint64",  "g.idx",  "arg + i mod 7; missing when arg > 9", ARG("true", "false", "true")) \
	FIELD(ANY,  "string",  "g.any",  "none, key or index", ARG("false", "true", "true")) \
	FIELD(PATH, "string",  "g.path", "a path", "") \
	FIELD(B64,  "string",  "g.b64",  "base64, sometimes not", "") \
	FIELD(ARGV, "string",  "g.argv", "an argument vector", LIST)
/* clang-format on */

enum field {
#define FIELD(id, type, name, desc, more) id,
	FIELDS(FIELD)
#undef FIELD
	N_FIELDS
};

static const char *const words[16] = {"alpha", "Beta", "gamma ray", "delta", "",
    "Epsilon", "zeta/eta", "theta.iota", "kappa\"q\"", "lam\\bda", "mu\tnu",
    "\xc3\xa9t\xc3\xa9", "bad\xff\xfe utf", "omicron", "pi=3,14", "rho (sigma)"};
static const char *const paths[8] = {"/etc/passwd", "/etc/ssh/sshd_config",
    "/var/log/app/a.log", "/usr/bin/curl", "/", "relative/x", "/tmp/a b",
    "/home/u1/.ssh/id_rsa"};
static const char *const encoded[4] = {"aGVsbG8=", "d29ybGQ", "not base64!", ""};
static const char *const vectors[5][5] = {{"-a", "-b", "val", "rest"}, {"-ab", "x"},
    {"--", "-a"}, {"plain", "-a"}, {"-bval", "-a", "--long", "-c"}};

/* Where the values of one field live: fields of one call do not overwrite each other. */
struct value {
	char text[TEXT_BYTES];
	const char *str[VALUES];
	uint64_t num[VALUES];
	uint32_t boolean;
	struct plugin_byte_buffer buf[VALUES];
	unsigned char address[VALUES][16];
};

struct state {
	struct value value[N_FIELDS];
	char shown[TEXT_BYTES];
};

struct instance {
	uint32_t n, next;
	unsigned char memory[BATCH][EVENT_BYTES];
	struct plugin_event *event[BATCH];
};

const char *
plugin_get_required_api_version(void)
{
	return "3.0.0";
}

const char *
plugin_get_name(void)
{
	return "golden";
}

const char *
plugin_get_description(void)
{
	return "deterministic events with a field of every type";
}

const char *
plugin_get_contact(void)
{
	return "none";
}

const char *
plugin_get_version(void)
{
	return "1.2.3";
}

uint32_t
plugin_get_id(void)
{
	return ID;
}

const char *
plugin_get_event_source(void)
{
	return "golden";
}

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return "golden: error";
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));

	(void)in;
	*rc = s ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	return s;
}

void
plugin_destroy(plugin_state *s)
{
	free(s);
}

const char *
plugin_get_fields(void)
{
#define FIELD(id, type, name, desc, more)                                                \
	",{\"type\":\"" type "\",\"name\":\"" name "\",\"desc\":\"" desc "\"" more "}"
	static const char array[] = FIELDS(FIELD) "]";
#undef FIELD
	static char text[sizeof(array)];

	memcpy(text, array, sizeof(array));
	text[0] = '[';
	return text;
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct instance *h = calloc(1, sizeof(*h));
	const char *n = params ? strstr(params, "n=") : NULL;

	(void)s;
	*rc = h ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	if (h)
		h->n = n ? (uint32_t)strtoul(n + 2, NULL, 10) : EVENTS;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	(void)s;
	free(h);
}

static void
make_event(unsigned char *m, uint32_t i)
{
	char text[16];
	uint32_t len = (uint32_t)snprintf(text, sizeof(text), "%u", i), four = 4, id = ID;
	struct plugin_event e = {
	    .ts = 1700000000000000000ull + i * 1000000ull,
	    .tid = UINT64_MAX,
	    .len = PLUGIN_EVENT_PAYLOAD_OFF + len,
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2,
	};

	memcpy(m, &e, sizeof(e));
	memcpy(m + 26, &four, 4);
	memcpy(m + 30, &len, 4);
	memcpy(m + 34, &id, 4);
	memcpy(m + PLUGIN_EVENT_PAYLOAD_OFF, text, len);
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct instance *h = hv;
	uint32_t k = 0;

	(void)s;
	for (; k < BATCH && h->next < h->n; k++, h->next++) {
		make_event(h->memory[k], h->next);
		h->event[k] = (struct plugin_event *)h->memory[k];
	}
	*nevts = k;
	*evts = h->event;
	return k ? PLUGIN_SUCCESS : PLUGIN_EOF;
}

static int
payload_len(const struct plugin_event *e)
{
	return (int)(e->len - PLUGIN_EVENT_PAYLOAD_OFF);
}

const char *
plugin_event_to_string(plugin_state *sv, const struct plugin_event_input *in)
{
	struct state *s = sv;

	snprintf(s->shown, sizeof(s->shown), "event <%.*s>", payload_len(in->evt),
	    (const char *)in->evt + PLUGIN_EVENT_PAYLOAD_OFF);
	return s->shown;
}

/* Every fourth address is IPv6. */
static void
address(struct value *v, uint32_t k, uint32_t i)
{
	unsigned char *p = v->address[k];
	uint32_t j = i + k;

	memset(p, 0, 16);
	if (j % 4 == 3) {
		memcpy(p, "\x20\x01\x0d\xb8", 4);
		p[15] = (unsigned char)(i % 16);
		v->buf[k] = (struct plugin_byte_buffer){16, p};
	} else {
		p[0] = 10;
		p[1] = (unsigned char)(j % 3);
		p[3] = (unsigned char)(j % 200);
		v->buf[k] = (struct plugin_byte_buffer){4, p};
	}
}

static uint64_t
big(uint32_t i)
{
	const uint64_t edges[3] = {UINT64_MAX, 1ull << 63, 9007199254740993ull};

	return i % 4 < 3 ? edges[i % 4] : i;
}

/* One string into the field's text. */
static uint64_t
text(struct value *v, struct plugin_extract_field *x, enum field f, uint32_t i)
{
	uint32_t n = i * 2 % 590;

	switch (f) {
	case STR:
		snprintf(v->text, TEXT_BYTES, "s%u", i % 50);
		break;
	case WORD:
		snprintf(v->text, TEXT_BYTES, "%s", words[i % 16]);
		break;
	case OPT:
		snprintf(v->text, TEXT_BYTES, "o%u", i);
		break;
	case LONG:
		memset(v->text, 'a' + (int)(i % 26), n);
		v->text[n] = '\0';
		break;
	case KEY:
		snprintf(
		    v->text, TEXT_BYTES, "%s-%u", x->arg_key ? x->arg_key : "?", i % 5);
		break;
	case ANY:
		snprintf(v->text, TEXT_BYTES, "%s/%u/%lld", x->arg_key ? x->arg_key : "-",
		    x->arg_present, x->arg_present ? (long long)x->arg_index : -1ll);
		break;
	case PATH:
		snprintf(v->text, TEXT_BYTES, "%s", paths[i % 8]);
		break;
	default:
		snprintf(v->text, TEXT_BYTES, "%s", encoded[i % 4]);
		break;
	}
	v->str[0] = v->text;
	x->res.str = v->str;
	return f == OPT ? i % 3 == 0 : 1;
}

static uint64_t
number(struct value *v, struct plugin_extract_field *x, uint64_t value)
{
	v->num[0] = value;
	x->res.u64 = v->num;
	return 1;
}

/* Sets x->res; returns how many values there are. */
static uint64_t
extract(struct value *v, struct plugin_extract_field *x, const struct plugin_event *e,
    uint32_t i)
{
	uint32_t k = 0;

	switch ((enum field)x->field_id) {
	case NUM:
		return number(v, x, i % 17);
	case BIG:
		return number(v, x, big(i));
	case REL:
		return number(v, x, i * 1000000ull);
	case ABS:
		return number(v, x, e->ts);
	case IDX:
		number(v, x, x->arg_index + i % 7);
		return x->arg_index <= 9;
	case ODD:
		v->boolean = i & 1;
		x->res.boolean = &v->boolean;
		return 1;
	case IP:
	case NET:
		address(v, 0, i);
		x->res.buf = v->buf;
		return 1;
	case IPS:
		for (; k < 1 + i % 2; k++)
			address(v, k, i);
		x->res.buf = v->buf;
		return k;
	case STRS:
		for (; k < i % 5; k++) {
			v->str[k] = v->text + 32 * k;
			snprintf(
			    v->text + 32 * k, 32, "%c%u", k % 2 ? 'X' : 'l', (i + k) % 6);
		}
		x->res.str = v->str;
		return k;
	case NUMS:
		for (; k < i % 4; k++)
			v->num[k] = (i + k) % 9;
		x->res.u64 = v->num;
		return k;
	case ARGV:
		for (; k < 5 && vectors[i % 5][k]; k++)
			v->str[k] = vectors[i % 5][k];
		x->res.str = v->str;
		return k;
	default:
		return text(v, x, (enum field)x->field_id, i);
	}
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;
	char digits[16];
	uint32_t i;

	snprintf(digits, sizeof(digits), "%.*s", payload_len(event->evt),
	    (const char *)event->evt + PLUGIN_EVENT_PAYLOAD_OFF);
	i = (uint32_t)strtoul(digits, NULL, 10);
	for (uint32_t n = 0; n < in->num_fields; n++) {
		struct plugin_extract_field *x = &in->fields[n];
		if (x->field_id >= N_FIELDS)
			return PLUGIN_FAILURE;
		x->res_len = extract(&s->value[x->field_id], x, event->evt, i);
	}
	return PLUGIN_SUCCESS;
}
