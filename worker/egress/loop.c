/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define EVENTS_PER_TURN 128

bool
loop_init(struct loop *l, struct err *err)
{
	TAILQ_INIT(&l->again);
	TAILQ_INIT(&l->graves);
	l->next_ns = UINT64_MAX;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return (l->epoll_fd >= 0 && l->spare_fd >= 0) || err_sys(err, "event loop");
}

static bool
control(struct loop *l, int what, struct source *s, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = s};

	return epoll_ctl(l->epoll_fd, what, s->fd, &e) == 0;
}

bool
loop_add(struct loop *l, struct source *s, uint32_t events)
{
	return control(l, EPOLL_CTL_ADD, s, events);
}

void
loop_change(struct loop *l, struct source *s, uint32_t events)
{
	control(l, EPOLL_CTL_MOD, s, events);
}

void
loop_close(struct loop *l, struct source *s)
{
	if (s->fd < 0)
		return;
	/* Others may hold the same socket, which would keep it in the set. */
	control(l, EPOLL_CTL_DEL, s, 0);
	close(s->fd);
	s->fd = -1;
}

void
loop_reset(struct loop *l, struct source *s)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (s->fd >= 0)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	loop_close(l, s);
}

void
loop_again(struct loop *l, struct loop_item *item)
{
	if (item->is_queued)
		return;
	TAILQ_INSERT_TAIL(&l->again, item, link);
	item->is_queued = true;
	l->n_again++;
}

void
loop_forget(struct loop *l, struct loop_item *item)
{
	if (!item->is_queued)
		return;
	TAILQ_REMOVE(&l->again, item, link);
	item->is_queued = false;
	l->n_again--;
}

void
loop_bury(struct loop *l, struct loop_item *item)
{
	TAILQ_INSERT_TAIL(&l->graves, item, link);
}

void
loop_wake_at(struct loop *l, uint64_t at_ns)
{
	if (at_ns < l->next_ns)
		l->next_ns = at_ns;
}

int
loop_accept(struct loop *l, const struct source *listener, bool *ret_full)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	*ret_full = fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
				  errno == ENOBUFS);
	if (!*ret_full || l->spare_fd < 0)
		return fd;
	close(l->spare_fd);
	struct source victim = {
	    .fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)};
	loop_reset(l, &victim);
	l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return -1;
}

static int
patience_ms(const struct loop *l)
{
	uint64_t now = clock_mono_ns();

	if (!TAILQ_EMPTY(&l->again) || l->next_ns <= now)
		return 0;
	if (l->next_ns == UINT64_MAX)
		return -1;
	uint64_t ms = (l->next_ns - now) / 1000000 + 1;
	return ms < 60000 ? (int)ms : 60000;
}

bool
loop_turn(struct loop *l)
{
	struct epoll_event e[EVENTS_PER_TURN];
	int n = epoll_wait(l->epoll_fd, e, EVENTS_PER_TURN, patience_ms(l));
	struct loop_items todo = TAILQ_HEAD_INITIALIZER(todo);
	struct loop_item *item;

	for (int i = 0; i < n; i++) {
		struct source *s = e[i].data.ptr;
		if (s->fd >= 0)
			s->ready(s, e[i].events);
	}
	/* Only as many as there are now: who asks again waits for the next turn. */
	for (unsigned left = l->n_again; left > 0 && l->n_again > 0; left--) {
		item = TAILQ_FIRST(&l->again);
		loop_forget(l, item);
		item->run(item);
	}
	TAILQ_CONCAT(&todo, &l->graves, link);
	while ((item = TAILQ_FIRST(&todo)) != NULL) {
		TAILQ_REMOVE(&todo, item, link);
		item->run(item);
	}
	if (l->next_ns > clock_mono_ns())
		return false;
	l->next_ns = UINT64_MAX;
	return true;
}
