/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the file named by its open parameters in init, open and next_batch alike; each
 * line is an event. It opens it anew for every line: what may be read stays readable.
 *
 * In Falco it may read whatever Falco may; a failure in init or open ends the run with
 * the plugin's last error.
 */
#define KIT_NAME "file"
#define KIT_ID   4311
#define KIT_OWN_open
#define KIT_OWN_next_batch
#define KIT_OWN_get_last_error
#include <errno.h>

#include "tests/plugins/kit.h"

static char error[256];

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return error;
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = calloc(1, sizeof(*h));
	FILE *f = fopen(params ? params : "", "re");

	(void)s;
	if (!h || !f) {
		snprintf(
		    error, sizeof(error), "cannot read %s: %s", params, strerror(errno));
		free(h);
		*rc = PLUGIN_FAILURE;
		return NULL;
	}
	fclose(f);
	snprintf(h->params, sizeof(h->params), "%s", params);
	*rc = PLUGIN_SUCCESS;
	return h;
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;
	char line[KIT_PAYLOAD];
	FILE *f = fopen(h->params, "re");
	bool there = f != NULL;

	(void)s;
	for (uint64_t i = 0; there && i <= h->next; i++)
		there = fgets(line, sizeof(line), f) != NULL;
	if (f)
		fclose(f);
	*nevts = 0;
	if (!there)
		return PLUGIN_EOF;
	h->event[0] = kit_event(h->memory[0], 1700000000000000000ull + h->next++, KIT_ID,
	    line, (uint32_t)strcspn(line, "\n"));
	*nevts = 1;
	*evts = h->event;
	return PLUGIN_SUCCESS;
}
