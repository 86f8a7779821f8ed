/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void
json_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out};
}

static void
comma(struct json_writer *w)
{
	if (w->need_comma)
		buf_addc(w->out, ',');
	w->need_comma = true;
}

static void
begin(struct json_writer *w, char c)
{
	comma(w);
	buf_addc(w->out, c);
	w->need_comma = false;
}

static void
end(struct json_writer *w, char c)
{
	buf_addc(w->out, c);
	w->need_comma = true;
}

void
json_begin_object(struct json_writer *w)
{
	begin(w, '{');
}

void
json_end_object(struct json_writer *w)
{
	end(w, '}');
}

void
json_begin_array(struct json_writer *w)
{
	begin(w, '[');
}

void
json_end_array(struct json_writer *w)
{
	end(w, ']');
}

void
json_escape(struct buf *out, const char *s, size_t n)
{
	static const char names[32] = {
	    ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	size_t plain = 0, bad;

	while (plain < n) {
		unsigned char c = (unsigned char)s[plain];
		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
			plain++;
			continue;
		}
		size_t k = c < 0x80 ? 0 : utf8_step(s + plain, n - plain, &bad);
		if (k) {
			plain += k;
			continue;
		}
		buf_add(out, s, plain);
		if (c >= 0x80) {
			buf_add(out, "\xef\xbf\xbd", 3);
		} else {
			bad = 1;
			if (c == '"' || c == '\\') {
				char two[2] = {'\\', (char)c};
				buf_add(out, two, 2);
			} else if (names[c]) {
				char two[2] = {'\\', names[c]};
				buf_add(out, two, 2);
			} else {
				buf_addf(out, "\\u%04x", c);
			}
		}
		s += plain + bad;
		n -= plain + bad;
		plain = 0;
	}
	buf_add(out, s, n);
}

void
json_str_n(struct json_writer *w, const char *s, size_t n)
{
	comma(w);
	buf_addc(w->out, '"');
	json_escape(w->out, s, n);
	buf_addc(w->out, '"');
}

void
json_str(struct json_writer *w, const char *s)
{
	json_str_n(w, s, strlen(s));
}

void
json_key_n(struct json_writer *w, const char *key, size_t n)
{
	json_str_n(w, key, n);
	buf_addc(w->out, ':');
	w->need_comma = false;
}

void
json_key(struct json_writer *w, const char *key)
{
	json_key_n(w, key, strlen(key));
}

void
json_u64(struct json_writer *w, uint64_t v)
{
	comma(w);
	buf_addu64(w->out, v);
}

void
json_i64(struct json_writer *w, int64_t v)
{
	comma(w);
	if (v < 0)
		buf_addc(w->out, '-');
	buf_addu64(w->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
json_bool(struct json_writer *w, bool v)
{
	comma(w);
	buf_adds(w->out, v ? "true" : "false");
}

void
json_write_null(struct json_writer *w)
{
	comma(w);
	buf_adds(w->out, "null");
}

void
json_raw(struct json_writer *w, const char *s, size_t n)
{
	comma(w);
	buf_add(w->out, s, n);
}

static void
new_line(struct buf *out, unsigned depth)
{
	buf_addc(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_adds(out, "  ");
}

void
json_indent(struct buf *out, const char *json, size_t n)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = json[i];
		if (in_string || c == '"') {
			buf_addc(out, c);
			if (in_string && c == '\\' && i + 1 < n)
				buf_addc(out, json[++i]);
			else if (c == '"')
				in_string = !in_string;
			continue;
		}
		bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
		bool empty =
		    opens && i + 1 < n && (json[i + 1] == '}' || json[i + 1] == ']');
		if (closes && depth)
			new_line(out, --depth);
		buf_addc(out, c);
		if (empty)
			buf_addc(out, json[++i]);
		else if (opens)
			new_line(out, ++depth);
		else if (c == ',')
			new_line(out, depth);
		else if (c == ':')
			buf_addc(out, ' ');
	}
}
