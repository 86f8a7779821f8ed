/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/ctl_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/conf/load.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "broker/operators/ctl.h"
#include "broker/settings/settings.h"

bool
ctl_client_options_take(
    struct ctl_client_options *o, int argc, char **argv, struct err *err)
{
	*o = (struct ctl_client_options){.n_word = 0};
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0)
			o->help = true;
		else if (strcmp(a, "--once") == 0)
			o->once = true;
		else if (strcmp(a, "--socket") == 0 && i + 1 < argc)
			o->socket = argv[++i];
		else if (strncmp(a, "--socket=", 9) == 0)
			o->socket = a + 9;
		else if (strcmp(a, "-c") == 0 && i + 1 < argc)
			o->config = argv[++i];
		else if (a[0] == '-')
			return err_set(err, ERR_USAGE, "Option '%s' does not exist", a);
		else if (o->n_word < 2)
			o->word[o->n_word++] = a;
		else
			return err_set(err, ERR_USAGE, "one word too many: %s", a);
	}
	return true;
}

static bool
find_socket(
    const struct ctl_client_options *o, char *out, unsigned long size, struct err *err)
{
	const struct options options = {.config = o->config};
	struct settings *s = NULL;
	bool found;

	if (o->socket) {
		snprintf(out, size, "%s", o->socket);
		return true;
	}
	if (o->config && !settings_load(&options, &s, err))
		return false;
	found = ctl_path(s, out, size);
	settings_free(s);
	return found ||
	       err_set(err, ERR_USAGE, "which socket? --socket PATH or -c falco.yaml");
}

bool
ctl_connect(struct ctl_connection *c, const struct ctl_client_options *o, struct err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char path[4096];

	c->fd = -1;
	buf_init(&c->in, LIMIT_CTL_QUEUE_BYTES);
	if (!find_socket(o, path, sizeof(path), err))
		return false;
	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(err, ERR_USAGE, "too long a path: %s", path);
	memcpy(a.sun_path, path, strlen(path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_sys(err, "socket");
	if (connect(c->fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_sys(err, "no mews answers at %s", path);
	return true;
}

void
ctl_disconnect(struct ctl_connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	buf_release(&c->in);
}

bool
ctl_say(
    struct ctl_connection *c, const char *command, const char *argument, struct err *err)
{
	struct json_writer w;
	struct buf line;
	bool sent;

	buf_init(&line, LIMIT_CTL_LINE_BYTES);
	json_init(&w, &line);
	json_begin_object(&w);
	json_key(&w, "command");
	json_str(&w, command);
	json_key(&w, "argument");
	json_str(&w, argument ? argument : "");
	json_end_object(&w);
	buf_addc(&line, '\n');
	sent = send(c->fd, buf_str(&line), line.len, MSG_NOSIGNAL) == (ssize_t)line.len;
	buf_release(&line);
	return sent || err_sys(err, "the broker hung up");
}

bool
ctl_hear(struct ctl_connection *c, const char **ret_line, struct err *err)
{
	char piece[65536];
	char *end;

	/* The line of before is over. */
	if (c->in.len > 0 && (end = memchr(c->in.data, '\0', c->in.len)))
		buf_splice(&c->in, 0, (size_t)(end - c->in.data) + 1, NULL, 0);
	while (!(end = c->in.len ? memchr(c->in.data, '\n', c->in.len) : NULL)) {
		ssize_t n = read(c->fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_GONE, "the broker hung up");
		buf_add(&c->in, piece, (size_t)n);
		if (c->in.failed)
			return err_set(err, ERR_LIMIT, "too long an answer");
	}
	*end = '\0';
	*ret_line = c->in.data;
	return true;
}

bool
ctl_ask(struct ctl_connection *c, const char *command, const char *argument,
    const char **ret_line, struct err *err)
{
	struct conf_node *root;
	struct arena arena;
	bool ok;

	if (!ctl_say(c, command, argument, err) || !ctl_hear(c, ret_line, err))
		return false;
	if (strncmp(*ret_line, "{\"ok\":true", 10) == 0)
		return true;
	arena_init(&arena, LIMIT_CONFIG_MEMORY);
	ok = conf_load(&arena, *ret_line, strlen(*ret_line), "answer", false, &root, err);
	if (ok)
		err_set(err, ERR_USAGE, "%s", conf_text(root, "error", "no answer"));
	arena_release(&arena);
	return false;
}
