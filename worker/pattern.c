/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pattern.h"

#include <regex.h>
#include <string.h>

#include "base/buf.h"

/* A regular expression; more is not compiled. */
enum {
	MAX_PATTERN_BYTES = 4096
};

/* ECMA's classes in POSIX words, outside and inside of a bracket expression. */
/* clang-format off */
static const struct {
	char letter;
	const char *outside, *inside;
} classes[] = {
	{'d', "[0-9]",          "0-9"},
	{'D', "[^0-9]",         NULL},
	{'s', "[[:space:]]",    "[:space:]"},
	{'S', "[^[:space:]]",   NULL},
	{'w', "[A-Za-z0-9_]",   "A-Za-z0-9_"},
	{'W', "[^A-Za-z0-9_]",  NULL},
};
/* clang-format on */

/* A backslash and c. Other letters stand for themselves, in brackets without backslash.
 */
static void
add_escape(struct buf *out, char c, bool bracket)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		const char *text = bracket ? classes[i].inside : classes[i].outside;
		if (classes[i].letter == c && text) {
			buf_adds(out, text);
			return;
		}
	}
	if (!bracket)
		buf_addc(out, '\\');
	buf_addc(out, c);
}

static bool
posix_pattern(const char *p, struct buf *out)
{
	bool bracket = false;

	for (; *p; p++) {
		if (*p == '\\' && p[1]) {
			add_escape(out, *++p, bracket);
		} else if (!bracket && strncmp(p, "(?:", 3) == 0) {
			buf_addc(out, '(');
			p += 2;
		} else {
			bracket = bracket ? *p != ']' : *p == '[';
			buf_addc(out, *p);
		}
	}
	return !out->failed;
}

bool
pattern_matches(const char *pattern, const char *s)
{
	struct buf posix;
	regex_t re;
	bool match = true;

	buf_init(&posix, MAX_PATTERN_BYTES);
	if (posix_pattern(pattern, &posix) &&
	    regcomp(&re, buf_str(&posix), REG_EXTENDED | REG_NOSUB) == 0) {
		match = regexec(&re, s, 0, NULL, 0) == 0;
		regfree(&re);
	}
	buf_release(&posix);
	return match;
}
