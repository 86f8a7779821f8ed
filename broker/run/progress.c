/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/progress.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/pipeline/pipeline.h"
#include "broker/supervisor/supervisor.h"

enum {
	EVERY_MS = 200,
	CELLS = 16,
	/* No longer than the time that begins a line of the log or of an alert. */
	LINE_BYTES = CELLS + 7,
	WHOLE = 10000, /* hundredths of a percent */
};

struct progress {
	struct app *app;
	struct event *timer;
	bool is_shown;
};

/* WHOLE + 1: nobody tells. */
static uint32_t
least(const struct app *app)
{
	uint32_t found = WHOLE + 1;

	for (uint32_t i = 0; i < app->n_source; i++) {
		const struct pipeline *p = app->source[i].pipeline;
		/* Plugins that have no end say 0. */
		if (p && p->state < PIPELINE_ENDED && p->progress > 1 &&
		    p->progress - 1 < found)
			found = p->progress - 1;
	}
	return found;
}

/* With the cursor at its beginning, so that whatever comes next is written over it. */
static void
draw(uint32_t done)
{
	static const char full[] = "################", none[] = "                ";
	int cells = (int)(done * CELLS / WHOLE);

	fprintf(stderr, "[%.*s%.*s] %3u%%\r", cells, full, CELLS - cells, none,
	    done * 100 / WHOLE);
}

static void
erase(struct progress *p)
{
	if (p->is_shown)
		fprintf(stderr, "%*s\r", LINE_BYTES, "");
	p->is_shown = false;
}

static void
on_timer(int fd, short what, void *arg)
{
	struct progress *p = arg;
	uint32_t done = least(p->app);

	if (done > WHOLE) {
		erase(p);
		return;
	}
	draw(done);
	p->is_shown = true;
}

struct progress *
progress_new(struct app *app)
{
	const struct timeval every = {0, EVERY_MS * 1000};
	struct progress *p = isatty(STDERR_FILENO) ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->app = app;
	p->timer = event_new(app->supervisor->base, -1, EV_PERSIST, on_timer, p);
	if (p->timer && event_add(p->timer, &every) == 0)
		return p;
	progress_free(p);
	return NULL;
}

void
progress_free(struct progress *p)
{
	if (!p)
		return;
	erase(p);
	if (p->timer)
		event_free(p->timer);
	free(p);
}
