/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ELF file says about itself, read without running any of it.
 *
 * Every offset and count of the file is checked against its bytes before use; the work is
 * linear in the file's size. Only files of this machine's kind are read further than
 * their header. Strings point into the given bytes and are NUL-terminated there.
 */
#ifndef POLICY_ELF_H
#define POLICY_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ELF_NEEDED_MAX 64u /* direct dependencies: the most seen in a plugin is 9 */

struct elf {
	const uint8_t *bytes;
	size_t n_bytes;
	bool is_shared_object; /* ET_DYN */
	bool is_program;       /* ET_EXEC, or marked as a position-independent program */
	const char *interp;    /* PT_INTERP; NULL: none */
	const char *needed[ELF_NEEDED_MAX];
	uint32_t n_needed;
	const char *runpath; /* DT_RUNPATH, else DT_RPATH; NULL: none */
	bool text_relocations;
	bool executable_stack; /* asked for, or not declined */
	bool writable_code;    /* a segment that is both */
	bool static_tls;
	bool go_runtime;
	char build_id[65]; /* hex; "": none */
	/* For elf_exports. */
	const uint8_t *symtab;
	const char *strtab;
	size_t n_symbols, n_strtab;
};

/* "x86_64": what this program was built for. */
const char *elf_this_machine(void);

/* Errors are in the loader's words where it has some: "file too short", "invalid ELF
 * header", "wrong ELF class: ELFCLASS32" (ERR_SYNTAX). */
bool elf_read(struct elf *e, const void *bytes, size_t n, struct err *err);

/* Calls each for the names of the dynamic symbols that the file defines for others. */
void elf_exports(
    const struct elf *e, void (*each)(const char *name, void *arg), void *arg);

#endif
