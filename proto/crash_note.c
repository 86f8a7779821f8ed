/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/crash_note.h"

#include <string.h>

struct crash_note *
crash_note_own(const struct ring_map *up)
{
	return ring_rest(up);
}

bool
crash_note_read(struct crash_note *ret, const struct ring_map *up)
{
	memcpy(ret, ring_rest(up), sizeof(*ret));
	/* Nobody writes any more where this matters; should somebody, it is to ours. */
	__asm__ volatile("" : : "r"(ret) : "memory");
	if (ret->n_frames > CRASH_FRAMES)
		ret->n_frames = CRASH_FRAMES;
	if (ret->n_modules > CRASH_MODULES)
		ret->n_modules = CRASH_MODULES;
	for (uint32_t i = 0; i < CRASH_MODULES; i++)
		ret->module[i].path[CRASH_PATH_BYTES - 1] = '\0';
	return ret->signal != 0;
}
