/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kit as it comes. BUILD makes most variants of this file: another name or source, a
 * broken version, a missing symbol.
 *
 * Falco runs it as it is; a variant that is broken ends it with the words of
 * tests/e2e/0030-bad-input.sh.
 */
#include "tests/plugins/kit.h"
