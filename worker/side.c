/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/side.h"

#include <errno.h>
#include <unistd.h>

void
side_init(struct side *s, struct ring_map *up, const struct ring_map *down, int wake_fd)
{
	*s = (struct side){.wake_fd = wake_fd};
	pthread_mutex_init(&s->out_lock, NULL);
	pthread_mutex_init(&s->in_lock, NULL);
	ring_writer_init(&s->out, up, down);
	ring_reader_init(&s->in, up, down);
}

static bool
put(struct side *s, enum frame_type type, const void *p, uint32_t len, bool wakes)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&s->out_lock);
	bool done = ring_put(&s->out, type, p, len) == RING_OK;
	if (done && wakes && ring_writer_must_wake(&s->out)) {
		while (write(s->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
	pthread_mutex_unlock(&s->out_lock);
	return done;
}

bool
side_put(struct side *s, enum frame_type type, const void *p, uint32_t len)
{
	return put(s, type, p, len, true);
}

bool
side_put_quietly(struct side *s, enum frame_type type, const void *p, uint32_t len)
{
	return put(s, type, p, len, false);
}
