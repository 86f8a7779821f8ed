/* SPDX-License-Identifier: Apache-2.0 */
/* Between those who use tables (tables_use.h), tables_call.c (calls and their answers)
 * and the plugin's own tables (tables_owner.h). Nobody else includes this. */
#ifndef WORKER_TABLES_INTERNAL_H
#define WORKER_TABLES_INTERNAL_H

#include "worker/tables.h"

/* Calls inside calls: of a plugin's table while it uses another's, and so on. */
enum {
	TABLE_DEPTH = 8
};

/* A frame to build a call or an answer in, and the bytes of what came back. */
struct table_room {
	struct table_frame frame;
	_Alignas(8) uint8_t wire[TABLE_FRAME_BYTES];
};

/* One per depth and thread; NULL at the greatest depth, or without memory. Given back in
 * the reverse order; freed when the thread ends. */
struct table_room *table_room_take(void);
void table_room_give_back(void);

/* Answers an entry that an iteration of ours has come to. */
typedef bool table_visit_fn(void *arg, const struct table_view *v);

/*
 * Sends the call in room->frame and waits for its answer: *ret_v, in room->wire. visit is
 * for the entries of an iteration, else NULL. False: no answer, or a failure; host->error
 * says why.
 */
bool table_transact(struct tables *t, struct table_room *room, table_visit_fn *visit,
    void *visit_arg, struct table_view *ret_v);
/* Without an answer. */
void table_tell(struct tables *t, struct table_room *room);

/* tables_use.c */
/* What this thread has kept for its next calls is freed. */
void use_thread_ends(void);

/* tables_owner.c */
/* Before all others. */
void owned_init(struct tables *t);
/* Answers a call of a user of our tables (0: we) into answer. */
void owned_serve(
    struct tables *t, const struct table_view *v, struct table_frame *answer);
/* The same for an iteration; visit is told each entry. */
void owned_iterate(struct tables *t, const struct table_view *v, table_visit_fn *visit,
    void *visit_arg, struct table_frame *answer);
/* add_table: what is wrong with it is in host->error. */
int32_t owned_add(struct tables *t, const struct plugin_table_input *in);

void tables_fail(struct tables *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
