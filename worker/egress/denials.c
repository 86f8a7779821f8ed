/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/denials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
denials_release(struct denials *d)
{
	for (unsigned i = 0; i < d->n; i++)
		free(d->event[i]);
	d->n = 0;
}

static bool
is_power_of_ten(uint64_t n)
{
	while (n >= 10 && n % 10 == 0)
		n /= 10;
	return n == 1;
}

static struct egress_event *
add_event(struct denials *d, enum egress_event_kind kind, uint32_t id, const char *what,
    const char *allow_with)
{
	struct egress_event *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->kind = kind;
	e->id = id;
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->allow_with, sizeof(e->allow_with), "%s", allow_with);
	d->event[d->n++] = e;
	return e;
}

void
denials_fail(struct denials *d, uint32_t id, const char *why)
{
	if (add_event(d, EGRESS_EVENT_FAILED, id, why, "") != NULL)
		d->due[d->n - 1] = true;
}

bool
denials_note(struct denials *d, uint32_t id, const char *what, const char *allow_with)
{
	unsigned i = 0;

	while (i < d->n && (i == LIMIT_DENIALS || strcmp(d->event[i]->what, what) != 0))
		i++;
	if (i > LIMIT_DENIALS)
		i = LIMIT_DENIALS;
	if (i == d->n) {
		bool is_rest = i == LIMIT_DENIALS;
		if (add_event(d, EGRESS_EVENT_DENIED, id,
			is_rest ? "reach other names and places" : what,
			is_rest ? "" : allow_with) == NULL)
			return false;
	}
	if (is_power_of_ten(++d->event[i]->count))
		d->due[i] = true;
	return d->due[i];
}

const struct egress_event *
denials_due(const struct denials *d, unsigned *ret_index)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->due[i]) {
			*ret_index = i;
			return d->event[i];
		}
	return NULL;
}

void
denials_told(struct denials *d, unsigned index)
{
	d->due[index] = false;
}
