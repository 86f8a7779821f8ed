/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a seccomp program on one call, without installing it: filters are tested,
 * explained and compared this way. Understands what seccomp accepts of classic BPF;
 * programs are checked first, so that any bytes may be given.
 */
#ifndef POLICY_EVAL_H
#define POLICY_EVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct seccomp_data;
struct sock_filter;

/* Every jump lands inside, every load is of seccomp_data, the end is a return. */
bool bpf_check(const struct sock_filter *insn, uint32_t n, struct err *err);
/* The SECCOMP_RET_* value. The program has passed bpf_check. */
uint32_t bpf_run(
    const struct sock_filter *insn, uint32_t n, const struct seccomp_data *data);

/* Of two stacked filters, the answer that counts. */
uint32_t bpf_stricter(uint32_t a, uint32_t b);
/* "allow", "notify", "errno 38", "kill": for listings. */
const char *bpf_action_text(uint32_t action, char *out, unsigned long size);

#endif
