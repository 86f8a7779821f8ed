/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/template_forms.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define NO_FIT SIZE_MAX

const char *const template_hole_names[] = {
#define HOLE(id, name, doc) name,
    TEMPLATE_HOLES(HOLE)
#undef HOLE
	"dir",
    "home"};

const char *const template_samples[N_HOLES] = {
    [HOLE_ADDRESS] = "127.0.0.1",
    [HOLE_HOST] = "a.example",
    [HOLE_PORT] = "1",
    [HOLE_PATH] = "/a/b",
    [HOLE_NAME] = "a",
    [HOLE_DIR] = "/a",
    [HOLE_HOME] = "/a",
};

static bool
is_address(const char *text, size_t n, int family)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char out[16];

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return inet_pton(family, copy, out) == 1;
}

/* "[::1]": its length. */
static size_t
take_bracketed(const char *s)
{
	size_t n = strcspn(s, "]");

	return s[n] == ']' && is_address(s + 1, n - 1, AF_INET6) ? n + 1 : NO_FIT;
}

static size_t
take_address(const char *s)
{
	size_t n = strspn(s, "0123456789.");

	if (s[0] == '[')
		return take_bracketed(s);
	if (strncmp(s, "localhost", 9) == 0)
		return 9;
	return n == 0 || is_address(s, n, AF_INET) ? n : NO_FIT;
}

static size_t
take_host(const char *s)
{
	size_t n = 0;
	bool label = false;

	if (s[0] == '[')
		return take_bracketed(s);
	for (; isalnum((unsigned char)s[n]) || (s[n] && strchr("-_.", s[n])); n++) {
		if (!label && !isalnum((unsigned char)s[n]) && s[n] != '_')
			return NO_FIT;
		label = s[n] != '.';
	}
	return label && n <= 253 ? n : NO_FIT;
}

static size_t
take_port(const char *s)
{
	size_t n = strspn(s, "0123456789");
	unsigned long port = n > 0 && n <= 5 ? strtoul(s, NULL, 10) : 0;

	return port >= 1 && port <= 65535 ? n : NO_FIT;
}

static size_t
take_path(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n >= PATH_MAX || strstr(s, "://"))
		return NO_FIT;
	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char)s[i]))
			return NO_FIT;
	return n;
}

static size_t
take_name(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '_')
		n++;
	return n > 0 ? n : NO_FIT;
}

static size_t
take_rest(const char *s)
{
	return strchr("/?#", s[0]) ? strlen(s) : NO_FIT;
}

static size_t (*const takers[])(const char *) = {
    [HOLE_ADDRESS] = take_address,
    [HOLE_HOST] = take_host,
    [HOLE_PORT] = take_port,
    [HOLE_PATH] = take_path,
    [HOLE_NAME] = take_name,
    [HOLE_REST] = take_rest,
};

enum hole
hole_at(const char *text, const char **ret_after)
{
	size_t n = strcspn(text, "}");

	for (int i = 0; text[n] == '}' && i < N_HOLES; i++)
		if (strlen(template_hole_names[i]) == n - 1 &&
		    strncmp(template_hole_names[i], text + 1, n - 1) == 0) {
			*ret_after = text + n + 1;
			return (enum hole)i;
		}
	*ret_after = text + 1;
	return N_HOLES;
}

const char *
home_dir(void)
{
	const char *home = getenv("HOME");

	return home && home[0] == '/' ? home : NULL;
}

/* The path from the root: ".", "..", "~" and the working directory worked in. */
static const char *
full_path(struct arena *arena, const char *text, size_t n)
{
	char cwd[PATH_MAX] = "", *path;
	size_t len = 0;

	if (text[0] == '~' && text[1] == '/' && home_dir()) {
		snprintf(cwd, sizeof(cwd), "%s", home_dir());
		text++;
		n--;
	} else if (text[0] != '/' && !getcwd(cwd, sizeof(cwd))) {
		return NULL;
	}
	path = arena_alloc(arena, strlen(cwd) + n + 3);
	if (!path)
		return NULL;
	const char *const piece[] = {cwd, text};
	const size_t size[] = {strlen(cwd), n};
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0, m; i < size[k]; i += m + 1) {
			m = 0;
			while (i + m < size[k] && piece[k][i + m] != '/')
				m++;
			const char *name = piece[k] + i;
			if (m == 0 || (m == 1 && name[0] == '.'))
				continue;
			if (m == 2 && name[0] == '.' && name[1] == '.') {
				while (len > 0 && path[--len] != '/')
					;
				continue;
			}
			path[len++] = '/';
			memcpy(path + len, name, m);
			len += m;
		}
	if (len == 0)
		path[len++] = '/';
	path[len] = '\0';
	return path;
}

static bool
keep_value(
    struct arena *arena, struct values *v, enum hole hole, const char *text, size_t n)
{
	const char *kept =
	    hole == HOLE_PATH ? full_path(arena, text, n) : arena_strndup(arena, text, n);

	v->text[hole] = kept;
	if (kept && hole == HOLE_PATH) {
		size_t dir = (size_t)(strrchr(kept, '/') - kept);
		v->text[HOLE_DIR] = arena_strndup(arena, kept, dir > 0 ? dir : 1);
	}
	/* Names mean nothing where there is no resolver. */
	if (hole == HOLE_ADDRESS && text[0] == 'l')
		v->text[hole] = "127.0.0.1";
	return kept != NULL;
}

void
values_merge(struct values *v, const struct values *other)
{
	for (int i = 0; i < N_HOLES; i++)
		if (other->text[i])
			v->text[i] = other->text[i];
}

bool
values_fit(struct arena *arena, const char *pattern, const char *text, struct values *ret)
{
	struct values v = {{NULL}};

	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *text++)
				return false;
			continue;
		}
		enum hole hole = hole_at(pattern, &pattern);
		size_t n;
		if (hole >= HOLE_DIR)
			return false;
		if (hole == HOLE_ANY) {
			size_t literal = strcspn(pattern, "{");
			n = literal == 0 ? strlen(text) : NO_FIT;
			for (const char *at = text; literal > 0 && *at && n == NO_FIT;
			     at++)
				if (strncmp(at, pattern, literal) == 0)
					n = (size_t)(at - text);
		} else {
			n = takers[hole](text);
		}
		if (n == NO_FIT || !keep_value(arena, &v, hole, text, n))
			return false;
		text += n;
	}
	if (*text)
		return false;
	*ret = v;
	return true;
}

const char *
values_fill(struct arena *arena, const char *text, const struct values *v)
{
	struct buf b;

	buf_init(&b, 2 * PATH_MAX);
	while (*text) {
		if (*text != '{') {
			buf_addc(&b, *text++);
			continue;
		}
		enum hole hole = hole_at(text, &text);
		if (hole == N_HOLES || !v->text[hole]) {
			buf_release(&b);
			return NULL;
		}
		buf_adds(&b, v->text[hole]);
		/* Every address has no word of its own: "tcp:80". */
		if (hole == HOLE_ADDRESS && !v->text[hole][0] && *text == ':')
			text++;
	}
	const char *kept = b.failed ? NULL : arena_strdup(arena, buf_str(&b));
	buf_release(&b);
	return kept;
}
