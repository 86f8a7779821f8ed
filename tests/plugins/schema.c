/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Its configuration must have a port, a number from 1 to 65535.
 *
 * Falco refuses another configuration before init: "error in plugin schema init config:
 * In …".
 */
#define KIT_NAME "schema"
#define KIT_ID   4303
#define KIT_SCHEMA                                                                       \
	"{\"type\":\"object\",\"required\":[\"port\"],\"additionalProperties\":false,"   \
	"\"properties\":{\"port\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":"      \
	"65535}}}"
#include "tests/plugins/kit.h"

const char *
plugin_list_open_params(plugin_state *s, int32_t *rc)
{
	(void)s;
	*rc = PLUGIN_SUCCESS;
	return "[{\"value\":\"n=3\",\"desc\":\"three events\"},{\"value\":\"n=5\"}]";
}
