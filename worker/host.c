/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/host.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"

enum {
	A_MINUTE_S = 60
};

void
host_init(struct host *h, struct uplink *up)
{
	*h = (struct host){.up = up};
}

const char *
host_last_error(plugin_owner *owner)
{
	const struct host *h = owner;

	return *h->error ? h->error : NULL;
}

void
host_log(plugin_owner *owner, const char *component, const char *msg, int32_t severity)
{
	struct host *h = owner;

	if (h && msg)
		uplink_log(h->up, component, msg, (uint32_t)severity);
}

void
host_complain(
    struct host *h, struct complaint *c, uint32_t severity, const char *fmt, ...)
{
	uint64_t now = clock_mono_ns();
	char text[LIMIT_LOG_LINE_BYTES];
	va_list ap;

	c->count++;
	if (now < c->again_ns)
		return;
	c->again_ns = now + A_MINUTE_S * 1000000000ull;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	uplink_log(h->up, NULL, text, severity);
}
