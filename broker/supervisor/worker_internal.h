/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of struct worker: moves (the table), deadline, ask (beside the steps
 * of its life), side (the side ring), io (messages and lines), launch (processes and what
 * they share with us). */
#ifndef BROKER_SUPERVISOR_WORKER_INTERNAL_H
#define BROKER_SUPERVISOR_WORKER_INTERNAL_H

#include "broker/supervisor/supervisor.h"
#include "broker/supervisor/worker.h"

/* worker_moves.c */
void worker_event(struct worker *w, enum worker_event event);
/* Planned was answered, to the plan that was sent last. */
void worker_replanned(struct worker *w);
bool worker_send(struct worker *w, const Control__Message *m);
enum worker_phase worker_phase(const struct worker *w);

/* worker_deadline.c */
/* From now on, ms until it is late (0: never); what the state that it is in allows. */
void worker_arm(struct worker *w, uint32_t ms);
void worker_arm_deadline(struct worker *w);
/* It has hung up: its death is due within a second. */
void worker_expect_death(struct worker *w);
/* From time to time: worker_look tells the time (monotonic), then of each worker: is it
 * late, or still in the same call as before, and for too long? */
void worker_look(struct supervisor *s, uint64_t now);
void worker_watch(struct worker *w);
/* When that is to be the next time: in a while, or soon, for something is due. */
void worker_look_again(struct supervisor *s);
void worker_look_soon(struct supervisor *s);

/* worker_side.c: what is in the side ring */
void worker_side_take(struct worker *w);
/* All that there is: what a message on the other way is the end of. */
void worker_side_take_all(struct worker *w);

/* worker_ask.c */
/* What was asked is answered. */
void worker_answered(struct worker *w, bool done);

/* worker_launch.c */
bool worker_launch(struct worker *w, struct err *err);
/* Closes and unmaps what belongs to the incarnation, once it is dead. */
void worker_bury(struct worker *w);
void worker_kill(struct worker *w);

/* worker_io.c: callbacks of the loop */
void worker_on_control(int fd, short what, void *arg);
void worker_on_wake(int fd, short what, void *arg);
void worker_on_output(int fd, short what, void *arg);
/* What is left in the pipe and of a line, when the process is gone. */
void worker_drain_output(struct worker *w);
/* Messages that arrived before the end: the last words. */
void worker_drain_control(struct worker *w);

/* plugin_describe.c: checks what a worker says of its plugin and copies it into
 * w->plugin, or, for a later incarnation, that it says the same again. */
bool worker_describe(
    struct worker *w, const Control__Loaded *peer_loaded, struct err *err);

#endif
