/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's log. Only programs log (broker, launcher, worker's main), libraries
 * return errors. Lines go to the sinks that are on: stderr in Falco's format
 * ("Www Mmm dd HH:MM:SS yyyy: <msg>" local time, or ISO 8601 UTC), syslog with the level,
 * or a function (the launcher and workers send records up). One line per call: control
 * characters in the message are escaped here, newlines only kept inside LOG_MULTILINE.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Falco's levels: the lower, the more severe. */
enum log_level {
	LOG_LEVEL_EMERGENCY,
	LOG_LEVEL_ALERT,
	LOG_LEVEL_CRITICAL,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct log_config {
	enum log_level max_level;
	bool to_stderr, to_syslog, iso8601, json;
	/* When set, gets every line instead of stderr and syslog. */
	void (*sink)(enum log_level level, const char *line);
};

void log_configure(const struct log_config *config);
/* Start-up default: info and above to stderr. */

/* Lines that the system's log did not take: it is not there, or full. Lines that nobody
 * read from standard error: a line waits for that at most a second, or not at all when
 * the one before had to. */
uint64_t log_syslog_lost(void);
uint64_t log_stderr_lost(void);

void log_emergency(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_critical(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Keeps newlines of text (rule diagnostics); other control characters are escaped. */
void log_text(enum log_level level, const char *text);
/* "Www Mmm dd HH:MM:SS yyyy" or the ISO form, for t seconds since the epoch. */
void log_format_time(char *out, unsigned long size, int64_t t, bool iso8601);
/* "emergency" … "debug"; also accepts "info" and "informational", any case. */
bool log_level_parse(const char *name, enum log_level *ret_level);

#endif
