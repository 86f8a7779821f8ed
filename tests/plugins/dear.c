/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Like plugins that take an event to pieces for the first field: the call costs much, a
 * field little. Of the first 20000 events every thousandth is "loud", then every second;
 * "root" is who does every third. When closed it logs how often it was asked for each
 * field.
 *
 * Falco runs it as it is, and asks for a field at a time.
 */
#define KIT_NAME "dear"
#define KIT_ID   4337
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"dear.num\",\"desc\":\"n\"},"                   \
	"{\"type\":\"string\",\"name\":\"dear.kind\",\"desc\":\"k\"},"                   \
	"{\"type\":\"string\",\"name\":\"dear.who\",\"desc\":\"w\"},"                    \
	"{\"type\":\"string\",\"name\":\"dear.what\",\"desc\":\"w\"},"                   \
	"{\"type\":\"string\",\"name\":\"dear.dump\",\"desc\":\"d\"}]"
#define KIT_OWN_init
#define KIT_OWN_destroy
#define KIT_OWN_close
#define KIT_OWN_extract_fields
#include "tests/plugins/kit.h"

enum {
	NUM,
	KIND,
	WHO,
	WHAT,
	DUMP,
	FIELDS_N,
	ROUNDS = 40000, /* 8 us and more */
};

struct dear {
	struct kit_state kit;
	plugin_owner *owner;
	plugin_log_fn log;
	const char *text[FIELDS_N];
	unsigned long asked[FIELDS_N];
};

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct dear *d = calloc(1, sizeof(*d));

	d->owner = in->owner;
	d->log = in->log_fn;
	*rc = PLUGIN_SUCCESS;
	return d;
}

void
plugin_destroy(plugin_state *s)
{
	free(s);
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	struct dear *d = s;
	char text[128];

	snprintf(text, sizeof(text), "asked num=%lu kind=%lu who=%lu what=%lu dump=%lu",
	    d->asked[NUM], d->asked[KIND], d->asked[WHO], d->asked[WHAT], d->asked[DUMP]);
	d->log(d->owner, NULL, text, PLUGIN_LOG_INFO);
	free(h);
}

static void
take_to_pieces(void)
{
	for (volatile unsigned i = 0; i < ROUNDS; i++)
		;
}

int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct dear *d = s;

	take_to_pieces();
	kit_payload(event, d->kit.text, sizeof(d->kit.text));
	d->kit.number = strtoull(d->kit.text, NULL, 10);
	uint64_t i = d->kit.number;
	d->text[KIND] = i % (i < 20000 ? 1000 : 2) == 0 ? "loud" : "quiet";
	d->text[WHO] = i % 3 == 0 ? "root" : "user";
	d->text[WHAT] = d->text[DUMP] = d->kit.text;
	for (uint32_t k = 0; k < in->num_fields; k++) {
		struct plugin_extract_field *x = &in->fields[k];
		d->asked[x->field_id]++;
		x->res_len = 1;
		if (x->field_id == NUM)
			x->res.u64 = &d->kit.number;
		else
			x->res.str = &d->text[x->field_id];
	}
	return PLUGIN_SUCCESS;
}
