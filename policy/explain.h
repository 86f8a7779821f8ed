/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy for people: what a profile allows, in words; what a confinement makes of it;
 * what its filters answer; what to think about before using it. Text ends with a newline
 * and is escaped where it comes from files.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "base/buf.h"
#include "policy/confinement.h"
#include "policy/profile.h"

/* Files, network, processes, memory, deadlines, restarts. */
void explain_profile(const struct profile *p, struct buf *out);

/* The profile, what stands in the worker's root, its environment and its system calls. */
void explain_confinement(const struct confinement *c, struct buf *out);

/* Every system call that the two programs say something about, by what happens. */
void explain_filters(const struct confinement *c, struct buf *out);

/*
 * What deserves a second look, one line each, worst first ("DANGER: …", then "note: …");
 * returns how many. No line: nothing.
 */
unsigned explain_risks(const struct profile *p, struct buf *out);

#endif
