/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every symbol that a plugin may export (without its "plugin_" prefix), in the order in
 * which the plugin manager looks them up: SYM(name, required, return type, parameters).
 * Source of names and signatures: the public plugin API, version 3.12.0.
 */
/* clang-format off */
SYM(get_required_api_version,   1, const char *,        (void))
SYM(get_version,                1, const char *,        (void))
SYM(get_last_error,             1, const char *,        (plugin_state *))
SYM(get_name,                   1, const char *,        (void))
SYM(get_description,            1, const char *,        (void))
SYM(get_contact,                1, const char *,        (void))
SYM(get_init_schema,            0, const char *,        (uint32_t *type))
SYM(init,                       1, plugin_state *,      (const struct plugin_init_input *, int32_t *rc))
SYM(destroy,                    1, void,                (plugin_state *))
SYM(get_id,                     0, uint32_t,            (void))
SYM(get_event_source,           0, const char *,        (void))
SYM(open,                       0, plugin_instance *,   (plugin_state *, const char *params, int32_t *rc))
SYM(close,                      0, void,                (plugin_state *, plugin_instance *))
SYM(next_batch,                 0, int32_t,             (plugin_state *, plugin_instance *, uint32_t *nevts, struct plugin_event ***evts))
SYM(get_progress,               0, const char *,        (plugin_state *, plugin_instance *, uint32_t *pct))
SYM(list_open_params,           0, const char *,        (plugin_state *, int32_t *rc))
SYM(event_to_string,            0, const char *,        (plugin_state *, const struct plugin_event_input *))
SYM(get_fields,                 0, const char *,        (void))
SYM(extract_fields,             0, int32_t,             (plugin_state *, const struct plugin_event_input *, const struct plugin_extract_input *))
SYM(get_extract_event_sources,  0, const char *,        (void))
SYM(get_extract_event_types,    0, uint16_t *,          (uint32_t *n, plugin_state *))
SYM(get_parse_event_types,      0, uint16_t *,          (uint32_t *n, plugin_state *))
SYM(get_parse_event_sources,    0, const char *,        (void))
SYM(parse_event,                0, int32_t,             (plugin_state *, const struct plugin_event_input *, const struct plugin_parse_input *))
SYM(get_async_event_sources,    0, const char *,        (void))
SYM(get_async_events,           0, const char *,        (void))
SYM(set_async_event_handler,    0, int32_t,             (plugin_state *, plugin_owner *, plugin_async_handler))
SYM(dump_state,                 0, int32_t,             (plugin_state *, plugin_owner *, plugin_async_handler))
SYM(set_config,                 0, int32_t,             (plugin_state *, const struct plugin_set_config_input *))
SYM(get_metrics,                0, struct plugin_metric *, (plugin_state *, uint32_t *n))
SYM(capture_open,               0, int32_t,             (plugin_state *, const struct plugin_listen_input *))
SYM(capture_close,              0, int32_t,             (plugin_state *, const struct plugin_listen_input *))
SYM(get_required_event_schema_version, 0, const char *, (plugin_state *))
/* clang-format on */
