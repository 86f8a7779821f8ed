/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/http.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

struct text {
	const char *at;
	size_t n;
};

/* HEADER: a name, and what becomes of it. Those that are not here are left out, among
 * them whatever changes the method, names a user, or concerns the connection. */
enum header_rule {
	HEADER_DROP,
	HEADER_PASS,
	HEADER_HOST,
	HEADER_REFUSE,
	HEADER_LENGTH,
};

static const struct {
	const char *name;
	enum header_rule rule;
} headers[] = {
    {"Accept", HEADER_PASS},
    {"Accept-Encoding", HEADER_PASS},
    {"Accept-Language", HEADER_PASS},
    {"Authorization", HEADER_PASS},
    {"Cache-Control", HEADER_PASS},
    {"Content-Length", HEADER_LENGTH},
    {"Expect", HEADER_REFUSE},
    {"Host", HEADER_HOST},
    {"HTTP2-Settings", HEADER_REFUSE},
    {"If-Modified-Since", HEADER_PASS},
    {"If-None-Match", HEADER_PASS},
    {"Range", HEADER_PASS},
    {"Transfer-Encoding", HEADER_REFUSE},
    {"Upgrade", HEADER_REFUSE},
    {"User-Agent", HEADER_PASS},
};

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
is_token(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.at[i] == '\0' ||
		    (!is_alnum(t.at[i]) && strchr("!#$%&'*+-.^_`|~", t.at[i]) == NULL))
			return false;
	return t.n > 0;
}

static bool
text_is(struct text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.at, s, t.n) == 0;
}

static bool
text_begins(struct text t, const char *s, size_t n)
{
	return t.n >= n && memcmp(t.at, s, n) == 0;
}

static enum http_verdict
refuse(struct http_request *r, unsigned status, const char *why)
{
	r->status = status;
	r->why = why;
	return HTTP_REFUSED;
}

/* Cuts off what stands before c; false when there is none. */
static bool
cut_at(struct text *rest, char c, struct text *ret_piece)
{
	const char *at = memchr(rest->at, c, rest->n);

	if (at == NULL)
		return false;
	*ret_piece = (struct text){rest->at, (size_t)(at - rest->at)};
	rest->n -= ret_piece->n + 1;
	rest->at = at + 1;
	return true;
}

/* A line, of which the rest is known to hold one; false: CR or LF alone, or NUL. */
static bool
cut_line(struct text *rest, struct text *ret_line)
{
	if (!cut_at(rest, '\n', ret_line) || ret_line->n == 0 ||
	    ret_line->at[ret_line->n - 1] != '\r')
		return false;
	ret_line->n--;
	return memchr(ret_line->at, '\r', ret_line->n) == NULL &&
	       memchr(ret_line->at, '\0', ret_line->n) == NULL;
}

static bool
path_is_plain(struct text path)
{
	size_t start = 1;

	if (path.n == 0 || path.at[0] != '/')
		return false;
	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && path.at[i] != '/') {
			if (!is_alnum(path.at[i]) &&
			    (path.at[i] == '\0' ||
				strchr("-._~:@!$&'()*+,=", path.at[i]) == NULL))
				return false;
			continue;
		}
		size_t n = i - start;
		const char *name = path.at + start;
		/* Empty only at the very end. */
		if ((n == 0 && i < path.n) || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

static bool
query_is_plain(struct text q)
{
	for (size_t i = 0; i < q.n; i++) {
		if (q.at[i] == '%') {
			if (q.n - i < 3 || !is_hex(q.at[i + 1]) || !is_hex(q.at[i + 2]))
				return false;
			i += 2;
		} else if (q.at[i] == '\0' ||
			   (!is_alnum(q.at[i]) &&
			       strchr("-._~:@!$&'()*+,;=/?[]{}\"|", q.at[i]) == NULL)) {
			return false;
		}
	}
	return true;
}

/* "/v1.41/events" without "/v1.41". */
static struct text
without_version(struct text path)
{
	size_t i = 2;
	bool has_dot = false;

	if (path.n < 3 || path.at[1] != 'v' || path.at[2] == '.')
		return path;
	for (; i < path.n && path.at[i] != '/'; i++) {
		if (path.at[i] == '.')
			has_dot = true;
		else if (path.at[i] < '0' || path.at[i] > '9')
			return path;
	}
	if (!has_dot || i == path.n)
		return path;
	return (struct text){path.at + i, path.n - i};
}

static bool
path_fits(struct text path, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '*')
		return text_begins(path, pattern, n - 1);
	return text_is(path, pattern);
}

static bool
path_is_allowed(struct text path, const char *const *allowed, uint32_t n_allowed)
{
	struct text plain = without_version(path);

	for (uint32_t i = 0; i < n_allowed; i++)
		if (path_fits(path, allowed[i]) || path_fits(plain, allowed[i]))
			return true;
	return false;
}

static enum http_verdict
check_first_line(struct text line, const char *const *allowed, uint32_t n_allowed,
    struct http_request *r, struct buf *forward, bool *ret_is_11)
{
	struct text rest = line, method, target, path;

	if (!cut_at(&rest, ' ', &method) || !is_token(method) ||
	    !cut_at(&rest, ' ', &target))
		return refuse(r, 400, "the first line of the request is malformed");
	*ret_is_11 = text_is(rest, "HTTP/1.1");
	if (!*ret_is_11 && !text_is(rest, "HTTP/1.0"))
		return refuse(r, 505, "only HTTP/1.0 and HTTP/1.1 pass");
	struct text query = target;
	bool has_query = cut_at(&query, '?', &path);
	if (!has_query)
		path = target;
	if (!path_is_plain(path) || (has_query && !query_is_plain(query)))
		return refuse(r, 400, "the request's path is not a plain one");
	bool is_get = text_is(method, "GET") || text_is(method, "HEAD");
	if (!is_get || !path_is_allowed(path, allowed, n_allowed)) {
		r->method = method.at;
		r->n_method = method.n;
		r->path = path.at;
		r->n_path = path.n;
		return refuse(r, 403,
		    is_get ? "the policy does not allow this path"
			   : "the policy lets only GET and HEAD pass");
	}
	buf_addf(forward, "%.*s %.*s HTTP/1.1\r\n", (int)method.n, method.at,
	    (int)target.n, target.at);
	return HTTP_ALLOWED;
}

static enum header_rule
header_rule(struct text name)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (strlen(headers[i].name) == name.n &&
		    strncasecmp(headers[i].name, name.at, name.n) == 0)
			return headers[i].rule;
	return HEADER_DROP;
}

static struct text
trim(struct text t)
{
	while (t.n > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
		t.at++;
		t.n--;
	}
	while (t.n > 0 && (t.at[t.n - 1] == ' ' || t.at[t.n - 1] == '\t'))
		t.n--;
	return t;
}

static bool
value_is_plain(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (((unsigned char)t.at[i] < ' ' && t.at[i] != '\t') || t.at[i] == 0x7f)
			return false;
	return true;
}

static enum http_verdict
check_header(struct text line, struct http_request *r, struct buf *forward,
    unsigned *n_host, unsigned *n_length)
{
	struct text value = line, name;

	/* A continuation, or a blank before the colon, makes no token. */
	if (!cut_at(&value, ':', &name) || !is_token(name) || !value_is_plain(value))
		return refuse(r, 400, "a header of the request is malformed");
	value = trim(value);
	switch (header_rule(name)) {
	case HEADER_REFUSE:
		return refuse(
		    r, 403, "a request with a body, an upgrade or an expectation");
	case HEADER_LENGTH:
		if (++*n_length > 1 || !text_is(value, "0"))
			return refuse(r, 403, "a request with a body");
		break;
	case HEADER_HOST:
		if (++*n_host > 1)
			return refuse(r, 400, "more than one Host");
		buf_addf(forward, "Host: %.*s\r\n", (int)value.n, value.at);
		break;
	case HEADER_PASS:
		buf_addf(forward, "%.*s: %.*s\r\n", (int)name.n, name.at, (int)value.n,
		    value.at);
		break;
	case HEADER_DROP:
		break;
	}
	return HTTP_ALLOWED;
}

static enum http_verdict
check_head(struct text rest, const char *const *allowed, uint32_t n_allowed,
    struct http_request *r, struct buf *forward)
{
	unsigned n_headers = 0, n_host = 0, n_length = 0;
	struct text line;
	bool is_11 = false;

	if (!cut_line(&rest, &line))
		return refuse(r, 400, "lines must end with CR LF");
	if (check_first_line(line, allowed, n_allowed, r, forward, &is_11) ==
	    HTTP_REFUSED)
		return HTTP_REFUSED;
	while (rest.n > 0) {
		if (!cut_line(&rest, &line))
			return refuse(r, 400, "lines must end with CR LF");
		if (line.n == 0)
			break;
		if (++n_headers > LIMIT_HTTP_HEADERS)
			return refuse(r, 431, "too many headers");
		if (check_header(line, r, forward, &n_host, &n_length) == HTTP_REFUSED)
			return HTTP_REFUSED;
	}
	if (n_host == 0) {
		if (is_11)
			return refuse(r, 400, "HTTP/1.1 without Host");
		buf_adds(forward, "Host: localhost\r\n");
	}
	buf_adds(forward, "Connection: close\r\n\r\n");
	if (forward->failed)
		return refuse(r, 431, "the request is too long");
	return HTTP_ALLOWED;
}

enum http_verdict
http_request_check(const char *head, size_t n, const char *const *allowed,
    uint32_t n_allowed, struct http_request *ret_request, struct buf *forward)
{
	struct http_request r = {0};
	enum http_verdict verdict;
	/* The first empty line, in whatever way somebody might see one: past it is not
	 * the head. */
	const char *end = memmem(head, n, "\n\r\n", 3), *lf = memmem(head, n, "\n\n", 2);

	if (end != NULL || lf != NULL) {
		const char *first = end == NULL || (lf != NULL && lf < end) ? lf : end;
		size_t n_head = (size_t)(first - head) + (first == end ? 3 : 2);
		size_t before = forward->len;
		if (n_head > LIMIT_HTTP_HEAD_BYTES)
			verdict = refuse(&r, 431, "the request is too long");
		else
			verdict = check_head(
			    (struct text){head, n_head}, allowed, n_allowed, &r, forward);
		if (verdict == HTTP_REFUSED && forward->data != NULL) {
			forward->len = before;
			forward->data[before] = '\0';
		}
	} else if (n >= LIMIT_HTTP_HEAD_BYTES) {
		verdict = refuse(&r, 431, "the request is too long");
	} else {
		verdict = HTTP_MORE;
	}
	*ret_request = r;
	return verdict;
}

void
http_refusal(const struct http_request *r, struct buf *out)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} phrases[] = {
	    {400, "Bad Request"},
	    {403, "Forbidden"},
	    {431, "Request Header Fields Too Large"},
	    {505, "HTTP Version Not Supported"},
	};
	const char *phrase = "Forbidden";

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == r->status)
			phrase = phrases[i].phrase;
	/* Docker's clients show what "message" says. */
	buf_addf(out,
	    "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n{\"message\":\"mews: %s\"}\n",
	    r->status, phrase, strlen("{\"message\":\"mews: \"}\n") + strlen(r->why),
	    r->why);
}
