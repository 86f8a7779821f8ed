/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of small files that the broker leaves behind for people: crash records, events
 * set aside. Bounded: past RECORD_FILES_MAX of one kind the oldest go, and no file is
 * larger than RECORD_BYTES_MAX. A file is written beside its place and renamed, so that
 * nobody ever reads half of one.
 */
#ifndef BROKER_SUPERVISOR_RECORD_DIR_H
#define BROKER_SUPERVISOR_RECORD_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	RECORD_FILES_MAX = 100,
	RECORD_BYTES_MAX =
	    4 << 20, /* an event of LIMIT_EVENT_BYTES as base64, and words */
};

/*
 * Writes DIR/KIND/STAMP-NUMBER-NAME.json; DIR/KIND is made when DIR is there. name is
 * reduced to what fits a file name. *ret_path (size bytes) is where it went.
 */
bool record_write(const char *dir, const char *kind, const char *name, const char *text,
    size_t len, char *ret_path, size_t size, struct err *err);

#endif
