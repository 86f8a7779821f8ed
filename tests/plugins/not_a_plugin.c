/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared object like any other.
 *
 * Falco: "cannot load plugin PATH: plugin_get_required_api_version symbol not
 * implemented".
 */
int just_a_library(void);
int
just_a_library(void)
{
	return 1;
}
