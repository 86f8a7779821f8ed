/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/http/prom.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void
prom_name(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (is_name_char(*s) || *s == ':')
			buf_addc(out, *s);
		else if (out->len == 0 || out->data[out->len - 1] != '_')
			buf_addc(out, '_');
	}
}

void
prom_label(struct buf *labels, const char *name, const char *value)
{
	struct buf text;

	if (labels->len)
		buf_addc(labels, ',');
	prom_name(labels, name);
	buf_adds(labels, "=\"");
	buf_init(&text, 1 << 20);
	utf8_repair(&text, value, strlen(value));
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '\n') {
			buf_adds(labels, "\\n");
			continue;
		}
		if (c == '"' || c == '\\')
			buf_addc(labels, '\\');
		/* Other control characters are legal there, and fit for no terminal. */
		buf_addc(labels, (unsigned char)c < ' ' || c == 0x7f ? '?' : c);
	}
	buf_release(&text);
	buf_addc(labels, '"');
}

void
prom_label_u64(struct buf *labels, const char *name, uint64_t value)
{
	if (labels->len)
		buf_addc(labels, ',');
	prom_name(labels, name);
	buf_addf(labels, "=\"%" PRIu64 "\"", value);
}

void
prom_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
add_name(struct buf *out, const char *name, const char *labels)
{
	buf_adds(out, name);
	if (*labels)
		buf_addf(out, "{%s}", labels);
	buf_addc(out, ' ');
}

void
prom_sample_u64(struct buf *out, const char *name, const char *labels, uint64_t value)
{
	add_name(out, name, labels);
	buf_addu64(out, value);
	buf_addc(out, '\n');
}

void
prom_sample_double(struct buf *out, const char *name, const char *labels, double value)
{
	add_name(out, name, labels);
	buf_addf(out, "%.9g\n", value);
}
