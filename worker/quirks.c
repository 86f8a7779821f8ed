/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/quirks.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

/* Paths of the standard library's sources, in the messages of its panics. */
static const char rust_mark[] = "/rustc/";

struct search {
	ElfW(Addr) base;
	bool found;
};

static int
search_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;

	if (info->dlpi_addr != s->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum && !s->found; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		/* Constants; some linkers put them beside the code. */
		if (h->p_type == PT_LOAD && (h->p_flags & (PF_R | PF_W)) == PF_R)
			s->found =
			    memmem((const void *)(s->base + h->p_vaddr), h->p_filesz,
				rust_mark, sizeof(rust_mark) - 1) != NULL;
	}
	return 1;
}

bool
object_is_rust(void *object)
{
	struct search s = {0};
	struct link_map *map;

	/* Go's objects are large, and name themselves. */
	if (dlsym(object, "crosscall2") || dlinfo(object, RTLD_DI_LINKMAP, &map) != 0)
		return false;
	s.base = map->l_addr;
	dl_iterate_phdr(search_object, &s);
	return s.found;
}

static int
note_constants(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct {
		struct constant_memory *m;
		ElfW(Addr) base;
	} *want = arg;
	struct constant_memory *m = want->m;

	if (info->dlpi_addr != want->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		if (h->p_type != PT_LOAD || (h->p_flags & PF_W) ||
		    m->n == sizeof(m->part) / sizeof(*m->part))
			continue;
		m->part[m->n].begin = want->base + h->p_vaddr;
		m->part[m->n++].end = want->base + h->p_vaddr + h->p_memsz;
	}
	return 1;
}

void
constant_memory_find(struct constant_memory *m, void *object)
{
	struct {
		struct constant_memory *m;
		ElfW(Addr) base;
	} want = {m, 0};
	struct link_map *map;

	m->n = 0;
	if (dlinfo(object, RTLD_DI_LINKMAP, &map) != 0)
		return;
	want.base = map->l_addr;
	dl_iterate_phdr(note_constants, &want);
}

static bool
is_constant(const struct constant_memory *m, const void *p)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if ((uintptr_t)p >= m->part[i].begin && (uintptr_t)p < m->part[i].end)
			return true;
	}
	return false;
}

static bool
two_share(const struct plugin_extract_field *a, const struct plugin_extract_field *b,
    uint8_t kind, const struct constant_memory *constants)
{
	const char *text = field_text(a, kind);

	/* A pointer without a value counts: the memory was written all the same. */
	if (a->res.str && a->res.str == b->res.str)
		return true;
	return text && text == field_text(b, kind) && !is_constant(constants, text);
}

bool
fields_share_memory(const struct plugin_extract_field *field, const uint8_t *kind,
    uint32_t n, const struct constant_memory *constants, bool thorough,
    struct field_place *place)
{
	const struct plugin_extract_field *last[COLUMN_BIN + 1] = {NULL};
	bool shared = false;

	for (uint32_t i = 0; i < n; i++) {
		const struct plugin_extract_field *before = last[kind[i]];

		if (before)
			shared |= two_share(before, &field[i], kind[i], constants);
		if (field[i].res.str)
			last[kind[i]] = &field[i];
		for (uint32_t k = 0; thorough && k < i; k++)
			shared |= kind[k] == kind[i] &&
				  two_share(&field[k], &field[i], kind[i], constants);
	}
	for (uint32_t i = 0; !shared && i < n; i++)
		place[i] = (struct field_place){
		    field[i].res.str, field_text(&field[i], kind[i])};
	return shared;
}
