/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's two renderings for one match, byte for byte as Falco writes
 * them. */
#ifndef RULES_ALERT_H
#define RULES_ALERT_H

#include "base/buf.h"
#include "rules/engine.h"

struct alert_options {
	bool json_include_output, json_include_tags, json_include_output_fields,
	    json_include_message, time_iso8601;
	const char *hostname;
	int64_t (*utc_offset_s)(void); /* of now; NULL: none */
};

/* The text line, escaped, without a newline. scratch is cleared and used. */
void alert_text(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *scratch, struct buf *out);
/* The JSON object, keys in byte order, without a newline. */
void alert_json(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *scratch, struct buf *out);

#endif
