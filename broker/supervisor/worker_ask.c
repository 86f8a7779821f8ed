/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a worker beside the steps of its life. */
#include "broker/supervisor/worker_internal.h"

bool
worker_ask_open_params(struct worker *w, struct err *err)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__ListOpenParams ask = CONTROL__LIST_OPEN_PARAMS__INIT;

	m.body_case = CONTROL__MESSAGE__BODY_LIST_OPEN_PARAMS;
	m.list_open_params = &ask;
	return worker_send(w, &m) ||
	       err_set(err, ERR_GONE, "the plugin's worker is gone");
}

bool
worker_ask(struct worker *w, const Control__Message *m, Control__Message__BodyCase answer,
    uint32_t deadline_ms, struct err *err)
{
	if (w->ask == WORKER_ASK_PENDING)
		return err_set(err, ERR_USAGE,
		    "plugin '%s' is asked for something already",
		    w->plugin->setting->name);
	if (!worker_is_up(w) || !worker_send(w, m))
		return err_set(err, ERR_GONE, "the worker of plugin '%s' is not there",
		    w->plugin->setting->name);
	worker_wake(w);
	w->ask = WORKER_ASK_PENDING;
	w->ask_answer = answer;
	w->ask_error.code = ERR_NONE;
	if (deadline_ms > 0)
		worker_arm(w, deadline_ms);
	return true;
}

void
worker_ask_metrics(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__GetMetrics get = CONTROL__GET_METRICS__INIT;

	if (!w->plugin->has_metrics || w->metrics_asked || !worker_is_up(w) ||
	    w->state < WORKER_INITIALIZED)
		return;
	m.body_case = CONTROL__MESSAGE__BODY_GET_METRICS;
	m.get_metrics = &get;
	w->metrics_asked = worker_send(w, &m);
	worker_wake(w);
}

bool
worker_ask_set_config(struct worker *w, const char *config, struct err *err)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__SetConfig set = CONTROL__SET_CONFIG__INIT;

	if (!w->plugin->has_set_config || w->state < WORKER_INITIALIZED)
		return err_set(err, ERR_USAGE, "plugin '%s' cannot be configured anew",
		    w->plugin->setting->name);
	set.config = (char *)config;
	m.body_case = CONTROL__MESSAGE__BODY_SET_CONFIG;
	m.set_config = &set;
	return worker_ask(w, &m, CONTROL__MESSAGE__BODY_CONFIG_SET,
	    w->plugin->profile->limits.init_ms, err);
}

void
worker_answered(struct worker *w, bool done)
{
	if (w->ask != WORKER_ASK_PENDING)
		return;
	w->ask = done ? WORKER_ASK_DONE : WORKER_ASK_FAILED;
	worker_arm_deadline(w);
	if (w->owner && w->owner->answered)
		w->owner->answered(w, done, w->owner_arg);
}
