/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a function says that it failed.
 *
 * Every fallible function returns bool, takes "struct err *" last, and fills it only
 * when it returns false. Whoever decides what to do about it logs it; nobody in
 * between does. Library rooms never log.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_code {
	ERR_NONE,
	ERR_NOMEM,
	ERR_SYS,    /* sys holds errno */
	ERR_SYNTAX, /* text that we were given does not parse */
	ERR_LIMIT,  /* a bound written in limits.h was reached */
	ERR_PEER,   /* the other process broke the protocol: ends that worker, never the
		       broker */
	ERR_PLUGIN, /* the plugin said no: its own words are in msg */
	ERR_GONE,   /* the worker died first */
	ERR_USAGE,  /* configuration or command line asks for what cannot be */
};

struct err {
	enum err_code code;
	int sys;
	char msg[1200];
};

/* Both return false, so that a failure is one line. The text is cut to fit, never split
 * inside an UTF-8 sequence. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As err_set with ERR_SYS: appends ": <strerror(errno)>" and keeps errno in sys. */
bool err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "<prefix>: " before the text that err already holds. Returns false. */
bool err_wrap(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* ERR_NOMEM with its standing text. */
bool err_nomem(struct err *err);

#endif
