/* SPDX-License-Identifier: Apache-2.0 */
/* Exports what a plugin must, and needs a library besides libc; nothing of it is called.
 */
#include <math.h>

#define SYM(name, required, type, params) SYM_##required(name)
#define SYM_0(name)
#define SYM_1(name)                                                                      \
	__attribute__((visibility("default"))) double plugin_##name(double x);           \
	double plugin_##name(double x)                                                   \
	{                                                                                \
		return cbrt(x);                                                          \
	}
#include "proto/plugin_symbols.h"
