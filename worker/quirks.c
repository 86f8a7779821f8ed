/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/quirks.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "proto/chunk.h"

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

bool
fields_share_memory(
    const struct plugin_extract_field *field, const uint8_t *kind, uint32_t n)
{
	const void *last[COLUMN_BIN + 1] = {NULL};
	bool shared = false;

	for (uint32_t i = 0; i < n; i++) {
		/* A pointer without a value counts: the memory was written all the same. */
		const void *p = (const void *)field[i].res.str;
		shared |= p && p == last[kind[i]];
		last[kind[i]] = p ? p : last[kind[i]];
	}
	return shared;
}
