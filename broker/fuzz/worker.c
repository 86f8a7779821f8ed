/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz worker's process, and what it shares with us. Everything in up is read with the
 * suspicion that the plugin wrote it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/fuzz/fuzz.h"
#include "broker/supervisor/supervisor.h"
#include "proto/ring.h"

enum {
	TICK_MS = 100,
	/* Nothing tells that a plugin listens now. */
	FEED_TICK_MS = 1,
	DEATH_MS = 5000,
	/* Over the worker's own verdict on a hang. */
	HANG_GRACE_MS = 2000,
	LOAD_MS = 60000,
	START_TRIES = 3,
};

static bool
share(const char *name, size_t size, int *ret_fd, void **ret_map, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return err_sys(err, "memfd");
	*ret_fd = fd;
	*ret_map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*ret_map == MAP_FAILED) {
		*ret_map = NULL;
		return err_sys(err, "mmap");
	}
	return true;
}

bool
fuzz_worker_init(struct fuzz_worker *w, const struct fuzz_subject *s, struct err *err)
{
	void *up = NULL, *down = NULL;

	memset(w, 0, sizeof(*w));
	w->subject = s;
	w->up_fd = w->down_fd = w->idle_fd = w->control_fd = w->output_fd = -1;
	w->feed.fd = w->copy.fd = -1;
	bool ok = share("mews-fuzz-up", sizeof(*w->up), &w->up_fd, &up, err) &&
		  share("mews-fuzz-down", sizeof(*w->down), &w->down_fd, &down, err);
	w->up = up;
	w->down = down;
	if (down)
		w->down->layout = (uint32_t)FUZZ_LAYOUT;
	if (!ok || !ring_seal_future_writes(w->down_fd, err))
		return false;
	w->idle_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return w->idle_fd >= 0 || err_sys(err, "eventfd");
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
fuzz_worker_release(struct fuzz_worker *w)
{
	fuzz_worker_kill(w);
	fuzz_copy_release(&w->copy);
	if (w->up)
		munmap(w->up, sizeof(*w->up));
	if (w->down)
		munmap(w->down, sizeof(*w->down));
	w->up = NULL;
	w->down = NULL;
	close_fd(&w->up_fd);
	close_fd(&w->down_fd);
	close_fd(&w->idle_fd);
}

/* What it says and does. */

static void
add_incident(struct fuzz_worker *w, enum finding_kind kind, const char *text, size_t n,
    const char *allow_with)
{
	struct fuzz_incident *i = &w->incident[w->n_incidents];

	for (uint32_t k = 0; k < w->n_incidents; k++)
		if (strncmp(w->incident[k].text, text, n) == 0)
			return;
	if (w->n_incidents == FUZZ_INCIDENTS)
		return;
	i->kind = kind;
	snprintf(i->text, sizeof(i->text), "%.*s", (int)n, text);
	snprintf(i->allow_with, sizeof(i->allow_with), "%s", allow_with);
	w->n_incidents++;
}

/* UBSan's line: "FILE:LINE:COL: runtime error: …". Go says "panic: runtime error: …". */
static void
look_for_reports(struct fuzz_worker *w, uint32_t from)
{
	static const char mark[] = ": runtime error: ";
	const char *end = w->output + w->output_len, *at = w->output + from;

	while (
	    at < end && (at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1))) {
		const char *line = at, *eol = memchr(at, '\n', (size_t)(end - at));
		while (line > w->output && line[-1] != '\n')
			line--;
		eol = eol ? eol : end;
		if (strncmp(line, "panic", 5) != 0)
			add_incident(
			    w, FINDING_SANITIZER, line, (size_t)(eol - line), "");
		at = eol;
	}
}

/* Keeps the newest of it. */
static bool
read_output(struct fuzz_worker *w)
{
	if (w->output_len > FUZZ_OUTPUT_BYTES * 3 / 4) {
		memmove(w->output, w->output + FUZZ_OUTPUT_BYTES / 2,
		    w->output_len - FUZZ_OUTPUT_BYTES / 2);
		w->output_len -= FUZZ_OUTPUT_BYTES / 2;
	}
	ssize_t n = read(
	    w->output_fd, w->output + w->output_len, sizeof(w->output) - w->output_len);
	if (n <= 0)
		return false;
	/* A line may have come in two pieces. */
	uint32_t from = w->output_len > 512 ? w->output_len - 512 : 0;
	w->output_len += (uint32_t)n;
	look_for_reports(w, from);
	return true;
}

static bool
take_events(struct fuzz_worker *w, struct err *err)
{
	struct launch_event e;

	while (launcher_event(w->subject->launcher, &e)) {
		if (e.kind == LAUNCH_EVENT_LOST)
			return err_set(err, ERR_GONE, "the launcher is gone");
		if (e.id != w->id)
			continue;
		if (e.kind == LAUNCH_EVENT_DENIED) {
			add_incident(
			    w, FINDING_DENIAL, e.what, sizeof(e.what), e.allow_with);
		} else if (e.kind == LAUNCH_EVENT_DIED) {
			w->death = e;
			w->alive = false;
		}
	}
	return true;
}

void
fuzz_worker_settle(struct fuzz_worker *w, int wait_ms)
{
	struct pollfd p = {.fd = launcher_fd(w->subject->launcher), .events = POLLIN};
	struct err ignored;

	while (poll(&p, 1, wait_ms) > 0 && take_events(w, &ignored) && wait_ms > 0)
		wait_ms /= 2;
	for (int i = 0; i < 64 && w->output_fd >= 0 && read_output(w); i++)
		;
}

/* Life. */

static void
bury(struct fuzz_worker *w)
{
	if (w->output_fd >= 0)
		for (int i = 0; i < 64 && read_output(w); i++)
			;
	close_fd(&w->control_fd);
	close_fd(&w->output_fd);
	fuzz_feed_end(&w->feed);
	w->loaded = false;
}

static bool
await_death(struct fuzz_worker *w, struct err *err)
{
	uint64_t give_up = clock_mono_ns() + DEATH_MS * 1000000ull;

	while (w->alive) {
		struct pollfd p[] = {
		    {.fd = launcher_fd(w->subject->launcher), .events = POLLIN},
		    {.fd = w->output_fd, .events = POLLIN},
		};
		if (clock_mono_ns() > give_up)
			return err_set(err, ERR_SYS, "a fuzz worker does not die");
		poll(p, 2, TICK_MS);
		if (!take_events(w, err))
			return false;
		if (p[1].revents & POLLIN)
			read_output(w);
	}
	bury(w);
	return true;
}

void
fuzz_worker_kill(struct fuzz_worker *w)
{
	struct err ignored;

	if (w->alive && launcher_kill(w->subject->launcher, w->id, &ignored))
		await_death(w, &ignored);
}

static bool
launch(struct fuzz_worker *w, struct err *err)
{
	const struct fuzz_subject *s = w->subject;
	int control[2] = {-1, -1}, output[2] = {-1, -1};
	struct launch_result result;
	struct launch_request r = {
	    .id = ++s->sup->next_id,
	    .title = s->plugin->setting->name,
	    .confinement = w->copy.fd >= 0 ? &w->copy.confinement : s->confinement,
	    .worker_path = s->worker_path,
	    .min_tier = s->sup->min_tier,
	    .up_fd = w->up_fd,
	    .down_fd = w->down_fd,
	    .wake_broker_fd = w->copy.fd >= 0 ? w->copy.fd : w->idle_fd,
	    .wake_worker_fd = s->file_fd >= 0 ? s->file_fd : w->idle_fd,
	};

	bool ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) == 0 &&
		  pipe2(output, O_CLOEXEC) == 0 &&
		  fcntl(output[0], F_SETFL, O_NONBLOCK) == 0;
	if (!ok) {
		err_sys(err, "descriptors of a fuzz worker");
	} else {
		r.control_fd = control[1];
		r.output_fd = output[1];
		ok = launcher_launch(s->launcher, &r, &result, err);
	}
	close_fd(&control[1]);
	close_fd(&output[1]);
	if (!ok) {
		close_fd(&control[0]);
		close_fd(&output[0]);
		return false;
	}
	w->control_fd = control[0];
	w->output_fd = output[0];
	w->id = r.id;
	w->alive = true;
	return true;
}

static bool
start(struct fuzz_worker *w, enum fuzz_end *ret_end, struct err *err)
{
	const struct fuzz_subject *s = w->subject;
	struct fuzz_down *d = w->down;

	fuzz_worker_kill(w);
	w->output_len = w->n_incidents = 0;
	w->executions = 0;
	w->up->executions = 0;
	w->up->stage = FUZZ_STAGE_START;
	w->up->trap.kind = FUZZ_TRAP_NONE;
	w->up->finds_bytes = 0;
	w->up->case_len = 0;
	memset(&w->death, 0, sizeof(w->death));
	d->has_copy = w->copy.fd >= 0;
	if ((d->has_copy && !fuzz_copy_renew(&w->copy, err)) || !launch(w, err))
		return false;
	d->target = s->target;
	d->hang_ms = s->hang_ms;
	d->memory_bytes = s->memory_bytes;
	d->way = s->way;
	snprintf(
	    d->plugin_path, sizeof(d->plugin_path), "%s", s->confinement->plugin_target);
	snprintf(d->config, sizeof(d->config), "%s", s->config);
	snprintf(d->params, sizeof(d->params), "%s", s->params);
	if (!fuzz_worker_request(w, FUZZ_LOAD, ret_end, err))
		return false;
	if (*ret_end != FUZZ_END_DONE)
		return true;
	if (w->up->failed) {
		char why[FUZZ_REASON_BYTES];
		memcpy(why, w->up->message, sizeof(why));
		why[sizeof(why) - 1] = '\0';
		return err_set(err, ERR_PLUGIN, "%s", why);
	}
	/* What it tried on its way here is nothing that a case did. */
	fuzz_worker_settle(w, 2);
	w->loaded = true;
	return true;
}

bool
fuzz_worker_start(struct fuzz_worker *w, enum fuzz_end *ret_end, struct err *err)
{
	unsigned tries = START_TRIES;

	/* Before the plugin is loaded nothing is the plugin's doing. */
	do {
		if (!start(w, ret_end, err))
			return false;
	} while (
	    *ret_end == FUZZ_END_DIED && w->up->stage == FUZZ_STAGE_START && --tries > 0);
	return true;
}

/* Requests. */

static bool
tell(struct fuzz_worker *w)
{
	const char go = FUZZ_GO;

	return send(w->control_fd, &go, 1, MSG_NOSIGNAL) == 1;
}

/* The part of its case that it asks for. */
static bool
feed(struct fuzz_worker *w)
{
	static uint8_t bytes[CASE_BYTES];
	struct case_part part[CASE_PARTS_MAX];
	uint32_t n = case_parts(bytes, fuzz_worker_case(w, bytes), part);
	uint32_t i = w->up->feed_part;

	if (w->subject->way <= FUZZ_WAY_FILE || i >= n)
		return false;
	w->down->fed = 0;
	fuzz_feed_begin(&w->feed, w->subject, part[i].bytes, part[i].len);
	return true;
}

/* One word of the worker's; *ret_done: the request is carried out. */
static bool
listen_to(struct fuzz_worker *w, bool *ret_done)
{
	char c = 0;

	if (read(w->control_fd, &c, 1) != 1)
		return false;
	if (c == FUZZ_DONE) {
		*ret_done = true;
		return true;
	}
	if (c == FUZZ_FEED)
		return feed(w) && tell(w);
	return c == FUZZ_EMPTY_FILE && w->subject->file_fd >= 0 &&
	       ftruncate(w->subject->file_fd, 0) == 0 && tell(w);
}

static enum fuzz_end
wait_for_it(struct fuzz_worker *w, enum fuzz_request_kind kind, struct err *err)
{
	uint64_t limit_ms =
	    kind == FUZZ_RUN ? w->subject->hang_ms + HANG_GRACE_MS : LOAD_MS;
	uint64_t since = clock_mono_ns(), seen = 0;
	bool done = false;

	while (w->alive && !done) {
		struct pollfd p[] = {
		    {.fd = w->control_fd, .events = POLLIN},
		    {.fd = w->output_fd, .events = POLLIN},
		    {.fd = launcher_fd(w->subject->launcher), .events = POLLIN},
		};
		if (poll(p, 3, w->feed.is_going_on ? FEED_TICK_MS : TICK_MS) < 0 &&
		    errno != EINTR)
			return FUZZ_END_HUNG;
		if (fuzz_feed_step(&w->feed, w->subject))
			w->down->fed = 1;
		if (p[1].revents)
			read_output(w);
		if (p[2].revents && !take_events(w, err))
			return FUZZ_END_STOPPED;
		if (p[0].revents && !listen_to(w, &done)) {
			/* It has hung up, or talks nonsense: its death is told next. */
			launcher_kill(w->subject->launcher, w->id, err);
			return FUZZ_END_DIED;
		}
		uint64_t now = clock_mono_ns(), count = w->up->executions;
		if (count != seen) {
			seen = count;
			since = now;
		}
		if (w->tick && !w->tick(w->tick_arg, w))
			return FUZZ_END_STOPPED;
		if (!done && now - since > limit_ms * 1000000)
			return FUZZ_END_HUNG;
	}
	return done ? FUZZ_END_DONE : FUZZ_END_DIED;
}

bool
fuzz_worker_request(struct fuzz_worker *w, enum fuzz_request_kind kind,
    enum fuzz_end *ret_end, struct err *err)
{
	w->down->kind = kind;
	*ret_end = FUZZ_END_DIED;
	if (tell(w))
		*ret_end = wait_for_it(w, kind, err);
	w->executions = w->up->executions;
	if (*ret_end == FUZZ_END_DONE)
		return true;
	if ((*ret_end == FUZZ_END_HUNG || *ret_end == FUZZ_END_STOPPED) && w->alive &&
	    !launcher_kill(w->subject->launcher, w->id, err))
		return false;
	return await_death(w, err);
}

uint32_t
fuzz_worker_case(const struct fuzz_worker *w, uint8_t to[CASE_BYTES])
{
	uint32_t n = *(const volatile uint32_t *)&w->up->case_len;

	n = n < CASE_BYTES ? n : CASE_BYTES;
	memcpy(to, w->up->test_case, n);
	return n;
}

uint32_t
fuzz_worker_past(const struct fuzz_worker *w, uint8_t to[CASE_BYTES])
{
	uint64_t now = w->executions;
	uint32_t n = 0;

	for (uint64_t i = now < FUZZ_HISTORY ? 0 : now - FUZZ_HISTORY + 1; i <= now;
	     i++) {
		const struct fuzz_past *p = &w->up->past[i % FUZZ_HISTORY];
		uint32_t len = *(const volatile uint32_t *)&p->len;
		len = len < FUZZ_HISTORY_BYTES ? len : FUZZ_HISTORY_BYTES;
		memcpy(to + n, p->bytes, len);
		n += len;
	}
	return n;
}

void
fuzz_worker_finds(struct fuzz_worker *w,
    void (*take)(void *arg, uint32_t kind, const uint8_t *bytes, uint32_t n,
	const char *message, uint32_t message_n),
    void *arg)
{
	uint32_t end = w->up->finds_bytes, at = 0;
	struct fuzz_find_head head;

	end = end < FUZZ_FIND_BYTES ? end : FUZZ_FIND_BYTES;
	while (end - at >= sizeof(head)) {
		memcpy(&head, w->up->finds + at, sizeof(head));
		at += (uint32_t)sizeof(head);
		if (head.len > CASE_BYTES || head.len > end - at ||
		    head.message_len > end - at - head.len)
			break;
		take(arg, head.kind, w->up->finds + at, head.len,
		    (const char *)w->up->finds + at + head.len, head.message_len);
		at += head.len + head.message_len;
	}
	w->up->finds_bytes = 0;
}
