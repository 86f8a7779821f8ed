/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own metrics that are one number: WORKER(name, type, expression in w, what it says)
 * per worker, labelled plugin and source; SOURCE(…, expression in c, …) per pipeline,
 * labelled source; OUTPUT(…, expression in k, …) per sink of alerts, labelled sink. What
 * has more labels is written out in metrics_mews.c.
 */
/* clang-format off */
WORKER(mews_worker_up,                         gauge,   worker_is_up(w),        "1 while the plugin's process is there and answers")
WORKER(mews_worker_launches_total,             counter, w->counts.launches,     "Processes started for the plugin")
WORKER(mews_worker_frames_total,               counter, w->counts.frames,       "Frames taken from the worker's ring")
WORKER(mews_worker_extract_requests_total,     counter, w->counts.extracts,     "Extraction requests sent to the worker")
WORKER(mews_worker_log_lines_total,            counter, w->counts.log_lines,    "Lines of the plugin that were logged")
WORKER(mews_worker_log_lines_dropped_total,    counter, w->counts.log_dropped,  "Lines of the plugin beyond its log_lines_per_s, dropped")
WORKER(mews_worker_ring_fill_bytes,            gauge,   w->up.data ? ring_reader_fill(&w->reader) : 0, "Bytes in the worker's ring that wait to be evaluated")
WORKER(mews_worker_ring_size_bytes,            gauge,   w->up.size,             "Size of that ring")

SOURCE(mews_source_events_total,               counter, c->events,              "Events evaluated")
SOURCE(mews_source_chunks_total,               counter, c->chunks,              "Chunks taken from the source to be evaluated")
SOURCE(mews_source_windows_total,              counter, c->windows,             "Evaluations: of a chunk, of several small ones together, or of a part of one")
SOURCE(mews_source_batches_total,              counter, c->batches,             "Batches of next_batch, evaluated and acknowledged")
SOURCE(mews_source_matches_total,              counter, c->matches,             "Rules that matched")
SOURCE(mews_source_events_too_large_total,     counter, c->dropped_large,       "Events larger than what is taken, dropped by the worker")
SOURCE(mews_source_missing_columns_total,      counter, c->missing_columns,     "Fields missing on a chunk because nobody could give them")
SOURCE(mews_source_poison_events_total,        counter, c->poison_events,       "Events that ended an extractor twice and were set aside")

OUTPUT(mews_outputs_delivered_total,           counter, k->delivered,           "Alerts that the sink took, or its spool")
OUTPUT(mews_outputs_queue_depth,               gauge,   k->depth,               "Alerts that wait for the sink")
OUTPUT(mews_outputs_queue_depth_max,           gauge,   k->depth_max,           "The most that ever waited")
OUTPUT(mews_outputs_spool_bytes,               gauge,   k->spooled_bytes,       "On disk, until the sink can be delivered to")
/* clang-format on */
