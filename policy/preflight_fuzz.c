/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a plugin file: read within bounds, refused or taken. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "policy/preflight.h"
#include "tests/fuzz/fuzz.h"

static size_t n_names;

static void
count(const char *name, void *arg)
{
	n_names += strlen(name) + 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct elf e;

	if (elf_read(&e, data, size, &err)) {
		elf_exports(&e, count, NULL);
		for (uint32_t i = 0; i < e.n_needed; i++)
			n_names += strlen(e.needed[i]);
		if (e.runpath)
			n_names += strlen(e.runpath);
		if (e.interp)
			n_names += strlen(e.interp);
	} else if (err.msg[0] == '\0') {
		abort();
	}
	preflight_bytes(&e, data, size, &err);
	return 0;
}

/* The smallest file that has everything that is looked at. */
struct tiny {
	Elf64_Ehdr header;
	Elf64_Phdr segment[5];
	Elf64_Dyn dynamic[8];
	uint32_t hash[4], bloom[2], bucket, chain;
	Elf64_Sym symbol[2];
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[20];
	} note;
	char strings[64];
	Elf64_Shdr section[2];
};

void
fuzz_make_seeds(void (*add)(const void *p, size_t n))
{
	static const char strings[] =
	    "\0plugin_init\0libm.so.6\0$ORIGIN/lib\0.go.buildinfo";
	struct tiny t = {
	    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_phoff = offsetof(struct tiny, segment),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 5,
		.e_shoff = offsetof(struct tiny, section),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 2,
		.e_shstrndx = 1},
	    .segment = {{.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = sizeof(t)},
		{.p_type = PT_DYNAMIC,
		    .p_offset = offsetof(struct tiny, dynamic),
		    .p_filesz = sizeof(t.dynamic)},
		{.p_type = PT_NOTE,
		    .p_offset = offsetof(struct tiny, note),
		    .p_filesz = sizeof(t.note)},
		{.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W}},
	    .dynamic = {{DT_NEEDED, {13}}, {DT_RUNPATH, {23}},
		{DT_STRTAB, {offsetof(struct tiny, strings)}}, {DT_STRSZ, {64}},
		{DT_SYMTAB, {offsetof(struct tiny, symbol)}},
		{DT_GNU_HASH, {offsetof(struct tiny, hash)}}},
	    .hash = {1, 1, 1, 0},
	    .bucket = 1,
	    .chain = 1,
	    .symbol = {{0}, {.st_name = 1,
				.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				.st_shndx = 1}},
	    .note = {{4, 20, NT_GNU_BUILD_ID}, "GNU", {1}},
	    .section = {{.sh_name = 35},
		{.sh_offset = offsetof(struct tiny, strings), .sh_size = 64}},
	};

	memcpy(t.strings, strings, sizeof(strings));
	add(&t, sizeof(t));
	t.header.e_type = ET_EXEC;
	add(&t, sizeof(t));
}
