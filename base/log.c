/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/syslog_socket.h"
#include "base/utf8.h"

enum {
	LINE_BYTES = 256 << 10,
	STUCK_MS = 1000
};

static struct log_config conf = {.max_level = LOG_LEVEL_INFO, .to_stderr = true};

static const char *const level_names[] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"};

static atomic_uint_fast64_t syslog_lost, stderr_lost;

uint64_t
log_syslog_lost(void)
{
	return atomic_load(&syslog_lost);
}

uint64_t
log_stderr_lost(void)
{
	return atomic_load(&stderr_lost);
}

void
log_configure(const struct log_config *config)
{
	conf = *config;
}

bool
log_level_parse(const char *name, enum log_level *ret_level)
{
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	if (strcasecmp(name, "informational") == 0) {
		*ret_level = LOG_LEVEL_INFO;
		return true;
	}
	return false;
}

void
log_format_time(char *out, unsigned long size, int64_t t, bool iso8601)
{
	time_t when = (time_t)t;
	struct tm tm;

	if (iso8601) {
		gmtime_r(&when, &tm);
		strftime(out, size, "%Y-%m-%dT%H:%M:%S+0000", &tm);
	} else {
		localtime_r(&when, &tm);
		strftime(out, size, "%a %b %e %H:%M:%S %Y", &tm);
	}
}

static void
escape_lines(struct buf *out, const char *text, bool multiline)
{
	while (*text) {
		const char *end = multiline ? strchrnul(text, '\n') : text + strlen(text);
		struct buf piece;
		buf_init(&piece, LINE_BYTES);
		utf8_escape(&piece, text, (size_t)(end - text), LINE_BYTES / 8);
		/* utf8_escape doubles backslashes so that escapes cannot be forged; our
		 * own messages quote paths and rules as they are, so undo just that. */
		for (size_t i = 0; i < piece.len; i++) {
			buf_addc(out, piece.data[i]);
			if (piece.data[i] == '\\' && i + 1 < piece.len &&
			    piece.data[i + 1] == '\\')
				i++;
		}
		buf_release(&piece);
		text = end;
		if (*text == '\n') {
			buf_addc(out, '\n');
			text++;
		}
	}
}

/* Whoever reads may have stopped: then it is waited for once, not for each line. What a
 * pipe is ready for it takes in one piece. Bytes written. */
static size_t
write_some(const char *p, size_t n)
{
	static atomic_bool stuck;
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t done = 0;

	while (done < n) {
		size_t piece = n - done < PIPE_BUF ? n - done : PIPE_BUF;
		int ready = poll(&out, 1, atomic_load(&stuck) ? 0 : STUCK_MS);
		if (ready < 0 && errno == EINTR)
			continue;
		atomic_store(&stuck, ready == 0);
		ssize_t k = ready > 0 ? write(STDERR_FILENO, p + done, piece) : 0;
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		done += (size_t)k;
	}
	return done;
}

static void
to_stderr(const struct buf *line)
{
	static atomic_bool torn;

	/* What follows half a line must not look like the rest of it. */
	if (atomic_load(&torn) && write_some("\n", 1) == 1)
		atomic_store(&torn, false);
	size_t done = atomic_load(&torn) ? 0 : write_some(line->data, line->len);
	if (done == line->len)
		return;
	atomic_fetch_add(&stderr_lost, 1);
	if (done > 0)
		atomic_store(&torn, true);
}

static void
to_syslog(enum log_level level, const char *text, size_t len)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct syslog_socket s = {.path = SYSLOG_SOCKET_PATH, .fd = -1};

	pthread_mutex_lock(&lock);
	if (!syslog_socket_send(&s, (int)level, text, len))
		atomic_fetch_add(&syslog_lost, 1);
	pthread_mutex_unlock(&lock);
}

static void
emit(enum log_level level, const char *text, bool multiline)
{
	int saved = errno;
	struct buf line, msg;
	char when[64];

	if (level > conf.max_level)
		return;
	buf_init(&line, LINE_BYTES);
	buf_init(&msg, LINE_BYTES);
	escape_lines(&msg, text, multiline);
	if (conf.sink) {
		conf.sink(level, buf_str(&msg));
		goto out;
	}
	if (conf.to_stderr) {
		log_format_time(
		    when, sizeof(when), (int64_t)time(NULL), conf.iso8601 || conf.json);
		if (conf.json) {
			struct json_writer w;
			json_init(&w, &line);
			json_begin_object(&w);
			json_key(&w, "level");
			json_str(&w, level_names[level]);
			json_key(&w, "msg");
			json_str(&w, buf_str(&msg));
			json_key(&w, "time");
			json_str(&w, when);
			json_end_object(&w);
			buf_addc(&line, '\n');
		} else {
			buf_addf(&line, "%s: %s\n", when, buf_str(&msg));
		}
		to_stderr(&line);
	}
	if (conf.to_syslog)
		to_syslog(level, buf_str(&msg), msg.len);
out:
	buf_release(&line);
	buf_release(&msg);
	errno = saved;
}

void
log_text(enum log_level level, const char *text)
{
	emit(level, text, true);
}

#define LEVEL_FUNCTION(name, level)                                                      \
	void name(const char *fmt, ...)                                                  \
	{                                                                                \
		struct buf b;                                                            \
		va_list ap;                                                              \
		if (level > conf.max_level)                                              \
			return;                                                          \
		buf_init(&b, LINE_BYTES);                                                \
		va_start(ap, fmt);                                                       \
		buf_vaddf(&b, fmt, ap);                                                  \
		va_end(ap);                                                              \
		emit(level, buf_str(&b), false);                                         \
		buf_release(&b);                                                         \
	}

LEVEL_FUNCTION(log_emergency, LOG_LEVEL_EMERGENCY)
LEVEL_FUNCTION(log_critical, LOG_LEVEL_CRITICAL)
LEVEL_FUNCTION(log_error, LOG_LEVEL_ERROR)
LEVEL_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LEVEL_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LEVEL_FUNCTION(log_info, LOG_LEVEL_INFO)
LEVEL_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
