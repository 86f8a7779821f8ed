/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that are about the program itself, and the fields they carry. */
#ifndef BROKER_OPERATORS_OWN_ALERT_H
#define BROKER_OPERATORS_OWN_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "rules/engine.h"

#define OWN_ALERT_RESTART_FAILED "Falco internal: hot restart failure"
#define OWN_ALERT_SNAPSHOT       "Falco internal: metrics snapshot"
#define OWN_ALERT_CAPTURE_FULL   "Falco internal: capture size limit reached"

/* Keys with JSON values; printed in byte order of the keys. */
struct own_fields {
	struct own_field {
		char *key, *json;
	} * field;
	uint32_t n, cap;
	bool failed; /* no memory: nothing more is added */
};

void own_fields_init(struct own_fields *f);
void own_fields_release(struct own_fields *f);
void own_fields_text(struct own_fields *f, const char *key, const char *value);
void own_fields_u64(struct own_fields *f, const char *key, uint64_t value);
void own_fields_double(struct own_fields *f, const char *key, double value);
/* As the inside of an object: "a":1,"b":"x". Sorts them. */
void own_fields_json(struct own_fields *f, struct buf *out);

struct own_alert {
	const char *rule, *msg;
	enum priority priority;
	uint64_t ts_ns;
	const char *hostname;
	int64_t utc_offset_s;
};

/* One line, without a newline. fields may be NULL. */
void own_alert_line(
    const struct own_alert *a, struct own_fields *fields, bool json, struct buf *out);

#endif
