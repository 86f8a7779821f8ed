/* SPDX-License-Identifier: Apache-2.0 */
/* Can events flow? Per source, with the reason when they cannot. */
#ifndef BROKER_OPERATORS_HEALTH_H
#define BROKER_OPERATORS_HEALTH_H

#include "broker/app/app.h"

bool health_source_is_ready(const struct app_source *as);
/*
 * {"ready":B,"sources":[{"ready":B,"source":S,"plugin":P,"state":…,"why":…}, …]}, enabled
 * sources alone. True when all of them are ready.
 */
bool health_json(const struct app *app, struct buf *out);

#endif
