/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/eval.h"

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

static bool
check_insn(const struct sock_filter *f, uint32_t left, struct err *err)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (f->k % 4 != 0 || f->k > sizeof(struct seccomp_data) - 4)
			return err_set(err, ERR_SYNTAX, "load at %u", f->k);
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		if (f->k >= BPF_MEMWORDS)
			return err_set(err, ERR_SYNTAX, "scratch word %u", f->k);
		return true;
	case BPF_JMP | BPF_JA:
		if (f->k >= left)
			return err_set(err, ERR_SYNTAX, "jump by %u", f->k);
		return true;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		if (f->jt >= left || f->jf >= left)
			return err_set(err, ERR_SYNTAX, "jump by %u or %u", f->jt, f->jf);
		return true;
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_ALU | BPF_AND | BPF_K:
	case BPF_ALU | BPF_OR | BPF_K:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
		return true;
	}
	return err_set(err, ERR_SYNTAX, "instruction 0x%x", f->code);
}

bool
bpf_check(const struct sock_filter *insn, uint32_t n, struct err *err)
{
	if (n == 0 || n > BPF_MAXINSNS)
		return err_set(err, ERR_SYNTAX, "a program of %u instructions", n);
	for (uint32_t i = 0; i < n; i++)
		if (!check_insn(&insn[i], n - 1 - i, err))
			return err_wrap(err, "instruction %u", i);
	if (BPF_CLASS(insn[n - 1].code) != BPF_RET)
		return err_set(err, ERR_SYNTAX, "no return at the end");
	return true;
}

uint32_t
bpf_run(const struct sock_filter *insn, uint32_t n, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, m[BPF_MEMWORDS] = {0};

	/* Jumps only go forward, so this ends. */
	for (uint32_t i = 0; i < n; i++) {
		const struct sock_filter *f = &insn[i];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + f->k, sizeof(a));
			break;
		case BPF_LD | BPF_IMM:
			a = f->k;
			break;
		case BPF_LDX | BPF_IMM:
			x = f->k;
			break;
		case BPF_LD | BPF_MEM:
			a = m[f->k];
			break;
		case BPF_LDX | BPF_MEM:
			x = m[f->k];
			break;
		case BPF_ST:
			m[f->k] = a;
			break;
		case BPF_STX:
			m[f->k] = x;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_ALU | BPF_OR | BPF_K:
			a |= f->k;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_MISC | BPF_TXA:
			a = x;
			break;
		case BPF_JMP | BPF_JA:
			i += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			i += a > f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			i += a & f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_RET | BPF_A:
			return a;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

uint32_t
bpf_stricter(uint32_t a, uint32_t b)
{
	/* The kernel compares actions as signed numbers: KILL_PROCESS is the smallest. */
	int32_t sa = (int32_t)(a & SECCOMP_RET_ACTION_FULL);
	int32_t sb = (int32_t)(b & SECCOMP_RET_ACTION_FULL);

	return sb < sa ? b : a;
}

const char *
bpf_action_text(uint32_t action, char *out, unsigned long size)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		snprintf(out, size, "allow");
		break;
	case SECCOMP_RET_USER_NOTIF:
		snprintf(out, size, "notify");
		break;
	case SECCOMP_RET_ERRNO:
		snprintf(out, size, "errno %u", action & SECCOMP_RET_DATA);
		break;
	case SECCOMP_RET_KILL_PROCESS:
		snprintf(out, size, "kill");
		break;
	default:
		snprintf(out, size, "0x%x", action);
	}
	return out;
}
