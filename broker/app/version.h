/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions. Scripts that drive a falco executable compare these, so they are those of the
 * Falco whose behaviour is kept; our own stands beside them.
 */
#ifndef BROKER_APP_VERSION_H
#define BROKER_APP_VERSION_H

#include "rules/engine.h"

#define MEWS_VERSION "0.1.0"

#define MEWS_FALCO_VERSION         "0.44.0"
#define MEWS_LIBS_VERSION          "0.0.0-local"
#define MEWS_PLUGIN_API_VERSION    "3.12.0"
#define MEWS_ENGINE_VERSION_MINOR  "63"
#define MEWS_DRIVER_API_VERSION    "10.0.0"
#define MEWS_DRIVER_SCHEMA_VERSION "4.3.0"
#define MEWS_DRIVER_VERSION        "0.0.0-local"

#endif
