/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker's end means. Texts come from the plugin: cut, escaped, never a format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "broker/fuzz/fuzz.h"

static const struct {
	const char *name;
} kinds[] = {
#define KIND(id, name, doc) {name},
    FINDING_KINDS(KIND)
#undef KIND
};

static const char *const stages[] = {
#define STAGE(id, name) name,
    FUZZ_STAGES(STAGE)
#undef STAGE
};

enum {
	KEY_FRAMES = 5
};

static const char asan_mark[] = "AddressSanitizer: ";

const char *
finding_kind_name(enum finding_kind k)
{
	return kinds[k].name;
}

enum finding_kind
finding_kind_find(const char *name, size_t n)
{
	unsigned k = 0;

	while (k < FINDING_KIND_N &&
	       (strlen(kinds[k].name) != n || memcmp(kinds[k].name, name, n) != 0))
		k++;
	return (enum finding_kind)k;
}

static void
escape(char *to, size_t size, const char *peer_text, size_t n)
{
	struct buf b;

	buf_init(&b, size - 1);
	utf8_escape(&b, peer_text, strnlen(peer_text, n), size);
	snprintf(to, size, "%s", buf_str(&b));
	buf_release(&b);
}

static const char *
stage_name(const struct fuzz_worker *w)
{
	uint32_t stage = w->up->stage;

	return stage < FUZZ_STAGE_N ? stages[stage] : "?";
}

static void
keep_output(struct fuzz_verdict *v, const struct fuzz_worker *w)
{
	/* A panic and a report are told in the first lines, the rest in the last. */
	const char *panic = memmem(w->output, w->output_len, "panic: ", 7);
	if (!panic)
		panic =
		    memmem(w->output, w->output_len, asan_mark, sizeof(asan_mark) - 1);
	uint32_t from = w->output_len > 3000 ? w->output_len - 3000 : 0;
	struct buf b;

	if (panic && panic < w->output + from)
		from = (uint32_t)(panic - w->output);
	buf_init(&b, sizeof(v->output) - 1);
	for (uint32_t at = from; at < w->output_len && !b.failed;) {
		const char *line = w->output + at;
		const char *eol = memchr(line, '\n', w->output_len - at);
		size_t n = eol ? (size_t)(eol - line) : w->output_len - at;
		if (b.len + 8 * 400 > b.limit_bytes && b.len + n + 2 > b.limit_bytes)
			break;
		utf8_escape(&b, line, n, 400);
		buf_addc(&b, '\n');
		at += (uint32_t)n + 1;
	}
	memcpy(v->output, b.data ? b.data : "", b.len);
	v->output[b.len] = '\0';
	buf_release(&b);
}

/* Stacks. */

static void
add_frame(struct fuzz_verdict *v, const char *text, size_t n)
{
	if (v->n_frames < FUZZ_FRAMES)
		escape(v->frame[v->n_frames++], sizeof(v->frame[0]), text, n);
}

/* Of the worker's own record: until our own code is reached. */
static void
take_stack(struct fuzz_verdict *v, const struct fuzz_trap *t)
{
	uint32_t n = t->n_frames < FUZZ_FRAMES ? t->n_frames : FUZZ_FRAMES;
	bool in_plugin = false;

	for (uint32_t i = 0; i < n; i++) {
		struct fuzz_frame f = t->frame[i];
		char text[256];

		f.module[sizeof(f.module) - 1] = f.symbol[sizeof(f.symbol) - 1] = '\0';
		/* Our own frames above the plugin's are hooks, those below are the loop.
		 */
		if (strcmp(f.module, "mews-fuzz-worker") == 0) {
			if (in_plugin)
				break;
			continue;
		}
		in_plugin |= f.is_plugin != 0;
		snprintf(text, sizeof(text), "%s+0x%llx%s%s",
		    f.module[0] ? f.module : "?", (unsigned long long)f.offset,
		    f.symbol[0] ? " " : "", f.symbol);
		add_frame(v, text, sizeof(text));
	}
}

/* A frame; of recursion two rounds are enough, so that what began it has a place. */
static void
add_call(struct fuzz_verdict *v, const char *text, size_t n)
{
	uint32_t at = v->n_frames, times = 0;

	add_frame(v, text, n);
	if (at == v->n_frames)
		return;
	for (uint32_t i = 0; i < at; i++) {
		if (strcmp(v->frame[i], v->frame[at]) == 0 && ++times == 2) {
			v->n_frames = i + 1;
			return;
		}
	}
}

/* Of Go's words: functions of the first goroutine, without the runtime's. */
static void
take_goroutine(struct fuzz_verdict *v, const char *text, size_t n)
{
	const char *end = text + n, *at = memmem(text, n, "\ngoroutine ", 11);

	at = at ? memchr(at + 1, '\n', (size_t)(end - at - 1)) : NULL;
	while (at && ++at < end && *at != '\n') {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		const char *paren = eol ? memrchr(at, '(', (size_t)(eol - at)) : NULL;

		if (!eol)
			break;
		if (*at != '\t' && paren && strncmp(at, "runtime.", 8) != 0 &&
		    strncmp(at, "panic(", 6) != 0)
			add_call(v, at, (size_t)(paren - at));
		at = eol;
	}
}

/* The same function, wherever in it. */
static bool
is_same_frame(const char *a, const char *b)
{
	const char *x = strchr(a, ' '), *y = strchr(b, ' ');

	return strcmp(x && y ? x : a, x && y ? y : b) == 0;
}

/* Recursion is as deep as the case says, and by whichever way it says: from a function
 * down to where it was called first is one step. */
static void
make_key(struct fuzz_verdict *v, const char *what)
{
	unsigned left = KEY_FRAMES;
	struct buf b;

	buf_init(&b, sizeof(v->key) - 1);
	buf_addf(&b, "%s|%s", finding_kind_name(v->kind), what);
	for (uint32_t i = 0; i < v->n_frames && left > 0; i++, left--) {
		buf_addf(&b, "|%s", v->frame[i]);
		for (uint32_t k = v->n_frames; k-- > i;) {
			if (is_same_frame(v->frame[k], v->frame[i])) {
				i = k;
				break;
			}
		}
	}
	snprintf(v->key, sizeof(v->key), "%s", buf_str(&b));
	buf_release(&b);
}

/* Verdicts. */

/* The rest of the line behind mark. */
static bool
line_behind(const struct fuzz_worker *w, const char *mark, char *ret_line, size_t size)
{
	const char *at = memmem(w->output, w->output_len, mark, strlen(mark));
	const char *end = w->output + w->output_len, *eol;

	if (!at)
		return false;
	eol = memchr(at, '\n', (size_t)(end - at));
	escape(ret_line, size, at, (size_t)((eol ? eol : end) - at));
	return true;
}

static bool
judge_go(struct fuzz_verdict *v, const struct fuzz_worker *w)
{
	static const char *const out_of_memory[] = {
	    "out of memory", "cannot allocate memory"};
	char line[256];
	bool panic = line_behind(w, "panic: ", line, sizeof(line));

	if (!memmem(w->output, w->output_len, "goroutine ", 10))
		return false;
	if (!panic && !line_behind(w, "fatal error: ", line, sizeof(line)))
		return false;
	for (size_t i = 0; i < 2; i++)
		if (strstr(line, out_of_memory[i]))
			v->kind = FINDING_MEMORY;
	snprintf(v->headline, sizeof(v->headline), "%s: %.400s", stage_name(w), line);
	take_goroutine(v, w->output, w->output_len);
	make_key(v, v->n_frames ? "" : line);
	return true;
}

/* Of the address sanitizer's words: "    #3 0x7f… (/path/lib.so+0x1234)", the first such
 * list, without its own functions, down to ours. */
static void
take_sanitizer_stack(struct fuzz_verdict *v, const char *text, size_t n)
{
	const char *end = text + n, *at = text;
	unsigned wanted = 0;

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		eol = eol ? eol : end;
		const char *hash = memchr(at, '#', (size_t)(eol - at));
		const char *paren = memrchr(at, '(', (size_t)(eol - at));
		const char *close = memchr(at, ')', (size_t)(eol - at));
		if (hash && paren && close && hash < paren && paren < close &&
		    strtoul(hash + 1, NULL, 10) == wanted) {
			const char *slash = memrchr(paren, '/', (size_t)(close - paren));
			const char *name = slash ? slash + 1 : paren + 1;
			wanted++;
			/* Our own loop: the plugin is above it. */
			if (strncmp(name, "exe+", 4) == 0)
				return;
			if (strncmp(name, "libasan", 7) != 0)
				add_frame(v, name, (size_t)(close - name));
		} else if (wanted > 0) {
			return;
		}
		at = eol + 1;
	}
}

static bool
judge_sanitizer(struct fuzz_verdict *v, const struct fuzz_worker *w)
{
	char line[256];
	bool asan = line_behind(w, asan_mark, line, sizeof(line));

	if (!asan && !line_behind(w, "runtime error: ", line, sizeof(line)))
		return false;
	v->kind = FINDING_SANITIZER;
	if (asan) {
		const char *at =
		    memmem(w->output, w->output_len, asan_mark, sizeof(asan_mark) - 1);
		/* Addresses are others every time. */
		char *on = strstr(line, " on "), *of = strstr(line, " (pc ");
		if (on)
			*on = '\0';
		if (of)
			*of = '\0';
		take_sanitizer_stack(v, at, (size_t)(w->output + w->output_len - at));
	}
	snprintf(v->headline, sizeof(v->headline), "%s: %.400s", stage_name(w), line);
	make_key(v, line);
	return true;
}

static void
judge_trap(struct fuzz_verdict *v, const struct fuzz_worker *w, const struct fuzz_trap *t)
{
	char message[512], what[64] = "";

	escape(message, sizeof(message), t->message, sizeof(t->message));
	take_stack(v, t);
	switch (t->kind) {
	case FUZZ_TRAP_HANG:
		v->kind = FINDING_HANG;
		snprintf(v->headline, sizeof(v->headline), "%s did not return in %u ms",
		    stage_name(w), w->subject->hang_ms);
		/* Where in its loop it was is chance. */
		snprintf(v->key, sizeof(v->key), "hang|%s", stage_name(w));
		return;
	case FUZZ_TRAP_MEMORY:
		v->kind = FINDING_MEMORY;
		break;
	case FUZZ_TRAP_SIGNAL:
		v->kind = FINDING_CRASH;
		snprintf(what, sizeof(what), "SIG%s", sigabbrev_np(t->signal));
		snprintf(message, sizeof(message), "%s at address 0x%llx", what,
		    (unsigned long long)t->address);
		break;
	default:
		v->kind = FINDING_CRASH;
	}
	snprintf(v->headline, sizeof(v->headline), "%s: %.400s", stage_name(w), message);
	make_key(v, what);
}

void
fuzz_judge(struct fuzz_verdict *v, const struct fuzz_worker *w, enum fuzz_end end)
{
	struct fuzz_trap t;

	memset(v, 0, sizeof(*v));
	v->kind = FINDING_CRASH;
	memcpy(&t, &w->up->trap, sizeof(t));
	t.message[sizeof(t.message) - 1] = '\0';
	v->in_start = !w->loaded && w->up->executions == 0 && w->up->case_len == 0;
	keep_output(v, w);
	if (w->death.last_call[0]) {
		v->kind = FINDING_DENIAL;
		snprintf(v->headline, sizeof(v->headline),
		    "%s: killed for a system call that no plugin needs: %s",
		    stage_name(w), w->death.last_call);
		make_key(v, w->death.last_call);
	} else if (judge_go(v, w)) {
		return;
	} else if (judge_sanitizer(v, w)) {
		return;
	} else if (t.kind != FUZZ_TRAP_NONE) {
		judge_trap(v, w, &t);
	} else if (end == FUZZ_END_HUNG) {
		v->kind = FINDING_HANG;
		snprintf(v->headline, sizeof(v->headline), "%s did not return in %u ms",
		    stage_name(w), w->subject->hang_ms);
		snprintf(v->key, sizeof(v->key), "hang|%s", stage_name(w));
	} else {
		if (w->death.signaled)
			snprintf(v->headline, sizeof(v->headline), "%s: SIG%s",
			    stage_name(w), sigabbrev_np(w->death.status));
		else
			snprintf(v->headline, sizeof(v->headline),
			    "%s: the process ended with status %d", stage_name(w),
			    w->death.status);
		make_key(v, v->headline);
	}
}

void
fuzz_judge_breach(struct fuzz_verdict *v, const char *message, size_t n)
{
	memset(v, 0, sizeof(*v));
	v->kind = FINDING_BREACH;
	escape(v->headline, sizeof(v->headline), message, n);
	make_key(v, v->headline);
}

void
fuzz_judge_incident(struct fuzz_verdict *v, const struct fuzz_incident *i)
{
	char what[sizeof(v->headline)];

	memset(v, 0, sizeof(*v));
	v->kind = i->kind;
	escape(v->headline, sizeof(v->headline), i->text, sizeof(i->text));
	snprintf(v->allow_with, sizeof(v->allow_with), "%s", i->allow_with);
	/* Which file it was is the case's choice. */
	memcpy(what, v->headline, sizeof(what));
	char *from = strchr(what, '"'), *to = strrchr(what, '"');
	if (from && to > from)
		memmove(from, to, strlen(to) + 1);
	make_key(v, what);
}
