/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/pipeline/quarantine.h"

#include "base/base64.h"
#include "base/json_write.h"
#include "base/log.h"
#include "broker/supervisor/record_dir.h"

static void
add_fields(struct json_writer *j, const struct pipeline *p, const struct request *r)
{
	json_key(j, "fields");
	json_begin_array(j);
	for (uint32_t i = 0; i < r->n_slot; i++)
		json_str(j, p->rules->slots->slot[r->slot[i]].ref.text);
	json_end_array(j);
}

static void
event_text(const struct pipeline *p, const struct pipeline_worker *pw, uint32_t e,
    struct buf *out)
{
	const struct plugin *plugin = pw->worker->plugin;
	struct buf base64;
	struct json_writer j;

	buf_init(&base64, RECORD_BYTES_MAX);
	base64_encode(&base64, p->raw[e].bytes, p->raw[e].len);
	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "kind");
	json_str(&j, "extract");
	json_key(&j, "plugin");
	json_str(&j, plugin->name);
	json_key(&j, "version");
	json_str(&j, plugin->version);
	json_key(&j, "library_path");
	json_str(&j, plugin->setting->library_path);
	json_key(&j, "sha256");
	json_str(&j, plugin->confinement->sha256);
	json_key(&j, "source");
	json_str(&j, p->name);
	json_key(&j, "event_number");
	json_u64(&j, p->meta[e].num);
	add_fields(&j, p, &pw->request);
	json_key(&j, "event");
	json_str(&j, buf_str(&base64));
	json_end_object(&j);
	buf_addc(out, '\n');
	buf_release(&base64);
}

void
quarantine_event(const struct pipeline *p, const struct pipeline_worker *pw, uint32_t e)
{
	const char *name = pw->worker->plugin->setting->name;
	char path[4096];
	struct buf text;
	struct err err = {.code = ERR_NONE};

	buf_init(&text, RECORD_BYTES_MAX);
	event_text(p, pw, e, &text);
	if (p->sup->state_dir && record_write(p->sup->state_dir, "quarantine", name,
				     buf_str(&text), text.len, path, sizeof(path), &err))
		log_warning("event %llu of source %s killed plugin '%s' twice and is set "
			    "aside: %s",
		    (unsigned long long)p->meta[e].num, p->name, name, path);
	else
		log_warning("event %llu of source %s killed plugin '%s' twice: its "
			    "fields are missing%s%s",
		    (unsigned long long)p->meta[e].num, p->name, name,
		    err.code != ERR_NONE ? ", and it is not set aside: " : "",
		    err.code != ERR_NONE ? err.msg : "");
	buf_release(&text);
}
