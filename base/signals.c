/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"

void
signals_block(sigset_t *ret_before)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, ret_before);
}
