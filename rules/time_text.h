/* SPDX-License-Identifier: Apache-2.0 */
/* Times as alerts and evt.* fields print them. */
#ifndef RULES_TIME_TEXT_H
#define RULES_TIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "[YYYY-MM-DD ]HH:MM:SS[.nnnnnnnnn]", shifted by the offset from UTC of now; size >= 48.
 */
void time_text(char *out, size_t size, uint64_t ts_ns, int64_t utc_offset_s, bool date,
    bool fraction);
/* "YYYY-MM-DDTHH:MM:SS.nnnnnnnnn<suffix>" in UTC. */
void time_text_iso8601(char *out, size_t size, uint64_t ts_ns, const char *suffix);

#endif
