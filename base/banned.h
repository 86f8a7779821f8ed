/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that this codebase does not make; a use is a compile error. Included last by
 * every .c of a library room's own choosing, and by the lint in test.sh for all. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi gets alloca system popen
#endif
