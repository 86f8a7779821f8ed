/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a state together with the failure, to be asked for its error and destroyed.
 *
 * Falco asks the state for its error, ends with "could not initialize plugin: " and
 * that, and destroys the state.
 */
#define KIT_NAME "init_fails"
#define KIT_OWN_init
#define KIT_OWN_get_last_error
#include "tests/plugins/kit.h"

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	(void)in;
	*rc = PLUGIN_FAILURE;
	return calloc(1, sizeof(struct kit_state));
}

const char *
plugin_get_last_error(plugin_state *s)
{
	return s ? "the key of the backend is missing" : "asked without a state";
}
