/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker says of its plugin, checked and copied. The worker has made all checks of
 * the plugin manager already, but it is the plugin's process that says so: whatever other
 * code relies on is proven again here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "broker/supervisor/worker_internal.h"

/* A name: short, UTF-8, without anything that moves a cursor or ends a line. */
static bool
name_is_clean(const char *s, size_t max)
{
	size_t n = strlen(s);
	struct buf shown;
	bool clean;

	if (n == 0 || n > max || !utf8_valid(s, n))
		return false;
	buf_init(&shown, 8 * max);
	utf8_escape(&shown, s, n, n);
	clean = strcmp(buf_str(&shown), s) == 0 || strchr(s, '\\') != NULL;
	if (clean && strchr(s, '\\')) {
		for (size_t i = 0; i < n; i++)
			clean &= (unsigned char)s[i] >= ' ' && s[i] != 0x7f;
	}
	buf_release(&shown);
	return clean;
}

static bool
copy_name(struct arena *a, const char *peer_name, const char *what, const char **ret_name,
    struct err *err)
{
	if (!peer_name || !name_is_clean(peer_name, LIMIT_NAME_BYTES))
		return err_set(err, ERR_PEER, "a %s that cannot be one", what);
	*ret_name = arena_strdup(a, peer_name);
	return *ret_name || err_nomem(err);
}

/* A text for people: as it is when it is clean UTF-8 (line breaks allowed), else escaped.
 */
static bool
copy_text(struct arena *a, const char *peer_text, const char **ret_text, struct err *err)
{
	size_t n = peer_text ? strlen(peer_text) : 0;
	bool clean = utf8_valid(peer_text ? peer_text : "", n);

	for (size_t i = 0; i < n; i++)
		clean &= (unsigned char)peer_text[i] >= ' ' || peer_text[i] == '\n' ||
			 peer_text[i] == '\t';
	if (n > LIMIT_TEXT_BYTES)
		return err_set(err, ERR_PEER, "a text of %zu bytes", n);
	if (clean) {
		*ret_text = arena_strndup(a, peer_text ? peer_text : "", n);
	} else {
		struct buf out;
		buf_init(&out, 8 * LIMIT_TEXT_BYTES);
		utf8_escape(&out, peer_text, n, n);
		*ret_text = arena_strdup(a, buf_str(&out));
		buf_release(&out);
	}
	return *ret_text || err_nomem(err);
}

static bool
copy_names(struct arena *a, char **peer_names, size_t n, const char *what,
    const char ***ret_names, uint32_t *ret_n, struct err *err)
{
	const char **names;

	if (n > 1024)
		return err_set(err, ERR_PEER, "%zu entries of %s", n, what);
	names = arena_array(a, n + 1, sizeof(*names));
	if (!names)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (!copy_name(a, peer_names[i], what, &names[i], err))
			return false;
	}
	*ret_names = names;
	*ret_n = (uint32_t)n;
	return true;
}

static bool
type_is_a_plugins(uint32_t type)
{
	return type == VALUE_UINT64 || type == VALUE_CHARBUF || type == VALUE_RELTIME ||
	       type == VALUE_ABSTIME || type == VALUE_BOOL || type == VALUE_IPADDR ||
	       type == VALUE_IPNET;
}

static bool
copy_field(struct plugin *p, const Control__Field *peer_field, uint32_t i,
    struct field *f, struct err *err)
{
	if (!copy_name(p->arena, peer_field->name, "field name", &f->name, err) ||
	    !copy_text(p->arena, peer_field->desc, &f->desc, err) ||
	    !copy_text(p->arena, peer_field->display, &f->display, err))
		return false;
	if (!type_is_a_plugins(peer_field->type))
		return err_set(err, ERR_PEER, "field %s of unknown type", f->name);
	f->type = (enum value_type)peer_field->type;
	/* An argument is required or allowed, not both: listings show which. */
	bool allowed =
	    !peer_field->arg_required && (peer_field->arg_index || peer_field->arg_key);
	f->flags = (peer_field->is_list ? FIELD_LIST : 0u) |
		   (peer_field->add_output ? FIELD_ADD_OUTPUT : 0u) |
		   (peer_field->arg_required ? FIELD_ARG_REQUIRED : 0u) |
		   (allowed ? FIELD_ARG_ALLOWED : 0u) |
		   (peer_field->arg_index ? FIELD_ARG_INDEX : 0u) |
		   (peer_field->arg_key ? FIELD_ARG_KEY : 0u) |
		   (peer_field->hidden ? FIELD_TABLE_ONLY : 0u);
	f->provider = PROVIDER_PLUGIN;
	f->plugin = p->index;
	f->field_id = i;
	return true;
}

static bool
copy_fields(struct plugin *p, const Control__Loaded *peer_loaded, struct err *err)
{
	if (peer_loaded->n_fields > LIMIT_PLUGIN_FIELDS)
		return err_set(err, ERR_PEER, "%zu fields: at most %u are taken",
		    peer_loaded->n_fields, LIMIT_PLUGIN_FIELDS);
	p->field = arena_array(p->arena, peer_loaded->n_fields + 1, sizeof(*p->field));
	if (!p->field)
		return err_nomem(err);
	for (size_t i = 0; i < peer_loaded->n_fields; i++) {
		if (!copy_field(
			p, peer_loaded->fields[i], (uint32_t)i, &p->field[i], err))
			return false;
	}
	p->n_field = (uint32_t)peer_loaded->n_fields;
	return true;
}

static bool
copy_all(struct plugin *p, const Control__Loaded *l, struct err *err)
{
	struct arena *a = p->arena;

	p->caps = l->capabilities;
	p->id = l->id;
	if (p->caps == 0 || p->caps > 31)
		return err_set(err, ERR_PEER, "capabilities that cannot be");
	if (!copy_name(a, l->name, "name", &p->name, err) ||
	    !copy_text(a, l->description, &p->description, err) ||
	    !copy_text(a, l->contact, &p->contact, err) ||
	    !copy_name(a, l->version, "version", &p->version, err) ||
	    !copy_name(
		a, l->required_api_version, "API version", &p->required_api_version, err))
		return false;
	p->source = "";
	if (l->source && l->source[0] &&
	    !copy_name(a, l->source, "event source", &p->source, err))
		return false;
	if (strcmp(p->source, "syscall") == 0)
		return err_set(err, ERR_PEER, "the reserved event source");
	if ((p->id != 0) != (p->source[0] != '\0'))
		return err_set(
		    err, ERR_PEER, "an id without a source, or the other way round");
	p->has_schema = l->schema_type == 1;
	if (l->schema && strlen(l->schema) > LIMIT_PLUGIN_JSON_BYTES)
		return err_set(err, ERR_PEER, "a schema that is too large");
	p->schema = arena_strdup(a, l->schema ? l->schema : "");
	if (!p->schema)
		return err_nomem(err);
	p->has_open_params = l->has_open_params;
	p->has_event_to_string = l->has_event_to_string;
	p->has_progress = l->has_progress;
	p->has_metrics = l->has_metrics;
	p->has_set_config = l->has_set_config;
	return copy_names(a, l->extract_sources, l->n_extract_sources,
		   "extraction source", &p->extract_source, &p->n_extract_source, err) &&
	       copy_names(a, l->parse_sources, l->n_parse_sources, "parsing source",
		   &p->parse_source, &p->n_parse_source, err) &&
	       copy_names(a, l->async_sources, l->n_async_sources, "async source",
		   &p->async_source, &p->n_async_source, err) &&
	       copy_names(a, l->async_events, l->n_async_events, "async event",
		   &p->async_event, &p->n_async_event, err) &&
	       copy_fields(p, l, err);
}

static bool
hash_of(const Control__Loaded *l, uint64_t *ret_hash, struct err *err)
{
	size_t n = control__loaded__get_packed_size(l);
	uint8_t *bytes = malloc(n + 1);

	if (!bytes)
		return err_nomem(err);
	control__loaded__pack(l, bytes);
	*ret_hash = hash_bytes(bytes, n);
	free(bytes);
	return true;
}

bool
worker_describe(struct worker *w, const Control__Loaded *peer_loaded, struct err *err)
{
	struct plugin *p = w->plugin;
	uint64_t hash = 0;

	if (!hash_of(peer_loaded, &hash, err))
		return false;
	/* Rules, plans and numbers were made from the first description. */
	if (p->description_hash != 0)
		return p->description_hash == hash ||
		       err_set(
			   err, ERR_PEER, "it describes itself otherwise than before");
	if (!copy_all(p, peer_loaded, err))
		return false;
	p->description_hash = hash ? hash : 1;
	return true;
}
