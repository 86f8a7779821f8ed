/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long instructions of x86-64 are, and where they lead: all that is needed to tell
 * where basic blocks begin. What else operands mean is of no interest here, so this is a
 * page of tables where a disassembler would be a library in the plugin's own process.
 */
#ifndef WORKER_FUZZ_INSN_H
#define WORKER_FUZZ_INSN_H

#include <stddef.h>
#include <stdint.h>

enum insn_kind {
	INSN_PLAIN,  /* the next instruction follows */
	INSN_BRANCH, /* that, or target */
	INSN_JUMP,   /* to target alone */
	INSN_END,    /* what follows is reached from elsewhere, if at all */
	INSN_PAD,    /* what compilers fill gaps with */
};

struct insn {
	enum insn_kind kind;
	int64_t target; /* from the instruction's first byte */
	/* A number that something is compared with, or that is put where it will be: so
	 * many of the last bytes; 0: none. */
	uint32_t constant;
};

/* The length of the instruction at p; 0: it is none, or does not end within n bytes. */
uint32_t insn_decode(const uint8_t *p, size_t n, struct insn *ret);

#endif
