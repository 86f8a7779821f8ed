/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of an ELF file, by address: for stacks in crash records. The file may be
 * a plugin's, so nothing in it is believed: offsets and counts are checked, names come
 * out as printable ASCII, and what is too large is not read.
 */
#ifndef BROKER_SUPERVISOR_SYMBOLS_H
#define BROKER_SUPERVISOR_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"

enum {
	SYMBOL_NAME_BYTES = 200
};

struct symbols;

/* Reads .symtab, or .dynsym of a file that is stripped. *ret_stat is of the file that was
 * read. NULL, with err, when it has neither. */
struct symbols *symbols_read(const char *path, struct stat *ret_stat, struct err *err);
void symbols_free(struct symbols *s);

/* The function that holds address (the file's own, without the base that it was loaded
 * at). False: none does. */
bool symbols_find(const struct symbols *s, uint64_t address,
    char ret_name[SYMBOL_NAME_BYTES], uint64_t *ret_offset);

#endif
