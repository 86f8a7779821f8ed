/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile as two seccomp programs, by the table groups.h. The only unit that links
 * libseccomp; what it makes are arrays of struct sock_filter for raw seccomp(2).
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/profile.h"

struct sock_filter;

struct filter {
	const struct sock_filter *insn;
	uint32_t n; /* instructions; 0: no filter */
};

enum filter_shape {
	FILTER_TREE,   /* a binary search by call number: what is used */
	FILTER_LINEAR, /* one call after the other: the tests compare the two */
};

/* In force before the plugin's first byte; needs a listener. In the arena. */
bool filter_compile_load(struct filter *f, struct arena *arena, const struct profile *p,
    enum filter_shape shape, struct err *err);
/* Stacked on it after init. */
bool filter_compile_run(struct filter *f, struct arena *arena, const struct profile *p,
    enum filter_shape shape, struct err *err);

/* For the broker itself: allows all but what it has no use for (policy/broker_calls.h),
 * which raises SIGSYS. */
bool filter_compile_broker(struct filter *f, struct arena *arena, struct err *err);
/* The name of a call that its filter may refuse; safe in a signal handler. */
const char *filter_broker_call(int nr);

#endif
