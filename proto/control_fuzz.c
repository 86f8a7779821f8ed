/* SPDX-License-Identifier: Apache-2.0 */
/* Control messages: unpacked, asked of the permit table, packed again. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proto/channel.h"
#include "proto/permits.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_words[] = {
    "\x82\x02", "\x8a\x02", "\xb2\x02", "\xba\x02", "J", "\x10\x01", NULL};

static void
add_packed(void (*add)(const void *p, size_t n), const Control__Message *m)
{
	uint8_t p[4096];

	add(p, control__message__pack(m, p));
}

void
fuzz_make_seeds(void (*add)(const void *p, size_t n))
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Loaded loaded = CONTROL__LOADED__INIT;
	Control__Field field = CONTROL__FIELD__INIT, *fields[] = {&field, &field};
	Control__Initialized initialized = CONTROL__INITIALIZED__INIT;
	Control__Log log = CONTROL__LOG__INIT;
	Control__Failed failed = CONTROL__FAILED__INIT;
	Control__OpenParams params = CONTROL__OPEN_PARAMS__INIT;
	Control__OpenParam param = CONTROL__OPEN_PARAM__INIT, *param_list[] = {&param};
	uint32_t types[] = {322, 402, 1};

	field.name = "a.b";
	field.has_type = true;
	field.type = 9;
	loaded.name = loaded.source = "x";
	loaded.n_fields = 2;
	loaded.fields = fields;
	m.body_case = CONTROL__MESSAGE__BODY_LOADED;
	m.loaded = &loaded;
	add_packed(add, &m);
	initialized.n_extract_types = 3;
	initialized.extract_types = types;
	m.body_case = CONTROL__MESSAGE__BODY_INITIALIZED;
	m.initialized = &initialized;
	add_packed(add, &m);
	log.text = "text";
	log.component = "c";
	m.body_case = CONTROL__MESSAGE__BODY_LOG;
	m.log = &log;
	add_packed(add, &m);
	failed.has_step = true;
	failed.step = CONTROL__FAILED__STEP__NEXT_BATCH;
	failed.text = "no";
	m.body_case = CONTROL__MESSAGE__BODY_FAILED;
	m.failed = &failed;
	add_packed(add, &m);
	param.value = param.desc = "v";
	params.n_params = 1;
	params.params = param_list;
	m.body_case = CONTROL__MESSAGE__BODY_OPEN_PARAMS;
	m.open_params = &params;
	add_packed(add, &m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct permit_state permits = {0};
	struct err err;

	if (size > LIMIT_CONTROL_BYTES)
		return 0;
	Control__Message *m = channel_unpack(data, size);
	if (!m)
		return 0;
	for (int phase = 0; phase < PHASE_N; phase++) {
		if (permit_check(&permits, (enum worker_phase)phase, m, size, 1, &err))
			continue;
		/* A refusal says why, and is the peer's. */
		if (err.code != ERR_PEER || !err.msg[0])
			abort();
	}
	/* What was unpacked is whole: it packs, and into as much as was said. */
	size_t n = control__message__get_packed_size(m);
	uint8_t *p = malloc(n ? n : 1);
	if (control__message__pack(m, p) != n)
		abort();
	free(p);
	channel_message_free(m);
	return 0;
}
