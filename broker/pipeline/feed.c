/* SPDX-License-Identifier: Apache-2.0 */
/* Events that do not come from a worker: windows of what pipeline_feed was given. */
#include "broker/pipeline/internal.h"

void
pipeline_feed(struct pipeline *p, const struct fed_event *event, uint32_t n)
{
	p->fed = event;
	p->n_fed = n;
	p->fed_at = 0;
	pipeline_pump(p);
}

void
pipeline_begin_fed(struct pipeline *p)
{
	const struct fed_event *e = &p->fed[p->fed_at];
	uint32_t n = 0, most = p->lockstep ? 1 : p->n_fed - p->fed_at;

	p->is_state = e->is_state;
	while (n < most && e[n].is_state == p->is_state) {
		p->meta[n] = e[n].meta;
		p->raw[n] = e[n].raw;
		n++;
	}
	p->fed_at += n;
	p->n_events = n;
	p->next_num = e[n - 1].meta.num + 1;
	p->last_ts_ns = e[n - 1].meta.ts_ns;
	pipeline_begin_evaluation(p);
	pipeline_begin_asking(p);
}

void
pipeline_end_fed(struct pipeline *p)
{
	if (p->fed_at < p->n_fed)
		return;
	p->n_fed = 0;
	if (p->sink.fed)
		p->sink.fed(p, p->sink.arg);
}
