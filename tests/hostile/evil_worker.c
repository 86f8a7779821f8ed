/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that a plugin has taken over: put in the place of mews-worker, it is confined
 * and launched like one and speaks the protocol well, until it breaks it in one way.
 *
 * It loads no library. A path with "canary" in it makes it an honest source of that name;
 * any other the source "evil" (id 4600), which gives three honest events and then does
 * what its initial configuration names ("evil=NAME"; attacks below). What the broker must
 * make of it is in tests/e2e/8080-evil-worker.sh.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "proto/channel.h"
#include "proto/chunk.h"
#include "proto/column.h"
#include "proto/crash_note.h"
#include "proto/plugin_api.h"
#include "proto/ring.h"
#include "tests/hostile/evil_side.h"
#include "worker/confine.h"

enum {
	CONTROL_FD = 3,
	UP_FD,
	DOWN_FD,
	WAKE_BROKER_FD,
	WAKE_WORKER_FD
};
enum {
	HONEST_EVENTS = 3,
	FIELD_NUM = 0,
	FIELD_TEXT = 1,
	N_FIELDS = 2,
	MOST_SLOTS = 8
};
enum {
	CANARY_ID = 4400,
	EVIL_ID = 4600
};

/* Where ring.c keeps its indices in the page. */
enum {
	TAIL_AT = 0,
	PEER_HEAD_AT = 64,
	RECORD_HEAD = 16
};

struct slot {
	uint32_t slot, field;
};

static struct {
	struct channel channel;
	struct ring_map up, down, side_up, side_down;
	struct ring_writer out;
	struct ring_reader in;
	const char *name;
	uint32_t id;
	char evil[64];
	unsigned long n, pause_us;
	struct slot slot[MOST_SLOTS]; /* every slot of the plan */
	bool first_stage[MOST_SLOTS];
	bool no_values; /* the next frame's columns are empty */
	uint32_t n_slots;
	bool want_events;
	uint32_t batch;
	uint64_t number; /* of the event that is in flight */
	uint8_t *frame;
} me;

/* talking */

static void
end(void)
{
	_exit(0);
}

static void
say(Control__Message__BodyCase kind, void *body)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	struct err err;

	m.body_case = kind;
	m.ready = body; /* one pointer of a union */
	if (!channel_send(&me.channel, &m, &err))
		end();
}

static void
raw(const void *bytes, size_t n)
{
	for (const uint8_t *p = bytes; n > 0;) {
		ssize_t k = write(CONTROL_FD, p, n);
		if (k <= 0)
			end();
		p += k;
		n -= (size_t)k;
	}
}

static void
log_line(const char *text)
{
	Control__Log log = CONTROL__LOG__INIT;

	log.text = (char *)text;
	log.has_severity = true;
	log.severity = PLUGIN_LOG_INFO;
	say(CONTROL__MESSAGE__BODY_LOG, &log);
}

static void
loaded(void)
{
	Control__Loaded m = CONTROL__LOADED__INIT;
	Control__Field num = CONTROL__FIELD__INIT, text = CONTROL__FIELD__INIT;
	Control__Field *fields[N_FIELDS] = {&num, &text};
	char num_name[32], text_name[32], *sources[] = {(char *)me.name};

	snprintf(num_name, sizeof(num_name), "%s.num", me.name);
	snprintf(text_name, sizeof(text_name), "%s.text", me.name);
	num.name = num_name;
	num.has_type = text.has_type = true;
	num.type = PLUGIN_FIELD_UINT64;
	text.name = text_name;
	text.type = PLUGIN_FIELD_STRING;
	num.desc = text.desc = (char *)"d";
	m.name = m.source = (char *)me.name;
	m.description = m.contact = (char *)"none";
	m.version = m.required_api_version = (char *)"3.0.0";
	m.has_id = m.has_capabilities = true;
	m.id = me.id;
	m.capabilities = 3;
	m.n_fields = N_FIELDS;
	m.fields = fields;
	m.n_extract_sources = 1;
	m.extract_sources = sources;
	say(CONTROL__MESSAGE__BODY_LOADED, &m);
}

static void
opened(void)
{
	Control__Opened m = CONTROL__OPENED__INIT;

	say(CONTROL__MESSAGE__BODY_OPENED, &m);
}

/* frames */

static void
wake(void)
{
	uint64_t one = 1;

	if (write(WAKE_BROKER_FD, &one, sizeof(one)) < 0)
		end();
}

/* A good frame with the one event in flight: EVENTS, or COLUMNS of the given slots. */
static uint32_t
good_frame(bool is_answer, uint32_t tag, const struct slot *slot, uint32_t n)
{
	static uint8_t event[PLUGIN_EVENT_PAYLOAD_OFF + 8];
	static struct column_store store[MOST_SLOTS];
	const struct column_store *column[MOST_SLOTS] = {NULL};
	const void *events[] = {event};
	struct plugin_event e = {.ts = 1700000000000000000ull + me.number,
	    .tid = UINT64_MAX,
	    .len = sizeof(event),
	    .type = PLUGIN_EVENT_TYPE,
	    .nparams = 2};
	struct chunk_event about = {.ts_ns = e.ts,
	    .tid = e.tid,
	    .len = e.len,
	    .payload_len = 8,
	    .plugin_id = me.id,
	    .type = e.type};
	struct chunk_head head = {.batch = tag,
	    .n_events = 1,
	    .n_columns = n,
	    .flags = is_answer ? 0 : CHUNK_LAST};
	uint32_t lengths[] = {4, 8}, len;
	struct err err;

	memcpy(event, &e, sizeof(e));
	memcpy(event + 26, lengths, 8);
	memcpy(event + 34, &me.id, 4);
	if (me.want_events && !is_answer)
		head.flags |= CHUNK_HAS_EVENTS;
	for (uint32_t i = 0; i < n; i++) {
		bool is_num = slot[i].field == FIELD_NUM;
		if (!column_store_init(
			&store[i], slot[i].slot, is_num ? COLUMN_NUM : COLUMN_STR, &err))
			end();
		if (me.no_values)
			; /* then its first[] is not left out */
		else if (is_num)
			column_store_num(&store[i], me.number);
		else
			column_store_bytes(&store[i], "text", 4);
		column_store_next(&store[i]);
		column[i] = &store[i];
	}
	len = chunk_write(me.frame, LIMIT_FRAME_BYTES, &head, is_answer ? NULL : &about,
	    head.flags & CHUNK_HAS_EVENTS ? events : NULL, column, n);
	for (uint32_t i = 0; i < n; i++)
		column_store_release(&store[i]);
	return len;
}

static uint32_t
next_events_frame(void)
{
	struct slot first[MOST_SLOTS];
	uint32_t n = 0;

	for (uint32_t i = 0; i < me.n_slots; i++)
		if (me.first_stage[i])
			first[n++] = me.slot[i];
	return good_frame(false, ++me.batch, first, n);
}

static void
put(enum frame_type type, uint32_t len)
{
	while (ring_put(&me.out, type, me.frame, len) == RING_FULL)
		usleep(500);
	wake();
}

static void
answer(const void *frame, uint32_t len)
{
	struct extract_view v;
	struct slot wanted[MOST_SLOTS];
	uint32_t n = 0;
	struct err err;

	if (!extract_check(&v, frame, len, &err))
		end();
	for (uint32_t i = 0; i < v.head.n_slots && n < MOST_SLOTS; i++)
		for (uint32_t k = 0; k < me.n_slots; k++)
			if (me.slot[k].slot == v.slot[i])
				wanted[n++] = me.slot[k];
	put(FRAME_COLUMNS, good_frame(true, v.head.request, wanted, n));
}

/* Serves extraction requests until the batch is acknowledged. */
static void
until_acknowledged(void)
{
	static uint8_t in[LIMIT_FRAME_BYTES] __attribute__((aligned(8)));
	uint32_t type, len;

	for (;;) {
		enum ring_rc rc = ring_take(&me.in, in, sizeof(in), &type, &len);
		if (rc == RING_EMPTY) {
			usleep(200);
			continue;
		}
		wake();
		if (rc != RING_OK)
			end();
		if (type == FRAME_ACK)
			return;
		if (type == FRAME_EXTRACT)
			answer(in, len);
	}
}

static void
honest_event(void)
{
	put(FRAME_EVENTS, next_events_frame());
	until_acknowledged();
	me.number++;
}

static void
honest_end(void)
{
	struct chunk_head head = {
	    .batch = ++me.batch, .flags = CHUNK_LAST, .rc = PLUGIN_EOF};

	put(FRAME_EVENTS,
	    chunk_write(me.frame, LIMIT_FRAME_BYTES, &head, NULL, NULL, NULL, 0));
}

/* attacks on the rings */

static volatile uint64_t *
page(size_t at)
{
	return (volatile uint64_t *)((uint8_t *)me.up.page + at);
}

/* Header of the next record, to be written by hand. */
static uint8_t *
record(void)
{
	return me.up.data + (me.out.tail & (me.up.size - 1));
}

static void
record_by_hand(uint32_t len, uint32_t type, uint64_t seq, uint64_t advance)
{
	uint8_t *p = record();

	memcpy(p, &len, 4);
	memcpy(p + 4, &type, 4);
	memcpy(p + 8, &seq, 8);
	*page(TAIL_AT) = me.out.tail + advance;
	wake();
}

static void
tail_beyond(void)
{
	*page(TAIL_AT) = me.out.tail + me.up.size + 8;
	wake();
}

static void
tail_backwards(void)
{
	*page(TAIL_AT) = me.out.tail - 8;
	wake();
}

static void
tail_unaligned(void)
{
	*page(TAIL_AT) = me.out.tail + 3;
	wake();
}

static void
tail_high_bit(void)
{
	*page(TAIL_AT) = me.out.tail + (1ull << 63);
	wake();
}

static void
head_wild(void)
{
	*page(PEER_HEAD_AT) = UINT64_MAX / 2;
	put(FRAME_EVENTS, next_events_frame());
}

static void
len_huge(void)
{
	record_by_hand(UINT32_MAX, FRAME_EVENTS, me.out.seq, 64);
}

static void
len_past_tail(void)
{
	record_by_hand(4096, FRAME_EVENTS, me.out.seq, 64);
}

static void
len_zero(void)
{
	record_by_hand(0, FRAME_EVENTS, me.out.seq, RECORD_HEAD);
}

static void
seq_skipped(void)
{
	record_by_hand(32, FRAME_EVENTS, me.out.seq + 1, RECORD_HEAD + 32);
}

static void
seq_replayed(void)
{
	record_by_hand(32, FRAME_EVENTS, me.out.seq - 1, RECORD_HEAD + 32);
}

static void
type_unknown(void)
{
	put((enum frame_type)77, next_events_frame());
}

static void
type_of_broker(void)
{
	put(FRAME_ACK, next_events_frame());
}

static void
garbage(void)
{
	memset(me.frame, 0xa5, 4096);
	put(FRAME_EVENTS, 4096);
}

static void
cut_short(void)
{
	put(FRAME_EVENTS, next_events_frame() - 8);
}

static void
answer_unasked(void)
{
	put(FRAME_COLUMNS, good_frame(true, 4711, me.slot, me.n_slots));
}

/* Two chunks of one batch number after its last. */
static void
batch_twice(void)
{
	put(FRAME_EVENTS, next_events_frame());
	me.batch--;
	put(FRAME_EVENTS, next_events_frame());
}

static void
run_ahead(void)
{
	for (int i = 0; i < 5000; i++)
		put(FRAME_EVENTS, next_events_frame());
}

static atomic_bool toggling = true;

static void *
toggle(void *where)
{
	volatile uint32_t *p = where;
	uint32_t good = *p;

	while (toggling) {
		*p = UINT32_MAX;
		*p = good;
		*p = 0;
		*p = good;
	}
	return NULL;
}

/* A second thread changes what is being read, wherever that is in the first frames. */
static void
double_fetch(void)
{
	uint64_t start = me.out.tail & (me.up.size - 1);
	uint32_t len = next_events_frame();
	pthread_t t[3];

	put(FRAME_EVENTS, len);
	for (int i = 0; i < 3; i++) {
		static const uint32_t at[] = {
		    RECORD_HEAD + 8, RECORD_HEAD + 12, RECORD_HEAD + 48};
		pthread_create(&t[i], NULL, toggle, me.up.data + start + at[i]);
	}
	for (int i = 0; i < 1000; i++) {
		wake();
		usleep(1000);
	}
	toggling = false;
}

static void
wake_storm(void)
{
	for (int i = 0; i < 1000000; i++)
		wake();
}

/* An account of a crash (crash_note.h) that is none. */
static void
die_note_noise(void)
{
	memset(ring_rest(&me.up), 0xff, RING_REST_BYTES);
	raise(SIGSEGV);
}

/* One that would have the broker read a file, or a terminal obey. */
static void
die_note_forged(void)
{
	static const char *const path[] = {
	    "\033[2Jowned\n{\"rule\":", "/etc/passwd", "/proc/self/mem", "../../x"};
	struct crash_note *note = crash_note_own(&me.up);

	note->signal = SIGSEGV;
	for (uint64_t i = 0; i < sizeof(path) / sizeof(*path); i++) {
		note->frame[note->n_frames++] = i << 32 | 0x100;
		note->module[note->n_modules++] =
		    (struct crash_module){.start = i << 32, .end = (i + 1) << 32};
		memcpy(note->module[i].path, path[i], strlen(path[i]));
	}
	raise(SIGSEGV);
}

/* One value of a good frame replaced. Offsets: chunk_head, chunk_event (at 40), first
 * column_head (at 72), its value (at 88), or its first[] where there is none. */
static const struct poke {
	const char *name;
	uint32_t at, value;
} pokes[] = {
    {"poke_batch", 0, 0},
    {"poke_first", 4, 1u << 31},
    {"poke_n_events", 8, 257},
    {"poke_n_events_max", 8, UINT32_MAX},
    {"poke_n_columns", 12, 4097},
    {"poke_n_columns_max", 12, UINT32_MAX},
    {"poke_flags", 16, UINT32_MAX},
    {"poke_rc", 20, 12345},
    {"poke_dropped", 24, UINT32_MAX},
    {"poke_extract_us", 32, UINT32_MAX},
    {"poke_zero", 36, 1},
    {"poke_event_len", 40 + 16, UINT32_MAX},
    {"poke_payload_len", 40 + 20, UINT32_MAX},
    {"poke_plugin_id", 40 + 24, CANARY_ID},
    {"poke_type", 40 + 28, 2},
    {"poke_slot", 72, 4095},
    {"poke_slot_max", 72, UINT32_MAX},
    {"poke_kind", 76, 77},
    {"poke_kind_other", 76, COLUMN_BIN},
    {"poke_kind_even_other", 76, COLUMN_BIN | COLUMN_EVEN},
    {"poke_kind_uneven", 76, COLUMN_NUM},
    {"poke_n_values", 80, UINT32_MAX},
    {"poke_n_values_two", 80, 2},
    {"poke_n_bytes", 84, UINT32_MAX},
    {"poke_none_first_0", 88, 1},
    {"poke_none_first_1", 92, UINT32_MAX},
    {"poke_none_n_values", 80, 1},
    {"poke_none_even", 76, COLUMN_NUM | COLUMN_EVEN},
    {"poke_value", 88, UINT32_MAX},
};

static bool
poked(void)
{
	for (size_t i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		if (strcmp(pokes[i].name, me.evil) != 0)
			continue;
		me.no_values = strncmp(me.evil, "poke_none_", 10) == 0;
		uint32_t len = next_events_frame();
		me.no_values = false;
		memcpy(me.frame + pokes[i].at, &pokes[i].value, 4);
		put(FRAME_EVENTS, len);
		return true;
	}
	return false;
}

/* attacks on the control channel */

static void
framed(const void *bytes, uint32_t n)
{
	raw(&n, 4);
	raw(bytes, n);
}

static void
control_garbage(void)
{
	framed("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void
control_unknown(void)
{
	/* field 99, empty */
	framed("\x9a\x06\x00", 3);
}

static void
control_empty(void)
{
	framed("", 0);
}

static void
control_oversized(void)
{
	raw("\xff\xff\xff\xff", 4);
}

/* Two million empty sub-messages of a Loaded. */
static void
control_submessages(void)
{
	enum {
		FIELDS = 2000000
	};
	static uint8_t m[16 + 2 * FIELDS];
	uint32_t n = 0, body = 2 * FIELDS;

	m[n++] = 0x8a; /* loaded = 33, length-delimited */
	m[n++] = 0x02;
	for (; body >= 0x80; body >>= 7)
		m[n++] = (uint8_t)(body | 0x80);
	m[n++] = (uint8_t)body;
	for (int i = 0; i < FIELDS; i++) {
		m[n++] = 0x4a; /* fields = 9 */
		m[n++] = 0;
	}
	framed(m, n);
}

static void
control_opened_again(void)
{
	opened();
}

static void
control_ready_again(void)
{
	Control__Ready m = CONTROL__READY__INIT;

	say(CONTROL__MESSAGE__BODY_READY, &m);
}

/* A broker's message, from a worker. */
static void
control_quit(void)
{
	Control__Quit m = CONTROL__QUIT__INIT;

	say(CONTROL__MESSAGE__BODY_QUIT, &m);
}

static void
control_bye(void)
{
	Control__Bye m = CONTROL__BYE__INIT;

	say(CONTROL__MESSAGE__BODY_BYE, &m);
}

static void
control_failed_nothing(void)
{
	Control__Failed m = CONTROL__FAILED__INIT;

	say(CONTROL__MESSAGE__BODY_FAILED, &m);
}

static void
control_planned_flood(void)
{
	Control__Planned m = CONTROL__PLANNED__INIT;

	for (int i = 0; i < 100000; i++)
		say(CONTROL__MESSAGE__BODY_PLANNED, &m);
}

static void
control_log_flood(void)
{
	for (int i = 0; i < 1000000; i++)
		log_line("flood");
}

static void
control_log_long(void)
{
	static char text[1 << 20];

	memset(text, 'x', sizeof(text) - 1);
	log_line(text);
}

static void
control_log_forged(void)
{
	log_line("line\nThu Jan  1 00:00:00 1970: FORGED\x1b[2J");
}

static void
control_hang_up(void)
{
	close(CONTROL_FD);
	sleep(5);
}

static void
control_slowly(void)
{
	static const uint8_t m[] = {8, 0, 0, 0, 0xb2, 0x02, 5, 0x12, 3, 'a', 'b', 'c'};

	for (size_t i = 0; i < sizeof(m); i++) {
		raw(m + i, 1);
		usleep(1000);
	}
}

/* and on its own life */

static void
die_exit(void)
{
	_exit(0);
}

static void
die_kill(void)
{
	raise(SIGKILL);
}

static void
die_half_written(void)
{
	memset(record(), 0xff, RECORD_HEAD);
	abort();
}

static void
deaf(void)
{
	for (;;)
		sleep(1000);
}

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
#define ATTACK(f)                                                                        \
	{                                                                                \
#f, f                                                                    \
	}
    ATTACK(tail_beyond),
    ATTACK(tail_backwards),
    ATTACK(tail_unaligned),
    ATTACK(tail_high_bit),
    ATTACK(head_wild),
    ATTACK(len_huge),
    ATTACK(len_past_tail),
    ATTACK(len_zero),
    ATTACK(seq_skipped),
    ATTACK(seq_replayed),
    ATTACK(type_unknown),
    ATTACK(type_of_broker),
    ATTACK(garbage),
    ATTACK(cut_short),
    ATTACK(answer_unasked),
    ATTACK(batch_twice),
    ATTACK(run_ahead),
    ATTACK(double_fetch),
    ATTACK(wake_storm),
    ATTACK(control_garbage),
    ATTACK(control_unknown),
    ATTACK(control_empty),
    ATTACK(control_oversized),
    ATTACK(control_submessages),
    ATTACK(control_opened_again),
    ATTACK(control_ready_again),
    ATTACK(control_quit),
    ATTACK(control_bye),
    ATTACK(control_failed_nothing),
    ATTACK(control_planned_flood),
    ATTACK(control_log_flood),
    ATTACK(control_log_long),
    ATTACK(control_log_forged),
    ATTACK(control_hang_up),
    ATTACK(control_slowly),
    ATTACK(die_exit),
    ATTACK(die_kill),
    ATTACK(die_half_written),
    ATTACK(die_note_noise),
    ATTACK(die_note_forged),
    ATTACK(deaf),
#undef ATTACK
};

static void
evil(void)
{
	bool found = false;

	for (int i = 0; i < HONEST_EVENTS; i++)
		honest_event();
	if (strcmp(me.evil, "none") == 0) {
		honest_end();
		return;
	}
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		if (strcmp(attacks[i].name, me.evil) == 0) {
			attacks[i].run();
			found = true;
		}
	if (!found)
		found = evil_side(me.evil, &me.side_up, &me.side_down, WAKE_BROKER_FD);
	if (!found && !poked())
		_exit(99); /* no such attack: a mistake in the test */
	/* What is tolerated shall end like any other source. */
	usleep(300000);
	honest_end();
}

static void
run(void)
{
	if (me.id == EVIL_ID) {
		evil();
		return;
	}
	for (unsigned long i = 0; i < me.n; i++) {
		usleep((useconds_t)me.pause_us);
		honest_event();
	}
	honest_end();
}

/* the protocol, as it should be */

static unsigned long
param(const char *text, const char *name)
{
	const char *p = text ? strstr(text, name) : NULL;

	return p ? strtoul(p + strlen(name), NULL, 10) : 0;
}

static void
take_plan(const Control__Plan *p)
{
	Control__Planned m = CONTROL__PLANNED__INIT;

	me.n_slots = 0;
	me.want_events = p->want_events;
	for (size_t i = 0; i < p->n_slots && me.n_slots < MOST_SLOTS; i++) {
		me.first_stage[me.n_slots] = p->slots[i]->first_stage;
		me.slot[me.n_slots++] =
		    (struct slot){p->slots[i]->slot, p->slots[i]->field_id};
	}
	m.has_generation = true;
	m.generation = p->generation;
	say(CONTROL__MESSAGE__BODY_PLANNED, &m);
}

static void
take_init(const Control__Init *in)
{
	Control__Initialized m = CONTROL__INITIALIZED__INIT;
	uint32_t types[] = {PLUGIN_EVENT_TYPE};
	const char *word = in->config ? strstr(in->config, "evil=") : NULL;

	if (word)
		snprintf(me.evil, sizeof(me.evil), "%.*s", (int)strcspn(word + 5, " \"}"),
		    word + 5);
	m.n_extract_types = 1;
	m.extract_types = types;
	say(CONTROL__MESSAGE__BODY_INITIALIZED, &m);
}

static void
take(const Control__Message *m)
{
	Control__Stopped stopped = CONTROL__STOPPED__INIT;
	Control__OpenParams params = CONTROL__OPEN_PARAMS__INIT;
	Control__Bye bye = CONTROL__BYE__INIT;

	switch (m->body_case) {
	case CONTROL__MESSAGE__BODY_LOAD:
		me.name = strstr(m->load->shown_path, "canary") ? "canary" : "evil";
		me.id = me.name[0] == 'c' ? CANARY_ID : EVIL_ID;
		loaded();
		break;
	case CONTROL__MESSAGE__BODY_INIT:
		take_init(m->init);
		break;
	case CONTROL__MESSAGE__BODY_OPEN:
		me.n = param(m->open->params, "n=");
		me.pause_us = param(m->open->params, "pause_us=");
		opened();
		break;
	case CONTROL__MESSAGE__BODY_PLAN:
		take_plan(m->plan);
		break;
	case CONTROL__MESSAGE__BODY_START:
		run();
		break;
	case CONTROL__MESSAGE__BODY_STOP:
		say(CONTROL__MESSAGE__BODY_STOPPED, &stopped);
		break;
	case CONTROL__MESSAGE__BODY_LIST_OPEN_PARAMS:
		say(CONTROL__MESSAGE__BODY_OPEN_PARAMS, &params);
		break;
	case CONTROL__MESSAGE__BODY_QUIT:
		say(CONTROL__MESSAGE__BODY_BYE, &bye);
		end();
		break;
	default:
		end();
	}
}

int
main(void)
{
	Control__Ready ready = CONTROL__READY__INIT;
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	Control__Message *m;
	struct err err;

	sigaction(SIGPIPE, &ignore, NULL);
	me.frame = malloc(LIMIT_FRAME_BYTES);
	if (!me.frame ||
	    !ring_pair_map(&me.up, &me.side_up, UP_FD, LIMIT_RING_UP_BYTES,
		LIMIT_RING_SIDE_UP_BYTES, true, &err) ||
	    !ring_pair_map(&me.down, &me.side_down, DOWN_FD, LIMIT_RING_DOWN_BYTES,
		LIMIT_RING_SIDE_DOWN_BYTES, false, &err))
		return 1;
	close(UP_FD);
	close(DOWN_FD);
	ring_writer_init(&me.out, &me.up, &me.down);
	ring_reader_init(&me.in, &me.up, &me.down);
	channel_init(&me.channel, CONTROL_FD);
	if (!confine_enter(&err)) {
		dprintf(STDERR_FILENO, "evil worker: %s\n", err.msg);
		return 1;
	}
	say(CONTROL__MESSAGE__BODY_READY, &ready);
	while (channel_receive(&me.channel, &m, &err) == CHANNEL_OK) {
		take(m);
		channel_message_free(m);
	}
	return 0;
}
