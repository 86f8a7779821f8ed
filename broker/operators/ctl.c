/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/ctl.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf/load.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/operators/ctl_internal.h"
#include "broker/run/reload.h"
#include "broker/run/run.h"
#include "broker/supervisor/supervisor.h"

static const struct {
	const char *name;
	bool takes_argument;
	ctl_command_fn *act;
} commands[] = {
#define CTL_ROW(function, name, argument, text) {name, argument[0] != '\0', function},
    CTL_COMMANDS(CTL_ROW)
#undef CTL_ROW
};

static void
client_free(struct ctl_client *c)
{
	ctl_tap_end(c);
	TAILQ_REMOVE(&c->ctl->clients, c, link);
	c->ctl->n--;
	if (c->bev)
		bufferevent_free(c->bev);
	free(c);
}

void
ctl_send(struct ctl_client *c, const struct buf *line)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (c->is_over)
		return;
	if (evbuffer_get_length(out) > LIMIT_CTL_QUEUE_BYTES || line->failed) {
		/* Its end is seen by the loop, which frees it. */
		c->is_over = true;
		shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
		return;
	}
	evbuffer_add(out, buf_str(line), line->len);
	evbuffer_add(out, "\n", 1);
}

static void
send_error(struct ctl_client *c, const char *text)
{
	struct json_writer w;
	struct buf line;

	buf_init(&line, LIMIT_TEXT_BYTES);
	json_init(&w, &line);
	json_begin_object(&w);
	json_key(&w, "ok");
	json_bool(&w, false);
	json_key(&w, "error");
	json_str(&w, text);
	json_end_object(&w);
	ctl_send(c, &line);
	buf_release(&line);
}

static void
obey(struct ctl_client *c, size_t command, const char *argument)
{
	struct json_writer w;
	struct buf line;
	struct err err;

	buf_init(&line, LIMIT_WEB_ANSWER_BYTES);
	json_init(&w, &line);
	json_begin_object(&w);
	json_key(&w, "ok");
	json_bool(&w, true);
	if (commands[command].act(c, argument, &w, &err)) {
		json_end_object(&w);
		if (!c->waits_reload)
			ctl_send(c, &line);
	} else {
		send_error(c, err.msg);
	}
	buf_release(&line);
}

static void
request(struct ctl_client *c, const char *command, const char *argument)
{
	char text[256];

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, command) != 0)
			continue;
		if (commands[i].takes_argument && !*argument) {
			snprintf(text, sizeof(text), "%s of what?", command);
			send_error(c, text);
			return;
		}
		obey(c, i, argument);
		return;
	}
	send_error(c, "there is no such command; help lists those that are");
}

/* A line: an object, or words. */
static void
take_line(struct ctl_client *c, char *line)
{
	struct conf_node *root;
	struct arena arena;
	struct err err;
	char *rest;

	if (line[0] != '{') {
		rest = line + strcspn(line, " ");
		if (*rest)
			*rest++ = '\0';
		request(c, line, rest);
		return;
	}
	arena_init(&arena, 1 << 20);
	if (conf_load(&arena, line, strlen(line), "request", false, &root, &err))
		request(
		    c, conf_text(root, "command", ""), conf_text(root, "argument", ""));
	else
		send_error(c, err.msg);
	arena_release(&arena);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct ctl_client *c = arg;
	char *line;

	while (!c->is_over && (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF))) {
		take_line(c, line);
		free(line);
	}
	if (c->is_over || evbuffer_get_length(in) >= LIMIT_CTL_LINE_BYTES)
		client_free(c);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		client_free(arg);
}

static bool
is_trusted(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void
on_accept(int fd, short what, void *arg)
{
	struct ctl *ctl = arg;
	int one = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ctl_client *c;

	if (one < 0)
		return;
	c = ctl->n < LIMIT_CTL_CLIENTS && is_trusted(one) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(one);
		return;
	}
	c->ctl = ctl;
	TAILQ_INSERT_TAIL(&ctl->clients, c, link);
	ctl->n++;
	c->bev = bufferevent_socket_new(
	    ctl->app->supervisor->base, one, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		close(one);
		client_free(c);
		return;
	}
	bufferevent_setwatermark(c->bev, EV_READ, 0, LIMIT_CTL_LINE_BYTES);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

void
ctl_reloaded(struct ctl *ctl)
{
	struct ctl_client *c;
	struct reload_result r;

	if (!ctl)
		return;
	r = reload_last(run_reload(ctl->app));
	TAILQ_FOREACH (c, &ctl->clients, link) {
		if (!c->waits_reload)
			continue;
		c->waits_reload = false;
		if (r.failure[0])
			send_error(c, r.failure);
		else
			evbuffer_add_printf(bufferevent_get_output(c->bev),
			    "{\"ok\":true,\"reloads\":%llu}\n",
			    (unsigned long long)r.number);
	}
}

/* Life. */

bool
ctl_path(const struct settings *s, char *out, size_t size)
{
	const char *given = s ? conf_text(s->sandbox, "ctl_socket", "") : "",
		   *dir = getenv("XDG_RUNTIME_DIR");

	if (*given)
		snprintf(out, size, "%s", given);
	else if (geteuid() == 0)
		snprintf(out, size, "/run/mews/ctl.sock");
	else if (dir && *dir)
		snprintf(out, size, "%s/mews/ctl.sock", dir);
	else
		return false;
	return strcmp(given, "none") != 0;
}

static bool
set_address(struct sockaddr_un *a, const char *path, struct err *err)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return err_set(
		    err, ERR_USAGE, "sandbox.ctl_socket is too long a path: %s", path);
	memcpy(a->sun_path, path, strlen(path));
	return true;
}

/* The folder, one level of it; a socket in it that nobody listens on goes. */
static bool
make_room(const struct sockaddr_un *a, struct err *err)
{
	char dir[sizeof(a->sun_path)];
	char *slash;
	int fd;
	bool alive;

	snprintf(dir, sizeof(dir), "%s", a->sun_path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		mkdir(dir, 0755);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	alive =
	    connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN;
	close(fd);
	if (alive)
		return err_set(err, ERR_USAGE, "another mews answers at %s", a->sun_path);
	unlink(a->sun_path);
	return true;
}

static bool
start_listening(struct ctl *c, struct err *err)
{
	struct sockaddr_un a;
	mode_t mask;
	int rc;

	if (!set_address(&a, c->path, err) || !make_room(&a, err))
		return false;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return err_sys(err, "socket");
	mask = umask(0177);
	rc = bind(c->fd, (const struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (rc < 0 || listen(c->fd, LIMIT_CTL_CLIENTS) < 0) {
		err_sys(err, "%s", c->path);
		close(c->fd);
		c->fd = -1;
		return false;
	}
	c->on_accept = event_new(
	    c->app->supervisor->base, c->fd, EV_READ | EV_PERSIST, on_accept, c);
	return (c->on_accept && event_add(c->on_accept, NULL) == 0) || err_nomem(err);
}

struct ctl *
ctl_new(struct app *app, const char *path, struct err *err)
{
	struct ctl *c = calloc(1, sizeof(*c));

	if (!c || !(c->path = strdup(path))) {
		free(c);
		err_nomem(err);
		return NULL;
	}
	TAILQ_INIT(&c->clients);
	c->app = app;
	c->fd = -1;
	c->started_ns = clock_mono_ns();
	if (start_listening(c, err))
		return c;
	ctl_free(c);
	return NULL;
}

void
ctl_free(struct ctl *c)
{
	struct ctl_client *client;

	if (!c)
		return;
	while ((client = TAILQ_FIRST(&c->clients)))
		client_free(client);
	if (c->on_accept)
		event_free(c->on_accept);
	if (c->fd >= 0) {
		unlink(c->path);
		close(c->fd);
	}
	free(c->path);
	free(c);
}
