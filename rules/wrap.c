/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/wrap.h"

#include <string.h>

void
wrap_text(struct buf *out, const char *text, size_t indent, size_t width)
{
	static const char blanks[] = " \t\n\v\f\r";
	size_t used = 0;

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t n = strcspn(text, blanks);
		if (used + n + 1 > width) {
			buf_addf(out, "\n%*s", (int)indent, "");
			used = 0;
		}
		buf_add(out, text, n);
		buf_addc(out, ' ');
		used += n + 1;
		text += n;
	}
}
