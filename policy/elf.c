/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/elf.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#else
#error "no such worker yet"
#endif

/* A plugin has about ten segments, and notes of a hundred bytes. */
#define SEGMENTS_MAX 128u
#define NOTES_MAX    65536u

static const struct {
	uint16_t machine;
	const char *name;
} machines[] = {
    {EM_X86_64, "x86_64"},
    {EM_AARCH64, "aarch64"},
    {EM_386, "i386"},
    {EM_ARM, "arm"},
    {EM_RISCV, "riscv"},
    {EM_PPC64, "ppc64"},
    {EM_S390, "s390"},
    {EM_MIPS, "mips"},
    {EM_LOONGARCH, "loongarch"},
};

static const char *
machine_name(uint16_t machine)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return NULL;
}

const char *
elf_this_machine(void)
{
	return machine_name(THIS_MACHINE);
}

/* Bytes [offset, offset + n) of the file, or NULL. */
static const uint8_t *
at_offset(const struct elf *e, uint64_t offset, uint64_t n)
{
	if (offset > e->n_bytes || n > e->n_bytes - offset)
		return NULL;
	return e->bytes + offset;
}

/* A table of strings without what follows its last NUL: checked once, every offset inside
 * is a string. */
static size_t
table_size(const uint8_t *table, uint64_t n)
{
	const uint8_t *last = table ? memrchr(table, '\0', (size_t)n) : NULL;

	return last ? (size_t)(last - table) + 1 : 0;
}

/* The string at offset of a table, or NULL. */
static const char *
string_at(const void *table, size_t n, uint64_t offset)
{
	return offset < n ? (const char *)table + offset : NULL;
}

struct headers {
	const uint8_t *program; /* unaligned Elf64_Phdr[] */
	uint16_t n_program;
};

static Elf64_Phdr
program_header(const struct headers *h, uint16_t i)
{
	Elf64_Phdr p;

	memcpy(&p, h->program + (size_t)i * sizeof(p), sizeof(p));
	return p;
}

/* Where the file keeps what is loaded at address; *ret_n bytes of it are there. */
static const uint8_t *
at_address(
    const struct elf *e, const struct headers *h, uint64_t address, uint64_t *ret_n)
{
	for (uint16_t i = 0; i < h->n_program; i++) {
		Elf64_Phdr p = program_header(h, i);
		if (p.p_type != PT_LOAD || address < p.p_vaddr ||
		    address - p.p_vaddr >= p.p_filesz)
			continue;
		uint64_t in = address - p.p_vaddr;
		if (in > UINT64_MAX - p.p_offset ||
		    !at_offset(e, p.p_offset + in, p.p_filesz - in))
			return NULL;
		*ret_n = p.p_filesz - in;
		return e->bytes + p.p_offset + in;
	}
	return NULL;
}

static bool
read_header(struct elf *e, Elf64_Ehdr *eh, struct err *err)
{
	if (e->n_bytes < EI_NIDENT || memcmp(e->bytes, ELFMAG, SELFMAG) != 0)
		return err_set(err, ERR_SYNTAX, "%s",
		    e->n_bytes < EI_NIDENT ? "file too short" : "invalid ELF header");
	const uint8_t *id = e->bytes;
	if (id[EI_DATA] != ELFDATA2LSB && id[EI_DATA] != ELFDATA2MSB)
		return err_set(err, ERR_SYNTAX, "invalid ELF header");
	if (e->n_bytes < sizeof(Elf32_Ehdr))
		return err_set(err, ERR_SYNTAX, "file too short");

	/* The machine stands at the same place in every class. */
	const uint8_t *m = e->bytes + offsetof(Elf64_Ehdr, e_machine);
	uint16_t machine = id[EI_DATA] == ELFDATA2LSB ? (uint16_t)(m[0] | m[1] << 8)
						      : (uint16_t)(m[0] << 8 | m[1]);
	if (machine != THIS_MACHINE) {
		const char *name = machine_name(machine);
		char number[24];
		snprintf(number, sizeof(number), "machine %u", machine);
		return err_set(err, ERR_SYNTAX,
		    "is built for %s, this machine is %s: get the plugin's build for %s",
		    name ? name : number, elf_this_machine(), elf_this_machine());
	}
	if (id[EI_CLASS] != ELFCLASS64)
		return err_set(err, ERR_SYNTAX, "wrong ELF class: ELFCLASS%s",
		    id[EI_CLASS] == ELFCLASS32 ? "32" : "NONE");
	if (id[EI_DATA] != ELFDATA2LSB)
		return err_set(
		    err, ERR_SYNTAX, "ELF file data encoding not little-endian");
	if (e->n_bytes < sizeof(*eh))
		return err_set(err, ERR_SYNTAX, "file too short");
	memcpy(eh, e->bytes, sizeof(*eh));
	if (eh->e_phentsize != sizeof(Elf64_Phdr))
		return err_set(
		    err, ERR_SYNTAX, "ELF file's phentsize not the expected size");
	return true;
}

static void
read_build_id(struct elf *e, const uint8_t *id, uint32_t n)
{
	if (n > 32)
		n = 32;
	for (uint32_t i = 0; i < n; i++)
		snprintf(e->build_id + 2 * i, 3, "%02x", id[i]);
}

static void
read_notes(struct elf *e, const Elf64_Phdr *p)
{
	const uint8_t *s = at_offset(e, p->p_offset, p->p_filesz);
	uint64_t left = !s ? 0 : p->p_filesz < NOTES_MAX ? p->p_filesz : NOTES_MAX;

	while (left >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr nh;
		memcpy(&nh, s, sizeof(nh));
		/* Eight-byte notes hold nothing that we look for. */
		uint64_t name = ((uint64_t)nh.n_namesz + 3) & ~3ull;
		uint64_t desc = ((uint64_t)nh.n_descsz + 3) & ~3ull;
		uint64_t all = sizeof(nh) + name + desc;
		if (all > left)
			return;
		const uint8_t *text = s + sizeof(nh);
		if (nh.n_namesz == 4 && nh.n_type == NT_GNU_BUILD_ID &&
		    memcmp(text, "GNU", 4) == 0)
			read_build_id(e, text + name, nh.n_descsz);
		if (nh.n_namesz == 4 && nh.n_type == 4 && memcmp(text, "Go\0", 4) == 0)
			e->go_runtime = true;
		s += all;
		left -= all;
	}
}

/* Section names survive in most files and tell of Go inside C++ too. */
static void
read_sections(struct elf *e, const Elf64_Ehdr *eh)
{
	const uint8_t *s =
	    at_offset(e, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr));
	Elf64_Shdr names, sh;

	if (!s || eh->e_shentsize != sizeof(sh) || eh->e_shstrndx >= eh->e_shnum)
		return;
	memcpy(&names, s + (size_t)eh->e_shstrndx * sizeof(names), sizeof(names));
	const uint8_t *table = at_offset(e, names.sh_offset, names.sh_size);
	size_t n_table = table_size(table, names.sh_size);
	for (uint16_t i = 0; i < eh->e_shnum; i++) {
		memcpy(&sh, s + (size_t)i * sizeof(sh), sizeof(sh));
		const char *name = string_at(table, n_table, sh.sh_name);
		if (name && (strcmp(name, ".go.buildinfo") == 0 ||
				strcmp(name, ".note.go.buildid") == 0 ||
				strcmp(name, ".gopclntab") == 0))
			e->go_runtime = true;
	}
}

/* The number of dynamic symbols is written nowhere: the GNU hash table implies it. */
static uint64_t
count_gnu_hash(const uint8_t *s, uint64_t n)
{
	uint32_t head[4], last = 0; /* buckets, first hashed symbol, bloom words, shift */

	if (!s || n < sizeof(head))
		return 0;
	memcpy(head, s, sizeof(head));
	uint64_t buckets = sizeof(head) + (uint64_t)head[2] * 8;
	uint64_t chains = buckets + (uint64_t)head[0] * 4;
	if (chains > n)
		return 0;
	for (uint32_t i = 0; i < head[0]; i++) {
		uint32_t b;
		memcpy(&b, s + buckets + (uint64_t)i * 4, sizeof(b));
		if (b > last)
			last = b;
	}
	if (last < head[1])
		return head[1];
	for (uint64_t at = chains + (uint64_t)(last - head[1]) * 4; at + 4 <= n;
	     at += 4) {
		uint32_t hash;
		memcpy(&hash, s + at, sizeof(hash));
		last++;
		if (hash & 1)
			break;
	}
	return last;
}

struct dynamic {
	uint64_t needed[ELF_NEEDED_MAX];
	uint64_t strtab, strsz, symtab, hash, gnu_hash, runpath, rpath, flags, flags_1;
	bool has_runpath, has_rpath, textrel;
};

static bool
read_tag(struct elf *e, struct dynamic *d, const Elf64_Dyn *dyn, struct err *err)
{
	uint64_t v = dyn->d_un.d_val;

	switch (dyn->d_tag) {
	case DT_NEEDED:
		if (e->n_needed == ELF_NEEDED_MAX)
			return err_set(err, ERR_LIMIT, "needs more than %u libraries",
			    ELF_NEEDED_MAX);
		d->needed[e->n_needed++] = v;
		break;
	case DT_STRTAB:
		d->strtab = v;
		break;
	case DT_STRSZ:
		d->strsz = v;
		break;
	case DT_SYMTAB:
		d->symtab = v;
		break;
	case DT_HASH:
		d->hash = v;
		break;
	case DT_GNU_HASH:
		d->gnu_hash = v;
		break;
	case DT_RUNPATH:
		d->runpath = v;
		d->has_runpath = true;
		break;
	case DT_RPATH:
		d->rpath = v;
		d->has_rpath = true;
		break;
	case DT_TEXTREL:
		d->textrel = true;
		break;
	case DT_FLAGS:
		d->flags = v;
		break;
	case DT_FLAGS_1:
		d->flags_1 = v;
		break;
	}
	return true;
}

static void
find_symbols(struct elf *e, const struct headers *h, const struct dynamic *d)
{
	uint64_t n = 0, n_hash = 0, n_tab = 0;
	const uint8_t *hash;

	if (d->gnu_hash) {
		hash = at_address(e, h, d->gnu_hash, &n_hash);
		n = count_gnu_hash(hash, n_hash);
	} else if (d->hash && (hash = at_address(e, h, d->hash, &n_hash)) &&
		   n_hash >= 8) {
		uint32_t n_chain;
		memcpy(&n_chain, hash + 4, sizeof(n_chain));
		n = n_chain;
	}
	e->symtab = at_address(e, h, d->symtab, &n_tab);
	if (!e->symtab)
		n = 0;
	if (n > n_tab / sizeof(Elf64_Sym))
		n = n_tab / sizeof(Elf64_Sym);
	e->n_symbols = (size_t)n;
}

static bool
read_dynamic(struct elf *e, const struct headers *h, const Elf64_Phdr *p, struct err *err)
{
	const uint8_t *s = at_offset(e, p->p_offset, p->p_filesz);
	struct dynamic d = {0};
	uint64_t n = 0;

	if (!s)
		return err_set(
		    err, ERR_SYNTAX, "file too short: the dynamic section is cut off");
	for (uint64_t i = 0; i + sizeof(Elf64_Dyn) <= p->p_filesz;
	     i += sizeof(Elf64_Dyn)) {
		Elf64_Dyn dyn;
		memcpy(&dyn, s + i, sizeof(dyn));
		if (dyn.d_tag == DT_NULL)
			break;
		if (!read_tag(e, &d, &dyn, err))
			return false;
	}
	const uint8_t *strtab = at_address(e, h, d.strtab, &n);
	e->n_strtab = table_size(strtab, d.strsz < n ? d.strsz : n);
	e->strtab = (const char *)strtab;
	if (e->n_strtab == 0)
		return err_set(
		    err, ERR_SYNTAX, "file too short: the dynamic strings are cut off");
	for (uint32_t i = 0; i < e->n_needed; i++)
		if (!(e->needed[i] = string_at(e->strtab, e->n_strtab, d.needed[i])))
			return err_set(
			    err, ERR_SYNTAX, "the name of a needed library is cut off");
	if (d.has_runpath || d.has_rpath)
		e->runpath = string_at(
		    e->strtab, e->n_strtab, d.has_runpath ? d.runpath : d.rpath);
	e->text_relocations = d.textrel || (d.flags & DF_TEXTREL);
	e->static_tls = d.flags & DF_STATIC_TLS;
	e->is_program = e->is_program || (d.flags_1 & DF_1_PIE);
	find_symbols(e, h, &d);
	return true;
}

static bool
read_segments(struct elf *e, const struct headers *h, struct err *err)
{
	bool says_stack = false, says_dynamic = false;

	for (uint16_t i = 0; i < h->n_program; i++) {
		Elf64_Phdr p = program_header(h, i);
		if (p.p_type != PT_NULL && p.p_type != PT_GNU_STACK &&
		    !at_offset(e, p.p_offset, p.p_filesz))
			return err_set(err, ERR_SYNTAX,
			    "file too short: a segment ends at byte %llu of %zu",
			    (unsigned long long)(p.p_offset + p.p_filesz), e->n_bytes);
		switch (p.p_type) {
		case PT_LOAD:
			if ((p.p_flags & PF_W) && (p.p_flags & PF_X))
				e->writable_code = true;
			break;
		case PT_INTERP:
			e->interp = string_at(e->bytes + p.p_offset,
			    table_size(e->bytes + p.p_offset, p.p_filesz), 0);
			if (!e->interp)
				return err_set(
				    err, ERR_SYNTAX, "the loader's name is cut off");
			break;
		case PT_NOTE:
			read_notes(e, &p);
			break;
		case PT_GNU_STACK:
			says_stack = true;
			e->executable_stack = p.p_flags & PF_X;
			break;
		case PT_DYNAMIC:
			if (says_dynamic)
				break;
			says_dynamic = true;
			if (!read_dynamic(e, h, &p, err))
				return false;
			break;
		}
	}
	/* On this machine silence means yes. */
	if (!says_stack && THIS_MACHINE == EM_X86_64)
		e->executable_stack = true;
	if (!says_dynamic && e->is_shared_object)
		return err_set(err, ERR_SYNTAX, "object file has no dynamic section");
	return true;
}

bool
elf_read(struct elf *e, const void *bytes, size_t n, struct err *err)
{
	Elf64_Ehdr eh;
	struct headers h;

	*e = (struct elf){.bytes = bytes, .n_bytes = n};
	if (!read_header(e, &eh, err))
		return false;
	e->is_shared_object = eh.e_type == ET_DYN;
	e->is_program = eh.e_type == ET_EXEC;
	if (eh.e_type != ET_DYN && eh.e_type != ET_EXEC)
		return err_set(err, ERR_SYNTAX,
		    "only ET_DYN and ET_EXEC can be loaded, and this is neither");
	if (eh.e_phnum > SEGMENTS_MAX)
		return err_set(err, ERR_LIMIT, "has more than %u segments", SEGMENTS_MAX);
	h.n_program = eh.e_phnum;
	h.program = at_offset(e, eh.e_phoff, (uint64_t)eh.e_phnum * sizeof(Elf64_Phdr));
	if (!h.program)
		return err_set(
		    err, ERR_SYNTAX, "file too short: the program headers are cut off");
	if (!read_segments(e, &h, err))
		return false;
	read_sections(e, &eh);
	return true;
}

void
elf_exports(const struct elf *e, void (*each)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i < e->n_symbols; i++) {
		Elf64_Sym sym;
		memcpy(&sym, e->symtab + i * sizeof(sym), sizeof(sym));
		unsigned bind = ELF64_ST_BIND(sym.st_info);
		unsigned visible = ELF64_ST_VISIBILITY(sym.st_other);
		if (sym.st_shndx == SHN_UNDEF ||
		    (bind != STB_GLOBAL && bind != STB_WEAK) ||
		    (visible != STV_DEFAULT && visible != STV_PROTECTED))
			continue;
		const char *name = string_at(e->strtab, e->n_strtab, sym.st_name);
		if (name)
			each(name, arg);
	}
}
