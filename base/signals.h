/* SPDX-License-Identifier: Apache-2.0 */
/* What threads that are not the main one do about signals: nothing. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <signal.h>

/* Blocks all in this thread, and in those that it makes, but SIGSYS: what handles that
 * has the last word of a process whose filter has refused a call. To be put back by
 * pthread_sigmask. */
void signals_block(sigset_t *ret_before);

#endif
