/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for the system's log, as syslog(3) sends them (no process number; to a socket of
 * datagrams or, where the log has one, a stream), but never
 * waiting and without a lock of the whole process: a log that nobody reads must not hold
 * up who has something to say. One user at a time.
 */
#ifndef BASE_SYSLOG_SOCKET_H
#define BASE_SYSLOG_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#define SYSLOG_SOCKET_PATH "/dev/log"

struct syslog_socket {
	const char *path;
	int fd;         /* -1: not connected */
	bool is_stream; /* of the log's own choice */
};

/* priority: 0 (emergency) to 7. False, errno says why: EAGAIN when there is no room. */
bool syslog_socket_send(
    struct syslog_socket *s, int priority, const char *text, size_t len);
void syslog_socket_close(struct syslog_socket *s);

#endif
