/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/title.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static char *title_area;
static size_t title_size;

void
title_set_area(char *area, size_t size)
{
	title_area = area;
	title_size = size;
}

void
title_set(const char *role, const char *name)
{
	prctl(PR_SET_NAME, role, 0, 0, 0);
	if (title_size == 0)
		return;
	memset(title_area, 0, title_size);
	snprintf(
	    title_area, title_size, "%s%s%s", role, name[0] != '\0' ? " " : "", name);
}
