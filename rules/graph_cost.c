/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/graph_cost.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "rules/fast.h"
#include "rules/plan.h"

enum {
	SHOWN_BYTES = 160, /* of a check's text */
};

struct gathering {
	const struct graph *g;
	uint32_t group;
	struct graph_cost *cost;
	uint8_t *slot_seen;
};

static void
count_node(void *arg, uint32_t node)
{
	struct gathering *s = arg;
	const struct graph_node *n = &s->g->node[node];

	if (n->kind == COND_CHECK) {
		s->cost->n_predicate++;
		s->cost->n_slot += s->g->pred[n->pred].source.n_slot;
		return;
	}
	s->cost->n_node++;
	s->cost->n_own_node += n->uses == 1;
}

static const char *
index_name(const struct graph *g, const struct graph_pred *p)
{
	if (p->kind == PRED_RANK)
		return graph_family_name(FAMILY_NUMBER);
	if (p->kind == PRED_PLAIN)
		return graph_family_name(FAMILY_PLAIN);
	return p->n_atom ? graph_family_name(g->atom[p->atom].family) : "never";
}

static void
add_slots(struct gathering *s, const struct graph_source *src)
{
	const struct graph *g = s->g;

	for (uint32_t i = 0; i < src->n_slot; i++) {
		uint32_t slot = g->slot[src->slot + i];
		if (s->slot_seen[slot])
			continue;
		s->slot_seen[slot] = 1;
		s->cost->slot[s->cost->n_slot++] = (struct graph_cost_slot){
		    .slot = slot,
		    .others = g->slot_rules[slot] - 1,
		    .every_event = g->stage[slot] == PLAN_EVERY_EVENT,
		};
		s->cost->n_own_slot += g->slot_rules[slot] == 1;
	}
}

static void
add_node(void *arg, uint32_t node)
{
	struct gathering *s = arg;
	const struct graph *g = s->g;
	const struct graph_node *n = &g->node[node];
	bool guard = false;

	if (n->kind != COND_CHECK)
		return;
	const struct graph_pred *p = &g->pred[n->pred];
	for (uint32_t i = 0; i < p->n_group; i++)
		guard |= g->pred_group[p->group + i] == s->group;
	s->cost->predicate[s->cost->n_predicate++] = (struct graph_cost_predicate){
	    .check = p->check,
	    .index = index_name(g, p),
	    .n_constant = p->kind == PRED_RANK ? 1 : p->n_atom,
	    .others = p->uses - 1,
	    .guard = guard,
	};
	s->cost->n_own_predicate += p->uses == 1;
	add_slots(s, &p->source);
}

bool
graph_cost_of(const struct graph *g, uint32_t rule, struct arena *arena,
    struct graph_cost *ret, struct err *err)
{
	struct graph_cost cost = {.guarded = g->rule_group[rule] != GRAPH_NONE};
	struct gathering s = {.g = g, .group = g->rule_group[rule], .cost = &cost};
	uint32_t *mark = calloc((size_t)g->n_node + 1, sizeof(*mark));
	bool ok = mark != NULL;

	if (ok)
		graph_visit(g, g->root[rule], mark, 1, count_node, &s);
	cost.predicate =
	    arena_array(arena, (size_t)cost.n_predicate + 1, sizeof(*cost.predicate));
	cost.slot = arena_array(arena, (size_t)cost.n_slot + 1, sizeof(*cost.slot));
	s.slot_seen = arena_alloc(arena, g->rs->slots->n + 1);
	cost.n_predicate = cost.n_slot = 0;
	ok = ok && cost.predicate && cost.slot && s.slot_seen;
	if (ok) {
		graph_visit(g, g->root[rule], mark, 2, add_node, &s);
		*ret = cost;
	}
	free(mark);
	return ok || err_nomem(err);
}

bool
evaluator_rule_cost(const struct evaluator *ev, uint32_t rule, struct arena *arena,
    struct graph_cost *ret, struct err *err)
{
	const struct graph *g = fast_graph(ev);

	if (!g || rule >= g->rs->n_rule)
		return err_set(err, ERR_USAGE, "there is no graph for this rule");
	return graph_cost_of(g, rule, arena, ret, err);
}

static void
add_others(struct buf *out, uint32_t others)
{
	if (others == 0)
		buf_adds(out, "this rule alone");
	else
		buf_addf(out, "shared with %u other rule%s", others, &"s"[others == 1]);
}

void
graph_cost_text(const struct graph *g, const struct graph_cost *cost, struct buf *out)
{
	buf_addf(out,
	    "adds %u of its %u predicates, %u of %u fields, %u of %u nodes; %s\n",
	    cost->n_own_predicate, cost->n_predicate, cost->n_own_slot, cost->n_slot,
	    cost->n_own_node, cost->n_node,
	    cost->guarded ? "tried only where a guard holds"
			  : "has no guard: tried on every chunk");
	for (uint32_t i = 0; i < cost->n_predicate; i++) {
		const struct graph_cost_predicate *p = &cost->predicate[i];
		buf_adds(out, p->guard ? "  guard      " : "  predicate  ");
		utf8_escape(out, p->check->text, strlen(p->check->text), SHOWN_BYTES);
		buf_addf(out, "  (%s, %u constant%s, ", p->index, p->n_constant,
		    &"s"[p->n_constant == 1]);
		add_others(out, p->others);
		buf_adds(out, ")\n");
	}
	for (uint32_t i = 0; i < cost->n_slot; i++) {
		const struct graph_cost_slot *s = &cost->slot[i];
		const char *text = g->rs->slots->slot[s->slot].ref.text;
		buf_adds(out, "  field      ");
		utf8_escape(out, text, strlen(text), SHOWN_BYTES);
		buf_addf(out, "  (%s, ",
		    s->every_event ? "fetched for every event" : "fetched on demand");
		add_others(out, s->others);
		buf_adds(out, ")\n");
	}
}

static void
json_number(struct json_writer *w, const char *key, uint32_t v)
{
	json_key(w, key);
	json_u64(w, v);
}

void
graph_cost_json(const struct graph *g, const struct graph_cost *cost, struct buf *out)
{
	struct json_writer w;

	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "fields");
	json_begin_array(&w);
	for (uint32_t i = 0; i < cost->n_slot; i++) {
		json_begin_object(&w);
		json_key(&w, "every_event");
		json_bool(&w, cost->slot[i].every_event);
		json_key(&w, "field");
		json_str(&w, g->rs->slots->slot[cost->slot[i].slot].ref.text);
		json_number(&w, "other_rules", cost->slot[i].others);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "guarded");
	json_bool(&w, cost->guarded);
	json_number(&w, "nodes", cost->n_node);
	json_number(&w, "own_fields", cost->n_own_slot);
	json_number(&w, "own_nodes", cost->n_own_node);
	json_number(&w, "own_predicates", cost->n_own_predicate);
	json_key(&w, "predicates");
	json_begin_array(&w);
	for (uint32_t i = 0; i < cost->n_predicate; i++) {
		const struct graph_cost_predicate *p = &cost->predicate[i];
		json_begin_object(&w);
		json_key(&w, "check");
		json_str(&w, p->check->text);
		json_number(&w, "constants", p->n_constant);
		json_key(&w, "guard");
		json_bool(&w, p->guard);
		json_key(&w, "index");
		json_str(&w, p->index);
		json_number(&w, "other_rules", p->others);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
}
