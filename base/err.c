/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drops a multi-byte sequence that the cut left incomplete. */
static void
trim_utf8(char *s)
{
	size_t n = strlen(s), i = n;

	while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0 || (unsigned char)s[i - 1] < 0xc0)
		return;
	size_t want = (unsigned char)s[i - 1] >= 0xf0   ? 4
		      : (unsigned char)s[i - 1] >= 0xe0 ? 3
							: 2;
	if (n - (i - 1) < want)
		s[i - 1] = '\0';
}

bool
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->sys = 0;
	va_start(ap, fmt);
	if (vsnprintf(err->msg, sizeof(err->msg), fmt, ap) >= (int)sizeof(err->msg))
		trim_utf8(err->msg);
	va_end(ap);
	return false;
}

bool
err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	err->code = ERR_SYS;
	err->sys = saved;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->msg))
		snprintf(
		    err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", strerror(saved));
	trim_utf8(err->msg);
	errno = saved;
	return false;
}

bool
err_wrap(struct err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	va_list ap;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(err->msg) ||
	    snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", old) >=
		(int)sizeof(err->msg) - n)
		trim_utf8(err->msg);
	return false;
}

bool
err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory");
}
