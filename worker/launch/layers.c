/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/layers.h"

#include <stdio.h>
#include <string.h>

static const struct {
	uint32_t layer;
	const char *name;
	uint32_t tier;
} layers[] = {
#define LAYER(id, name, tier) {LAYER_##id, name, tier},
    LAUNCH_LAYERS(LAYER)
#undef LAYER
};
#define N_LAYERS (sizeof(layers) / sizeof(layers[0]))

uint32_t
launch_tier_layers(uint32_t min_tier)
{
	uint32_t need = 0;

	if (min_tier == 0)
		min_tier = LAUNCH_TIER_FULL;
	for (size_t i = 0; i < N_LAYERS; i++)
		if (layers[i].tier != 0 && layers[i].tier <= min_tier)
			need |= layers[i].layer;
	return need;
}

void
launch_layers_text(uint32_t set, char *out, unsigned long size)
{
	size_t len = 0;

	if (size > 0)
		out[0] = '\0';
	for (size_t i = 0; i < N_LAYERS; i++) {
		size_t need = strlen(layers[i].name) + (len > 0);
		if ((set & layers[i].layer) == 0 || need >= size - len)
			continue;
		snprintf(
		    out + len, size - len, "%s%s", len > 0 ? " " : "", layers[i].name);
		len += need;
	}
}
