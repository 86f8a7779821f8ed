/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fuzzing campaign and its worker share: two memfds and a socket.
 *
 * "down" is written by the campaign alone: one request. "up" is written by the worker,
 * and stays when a worker dies and the next one takes its place: what is covered, what
 * was found, and what was going on at the end. Everything in "up" is hostile input to the
 * campaign: lengths are read once and checked, texts end where the campaign says.
 *
 * On the socket (the worker's descriptor 3): the campaign writes FUZZ_GO when a request
 * lies in "down"; the worker answers FUZZ_DONE when it has been carried out, and
 * two words before a case of the source target goes on, for what it may not do itself:
 * FUZZ_EMPTY_FILE, the file must be emptied, and FUZZ_FEED, the part feed_part of the
 * case is to be written to the pipe, or posted. Both are answered with FUZZ_GO.
 */
#ifndef WORKER_FUZZ_SHARED_H
#define WORKER_FUZZ_SHARED_H

#include <stdatomic.h>
#include <stdint.h>

#include "worker/fuzz/case.h"

enum {
	FUZZ_GO = 'g',
	FUZZ_DONE = 'd',
	FUZZ_EMPTY_FILE = 'e',
	FUZZ_FEED = 'f',
};

enum {
	FUZZ_WORDS = 4096,
	FUZZ_WORD_BYTES = 63,
	FUZZ_TEXT_BYTES = 64 << 10, /* configuration and open parameters */
	FUZZ_PATH_BYTES = 4096,
	FUZZ_FRAMES = 24,
	FUZZ_MODULE_BYTES = 64,
	FUZZ_SYMBOL_BYTES = 128,
	FUZZ_MESSAGE_BYTES = 512,
	FUZZ_REASON_BYTES = 1200, /* of a struct err */
	/* Edges by hash or guard number, then counters that plugins bring. */
	FUZZ_EDGES = 1 << 16,
	FUZZ_FEATURES = 1 << 19,
	FUZZ_FIND_BYTES = 4 << 20,
	FUZZ_RARE_FIELDS = 1024,
	FUZZ_HISTORY = 16,
	FUZZ_HISTORY_BYTES = 4096,
	FUZZ_BREACHES = 256,
	FUZZ_BLOCKS = 1 << 20,
	FUZZ_TYPES = 512,
};

enum fuzz_request_kind {
	FUZZ_LOAD = 1, /* once, first: load the plugin; init, where the target needs it */
	FUZZ_RUN,      /* cases first to first + n - 1 of the round */
	FUZZ_HARVEST,  /* open, and events as finds: seeds of a live run */
};

/* How a case of the source target comes to the plugin. */
enum fuzz_way {
	FUZZ_WAY_NONE,
	FUZZ_WAY_FILE, /* descriptor 7 is it */
	FUZZ_WAY_PIPE, /* the campaign writes it */
	FUZZ_WAY_POST, /* the campaign posts it, by HTTP */
};

struct fuzz_word {
	uint8_t len;
	uint8_t bytes[FUZZ_WORD_BYTES];
};

struct fuzz_down {
	uint32_t layout; /* FUZZ_LAYOUT: both programs were built together */
	uint32_t kind;
	uint32_t target;
	/* LOAD */
	uint32_t hang_ms;
	uint32_t way; /* enum fuzz_way */
	/* Descriptor 6 is the file that the plugin is loaded from, to put breakpoints
	 * into. */
	uint32_t has_copy;
	uint64_t memory_bytes; /* that one case may take */
	char plugin_path[FUZZ_PATH_BYTES];
	char config[FUZZ_TEXT_BYTES];
	char params[FUZZ_TEXT_BYTES];
	/* Of the last FUZZ_FEED: everything has been sent, or nobody took it. */
	_Atomic uint32_t fed;
	/* RUN: case k of a round is a function of what stands here, and of the operands
	 * of the seed's comparisons. Case 0 is the seed itself. */
	uint64_t round;
	uint32_t first, n;
	uint32_t round_ms;  /* no case begins later than this; 0: all of them */
	uint32_t verbatim;  /* every case is the seed: replaying */
	uint32_t max_bytes; /* a case grows no further than this or its seed */
	/* Fields that kill the plugin, a bit each: asked for in one case of 16, so that
	 * the others get their turn. Not when replaying. */
	uint8_t rare[FUZZ_RARE_FIELDS / 8];
	uint32_t seed_len, other_len;
	uint32_t n_words;
	struct fuzz_word word[FUZZ_WORDS];
	uint8_t seed[CASE_BYTES], other[CASE_BYTES]; /* other: what is spliced in */
};

/* What stopped a case, or was wrong about one. TRAP(id, name) */
/* clang-format off */
#define FUZZ_TRAPS(TRAP) \
	TRAP(NONE,   "") \
	TRAP(SIGNAL, "crash") \
	TRAP(EXIT,   "exit") \
	TRAP(HANG,   "hang") \
	TRAP(MEMORY, "memory") \
	TRAP(BREACH, "breach")
/* clang-format on */

enum fuzz_trap_kind {
#define FUZZ_TRAP_ENUM(id, name) FUZZ_TRAP_##id,
	FUZZ_TRAPS(FUZZ_TRAP_ENUM)
#undef FUZZ_TRAP_ENUM
};

struct fuzz_frame {
	uint64_t offset; /* from the module's start; of the call, not the return */
	char module[FUZZ_MODULE_BYTES];
	char symbol[FUZZ_SYMBOL_BYTES]; /* "" unknown */
	uint32_t is_plugin;
};

struct fuzz_trap {
	uint32_t kind;
	int32_t signal, code;
	uint64_t address;
	uint32_t n_frames;
	struct fuzz_frame frame[FUZZ_FRAMES];
	char message[FUZZ_MESSAGE_BYTES];
};

/* Where the worker is: STAGE(id, shown) */
/* clang-format off */
#define FUZZ_STAGES(STAGE) \
	STAGE(START,   "starting") \
	STAGE(LOAD,    "loading") \
	STAGE(INIT,    "init") \
	STAGE(IDLE,    "idle") \
	STAGE(EXTRACT, "extract_fields") \
	STAGE(TEXT,    "event_to_string") \
	STAGE(PARSE,   "parse_event") \
	STAGE(OPEN,    "open") \
	STAGE(BATCH,   "next_batch") \
	STAGE(CLOSE,   "close") \
	STAGE(DESTROY, "destroy") \
	STAGE(ASYNC,   "set_async_event_handler") \
	STAGE(CHECK,   "reading what it returned")
/* clang-format on */

enum fuzz_stage {
#define FUZZ_STAGE_ENUM(id, name) FUZZ_STAGE_##id,
	FUZZ_STAGES(FUZZ_STAGE_ENUM)
#undef FUZZ_STAGE_ENUM
	FUZZ_STAGE_N
};

/* In finds: {u32 kind, u32 len, u32 message_len}, the case, the message; packed. */
enum fuzz_find_kind {
	FUZZ_FIND_COVERAGE = 1,
	FUZZ_FIND_BREACH,
	FUZZ_FIND_SEED,
	FUZZ_FIND_WORD, /* the plugin compares with it */
};

struct fuzz_find_head {
	uint32_t kind, len, message_len;
};

/* A case that ran: what came later may depend on it. */
struct fuzz_past {
	uint32_t len; /* 0: too large to be kept */
	uint8_t bytes[FUZZ_HISTORY_BYTES];
};

struct fuzz_up {
	_Atomic uint64_t executions; /* of this worker */
	_Atomic uint32_t stage;
	_Atomic uint32_t case_number; /* of the round, while it runs */
	uint32_t is_instrumented;
	uint32_t n_types; /* of events of system calls that the plugin wants, and which */
	uint16_t type[FUZZ_TYPES];
	uint32_t failed; /* LOAD or HARVEST: message says why */
	uint32_t n_operands;
	_Atomic uint32_t feed_part;
	char message[FUZZ_REASON_BYTES];
	_Atomic uint32_t features; /* bits of seen that are set */
	struct fuzz_trap trap;
	uint32_t case_len;
	uint8_t test_case[CASE_BYTES];
	struct fuzz_past
	    past[FUZZ_HISTORY];       /* case n of the process at n modulo their number */
	_Atomic uint32_t finds_bytes; /* in whole finds */
	uint8_t finds[FUZZ_FIND_BYTES];
	uint32_t n_breaches;
	uint64_t breach[FUZZ_BREACHES]; /* hashes of those told */
	/* Buckets of hit counts, one bit each. */
	uint16_t seen[FUZZ_FEATURES];
	/* Where breakpoints tell: how many blocks there are, and which were hit. */
	uint32_t n_blocks;
	_Atomic uint32_t n_blocks_hit;
	uint8_t block_hit[FUZZ_BLOCKS / 8];
	/* What the last case hit, kept where somebody outside asks for it. */
	uint32_t want_map;
	uint8_t map[FUZZ_EDGES];
};

#define FUZZ_LAYOUT (sizeof(struct fuzz_up) ^ sizeof(struct fuzz_down) << 1)

#endif
