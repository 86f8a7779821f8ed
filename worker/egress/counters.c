/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/counters.h"

const char *
egress_reason_label(enum egress_reason reason)
{
	static const char *const label[] = {
#define REASON(id, text, doc) text,
	    EGRESS_REASONS(REASON)
#undef REASON
	};

	return reason < EGRESS_N_REASONS ? label[reason] : "";
}

const char *
egress_reason_text(enum egress_reason reason)
{
	static const char *const words[] = {
#define REASON(id, label, doc) doc,
	    EGRESS_REASONS(REASON)
#undef REASON
	};

	return reason < EGRESS_N_REASONS ? words[reason] : "";
}
