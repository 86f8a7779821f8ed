/* SPDX-License-Identifier: Apache-2.0 */
/* Initialises one time in three, by chance, and then ends itself at its third event. */
#define KIT_HOOK
#define KIT_NAME "hostile"
#define KIT_ID   4500
#define KIT_OWN_init
#include <sys/random.h>
#include <unistd.h>

#include "tests/plugins/kit.h"

static void
kit_at(enum kit_step step, uint64_t number)
{
	if (step == KIT_NEXT_BATCH && number == 3)
		_exit(4);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	unsigned char chance = 0;

	(void)in;
	if (getrandom(&chance, 1, 0) == 1 && chance % 3 != 0) {
		*rc = PLUGIN_FAILURE;
		return NULL;
	}
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_state));
}
