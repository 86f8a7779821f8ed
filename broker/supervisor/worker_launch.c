/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a worker and all that is shared with it: made before, dropped after. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/supervisor/worker_internal.h"
#include "worker/launch/launcher.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* since Linux 6.16 */
#endif

/* Everything that launching makes; -1 and NULL where it is not there yet. */
struct shared {
	int up_fd, down_fd, wake_broker_fd, wake_worker_fd, control[2], output[2];
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool
make_shared(struct worker *w, struct shared *s, struct err *err)
{
	const int off = 0;

	if (!ring_pair_new("mews-up", LIMIT_RING_UP_BYTES, LIMIT_RING_SIDE_UP_BYTES,
		&s->up_fd, err) ||
	    !ring_pair_new("mews-down", LIMIT_RING_DOWN_BYTES, LIMIT_RING_SIDE_DOWN_BYTES,
		&s->down_fd, err) ||
	    !ring_pair_map(&w->up, &w->side_up, s->up_fd, LIMIT_RING_UP_BYTES,
		LIMIT_RING_SIDE_UP_BYTES, false, err) ||
	    !ring_pair_map(&w->down, &w->side_down, s->down_fd, LIMIT_RING_DOWN_BYTES,
		LIMIT_RING_SIDE_DOWN_BYTES, true, err) ||
	    !ring_seal_future_writes(s->down_fd, err))
		return false;
	s->wake_broker_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	s->wake_worker_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->wake_broker_fd < 0 || s->wake_worker_fd < 0)
		return err_sys(err, "eventfd");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->control) < 0)
		return err_sys(err, "socketpair");
	if (pipe2(s->output, O_CLOEXEC) < 0)
		return err_sys(err, "pipe2");
	if (fcntl(s->control[0], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(s->output[0], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, "fcntl");
	/* Where the kernel knows it, descriptors cannot even be sent to us; elsewhere
	 * they are dropped unseen, for channel.c only reads bytes. */
	setsockopt(s->control[0], SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
	return true;
}

static bool
watch(struct worker *w, struct err *err)
{
	struct event_base *base = w->sup->base;

	w->on_control =
	    event_new(base, w->channel.fd, EV_READ | EV_PERSIST, worker_on_control, w);
	/* Where the loop hears of each write, the eventfd need not be emptied. */
	w->on_wake = event_new(base, w->wake_broker_fd,
	    EV_READ | EV_PERSIST | (w->sup->has_edges ? EV_ET : 0), worker_on_wake, w);
	w->on_output =
	    event_new(base, w->output_fd, EV_READ | EV_PERSIST, worker_on_output, w);
	if (!w->on_control || !w->on_wake || !w->on_output ||
	    event_add(w->on_control, NULL) < 0 || event_add(w->on_wake, NULL) < 0 ||
	    event_add(w->on_output, NULL) < 0)
		return err_nomem(err);
	return true;
}

bool
worker_launch(struct worker *w, struct err *err)
{
	struct shared s = {-1, -1, -1, -1, {-1, -1}, {-1, -1}};
	struct launch_result result;
	struct launch_request request = {
	    .id = ++w->sup->next_id,
	    .title = w->plugin->setting->name,
	    .confinement = w->plugin->confinement,
	    .worker_path = w->sup->worker_path,
	    .min_tier = w->sup->min_tier,
	    .egress_hosts = w->sup->egress_hosts,
	};
	bool done = make_shared(w, &s, err);

	if (done) {
		request.control_fd = s.control[1];
		request.up_fd = s.up_fd;
		request.down_fd = s.down_fd;
		request.wake_broker_fd = s.wake_broker_fd;
		request.wake_worker_fd = s.wake_worker_fd;
		request.output_fd = s.output[1];
		done = launcher_launch(w->sup->launcher, &request, &result, err);
	}
	close_fd(&s.up_fd);
	close_fd(&s.down_fd);
	close_fd(&s.control[1]);
	close_fd(&s.output[1]);
	channel_init(&w->channel, s.control[0]);
	w->wake_broker_fd = s.wake_broker_fd;
	w->wake_worker_fd = s.wake_worker_fd;
	w->output_fd = s.output[0];
	if (!done) {
		worker_bury(w);
		return false;
	}
	w->id = request.id;
	w->pid = result.worker_pid;
	w->layers = result.layers;
	w->alive = true;
	w->launched_ns = clock_mono_ns();
	w->doomed = false;
	w->call_note = w->call_since_ns = 0;
	w->failure[0] = '\0';
	memset(w->recent, 0, sizeof(w->recent));
	w->doom.code = ERR_NONE;
	memset(&w->permits, 0, sizeof(w->permits));
	ring_writer_init(&w->writer, &w->down, &w->up);
	ring_reader_init(&w->reader, &w->down, &w->up);
	ring_writer_init(&w->side_writer, &w->side_down, &w->side_up);
	ring_reader_init(&w->side_reader, &w->side_down, &w->side_up);
	w->counts.launches++;
	if (!watch(w, err)) {
		worker_kill(w);
		return false;
	}
	/* Woken from the first frame on: nobody spins on a worker that only starts. */
	ring_reader_sleep(&w->reader);
	ring_reader_sleep(&w->side_reader);
	return true;
}

void
worker_kill(struct worker *w)
{
	struct err err;

	w->doomed = true;
	if (w->alive && !launcher_kill(w->sup->launcher, w->id, &err))
		log_error("cannot kill the worker of plugin '%s': %s",
		    w->plugin->setting->name, err.msg);
}

static void
drop_event(struct event **e)
{
	if (*e)
		event_free(*e);
	*e = NULL;
}

void
worker_bury(struct worker *w)
{
	drop_event(&w->on_control);
	drop_event(&w->on_wake);
	drop_event(&w->on_output);
	channel_release(&w->channel);
	close_fd(&w->wake_broker_fd);
	close_fd(&w->wake_worker_fd);
	close_fd(&w->output_fd);
	ring_unmap(&w->up);
	ring_unmap(&w->down);
	ring_unmap(&w->side_up);
	ring_unmap(&w->side_down);
	w->line_len = 0;
	w->alive = false;
}
