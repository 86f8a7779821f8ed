/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/actions.h"

#include <stdio.h>

enum step_rc
action_print(struct buf *text, struct err *err)
{
	enum step_rc rc = STEP_END;

	if (text->failed) {
		err_nomem(err);
		rc = STEP_FAILED;
	} else {
		fwrite(buf_str(text), 1, text->len, stdout);
		fflush(stdout);
	}
	buf_release(text);
	return rc;
}

enum listing_format
action_format(const struct options *o)
{
	enum listing_format format = o->markdown ? LISTING_MARKDOWN : LISTING_TEXT;

	if (o->format)
		listing_format_parse(o->format, &format);
	return format;
}
