/* SPDX-License-Identifier: Apache-2.0 */
/* What the address sanitizer asks of the program that it is in. */
const char *__asan_default_options(void);

/* No program to symbolize with, no threads to stop for leaks; signals are ours; and
 * quirks.c searches all of a plugin, red zones too. */
__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
	return "symbolize=0:detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_abort=0:"
	       "handle_sigill=0:handle_sigfpe=0:max_allocation_size_mb=1024:"
	       "quarantine_size_mb=16:use_sigaltstack=0:intercept_memmem=0";
}
