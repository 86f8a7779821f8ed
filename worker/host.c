/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/host.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"

enum {
	A_MINUTE_S = 60
};

void
host_init(struct host *h, struct uplink *up)
{
	*h = (struct host){.up = up};
}

const char *
host_last_error(plugin_owner *owner)
{
	const struct host *h = owner;

	return *h->error ? h->error : NULL;
}

void
host_log(plugin_owner *owner, const char *component, const char *msg, int32_t severity)
{
	struct host *h = owner;

	if (h && msg)
		uplink_log(h->up, component, msg, (uint32_t)severity);
}

void
host_complain(
    struct host *h, struct complaint *c, uint32_t severity, const char *fmt, ...)
{
	uint64_t now = clock_mono_ns();
	char text[LIMIT_LOG_LINE_BYTES];
	va_list ap;

	c->count++;
	if (now < c->again_ns)
		return;
	c->again_ns = now + A_MINUTE_S * 1000000000ull;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	uplink_log(h->up, NULL, text, severity);
}

/* No tables. */

static struct plugin_table_info *
list_tables(plugin_owner *owner, uint32_t *n)
{
	/* Not NULL, which would be an error. */
	static struct plugin_table_info none;

	*n = 0;
	return &none;
}

static plugin_table *
get_table(plugin_owner *owner, const char *name, int32_t key_type)
{
	struct host *h = owner;

	h->error[0] = '\0';
	return NULL;
}

static int32_t
add_table(plugin_owner *owner, const struct plugin_table_input *in)
{
	struct host *h = owner;

	snprintf(h->error, sizeof(h->error), "state tables are not supported here");
	return PLUGIN_NOT_SUPPORTED;
}

/* Nobody holds a table, so nobody has a reason to call what follows. */
static const struct plugin_table_fieldinfo *
list_table_fields(plugin_table *t, uint32_t *n)
{
	*n = 0;
	return NULL;
}

static plugin_field_handle *
no_field(plugin_table *t, const char *name, int32_t type)
{
	return NULL;
}

static const char *
no_name(plugin_table *t)
{
	return "";
}

static uint64_t
no_size(plugin_table *t)
{
	return 0;
}

static plugin_entry *
no_entry(plugin_table *t, const union plugin_state_data *key)
{
	return NULL;
}

static int32_t
read_nothing(plugin_table *t, plugin_entry *e, const plugin_field_handle *f,
    union plugin_state_data *out)
{
	return PLUGIN_FAILURE;
}

static void
release_nothing(plugin_table *t, plugin_entry *e)
{
}

static uint32_t
iterate_nothing(plugin_table *t, uint32_t (*it)(void *, plugin_entry *), void *state)
{
	return 1; /* all of none were visited */
}

static int32_t
clear_nothing(plugin_table *t)
{
	return PLUGIN_FAILURE;
}

static int32_t
erase_nothing(plugin_table *t, const union plugin_state_data *key)
{
	return PLUGIN_FAILURE;
}

static plugin_entry *
create_nothing(plugin_table *t)
{
	return NULL;
}

static plugin_entry *
add_nothing(plugin_table *t, const union plugin_state_data *key, plugin_entry *e)
{
	return NULL;
}

static int32_t
write_nothing(plugin_table *t, plugin_entry *e, const plugin_field_handle *f,
    const union plugin_state_data *in)
{
	return PLUGIN_FAILURE;
}

static struct plugin_table_fields fields = {
    .list_table_fields = list_table_fields,
    .get_table_field = no_field,
    .add_table_field = no_field,
};

static const struct plugin_table_reader reader = {
    .get_table_name = no_name,
    .get_table_size = no_size,
    .get_table_entry = no_entry,
    .read_entry_field = read_nothing,
};

static struct plugin_table_reader_ext reader_ext = {
    .get_table_name = no_name,
    .get_table_size = no_size,
    .get_table_entry = no_entry,
    .read_entry_field = read_nothing,
    .release_table_entry = release_nothing,
    .iterate_entries = iterate_nothing,
};

static struct plugin_table_writer writer = {
    .clear_table = clear_nothing,
    .erase_table_entry = erase_nothing,
    .create_table_entry = create_nothing,
    .destroy_table_entry = release_nothing,
    .add_table_entry = add_nothing,
    .write_entry_field = write_nothing,
};

const struct plugin_init_tables *
host_init_tables(void)
{
	static const struct plugin_init_tables tables = {
	    .list_tables = list_tables,
	    .get_table = get_table,
	    .add_table = add_table,
	    .fields =
		{
		    .list_table_fields = list_table_fields,
		    .get_table_field = no_field,
		    .add_table_field = no_field,
		},
	    .fields_ext = &fields,
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer,
	};
	return &tables;
}

const struct plugin_table_reader *
host_table_reader(void)
{
	return &reader;
}

struct plugin_table_reader_ext *
host_table_reader_ext(void)
{
	return &reader_ext;
}

const struct plugin_table_writer *
host_table_writer(void)
{
	return &writer;
}

struct plugin_table_writer *
host_table_writer_ext(void)
{
	return &writer;
}
