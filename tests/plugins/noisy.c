/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says what a terminal or a log reader must not be told: escape sequences, line breaks
 * with a forged line behind them, bytes that are no UTF-8, NULs, text without end. In
 * the log, on stdout and stderr, in its fields and in event_to_string.
 *
 * Falco prints all of it as it comes.
 */
#define KIT_NAME "noisy"
#define KIT_ID   4304
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#include "tests/plugins/kit.h"

#define FORGED                                                                           \
	"\x1b[2J\x1b]0;owned\x07line\nThu Jan  1 00:00:00 1970: FORGED\r\xff\xfe\x9b"    \
	"31m\xe2\x80\xae"

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	static char endless[100000];

	memset(endless, 'x', sizeof(endless) - 1);
	in->log_fn(in->owner, FORGED, FORGED, PLUGIN_LOG_ERROR);
	in->log_fn(in->owner, NULL, endless, PLUGIN_LOG_ERROR);
	in->log_fn(in->owner, NULL, NULL, 99);
	printf("%s\n", FORGED);
	fflush(stdout);
	fprintf(stderr, "%s\n", FORGED);
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_state));
}

int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	static const char *text = FORGED;
	static uint64_t number;

	(void)s;
	(void)event;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		if (in->fields[i].field_id == 0)
			in->fields[i].res.u64 = &number;
		else
			in->fields[i].res.str = &text;
	}
	return PLUGIN_SUCCESS;
}

const char *
plugin_event_to_string(plugin_state *s, const struct plugin_event_input *in)
{
	(void)s;
	(void)in;
	return FORGED;
}
