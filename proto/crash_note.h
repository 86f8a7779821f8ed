/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker leaves of its own crash, in the rest of the page of its ring "up": the
 * signal, the registers, the return addresses of the thread that it happened on, and
 * where the objects are that those addresses lie in. Written by a signal handler
 * (worker/crash.c), read by the broker once the process is gone.
 *
 * It is the word of a process that may be lying, and is shown as such. The layout is
 * fixed; the broker reads all of it once, into memory of its own.
 */
#ifndef PROTO_CRASH_NOTE_H
#define PROTO_CRASH_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/ring.h"

enum {
	CRASH_FRAMES = 48,
	CRASH_MODULES = 16,
	CRASH_PATH_BYTES = 152
};

/* R(name, where mcontext_t has it) */
/* clang-format off */
#if defined(__x86_64__)
#define CRASH_REGISTERS(R) \
	R(rip, gregs[REG_RIP]) R(rsp, gregs[REG_RSP]) R(rbp, gregs[REG_RBP]) \
	R(rax, gregs[REG_RAX]) R(rbx, gregs[REG_RBX]) R(rcx, gregs[REG_RCX]) \
	R(rdx, gregs[REG_RDX]) R(rsi, gregs[REG_RSI]) R(rdi, gregs[REG_RDI]) \
	R(r8,  gregs[REG_R8])  R(r9,  gregs[REG_R9])  R(r10, gregs[REG_R10]) \
	R(r11, gregs[REG_R11]) R(r12, gregs[REG_R12]) R(r13, gregs[REG_R13]) \
	R(r14, gregs[REG_R14]) R(r15, gregs[REG_R15]) R(eflags, gregs[REG_EFL]) \
	R(err, gregs[REG_ERR]) R(trapno, gregs[REG_TRAPNO])
#elif defined(__aarch64__)
#define CRASH_REGISTERS(R) \
	R(pc, pc) R(sp, sp) R(pstate, pstate) \
	R(x0, regs[0]) R(x1, regs[1]) R(x2, regs[2]) R(x3, regs[3]) R(x4, regs[4]) \
	R(x5, regs[5]) R(x6, regs[6]) R(x7, regs[7]) R(x8, regs[8]) R(x9, regs[9]) \
	R(x10, regs[10]) R(x11, regs[11]) R(x12, regs[12]) R(x13, regs[13]) \
	R(x14, regs[14]) R(x15, regs[15]) R(x16, regs[16]) R(x17, regs[17]) \
	R(x18, regs[18]) R(x19, regs[19]) R(x20, regs[20]) R(x21, regs[21]) \
	R(x22, regs[22]) R(x23, regs[23]) R(x24, regs[24]) R(x25, regs[25]) \
	R(x26, regs[26]) R(x27, regs[27]) R(x28, regs[28]) R(x29, regs[29]) \
	R(x30, regs[30])
#else
#error "mews runs on x86_64 and aarch64"
#endif
/* clang-format on */

enum crash_register {
#define CRASH_REGISTER_ENUM(name, where) CRASH_REGISTER_##name,
	CRASH_REGISTERS(CRASH_REGISTER_ENUM)
#undef CRASH_REGISTER_ENUM
	CRASH_REGISTER_N,
};

/* An object that is loaded: addresses [start, end) are its. */
struct crash_module {
	uint64_t base, start, end;
	char path[CRASH_PATH_BYTES]; /* inside the worker; "": its program */
};

struct crash_note {
	uint32_t signal;  /* 0: nothing happened */
	int32_t code;     /* si_code */
	uint64_t address; /* si_addr */
	int32_t thread;
	uint32_t is_guess; /* frames were looked for on the stack, not unwound */
	uint32_t n_frames, n_modules;
	uint64_t reg[CRASH_REGISTER_N];
	uint64_t frame[CRASH_FRAMES]; /* where it happened, then return addresses */
	struct crash_module module[CRASH_MODULES];
};

_Static_assert(sizeof(struct crash_note) <= RING_REST_BYTES, "it fits its place");

/* The worker's own, to be written. */
struct crash_note *crash_note_own(const struct ring_map *up);
/* A copy of what the peer left, its counts in bounds and its paths ended. False: it left
 * nothing. */
bool crash_note_read(struct crash_note *ret, const struct ring_map *up);

#endif
