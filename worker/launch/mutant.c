/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers to leave out, for tests: MEWS_TEST_WITHOUT in the broker's environment, by
 * their names, with commas between. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/launch/layers.h"

static const char key[] = "MEWS_TEST_WITHOUT=";

static const struct {
	uint32_t layer;
	const char *name;
} layers[] = {
#define LAYER(id, name, tier) {LAYER_##id, name},
    LAUNCH_LAYERS(LAYER)
#undef LAYER
};

static uint32_t
layers_in(char *names)
{
	uint32_t set = 0;
	char *save = NULL;

	for (char *name = strtok_r(names, ",", &save); name != NULL;
	     name = strtok_r(NULL, ",", &save))
		for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
			if (strcmp(name, layers[i].name) == 0)
				set |= layers[i].layer;
	/* A root of its own is more than its namespace. */
	return set;
}

uint32_t
launch_test_without(void)
{
	static char text[1 << 17];
	char path[64];
	uint32_t set = 0;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *at = text; at < text + n; at += strlen(at) + 1)
		if (strncmp(at, key, sizeof(key) - 1) == 0)
			return layers_in(at + sizeof(key) - 1);
	return set;
}
