/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/case.h"

#include <string.h>

static const char *const part_name[] = {
#define NAME(id, name, doc) name,
    CASE_PARTS(NAME)
#undef NAME
};

static const struct {
	const char *name, *doc;
} target[] = {
#define TARGET(id, name, doc) {name, doc},
    FUZZ_TARGETS(TARGET)
#undef TARGET
};

uint32_t
case_parts(const uint8_t *bytes, uint32_t n, struct case_part *ret_part)
{
	uint32_t at = 0, count = 0;

	while (count < CASE_PARTS_MAX && n - at >= CASE_HEAD_BYTES) {
		struct case_part *p = &ret_part[count++];
		p->kind = bytes[at] % PART_N;
		p->flags = bytes[at + 1];
		memcpy(&p->id, bytes + at + 2, sizeof(p->id));
		memcpy(&p->len, bytes + at + 4, sizeof(p->len));
		at += CASE_HEAD_BYTES;
		if (p->len > n - at)
			p->len = n - at;
		p->bytes = bytes + at;
		at += p->len;
	}
	return count;
}

bool
case_add(uint8_t *to, uint32_t *len, uint32_t cap, const struct case_part *part)
{
	uint8_t *p = to + *len;

	if (*len > cap || cap - *len < CASE_HEAD_BYTES ||
	    part->len > cap - *len - CASE_HEAD_BYTES)
		return false;
	p[0] = part->kind;
	p[1] = part->flags;
	memcpy(p + 2, &part->id, sizeof(part->id));
	memcpy(p + 4, &part->len, sizeof(part->len));
	if (part->len > 0)
		memmove(p + CASE_HEAD_BYTES, part->bytes, part->len);
	*len += CASE_HEAD_BYTES + part->len;
	return true;
}

const char *
case_part_name(uint8_t kind)
{
	return part_name[kind % PART_N];
}

enum part_kind
case_part_find(const char *name)
{
	unsigned i = 0;

	while (i < PART_N && strcmp(part_name[i], name) != 0)
		i++;
	return (enum part_kind)i;
}

const char *
fuzz_target_name(enum fuzz_target t)
{
	return target[t].name;
}

const char *
fuzz_target_doc(enum fuzz_target t)
{
	return target[t].doc;
}

enum fuzz_target
fuzz_target_find(const char *name)
{
	unsigned i = 0;

	while (i < FUZZ_TARGET_N && strcmp(target[i].name, name) != 0)
		i++;
	return (enum fuzz_target)i;
}
