/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kit as it comes. BUILD makes most variants of this file: another name or source, a
 * broken version, a missing symbol.
 */
#include "tests/plugins/kit.h"
