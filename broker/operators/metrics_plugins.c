/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics that plugins have of their own, under Falco's names. What is shown is what each
 * plugin answered last; every look asks anew, so that nobody waits for a plugin.
 */
#include "broker/http/prom.h"
#include "broker/operators/metrics_internal.h"
#include "broker/operators/own_alert.h"
#include "broker/supervisor/supervisor.h"

/* The i-th worker of a source; NULL past the last. */
static struct worker *
worker_of(const struct app_source *as, uint32_t i)
{
	if (as->origin)
		return i == 0 ? as->origin : i <= as->n_helper ? as->helper[i - 1] : NULL;
	return i < as->n_helper ? as->helper[i] : NULL;
}

static bool
is_zero(const struct worker_metric *x)
{
	return x->kind == METRIC_UNSIGNED ? x->value.u == 0
	       : x->kind == METRIC_REAL   ? x->value.d == 0
					  : x->value.s == 0;
}

void
metrics_plugin_fields(
    const struct app_source *as, bool include_zeros, struct own_fields *f)
{
	struct worker *w;
	struct buf key;

	buf_init(&key, LIMIT_TEXT_BYTES);
	for (uint32_t i = 0; (w = worker_of(as, i)); i++) {
		for (uint32_t k = 0; k < w->n_metric; k++) {
			const struct worker_metric *x = &w->metric[k];
			if (is_zero(x) && !include_zeros)
				continue;
			buf_clear(&key);
			buf_addf(&key, "plugins.%s.%s", w->plugin->name, x->name);
			if (x->kind == METRIC_UNSIGNED)
				own_fields_u64(f, buf_str(&key), x->value.u);
			else
				own_fields_double(f, buf_str(&key),
				    x->kind == METRIC_REAL ? x->value.d
							   : (double)x->value.s);
		}
		worker_ask_metrics(w);
	}
	buf_release(&key);
}

/* One plugin has as many workers as sources; the source tells them apart. */
static void
add_sample(const struct app_source *as, const struct worker *w,
    const struct worker_metric *x, struct buf *out)
{
	struct buf name, labels;

	buf_init(&name, LIMIT_TEXT_BYTES);
	buf_init(&labels, LIMIT_TEXT_BYTES);
	buf_adds(&name, "falcosecurity_plugins_");
	prom_name(&name, w->plugin->name);
	buf_addc(&name, '_');
	prom_name(&name, x->name);
	buf_adds(&name, "_total");
	prom_label(&labels, "source", as->source->name);
	prom_family(out, buf_str(&name), x->monotonic ? "counter" : "gauge",
	    "https://falco.org/docs/metrics/");
	if (x->kind == METRIC_UNSIGNED)
		prom_sample_u64(out, buf_str(&name), buf_str(&labels), x->value.u);
	else
		prom_sample_double(out, buf_str(&name), buf_str(&labels),
		    x->kind == METRIC_REAL ? x->value.d : (double)x->value.s);
	buf_release(&name);
	buf_release(&labels);
}

void
metrics_plugins_text(const struct metrics *m, struct buf *out)
{
	struct worker *w;

	for (uint32_t s = 0; s < m->app->n_source; s++) {
		const struct app_source *as = &m->app->source[s];
		for (uint32_t i = 0; (w = worker_of(as, i)); i++) {
			for (uint32_t k = 0; k < w->n_metric; k++)
				add_sample(as, w, &w->metric[k], out);
			worker_ask_metrics(w);
		}
	}
}
