/* SPDX-License-Identifier: Apache-2.0 */
/* Files that an operator names: read whole, and folders as lists. */
#ifndef BROKER_SETTINGS_FILES_H
#define BROKER_SETTINGS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the whole file. ERR_SYS when it cannot be opened or read, ERR_LIMIT when it
 * does not fit into out; the text does not name the file. */
bool file_read(const char *path, struct buf *out, struct err *err);

struct file_list {
	char **path;
	size_t n;
};

/*
 * The path itself when it is no directory, else the regular files in it (links followed,
 * not below it), sorted bytewise; want says which paths count, NULL all. ERR_SYS with
 * ENOENT when the path is not there.
 */
bool file_list_read(struct file_list *list, const char *path,
    bool (*want)(const char *path), struct err *err);
void file_list_release(struct file_list *list);

#endif
