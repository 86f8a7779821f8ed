/* SPDX-License-Identifier: Apache-2.0 */
/* A file that passes preflight; nobody loads it. */
const char *
plugin_get_required_api_version(void)
{
	return "3.0.0";
}
const char *
plugin_get_name(void)
{
	return "probe";
}
const char *
plugin_get_description(void)
{
	return "a plugin for the launcher's test";
}
const char *
plugin_get_contact(void)
{
	return "none";
}
const char *
plugin_get_version(void)
{
	return "0.1.0";
}
const char *
plugin_get_last_error(void *state)
{
	return "";
}
void *
plugin_init(const void *input, int *rc)
{
	*rc = 0;
	return (void *)&plugin_get_name;
}
void
plugin_destroy(void *state)
{
}
const char *
plugin_get_fields(void)
{
	return "[]";
}
int
plugin_extract_fields(void *state, const void *event, const void *input)
{
	return 0;
}
