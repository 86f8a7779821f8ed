/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between tables.c (the way of each operation), table_calls.c and table_names.c, which
 * keep one set of books. Nobody else includes this.
 */
#ifndef BROKER_TABLES_TABLES_INTERNAL_H
#define BROKER_TABLES_TABLES_INTERNAL_H

#include <sys/queue.h>

#include "base/limits.h"
#include "broker/tables/builtin_tables.h"
#include "broker/tables/tables.h"
#include "proto/table.h"

/* In the place of an owner's position. */
#define BUILTIN UINT32_MAX

struct event;
struct event_base;

/* A user's number of a table: position + 1. */
struct table_handle {
	uint32_t owner; /* position of its user record, or BUILTIN */
	uint32_t incarnation, id;
	bool used, is_sub;
};

/* A worker that has joined. Its number, to owners, is its position + 1. */
struct table_user {
	struct table_registry *registry;
	struct worker *worker;
	uint32_t incarnation; /* of the worker, that all this is about */
	struct table_handle *handle;
	uint32_t n_handle, n_call, n_walk;
	bool silent; /* let a call expire and has not answered since */
	bool uses_builtin, uses_others, is_used;
};

struct registered_table {
	char name[LIMIT_NAME_BYTES];
	uint32_t key_type, owner, id, incarnation;
};

struct table_call {
	TAILQ_ENTRY(table_call) link;
	uint32_t number;              /* ours; what the one called answers to */
	uint32_t from, to, from_call; /* positions; to may be BUILTIN */
	uint32_t from_incarnation, to_incarnation;
	enum table_op op;
	uint64_t last_tick;     /* it expires then */
	struct table_head head; /* as the caller sent it */
	struct builtin_walk *walk;
	struct table_call *within; /* of VISIT: the ITERATE */
};

/* A call that waits until those loaded before are initialised. */
struct held_call {
	TAILQ_ENTRY(held_call) link;
	uint32_t from, incarnation, len;
	_Alignas(8) uint8_t bytes[];
};

struct table_registry {
	struct event *on_tick;
	bool ticking;
	uint64_t tick;
	struct table_user user[LIMIT_PLUGINS - 1];
	uint32_t n_user, next_call;
	struct registered_table *table;
	uint32_t n_table;
	struct builtin_tables *builtin;
	TAILQ_HEAD(, table_call) calls;
	/* As many as were under way at once: LIMIT_TABLE_CALLS of each worker, and what
	 * its walks visit. */
	TAILQ_HEAD(, table_call) spare;
	TAILQ_HEAD(, held_call) held;
	struct table_counts counts;
	struct table_frame frame;
	_Alignas(8) uint8_t wire[TABLE_FRAME_BYTES];
};

/* table_calls.c */
bool table_calls_init(struct table_registry *r, struct event_base *base);
void table_calls_release(struct table_registry *r);

/* Alive, and the one that its record is about? */
bool table_user_is_there(const struct table_user *u);
/* False: it is not there, or its ring is full. */
bool table_send(struct table_user *to, const void *p, uint32_t len, bool wakes);
/* What is in r->frame. */
bool table_send_frame(struct table_registry *r, struct table_user *to);
/* Answers that call with a failure. */
void table_fail(struct table_registry *r, struct table_user *to,
    const struct table_head *head, const char *words);

/* Notes a call, which expires unless it is freed before. NULL: no memory. */
struct table_call *table_call_new(
    struct table_registry *r, uint32_t from, uint32_t to, const struct table_head *h);
void table_call_free(struct table_registry *r, struct table_call *c);
/* The call of that number, if the one at to was asked; else NULL. */
struct table_call *table_call_find(
    struct table_registry *r, uint32_t number, uint32_t to);
/* The caller is told no, and the call is over. */
void table_call_fail(struct table_registry *r, struct table_call *c, const char *words);

/* table_names.c */
/* The user's number for it; 0: it has too many, or no memory. */
uint32_t table_handle_new(struct table_user *u, const struct table_handle *h);
/* NULL: it has none of that number. Good until the next is made. */
const struct table_handle *table_handle_find(const struct table_user *u, uint32_t number);
/* Answers LIST, GET and ADD. */
void table_names_serve(
    struct table_registry *r, struct table_user *u, const struct table_view *v);
/* Is somebody loaded before not initialised yet? Then the call is held. */
bool table_names_must_wait(const struct table_registry *r, const struct table_user *u);
/* Keeps a copy of the call's frame. False: no memory. */
bool table_names_hold(
    struct table_registry *r, struct table_user *u, const void *p, uint32_t len);
/* Answers those that have waited long enough. */
void table_names_resume(struct table_registry *r);
/* The tables of that owner are no more. */
void table_names_drop(struct table_registry *r, uint32_t owner);

#endif
