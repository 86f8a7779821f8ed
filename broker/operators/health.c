/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/health.h"

#include <string.h>

#include "base/json_write.h"
#include "broker/pipeline/pipeline.h"
#include "broker/supervisor/supervisor.h"

/* The worker that keeps events from flowing; NULL: none does. */
static const struct worker *
obstacle(const struct app_source *as)
{
	if (as->origin->state != WORKER_RUNNING)
		return as->origin;
	for (uint32_t i = 0; i < as->n_helper; i++) {
		if (as->helper[i]->state != WORKER_PLANNED)
			return as->helper[i];
	}
	return NULL;
}

bool
health_source_is_ready(const struct app_source *as)
{
	/* Nothing feeds such a source, and nothing is wrong with it. */
	if (!as->origin)
		return true;
	return as->pipeline && as->pipeline->state < PIPELINE_ENDED && !obstacle(as);
}

static void
why_not(const struct app_source *as, struct buf *why)
{
	const struct worker *w;

	if (!as->origin || health_source_is_ready(as))
		return;
	if (!as->pipeline) {
		buf_adds(why, "not opened yet");
	} else if (as->pipeline->state == PIPELINE_ENDED) {
		buf_adds(why, "the source has ended");
	} else if (as->pipeline->state == PIPELINE_FAILED) {
		buf_addf(why, "failed: %s", as->pipeline->err.msg);
	} else if ((w = obstacle(as))) {
		buf_addf(why, "plugin '%s' is %s", w->plugin->setting->name,
		    worker_state_name(w->state));
		if (w->doom.code != ERR_NONE)
			buf_addf(why, ": %s", w->doom.msg);
	}
}

static void
source_json(const struct app_source *as, struct json_writer *w)
{
	struct buf why;

	buf_init(&why, 4096);
	why_not(as, &why);
	json_begin_object(w);
	json_key(w, "ready");
	json_bool(w, health_source_is_ready(as));
	json_key(w, "source");
	json_str(w, as->source->name);
	if (as->origin) {
		json_key(w, "plugin");
		json_str(w, as->origin->plugin->setting->name);
		json_key(w, "state");
		json_str(w, worker_state_name(as->origin->state));
	}
	if (why.len) {
		json_key(w, "why");
		json_str(w, buf_str(&why));
	}
	json_end_object(w);
	buf_release(&why);
}

bool
health_json(const struct app *app, struct buf *out)
{
	struct json_writer w;
	bool ready = true;

	for (uint32_t i = 0; i < app->n_source; i++) {
		if (app->source[i].enabled)
			ready &= health_source_is_ready(&app->source[i]);
	}
	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "ready");
	json_bool(&w, ready);
	json_key(&w, "sources");
	json_begin_array(&w);
	for (uint32_t i = 0; i < app->n_source; i++) {
		if (app->source[i].enabled)
			source_json(&app->source[i], &w);
	}
	json_end_array(&w);
	json_end_object(&w);
	return ready;
}
