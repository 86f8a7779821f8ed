/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of groups.h as notify.c judges by them and notify_words.c words them: both
 * must agree on which row it was that notified. Nobody else includes this.
 */
#ifndef POLICY_NOTIFY_ROWS_H
#define POLICY_NOTIFY_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum row_verdict {
	ROW_REFUSE,
	ROW_DENY,
	ROW_ATTACK,
	ROW_JUDGE,
	ROW_ALLOW,
};

enum row_kind {
	KIND_NONE,
	KIND_LOOK,
	KIND_OPEN,
	KIND_WRITE,
	KIND_FD,
	KIND_EXEC,
	KIND_PROCESS,
	KIND_SIGNAL,
	KIND_SOCKET,
	KIND_BIND,
	KIND_LISTEN,
	KIND_CONNECT,
	KIND_SEND,
	KIND_RECEIVE,
	KIND_OPTION,
	KIND_MEMORY,
	KIND_CODE,
	KIND_TERMINAL,
	KIND_SELF,
	KIND_HOST,
	KIND_ATTACK,
};

struct notify_row {
	const char *name;
	uint64_t mask, value, mask2, value2;
	int16_t nr;
	uint8_t verdict, kind, arg, arg2;
	bool negated;
	int error;
};

#define NOTIFY_SOCKET_TYPE 0xf /* SOCK_TYPE_MASK */

/* The row that made this call notify; NULL: none. */
const struct notify_row *notify_row_find(int nr, const uint64_t args[6]);

/* Of a row of KIND_OPEN. */
uint64_t notify_open_flags(const struct notify_row *r, const uint64_t args[6]);
bool notify_opens_to_write(uint64_t flags);
/* How some open a log to follow it. A file that is there opens as ever; that none is made
 * is up to the mount, which is read-only, and to Landlock. */
bool notify_opens_to_read_or_make(uint64_t flags);
/* Of a row of KIND_SOCKET. */
bool notify_is_internet(const uint64_t args[6]);

#endif
