/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' text format 0.0.4, piece by piece. Names and labels may hold anybody's
 * text: names are reduced to what a name may hold, label values escaped, so that no text
 * can forge a line.
 */
#ifndef BROKER_HTTP_PROM_H
#define BROKER_HTTP_PROM_H

#include <stdint.h>

#include "base/buf.h"

/* Appends name="value" to labels, with a comma before it when they are not empty. */
void prom_label(struct buf *labels, const char *name, const char *value);
void prom_label_u64(struct buf *labels, const char *name, uint64_t value);

/* HELP and TYPE of a family: "counter", "gauge", "histogram". Once, before its samples.
 */
void prom_family(struct buf *out, const char *name, const char *type, const char *help);
/* labels as prom_label made them; "" for none. */
void prom_sample_u64(
    struct buf *out, const char *name, const char *labels, uint64_t value);
void prom_sample_double(
    struct buf *out, const char *name, const char *labels, double value);

/* Appends s with whatever a metric's name may not hold as "_", none of them doubled. */
void prom_name(struct buf *out, const char *s);

#endif
