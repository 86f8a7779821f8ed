/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/http/http_parse.h"

#include <string.h>

/* The end of the head: behind an empty line. NULL when it is not there yet. */
static const char *
head_end(const char *text, size_t len)
{
	const char *end = text + len, *p = text;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if (p < end && *p == '\n')
			return p + 1;
		if (p + 1 < end && p[0] == '\r' && p[1] == '\n')
			return p + 2;
	}
	return NULL;
}

static bool
is_clean(const char *p, const char *end)
{
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
starts(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

/* "HTTP/1.0" or "HTTP/1.1", and nothing behind. */
static bool
is_version(const char *p, const char *end)
{
	return end - p == 8 && starts(p, end, "HTTP/1.") && (p[7] == '0' || p[7] == '1');
}

static enum http_parse_rc
bad(int *ret_status, int status)
{
	*ret_status = status;
	return HTTP_PARSE_BAD;
}

static enum http_parse_rc
parse_line(const char *p, const char *end, struct http_request *r, int *ret_status)
{
	const char *path, *path_end, *blank;
	size_t n;

	*r = (struct http_request){.is_head = starts(p, end, "HEAD ")};
	blank = memchr(p, ' ', (size_t)(end - p));
	if (!blank || blank == p)
		return bad(ret_status, 400);
	path = blank + 1;
	path_end = memchr(path, ' ', (size_t)(end - path));
	if (!path_end || path_end == path || *path != '/')
		return bad(ret_status, 400);
	if (!is_version(path_end + 1, end))
		return bad(ret_status, 505);
	if (!r->is_head && !starts(p, end, "GET "))
		return bad(ret_status, 405);
	n = strcspn(path, "? ");
	if (n >= sizeof(r->path))
		return bad(ret_status, 404);
	for (size_t i = 0; i < n; i++) {
		if (path[i] <= ' ' || path[i] > '~')
			return bad(ret_status, 400);
	}
	memcpy(r->path, path, n);
	return HTTP_PARSE_OK;
}

enum http_parse_rc
http_parse(
    const char *text, size_t len, struct http_request *ret_request, int *ret_status)
{
	const char *end = head_end(text, len), *line_end;

	if (!end)
		return HTTP_PARSE_MORE;
	if (!is_clean(text, end))
		return bad(ret_status, 400);
	line_end = memchr(text, '\n', len);
	if (line_end > text && line_end[-1] == '\r')
		line_end--;
	return parse_line(text, line_end, ret_request, ret_status);
}
