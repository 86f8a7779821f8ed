/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that says which configuration it has: .value is what set_config, or init, was
 * given last, .times how often set_config was called.
 *
 * Falco never calls set_config: a changed configuration is a new start there. Here a
 * reload tries it first, with a configuration that the schema allows.
 *
 * init_config: {"value": TEXT}; a text that begins with "no" is refused by set_config,
 * not by init.
 */
#define KIT_NAME "configurable"
#define KIT_ID   4470
#define KIT_API  "3.12.0"
#define KIT_SCHEMA                                                                       \
	"{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"string\"}}}"
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#define KIT_OWN_get_last_error
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"string\",\"name\":\"configurable.value\",\"desc\":\"of the "       \
	"configuration\"},{\"type\":\"uint64\",\"name\":\"configurable.times\","         \
	"\"desc\":\"that it was set anew\"}]"
#include "tests/plugins/kit.h"

struct state {
	char value[64];
	const char *str;
	uint64_t times;
};

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return "configurable: not that";
}

static void
take(struct state *s, const char *config)
{
	const char *at = strstr(config, "\"value\"");
	int n = 0;

	if (at)
		sscanf(at, "\"value\" : \"%63[^\"]%n", s->value, &n);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));

	*rc = s ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	if (s) {
		s->str = s->value;
		take(s, in->config);
	}
	return s;
}

int32_t
plugin_set_config(plugin_state *sv, const struct plugin_set_config_input *in)
{
	struct state *s = sv;

	if (strstr(in->config, "\"no"))
		return PLUGIN_FAILURE;
	take(s, in->config);
	s->times++;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;

	(void)event;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		if (in->fields[i].field_id == 0)
			in->fields[i].res.str = &s->str;
		else
			in->fields[i].res.u64 = &s->times;
	}
	return PLUGIN_SUCCESS;
}
