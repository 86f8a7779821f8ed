/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that keeps a ledger of what it gave, so that nothing of it can be lost unseen.
 * The open parameters name the file ("ledger=PATH,…"), which has 8 bytes for each life of
 * the source: the number of the event that it was about to make last. Lives number their
 * events from LIFE * LEDGER_LIFE on.
 *
 * Events come one to a batch, so when one is made those before it have been published.
 */
#define KIT_HOOK
#define KIT_NAME "ledger"
#define KIT_ID   4330
#define KIT_OWN_open
#include <fcntl.h>

#include "tests/plugins/kit.h"

enum {
	LEDGER_LIFE = 1000000
};

static int ledger_fd = -1;
static off_t ledger_at;

static void
kit_at(enum kit_step step, uint64_t number)
{
	if (step == KIT_NEXT_BATCH && ledger_fd >= 0 &&
	    pwrite(ledger_fd, &number, sizeof(number), ledger_at) != sizeof(number))
		abort();
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = calloc(1, sizeof(*h));
	const char *path = strstr(params, "ledger=");

	(void)s;
	*rc = PLUGIN_FAILURE;
	if (!h || !path)
		return NULL;
	snprintf(
	    h->params, sizeof(h->params), "%.*s", (int)strcspn(path + 7, ","), path + 7);
	ledger_fd = open(h->params, O_RDWR | O_CLOEXEC);
	if (ledger_fd < 0) {
		free(h);
		return NULL;
	}
	ledger_at = lseek(ledger_fd, 0, SEEK_END);
	h->next = (uint64_t)ledger_at / sizeof(h->next) * LEDGER_LIFE;
	h->n = h->next + LEDGER_LIFE;
	h->pause_us = kit_param(params, "pause_us=", 1);
	/* Its place, before another life takes it. */
	kit_at(KIT_NEXT_BATCH, h->next);
	*rc = PLUGIN_SUCCESS;
	return h;
}
