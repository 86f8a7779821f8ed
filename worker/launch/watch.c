/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/notify.h"
#include "worker/launch/sockets.h"

#define PATH_BYTES 4096u /* the kernel's PATH_MAX */
#define PAGE_BYTES 4096u

/* A newer kernel may write more than our headers know. */
union notification {
	struct seccomp_notif in;
	char room[256];
};
union answer {
	struct seccomp_notif_resp out;
	char room[128];
};

bool
watch_init(struct err *err)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return err_sys(err, "this kernel has no seccomp notifications");
	if (sizes.seccomp_notif > sizeof(union notification) ||
	    sizes.seccomp_notif_resp > sizeof(union answer))
		return err_set(err, ERR_LIMIT,
		    "this kernel's seccomp notifications are "
		    "larger than this program knows");
	return sockets_init(err);
}

struct watch *
watch_new(uint32_t id, struct arena *arena, const struct confinement *confinement,
    const struct spawned *worker)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL || !places_init(&w->places, confinement->profile)) {
		free(w);
		return NULL;
	}
	w->id = id;
	w->arena = *arena;
	w->confinement = confinement;
	w->worker = *worker;
	w->answers_left = LIMIT_NOTIFICATIONS;
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->n_denials; i++)
		free(w->denial[i]);
	places_release(&w->places);
	arena_release(&w->arena);
	free(w);
}

/* NUL-terminated, from another process's memory, page by page because the end of a path
 * may be the end of what is mapped. */
static bool
read_path(pid_t pid, uint64_t at, char out[PATH_BYTES])
{
	size_t len = 0;

	while (len < PATH_BYTES) {
		size_t n = PAGE_BYTES - at % PAGE_BYTES;
		if (n > PATH_BYTES - len)
			n = PATH_BYTES - len;
		struct iovec here = {out + len, n};
		struct iovec there = {(void *)(uintptr_t)at, n};
		ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
		if (got <= 0)
			return false;
		if (memchr(out + len, '\0', (size_t)got) != NULL)
			return true;
		len += (size_t)got;
		at += (size_t)got;
	}
	return false;
}

/* The record of this denial: an old one, a new one, or that of all others. */
static struct watch_denial *
find_denial(struct watch *w, const char *what, bool *ret_is_new)
{
	*ret_is_new = false;
	for (unsigned i = 0; i < w->n_denials; i++)
		if (strcmp(w->denial[i]->event.what, what) == 0)
			return w->denial[i];
	if (w->n_denials > LIMIT_DENIALS)
		return w->denial[LIMIT_DENIALS];
	struct watch_denial *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	w->denial[w->n_denials++] = d;
	*ret_is_new = true;
	return d;
}

/* The record of what it "tried to", cut where it is too long; NULL: no memory. */
static struct watch_denial *
denial_of(struct watch *w, const char *what, const char *allow_with)
{
	struct launch_event event = {.kind = LAUNCH_EVENT_DENIED, .id = w->id};
	bool is_new;

	snprintf(event.what, sizeof(event.what), "tried to %.*s",
	    (int)sizeof(event.what) - 16, what);
	snprintf(event.allow_with, sizeof(event.allow_with), "%s", allow_with);
	struct watch_denial *d = find_denial(w, event.what, &is_new);
	if (d == NULL || !is_new)
		return d;
	if (w->n_denials > LIMIT_DENIALS) {
		snprintf(event.what, sizeof(event.what),
		    "tried more than %u different things that it may not", LIMIT_DENIALS);
		event.allow_with[0] = '\0';
	}
	d->event = event;
	d->tell_at = 1;
	return d;
}

static void
note_denial(struct watch *w, const char *what, const char *allow_with)
{
	struct watch_denial *d = denial_of(w, what, allow_with);

	if (d == NULL)
		return;
	d->event.count++;
	if (d->event.count == d->tell_at) {
		d->is_due = true;
		d->tell_at *= 10;
	}
}

void
watch_denied(struct watch *w, const char *what, const char *allow_with, uint64_t count)
{
	struct watch_denial *d = denial_of(w, what, allow_with);

	if (d == NULL)
		return;
	d->event.count = count;
	d->is_due = true;
}

void
watch_counted(struct watch *w, const struct egress_counters *counters, bool is_last)
{
	if (is_last)
		w->n_ticks_waited_for_egress = 0;
	if (memcmp(&w->egress.egress, counters, sizeof(*counters)) == 0)
		return;
	w->egress.kind = LAUNCH_EVENT_EGRESS;
	w->egress.id = w->id;
	w->egress.egress = *counters;
	w->egress_is_due = true;
}

void
watch_wait_for_egress(struct watch *w)
{
	w->n_ticks_waited_for_egress = 2;
}

static void
note_call(struct watch *w, const struct seccomp_data *data, const char *path)
{
	char what[sizeof(w->death.what) - 16], allow_with[sizeof(w->death.allow_with)];

	notify_explain(data->nr, (const uint64_t *)data->args, path, what, sizeof(what),
	    allow_with, sizeof(allow_with));
	note_denial(w, what, allow_with);
}

static void
kill_for(struct watch *w, const struct seccomp_data *data)
{
	/* Other threads may ask on until it is dead; the first is what it was killed for.
	 */
	if (w->is_killed)
		return;
	w->is_killed = true;
	notify_raw(data->nr, (const uint64_t *)data->args, w->death.last_call,
	    sizeof(w->death.last_call));
	spawn_kill(&w->worker);
}

/* Read-only opens were let through, or are as if the file was not there: whether that is
 * worth a line depends on what was asked for. */
static bool
is_told(struct watch *w, const struct notify_verdict *v, const char *path)
{
	if (!v->is_denial)
		return false;
	bool was_looked_up =
	    v->path_arg >= 0 && (v->answer == NOTIFY_CONTINUE ||
				    (v->answer == NOTIFY_ERRNO && v->error == ENOENT));
	return !was_looked_up ||
	       (path != NULL && notify_path_is_denied(w->confinement, path) &&
		   !places_concern(&w->places, path));
}

static void
send_answer(struct watch *w, uint64_t id, int error, bool goes_on, bool *ret_sent)
{
	union answer a;

	memset(&a, 0, sizeof(a));
	a.out.id = id;
	a.out.error = -error;
	a.out.flags = goes_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	*ret_sent = ioctl(w->worker.notify_fd, SECCOMP_IOCTL_NOTIF_SEND, &a.out) == 0;
}

static void
answer_socket(struct watch *w, const struct seccomp_notif *in, enum notify_answer which)
{
	const struct sockets_call call = {
	    .notify_fd = w->worker.notify_fd,
	    .worker_pidfd = w->worker.worker_pidfd,
	    .pid = (pid_t)in->pid,
	    .id = in->id,
	    .args = (const uint64_t *)in->data.args,
	    .profile = w->confinement->profile,
	    .places = &w->places,
	};
	struct sockets_answer a;
	bool sent;

	if (which == NOTIFY_BIND)
		sockets_bind(&call, &a);
	else if (which == NOTIFY_LISTEN)
		sockets_listen(&call, &a);
	else
		sockets_connect(&call, &a);
	if (a.was_slow)
		w->answers_left = 0;
	if (a.is_void)
		return;
	if (a.is_denial)
		note_denial(w, a.what, a.allow_with);
	send_answer(w, in->id, a.error, false, &sent);
}

void
watch_notification(struct watch *w)
{
	union notification n;
	struct notify_verdict v;
	char path[PATH_BYTES];
	bool has_path = false, sent;

	if (w->answers_left > 0)
		w->answers_left--;
	memset(&n, 0, sizeof(n));
	/* ENOENT: a signal took the caller back before we came. */
	if (ioctl(w->worker.notify_fd, SECCOMP_IOCTL_NOTIF_RECV, &n.in) < 0)
		return;
	const struct seccomp_data *data = &n.in.data;
	notify_judge(w->confinement->profile, w->is_sealed, w->worker.inner_pid, data->nr,
	    (const uint64_t *)data->args, &v);
	if (v.answer == NOTIFY_BIND || v.answer == NOTIFY_LISTEN ||
	    v.answer == NOTIFY_CONNECT) {
		answer_socket(w, &n.in, v.answer);
		return;
	}
	if (v.path_arg >= 0)
		has_path = read_path((pid_t)n.in.pid, data->args[v.path_arg], path);
	/* The reading went by a pid: only if the caller still waits was it the caller's
	 * memory, and not that of a process which got its pid. */
	if (ioctl(w->worker.notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.in.id) < 0)
		return;
	if (v.answer == NOTIFY_KILL) {
		kill_for(w, data);
		return;
	}
	/* What is below an open directory is where that is. */
	bool is_below = has_path && path[0] != '/' && v.path_arg == 1 &&
			(int)data->args[0] != AT_FDCWD;
	int error;
	if (v.change != NOTIFY_NO_CHANGE && has_path && !is_below &&
	    places_change(&w->places, v.change, path, v.mode, &error)) {
		send_answer(w, n.in.id, error, false, &sent);
		return;
	}
	if (is_told(w, &v, has_path && !is_below ? path : NULL))
		note_call(w, data, has_path ? path : NULL);
	bool is_error = v.answer == NOTIFY_ERRNO;
	send_answer(w, n.in.id, is_error ? v.error : 0, !is_error, &sent);
	if (sent && v.answer == NOTIFY_SEAL)
		w->is_sealed = true;
}

/* A share of one CPU for the process as a whole, in the long run exactly, with bursts of
 * a second's worth. It needs no cgroup, so it holds for every user on every host. */
static void
meter_cpu(struct watch *w)
{
	uint32_t percent = w->confinement->profile->limits.cpu_percent;
	uint64_t now = clock_mono_ns();
	struct timespec used;

	/* The kernel's name for the CPU clock of a whole process, by its pid. */
	if (w->is_dead ||
	    clock_gettime((clockid_t)(~(unsigned)w->worker.worker_pid << 3 | 2), &used) <
		0)
		return;
	uint64_t used_ns = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
	int64_t most = (int64_t)percent * 10000000;
	if (w->cpu_at_ns == 0)
		w->cpu_left_ns = most;
	else
		w->cpu_left_ns += (int64_t)((now - w->cpu_at_ns) / 100 * percent) -
				  (int64_t)(used_ns - w->cpu_used_ns);
	if (w->cpu_left_ns > most)
		w->cpu_left_ns = most;
	w->cpu_at_ns = now;
	w->cpu_used_ns = used_ns;
	bool stop = w->cpu_left_ns < 0;
	if (stop != w->is_stopped &&
	    syscall(SYS_pidfd_send_signal, w->worker.worker_pidfd,
		stop ? SIGSTOP : SIGCONT, NULL, 0u) == 0)
		w->is_stopped = stop;
}

bool
watch_is_metered(const struct watch *w)
{
	/* A cgroup counts all of its processes, and better. */
	return w->confinement->profile->limits.cpu_percent > 0 && !w->is_dead &&
	       !(w->worker.cgroups->controllers & CGROUP_CPU);
}

void
watch_tick(struct watch *w)
{
	if (watch_is_metered(w))
		meter_cpu(w);
	if (w->n_ticks_waited_for_egress > 0)
		w->n_ticks_waited_for_egress--;
	w->answers_left += LIMIT_NOTIFICATIONS_PER_TICK;
	if (w->answers_left > LIMIT_NOTIFICATIONS)
		w->answers_left = LIMIT_NOTIFICATIONS;
}

void
watch_bury(struct watch *w)
{
	w->death.kind = LAUNCH_EVENT_DIED;
	w->death.id = w->id;
	spawn_bury(&w->worker, &w->death.signaled, &w->death.status);
	places_clear(&w->places);
	w->is_dead = true;
}

const struct launch_event *
watch_event(struct watch *w)
{
	for (unsigned i = 0; i < w->n_denials; i++)
		if (w->denial[i]->is_due)
			return &w->denial[i]->event;
	if (w->egress_is_due)
		return &w->egress;
	return w->is_dead && w->n_ticks_waited_for_egress == 0 ? &w->death : NULL;
}

void
watch_told(struct watch *w, const struct launch_event *event)
{
	for (unsigned i = 0; i < w->n_denials; i++)
		if (&w->denial[i]->event == event)
			w->denial[i]->is_due = false;
	if (event == &w->egress)
		w->egress_is_due = false;
}
