/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the plugins with planted bugs have in common: a source and two fields, "bug.text"
 * and "bug.num". A plugin's file defines bug_extract(payload, n, field) and what else of
 * the interface its bug needs (KIT_OWN_x of kit.h).
 */
#ifndef TESTS_FUZZING_BUGS_H
#define TESTS_FUZZING_BUGS_H

#define KIT_NAME "bug"
#define KIT_ID   4400
#define KIT_OWN_extract_fields
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"string\",\"name\":\"bug.text\",\"desc\":\"the payload\"},"         \
	"{\"type\":\"uint64\",\"name\":\"bug.num\",\"desc\":\"its length\"}]"
#include "tests/plugins/kit.h"

enum {
	BUG_TEXT,
	BUG_NUM
};

/* Fills in what is asked of a payload; the payload is not NUL-terminated. */
static void bug_extract(
    const unsigned char *payload, uint32_t n, struct plugin_extract_field *field);

/* Where nothing is mapped; volatile, or the compiler would know. */
static volatile uintptr_t bug_nowhere = 8;

__attribute__((unused)) static void
bug_crash(void)
{
	*(volatile int *)bug_nowhere = 1;
}

/* What an honest plugin answers. */
__attribute__((unused)) static void
bug_answer(const unsigned char *payload, uint32_t n, struct plugin_extract_field *field)
{
	static char text[64];
	static const char *str = text;
	static uint64_t num;

	if (field->field_id == BUG_TEXT) {
		uint32_t k = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
		memcpy(text, payload, k);
		text[k] = '\0';
		field->res.str = &str;
	} else {
		num = n;
		field->res.u64 = &num;
	}
	field->res_len = 1;
}

int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	const unsigned char *e = (const unsigned char *)event->evt;
	uint32_t n = event->evt->len - PLUGIN_EVENT_PAYLOAD_OFF;

	(void)s;
	for (uint32_t i = 0; i < in->num_fields; i++)
		bug_extract(e + PLUGIN_EVENT_PAYLOAD_OFF, n, &in->fields[i]);
	return PLUGIN_SUCCESS;
}

#endif
