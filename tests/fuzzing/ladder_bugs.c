/* SPDX-License-Identifier: Apache-2.0 */
/* Built without instrumentation: a crash behind five bytes, each of which is told from
 * others by a jump of its own, and by no function that compares. */
#include "tests/fuzzing/bugs.h"

static volatile unsigned depth;

static void
bug_extract(const unsigned char *p, uint32_t n, struct plugin_extract_field *f)
{
	bug_answer(p, n, f);
	depth = 0;
	if (n < 5 || p[0] != 0x7f)
		return;
	depth++;
	if (p[1] != 'm')
		return;
	depth++;
	if (p[2] != 0xe5)
		return;
	depth++;
	if (p[3] != 'w')
		return;
	depth++;
	if (p[4] == 0x19)
		bug_crash();
}
