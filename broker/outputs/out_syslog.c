/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <syslog.h>

#include "broker/outputs/out.h"

/* Falco's priorities are syslog's numbers. */
static bool
syslog_write(
    struct out *out, const struct out_batch *b, uint32_t *ret_failed, struct err *err)
{
	for (uint32_t i = 0; i < b->n; i++)
		syslog((int)b->line[i].priority, "%.*s", (int)b->line[i].len,
		    b->base + b->line[i].offset);
	return true;
}

static void
syslog_free(struct out *out, uint32_t wait_ms)
{
	free(out);
}

struct out *
out_syslog_new(const struct settings *s, const atomic_bool *stop, struct err *err)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o) {
		err_nomem(err);
		return NULL;
	}
	*o = (struct out){.name = "syslog", .write = syslog_write, .free = syslog_free};
	return o;
}
