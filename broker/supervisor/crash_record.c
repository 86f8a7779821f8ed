/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/crash_record.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "broker/supervisor/crash_claim.h"
#include "broker/supervisor/record_dir.h"
#include "broker/supervisor/supervisor.h"
#include "proto/call.h"
#include "rules/time_text.h"
#include "worker/launch/launcher.h"

static void
add(struct json_writer *w, const char *key, const char *value)
{
	json_key(w, key);
	json_str(w, value ? value : "");
}

static const char *
cause(const struct worker *w, const struct launch_event *e)
{
	if (w->doom.code == ERR_PEER)
		return "breach";
	if (e->last_call[0])
		return "violation";
	if (w->doomed)
		return "killed";
	return e->signaled ? "signal" : "exit";
}

static void
add_end(struct json_writer *j, const struct worker *w, const struct launch_event *e)
{
	add(j, "cause", cause(w, e));
	add(j, "message", w->doom.msg);
	json_key(j, e->signaled ? "signal" : "exit_status");
	json_i64(j, e->status);
	if (e->signaled)
		add(j, "signal_name", sigabbrev_np(e->status));
	if (e->last_call[0])
		add(j, "last_call", e->last_call);
	add(j, "state", worker_state_name(w->state));
	/* Its own word, in memory that it could write to. */
	if (w->up.page)
		add(j, "call", call_kind_name(call_kind_of(ring_peer_note(&w->up))));
}

static void
add_claim(struct json_writer *j, const struct worker *w)
{
	json_key(j, "worker_says");
	if (!crash_claim_json(w, j))
		json_write_null(j);
}

static void
add_plugin(struct json_writer *j, const struct plugin *p)
{
	json_key(j, "plugin");
	json_begin_object(j);
	add(j, "configured_name", p->setting->name);
	add(j, "name", p->name);
	add(j, "version", p->version);
	add(j, "library_path", p->setting->library_path);
	add(j, "sha256", p->confinement->sha256);
	add(j, "build_id", p->confinement->build_id);
	json_end_object(j);
}

static void
add_recent(struct json_writer *j, const struct worker *w)
{
	json_key(j, "last_lines");
	json_begin_array(j);
	for (uint32_t i = 0; i < WORKER_RECENT_LINES; i++) {
		const char *line = w->recent[(w->recent_at + i) % WORKER_RECENT_LINES];
		if (line[0])
			json_str(j, line);
	}
	json_end_array(j);
}

void
crash_record_text(const struct worker *w, const struct launch_event *e, struct buf *out)
{
	char when[64], layers[256];
	struct json_writer j;

	json_init(&j, out);
	json_begin_object(&j);
	time_text_iso8601(when, sizeof(when), clock_wall_ns(), "Z");
	add(&j, "time", when);
	add_plugin(&j, w->plugin);
	add(&j, "source", w->source);
	add_end(&j, w, e);
	json_key(&j, "next_event");
	json_u64(&j, w->next_event);
	json_key(&j, "incarnation");
	json_u64(&j, w->counts.launches);
	json_key(&j, "uptime_ms");
	json_u64(&j, (clock_mono_ns() - w->launched_ns) / 1000000);
	json_key(&j, "worker_pid");
	json_i64(&j, w->pid);
	launch_layers_text(w->layers, layers, sizeof(layers));
	add(&j, "layers", layers);
	add_claim(&j, w);
	add_recent(&j, w);
	json_end_object(&j);
	buf_addc(out, '\n');
}

void
crash_record_write(const struct worker *w, const struct launch_event *e)
{
	struct supervisor *s = w->sup;
	char path[4096];
	struct buf text;
	struct err err;

	if (!s->state_dir)
		return;
	buf_init(&text, RECORD_BYTES_MAX);
	crash_record_text(w, e, &text);
	if (record_write(s->state_dir, "crashes", w->plugin->setting->name,
		buf_str(&text), text.len, path, sizeof(path), &err)) {
		log_notice("crash record: %s", path);
		s->keeps_no_records = false;
	} else if (!s->keeps_no_records) {
		log_notice(
		    "no crash records are kept: %s (sandbox.state_dir names the folder)",
		    err.msg);
		s->keeps_no_records = true;
	}
	buf_release(&text);
}
