/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extracts from whatever events the sources in EXTRACTOR_SOURCES have (none named: from
 * all): the length of the payload, its last byte as text, and a field with an argument.
 *
 * Falco asks for one field in a call, of events of compatible sources and types alone; a
 * plugin that is compatible with no loaded source ends it.
 */
#define KIT_HOOK
#ifndef KIT_NAME
#define KIT_NAME "extractor"
#endif
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_extract_fields
#ifndef KIT_FIELDS
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"" KIT_NAME ".len\",\"desc\":\"bytes\"},"       \
	"{\"type\":\"string\",\"name\":\"" KIT_NAME ".last\",\"desc\":\"last byte\"},"   \
	"{\"type\":\"string\",\"name\":\"" KIT_NAME ".arg\",\"desc\":\"its argument\","  \
	"\"arg\":{\"isKey\":true,\"isIndex\":true,\"isRequired\":true}}]"
#endif
#ifndef EXTRACTOR_SOURCES
#define EXTRACTOR_SOURCES "[]"
#endif
#include "tests/plugins/kit.h"

enum {
	LEN,
	LAST,
	ARG,
	N_FIELDS
};

static void
kit_at(enum kit_step step, uint64_t number)
{
	(void)step;
	(void)number;
}

const char *
plugin_get_extract_event_sources(void)
{
	return EXTRACTOR_SOURCES;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	static uint64_t len;
	static char last[2], arg[64];
	static const char *last_text = last, *arg_text = arg;
	char text[KIT_PAYLOAD + 1];

	(void)sv;
	kit_payload(event, text, sizeof(text));
#ifdef EXTRACTOR_POISON
	/* An event that it does not survive, whatever it is asked for. */
	if (strcmp(text, EXTRACTOR_POISON) == 0)
		__builtin_trap();
#endif
	len = strlen(text);
	last[0] = len ? text[len - 1] : '\0';
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		x->res_len = 1;
		switch (x->field_id) {
		case LEN:
			x->res.u64 = &len;
			break;
		case LAST:
			x->res.str = &last_text;
			break;
		case ARG:
			snprintf(arg, sizeof(arg), "%s/%llu",
			    x->arg_key ? x->arg_key : "-",
			    (unsigned long long)x->arg_index);
			x->res.str = &arg_text;
			break;
		default:
			return PLUGIN_FAILURE;
		}
	}
	return PLUGIN_SUCCESS;
}
