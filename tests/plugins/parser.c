/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses events and tells what it has seen when it is asked about one.
 *
 * Falco calls parse_event on each event before any rule looks at it, and extract_fields
 * before the next event is parsed: .last is always the number of the event itself and
 * .parsed counts up by one. What parse_event answers is of no consequence; PARSER_FAILS
 * makes it fail on every third. PARSER_TYPES are event types, PARSER_SOURCES sources,
 * that it wants to parse. PARSER_IS_SOURCE makes the events, too.
 */
#ifndef KIT_NAME
#define KIT_NAME "parser"
#endif
#ifndef PARSER_IS_SOURCE
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#endif
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"" KIT_NAME                                     \
	".parsed\",\"desc\":\"events parsed so far\"},"                                  \
	"{\"type\":\"uint64\",\"name\":\"" KIT_NAME                                      \
	".last\",\"desc\":\"number of the one parsed last\"},"                           \
	"{\"type\":\"string\",\"name\":\"" KIT_NAME                                      \
	".source\",\"desc\":\"the source of that one\"}]"
#include "tests/plugins/kit.h"

struct state {
	uint64_t parsed, last, value[2];
	char source[64];
	const char *text;
};

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	(void)in;
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct state));
}

#ifdef PARSER_TYPES
uint16_t *
plugin_get_parse_event_types(uint32_t *n, plugin_state *s)
{
	static uint16_t types[] = {PARSER_TYPES};

	(void)s;
	*n = sizeof(types) / sizeof(*types);
	return types;
}
#endif

const char *
plugin_get_extract_event_sources(void)
{
	return "[]";
}

#ifdef PARSER_SOURCES
const char *
plugin_get_parse_event_sources(void)
{
	return PARSER_SOURCES;
}
#endif

int32_t
plugin_parse_event(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	struct state *s = sv;

	(void)in;
	s->parsed++;
	s->last = event->evtnum;
	snprintf(s->source, sizeof(s->source), "%s", event->evtsrc);
#ifdef PARSER_FAILS
	if (s->parsed % 3 == 0)
		return PLUGIN_FAILURE;
#endif
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;

	(void)event;
	s->value[0] = s->parsed;
	s->value[1] = s->last;
	s->text = s->source;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		struct plugin_extract_field *x = &in->fields[i];
		x->res_len = 1;
		if (x->field_id == 2)
			x->res.str = &s->text;
		else
			x->res.u64 = &s->value[x->field_id];
	}
	return PLUGIN_SUCCESS;
}
