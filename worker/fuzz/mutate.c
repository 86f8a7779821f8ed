/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/mutate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "worker/fuzz/layout.h"

uint64_t
fuzz_rng_next(struct fuzz_rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint32_t
fuzz_rng_below(struct fuzz_rng *r, uint32_t n)
{
	return (uint32_t)((fuzz_rng_next(r) >> 32) * n >> 32);
}

/* Small numbers more often than large ones. */
static uint32_t
skewed(struct fuzz_rng *r, uint32_t n)
{
	return fuzz_rng_below(r, fuzz_rng_below(r, n) + 1);
}

uint32_t
mutate_splice(uint8_t *bytes, uint32_t n, uint32_t cap, uint32_t at, uint32_t old_n,
    const void *with, uint32_t with_n)
{
	uint32_t tail = n - at - old_n;

	if (n - old_n > cap || with_n > cap - (n - old_n))
		return n;
	memmove(bytes + at + with_n, bytes + at + old_n, tail);
	if (with_n > 0)
		memcpy(bytes + at, with, with_n);
	return n - old_n + with_n;
}

/* The bytes of one part, being changed. */
struct piece {
	const struct mutation *m;
	struct fuzz_rng *r;
	uint8_t *bytes;
	uint32_t n, cap;
};

typedef void change_fn(struct piece *p);

static void
put(struct piece *p, uint32_t at, uint32_t old_n, const void *with, uint32_t with_n)
{
	p->n = mutate_splice(p->bytes, p->n, p->cap, at, old_n, with, with_n);
}

static uint32_t
place(struct piece *p)
{
	return p->n ? fuzz_rng_below(p->r, p->n) : 0;
}

/* Where something is put in: often at the end, where texts grow. */
static uint32_t
gap(struct piece *p)
{
	return fuzz_rng_below(p->r, 3) == 0 ? p->n : fuzz_rng_below(p->r, p->n + 1);
}

static void
flip_bit(struct piece *p)
{
	if (p->n)
		p->bytes[place(p)] ^= (uint8_t)(1u << fuzz_rng_below(p->r, 8));
}

static void
set_byte(struct piece *p)
{
	if (p->n)
		p->bytes[place(p)] = (uint8_t)fuzz_rng_next(p->r);
}

static void
add_to_byte(struct piece *p)
{
	if (p->n)
		p->bytes[place(p)] += (uint8_t)(fuzz_rng_below(p->r, 32) + 240);
}

static void
set_number(struct piece *p)
{
	static const uint64_t telling[] = {0, 1, 2, 16, 64, 100, 127, 128, 255, 256, 512,
	    1000, 1024, 4096, 32767, 32768, 65535, 65536, INT32_MAX, 1ull << 31,
	    UINT32_MAX, INT64_MAX, 1ull << 63, UINT64_MAX};
	uint64_t v = telling[fuzz_rng_below(p->r, sizeof(telling) / sizeof(*telling))];
	uint32_t size = 1u << fuzz_rng_below(p->r, 4);

	if (p->n < size)
		return;
	if (fuzz_rng_below(p->r, 2))
		v = -v;
	if (fuzz_rng_below(p->r, 4) == 0)
		v = __builtin_bswap64(v) >> (64 - 8 * size);
	memcpy(p->bytes + fuzz_rng_below(p->r, p->n - size + 1), &v, size);
}

static void
take_out(struct piece *p)
{
	uint32_t at = place(p);

	if (p->n)
		put(p, at, skewed(p->r, p->n - at) + 1, NULL, 0);
}

static void
put_in_noise(struct piece *p)
{
	uint8_t noise[32];
	uint32_t n = skewed(p->r, sizeof(noise)) + 1;
	uint8_t one = (uint8_t)fuzz_rng_next(p->r);

	for (uint32_t i = 0; i < n; i++)
		noise[i] = n & 1 ? one : (uint8_t)fuzz_rng_next(p->r);
	put(p, gap(p), 0, noise, n);
}

static void
copy_range(struct piece *p)
{
	uint8_t part[256];
	uint32_t from = place(p), n;

	if (!p->n)
		return;
	n = skewed(p->r, p->n - from) + 1;
	n = n < sizeof(part) ? n : sizeof(part);
	memcpy(part, p->bytes + from, n);
	for (uint32_t times = skewed(p->r, 16) + 1; times > 0; times--)
		put(p, gap(p), 0, part, n);
}

static void
use_word(struct piece *p)
{
	if (!p->m->n_words)
		return;
	const struct fuzz_word *w = &p->m->word[fuzz_rng_below(p->r, p->m->n_words)];
	uint32_t at = place(p), n = w->len;
	bool over = fuzz_rng_below(p->r, 2) && n <= p->n - at;
	put(p, over ? at : gap(p), over ? n : 0, w->bytes, n);
}

/* Where what stands in the bytes, from a random place on, all around; n when nowhere. */
static uint32_t
find(struct piece *p, const void *what, uint32_t n)
{
	uint32_t from = place(p);
	const uint8_t *at;

	if (n == 0 || n > p->n)
		return p->n;
	at = memmem(p->bytes + from, p->n - from, what, n);
	if (!at)
		at = memmem(p->bytes, p->n, what, n);
	return at ? (uint32_t)(at - p->bytes) : p->n;
}

/* How a number may stand in a case. */
enum form {
	FORM_LITTLE,
	FORM_BIG,
	FORM_DECIMAL,
	FORM_SIGNED,
	FORM_HEX,
	FORM_N
};

static uint32_t
shape(const struct operand *o, unsigned side, enum form form, uint32_t size, char to[32])
{
	uint64_t v = 0;
	int64_t s;

	memcpy(&v, o->bytes[side], o->n[side] < 8 ? o->n[side] : 8);
	switch (form) {
	case FORM_LITTLE:
		memcpy(to, &v, size);
		return size;
	case FORM_BIG:
		v = __builtin_bswap64(v) >> (64 - 8 * size);
		memcpy(to, &v, size);
		return size;
	case FORM_DECIMAL:
		return (uint32_t)snprintf(to, 32, "%" PRIu64, v);
	case FORM_SIGNED:
		s = o->n[side] == 4 ? (int32_t)v : (int64_t)v;
		return (uint32_t)snprintf(to, 32, "%" PRId64, s);
	default:
		return (uint32_t)snprintf(to, 32, "%" PRIx64, v);
	}
}

static void
use_text_operand(struct piece *p, const struct operand *o, unsigned from)
{
	const uint8_t *old = o->bytes[from], *new = o->bytes[!from];
	uint32_t old_n = o->n[from], new_n = o->n[!from];
	uint32_t at = find(p, old, old_n);

	/* A search puts its needle anywhere. */
	if (at < p->n && fuzz_rng_below(p->r, 3))
		put(p, at, old_n, new, new_n);
	else
		put(p, gap(p), 0, new, new_n);
}

static void
use_operand(struct piece *p)
{
	const struct operand *o;
	unsigned from = fuzz_rng_below(p->r, 2);
	char old[32], new[32];

	if (!p->m->n_operands)
		return;
	o = &p->m->operand[fuzz_rng_below(p->r, p->m->n_operands)];
	if (o->is_text) {
		use_text_operand(p, o, from);
		return;
	}
	/* Any form, beginning at a random one; sizes from the comparison's own down, for
	 * a short number may have been widened. */
	unsigned first = fuzz_rng_below(p->r, FORM_N);
	for (unsigned i = 0; i < FORM_N; i++) {
		enum form form = (first + i) % FORM_N;
		for (uint32_t size = o->n[from]; size > 0; size /= 2) {
			uint32_t old_n = shape(o, from, form, size, old);
			uint32_t new_n = shape(o, !from, form, size, new);
			uint32_t at = find(p, old, old_n);
			/* One byte of a wide number is found everywhere. */
			if (at < p->n &&
			    (size > 1 || o->n[from] == 1 || form >= FORM_DECIMAL)) {
				put(p, at, old_n, new, new_n);
				return;
			}
			if (form >= FORM_DECIMAL)
				break;
		}
	}
	put(p, gap(p), 0, new, shape(o, !from, first, o->n[!from], new));
}

static void
change_digits(struct piece *p)
{
	uint32_t at = place(p), n = 0;
	char text[24];

	while (at < p->n && (p->bytes[at] < '0' || p->bytes[at] > '9'))
		at++;
	while (at + n < p->n && p->bytes[at + n] >= '0' && p->bytes[at + n] <= '9')
		n++;
	if (n == 0)
		return;
	uint64_t v = fuzz_rng_next(p->r) >> fuzz_rng_below(p->r, 64);
	int len = snprintf(
	    text, sizeof(text), "%s%" PRIu64, fuzz_rng_below(p->r, 8) ? "" : "-", v);
	put(p, at, n, text, (uint32_t)len);
}

static void
change_json(struct piece *p)
{
	p->n = mutate_json(p->m, p->r, p->bytes, p->n, p->cap);
}

static void
cross_over(struct piece *p)
{
	struct case_part part[CASE_PARTS_MAX];
	uint32_t n = case_parts(p->m->other, p->m->other_len, part);

	if (n == 0)
		return;
	const struct case_part *o = &part[fuzz_rng_below(p->r, n)];
	if (o->len == 0)
		return;
	uint32_t from = fuzz_rng_below(p->r, o->len), at = place(p);
	uint32_t len = skewed(p->r, o->len - from) + 1;
	len = len < 4096 ? len : 4096;
	put(p, at, p->n ? skewed(p->r, p->n - at) : 0, o->bytes + from, len);
}

static change_fn *const changes[] = {
    flip_bit,
    set_byte,
    add_to_byte,
    set_number,
    take_out,
    put_in_noise,
    copy_range,
    use_word,
    use_word,
    use_operand,
    use_operand,
    use_operand,
    use_operand,
    change_digits,
    change_json,
    change_json,
    change_json,
    cross_over,
};

static void
change_piece(struct piece *p)
{
	changes[fuzz_rng_below(p->r, sizeof(changes) / sizeof(*changes))](p);
}

/* One parameter's bytes, with changes; a number keeps its size. */
static void
change_param(
    const struct piece *p, const struct layout_param *param, uint8_t *to, uint32_t *n)
{
	struct piece q = {.m = p->m, .r = p->r, .bytes = to, .n = *n};

	q.cap = layout_varies(param->form) ? UINT16_MAX : *n;
	for (uint32_t times = skewed(p->r, 4) + 1; times > 0; times--)
		changes[fuzz_rng_below(p->r, sizeof(changes) / sizeof(*changes))](&q);
	if (!layout_varies(param->form))
		memset(to + q.n, 0, *n - q.n);
	else
		*n = q.n;
}

/* An event of a system call, written anew with one parameter changed. */
static void
change_event(
    struct fuzz_rng *r, const struct mutation *m, struct case_part *part, struct piece *p)
{
	static uint8_t out[CASE_BYTES], bytes[UINT16_MAX + 1];
	struct layout l;
	uint32_t mask = 0, n = sizeof(mask);

	if (fuzz_rng_below(r, 16) == 0 && m->n_types > 0)
		part->id = m->type[fuzz_rng_below(r, m->n_types)];
	layout_read(&l, part->id, p->bytes, p->n);
	if (l.n == 0)
		return;
	uint32_t chosen = fuzz_rng_below(r, l.n);
	if (fuzz_rng_below(r, 32) == 0)
		l.param[chosen].is_left_out ^= 1;
	for (uint32_t i = 0; i < l.n; i++) {
		const struct layout_param *param = &l.param[i];
		uint32_t have = param->at < p->n ? p->n - param->at : 0, len = param->len;
		if (param->is_left_out) {
			mask |= 1u << i;
			continue;
		}
		have = have < len ? have : len;
		memcpy(bytes, p->bytes + param->at, have);
		memset(bytes + have, 0, len - have);
		if (i == chosen)
			change_param(p, param, bytes, &len);
		if (layout_varies(param->form)) {
			uint16_t head = (uint16_t)len;
			memcpy(out + n, &head, sizeof(head));
			n += (uint32_t)sizeof(head);
		}
		if (len + sizeof(mask) > p->cap || n > p->cap - len)
			return;
		memcpy(out + n, bytes, len);
		n += len;
	}
	memcpy(out, &mask, sizeof(mask));
	if (n > p->cap)
		return;
	memcpy(p->bytes, out, n);
	p->n = n;
}

/* A field's argument: a word, a small number, what it was with a change, or none. */
static void
change_field(
    const struct mutation *m, struct fuzz_rng *r, struct case_part *part, struct piece *p)
{
	switch (fuzz_rng_below(r, 6)) {
	case 0:
		part->id = (uint16_t)fuzz_rng_below(r, m->n_fields ? m->n_fields : 1);
		break;
	case 1:
		part->flags = (uint8_t)fuzz_rng_below(r, PART_ARG_N);
		break;
	case 2:
	case 3:
		part->flags = PART_ARG_INDEX;
		p->n = (uint32_t)snprintf((char *)p->bytes, 24, "%" PRIu64,
		    fuzz_rng_below(r, 2) ? fuzz_rng_below(r, 4)
					 : fuzz_rng_next(r) >> fuzz_rng_below(r, 64));
		break;
	case 4:
		part->flags = PART_ARG_KEY;
		if (m->n_words) {
			const struct fuzz_word *w =
			    &m->word[fuzz_rng_below(r, m->n_words)];
			p->n = mutate_splice(
			    p->bytes, p->n, p->cap, 0, p->n, w->bytes, w->len);
		}
		break;
	default:
		change_piece(p);
	}
}

/* Parts taken out, doubled, exchanged, or one asked for more. */
static void
change_row(
    const struct mutation *m, struct fuzz_rng *r, struct case_part *part, uint32_t *n)
{
	uint32_t at = fuzz_rng_below(r, *n), to = fuzz_rng_below(r, *n);
	struct case_part p = part[at];

	switch (fuzz_rng_below(r, m->n_types ? 5 : 4)) {
	case 4:
		p = (struct case_part){
		    .kind = PART_EVENT, .id = m->type[fuzz_rng_below(r, m->n_types)]};
		goto put_in;
	case 0:
		if (*n > 1) {
			memmove(&part[at], &part[at + 1], (*n - at - 1) * sizeof(p));
			(*n)--;
		}
		break;
	case 1:
		part[at] = part[to];
		part[to] = p;
		break;
	case 2:
		if (m->n_fields)
			p = (struct case_part){.kind = PART_FIELD,
			    .id = (uint16_t)fuzz_rng_below(r, m->n_fields)};
		/* fall through */
	default:
	put_in:
		if (*n < CASE_PARTS_MAX) {
			memmove(&part[to + 1], &part[to], (*n - to) * sizeof(p));
			part[to] = p;
			(*n)++;
		}
	}
}

/* Which part is changed: larger ones more often, but small ones too. */
static uint32_t
choose(struct fuzz_rng *r, const struct case_part *part, uint32_t n)
{
	uint32_t total = 0;

	if (fuzz_rng_below(r, 3) == 0)
		return fuzz_rng_below(r, n);
	for (uint32_t i = 0; i < n; i++)
		total += part[i].len + 1;
	uint32_t at = fuzz_rng_below(r, total);
	for (uint32_t i = 0; i < n; i++) {
		if (at <= part[i].len)
			return i;
		at -= part[i].len + 1;
	}
	return 0;
}

uint32_t
mutate(const struct mutation *m, uint64_t round, uint32_t k, uint8_t *to)
{
	struct fuzz_rng r = {round ^ (k + 1ull) * 0xd1342543de82ef95ull};
	struct case_part part[CASE_PARTS_MAX];
	uint32_t len = 0, n = case_parts(m->seed, m->seed_len, part);
	uint32_t cap = m->max_bytes > m->seed_len ? m->max_bytes : m->seed_len;

	if (n == 0)
		part[n++] = (struct case_part){.kind = PART_EVENT};
	/* Half of the cases change rows; most change one part, some a few times. */
	if (fuzz_rng_below(&r, 4) == 0)
		change_row(m, &r, part, &n);
	uint32_t target = choose(&r, part, n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t head = len;
		if (!case_add(to, &len, cap, &part[i]))
			break;
		if (i != target)
			continue;
		/* The rest must still fit behind it. */
		uint32_t rest = 0;
		for (uint32_t j = i + 1; j < n; j++)
			rest += part[j].len + CASE_HEAD_BYTES;
		struct piece p = {
		    .m = m,
		    .r = &r,
		    .bytes = to + head + CASE_HEAD_BYTES,
		    .n = part[i].len,
		    .cap =
			cap > len + rest ? cap - len - rest + part[i].len : part[i].len,
		};
		if (part[i].kind == PART_FIELD && p.cap >= 32) {
			p.cap = p.cap < CASE_KEY_BYTES ? p.cap : CASE_KEY_BYTES;
			p.n = p.n < p.cap ? p.n : p.cap;
			change_field(m, &r, &part[i], &p);
		} else if (part[i].kind == PART_EVENT && part[i].id &&
			   layout_has(part[i].id)) {
			change_event(&r, m, &part[i], &p);
		} else {
			for (uint32_t times = skewed(&r, 8) + 1; times > 0; times--)
				change_piece(&p);
		}
		to[head] = part[i].kind;
		to[head + 1] = part[i].flags;
		memcpy(to + head + 2, &part[i].id, sizeof(part[i].id));
		memcpy(to + head + 4, &p.n, sizeof(p.n));
		len = head + CASE_HEAD_BYTES + p.n;
	}
	return len;
}
