/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/crash_claim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/supervisor/supervisor.h"
#include "broker/supervisor/symbols.h"
#include "proto/crash_note.h"

enum {
	PLACE_BYTES = 400
};

/* One account while it is read; a module's symbols are looked up when a frame asks. */
struct claim {
	const struct worker *w;
	struct crash_note note; /* unchecked but for its counts */
	struct {
		bool was_tried;
		struct symbols *symbols; /* or NULL */
	} of[CRASH_MODULES];
};

static struct claim *
claim_new(const struct worker *w)
{
	struct claim *c;

	if (!w->up.page || !(c = calloc(1, sizeof(*c))))
		return NULL;
	c->w = w;
	if (crash_note_read(&c->note, &w->up))
		return c;
	free(c);
	return NULL;
}

static void
claim_free(struct claim *c)
{
	for (uint32_t i = 0; i < CRASH_MODULES; i++)
		symbols_free(c->of[i].symbols);
	free(c);
}

static bool
is_plugin(const struct claim *c, const struct crash_module *m)
{
	return strcmp(m->path, c->w->plugin->confinement->plugin_target) == 0;
}

/* The host's path of what the worker calls so: of files that we gave it, no others. */
static const char *
host_path(const struct claim *c, const char *peer_path)
{
	const struct confinement *conf = c->w->plugin->confinement;

	if (!peer_path[0])
		return c->w->sup->worker_path;
	for (uint32_t i = 0; i < conf->n_mount; i++) {
		const struct confinement_mount *m = &conf->mount[i];
		if (!m->directory && strcmp(m->target, peer_path) == 0)
			return m->source;
	}
	return NULL;
}

/* It may have been replaced since it was loaded. */
static bool
is_what_was_loaded(
    const struct claim *c, const struct crash_module *m, const struct stat *st)
{
	const struct confinement *conf = c->w->plugin->confinement;

	return !is_plugin(c, m) ||
	       (st->st_ino == conf->plugin_ino && st->st_dev == conf->plugin_dev &&
		   (uint64_t)st->st_size == conf->plugin_size);
}

static const struct symbols *
symbols_of(struct claim *c, uint32_t i)
{
	const struct crash_module *m = &c->note.module[i];
	const char *path = host_path(c, m->path);
	struct stat st;
	struct err ignored;

	if (c->of[i].was_tried)
		return c->of[i].symbols;
	c->of[i].was_tried = true;
	if (path)
		c->of[i].symbols = symbols_read(path, &st, &ignored);
	if (c->of[i].symbols && !is_what_was_loaded(c, m, &st)) {
		symbols_free(c->of[i].symbols);
		c->of[i].symbols = NULL;
	}
	return c->of[i].symbols;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !*path ? "mews-worker" : slash ? slash + 1 : path;
}

static const struct crash_module *
module_at(const struct claim *c, uint64_t address, uint32_t *ret_i)
{
	for (uint32_t i = 0; i < c->note.n_modules; i++) {
		const struct crash_module *m = &c->note.module[i];
		if (address >= m->start && address < m->end) {
			*ret_i = i;
			return m;
		}
	}
	return NULL;
}

/* A frame in words. */
static void
describe(struct claim *c, uint32_t frame, char *out, size_t size)
{
	uint64_t address = c->note.frame[frame], offset = 0;
	/* A return address may be the first byte of the next function. */
	uint64_t in = address - (frame > 0);
	char name[SYMBOL_NAME_BYTES];
	const struct symbols *symbols;
	uint32_t i;
	const struct crash_module *m = module_at(c, in, &i);

	if (!m) {
		snprintf(out, size, "0x%" PRIx64, address);
		return;
	}
	symbols = symbols_of(c, i);
	if (symbols && symbols_find(symbols, in - m->base, name, &offset))
		snprintf(out, size, "%s+0x%" PRIx64 " (%s)", name, offset + (frame > 0),
		    base_name(m->path));
	else
		snprintf(
		    out, size, "%s+0x%" PRIx64, base_name(m->path), address - m->base);
}

static void
add_hex(struct json_writer *j, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_key(j, key);
	json_str(j, text);
}

static void
add_registers(struct json_writer *j, const struct crash_note *n)
{
	static const char *const name[] = {
#define CRASH_REGISTER_NAME(id, where) #id,
	    CRASH_REGISTERS(CRASH_REGISTER_NAME)
#undef CRASH_REGISTER_NAME
	};

	json_key(j, "registers");
	json_begin_object(j);
	for (uint32_t i = 0; i < CRASH_REGISTER_N; i++)
		add_hex(j, name[i], n->reg[i]);
	json_end_object(j);
}

static void
add_stack(struct json_writer *j, struct claim *c)
{
	char place[PLACE_BYTES];

	json_key(j, c->note.is_guess ? "stack_guessed" : "stack");
	json_begin_array(j);
	for (uint32_t i = 0; i < c->note.n_frames; i++) {
		describe(c, i, place, sizeof(place));
		json_str(j, place);
	}
	json_end_array(j);
}

static void
add_modules(struct json_writer *j, const struct crash_note *n)
{
	json_key(j, "modules");
	json_begin_array(j);
	for (uint32_t i = 0; i < n->n_modules; i++) {
		const struct crash_module *m = &n->module[i];
		json_begin_object(j);
		json_key(j, "path");
		json_str(j, *m->path ? m->path : base_name(m->path));
		add_hex(j, "base", m->base);
		add_hex(j, "start", m->start);
		add_hex(j, "end", m->end);
		json_end_object(j);
	}
	json_end_array(j);
}

bool
crash_claim_json(const struct worker *w, struct json_writer *j)
{
	struct claim *c = claim_new(w);
	const char *name;

	if (!c)
		return false;
	name = sigabbrev_np((int)c->note.signal);
	json_begin_object(j);
	json_key(j, "signal");
	json_u64(j, c->note.signal);
	json_key(j, "signal_name");
	json_str(j, name ? name : "");
	json_key(j, "code");
	json_i64(j, c->note.code);
	add_hex(j, "address", c->note.address);
	json_key(j, "thread");
	json_i64(j, c->note.thread);
	add_registers(j, &c->note);
	add_stack(j, c);
	add_modules(j, &c->note);
	json_end_object(j);
	claim_free(c);
	return true;
}

bool
crash_claim_place(const struct worker *w, char *out, size_t size)
{
	struct claim *c = claim_new(w);
	uint32_t frame = 0, i;

	if (!c)
		return false;
	for (uint32_t k = 0; k < c->note.n_frames; k++) {
		const struct crash_module *m =
		    module_at(c, c->note.frame[k] - (k > 0), &i);
		if (m && is_plugin(c, m)) {
			frame = k;
			break;
		}
	}
	describe(c, frame, out, size);
	claim_free(c);
	return true;
}
