/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object like any other. */
int just_a_library(void);
int
just_a_library(void)
{
	return 1;
}
