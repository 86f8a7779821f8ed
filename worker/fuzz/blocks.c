/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/blocks.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "worker/fuzz/insn.h"

enum {
	FUNCTION_BYTES = 1 << 20, /* larger ones are tables in disguise */
	/* A Go plugin has fewer functions in C than this, unless it is half C++: they are
	 * its runtime's. */
	CGO_FUNCTIONS = 256,
	GO_118_MAGIC = (int)0xfffffff0,
	GO_120_MAGIC = (int)0xfffffff1,
	/* Words of Go's moduledata: the table's head is the first. */
	GO_NAMES_WORD = 1,
	GO_MINPC_WORD = 20,
	GO_TEXT_WORD = 22,
	GO_WORDS = 24,
};

struct span {
	uint64_t start, end; /* addresses */
};

/* Reading the file, within its bounds. */

static bool
get(const struct blocks *b, size_t offset, void *to, size_t n)
{
	if (offset > b->size || n > b->size - offset)
		return false;
	memcpy(to, b->file + offset, n);
	return true;
}

static bool
segment(const struct blocks *b, unsigned i, Elf64_Phdr *ret)
{
	Elf64_Ehdr e;

	return get(b, 0, &e, sizeof(e)) && i < e.e_phnum &&
	       get(b, e.e_phoff + i * sizeof(*ret), ret, sizeof(*ret));
}

size_t
blocks_offset(const struct blocks *b, uint64_t address)
{
	Elf64_Phdr p;

	for (unsigned i = 0; segment(b, i, &p); i++)
		if (p.p_type == PT_LOAD && address >= p.p_vaddr &&
		    address - p.p_vaddr < p.p_filesz)
			return address - p.p_vaddr + p.p_offset;
	return SIZE_MAX;
}

static bool
get_at(const struct blocks *b, uint64_t address, void *to, size_t n)
{
	return get(b, blocks_offset(b, address), to, n);
}

static bool
find_section(const struct blocks *b, const char *name, Elf64_Shdr *ret)
{
	Elf64_Ehdr e;
	Elf64_Shdr names;
	char text[32];

	if (!get(b, 0, &e, sizeof(e)) ||
	    !get(b, e.e_shoff + e.e_shstrndx * sizeof(names), &names, sizeof(names)))
		return false;
	for (unsigned i = 0; i < e.e_shnum; i++) {
		if (!get(b, e.e_shoff + i * sizeof(*ret), ret, sizeof(*ret)))
			return false;
		memset(text, 0, sizeof(text));
		if (get(b, names.sh_offset + ret->sh_name, text, strlen(name) + 1) &&
		    strcmp(text, name) == 0)
			return true;
	}
	return false;
}

static bool
is_instrumented(const struct blocks *b)
{
	static const char *const marks[] = {"__sanitizer_cov_", "__afl_area_ptr"};
	Elf64_Shdr s;

	if (!find_section(b, ".dynstr", &s) || s.sh_offset > b->size ||
	    s.sh_size > b->size - s.sh_offset)
		return false;
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (memmem(b->file + s.sh_offset, s.sh_size, marks[i], strlen(marks[i])))
			return true;
	return false;
}

/* One function. */

enum {
	STARTS = 1, /* an instruction */
	LEADS = 2,  /* a block */
};

static void
add_function(struct blocks *b, const struct span *text, struct span f)
{
	static uint8_t mark[FUNCTION_BYTES];
	size_t size = f.end - f.start, at = 0;
	struct insn insn;
	uint32_t n;

	if (f.start < text->start || f.end > text->end || f.start >= f.end ||
	    size > FUNCTION_BYTES)
		return;
	const uint8_t *code = b->file + blocks_offset(b, f.start);
	memset(mark, 0, size);
	for (bool leads = true; at < size; at += n) {
		n = insn_decode(code + at, size - at, &insn);
		if (n == 0)
			return;
		mark[at] |= STARTS;
		/* What lies between functions is not run. */
		if (leads && insn.kind != INSN_PAD) {
			mark[at] |= LEADS;
			leads = false;
		}
		if (insn.kind == INSN_BRANCH || insn.kind == INSN_JUMP) {
			int64_t to = (int64_t)at + insn.target;
			if (to >= 0 && to < (int64_t)size)
				mark[to] |= LEADS;
		}
		leads |= insn.kind == INSN_BRANCH || insn.kind == INSN_JUMP ||
			 insn.kind == INSN_END;
	}
	for (at = 0; at < size; at++)
		if (mark[at] == LEADS)
			return;
	for (at = 0; at < size && b->n < FUZZ_BLOCKS; at++)
		if (mark[at] == (STARTS | LEADS))
			b->at[b->n++] = (uint32_t)(f.start + at);
}

/* C, C++, Rust: the search table of .eh_frame, then what it points to. */
static void
add_unwound(struct blocks *b, const struct span *text, bool has_go)
{
	struct {
		uint8_t version, ptr_form, count_form, table_form;
		int32_t ptr;
		uint32_t n;
	} head;
	struct {
		int32_t start, entry;
	} row;
	struct {
		uint32_t len, cie;
		int32_t start;
		uint32_t size;
	} entry;
	const uint8_t pcrel_sdata4 = 0x1b, datarel_sdata4 = 0x3b, udata4 = 0x03;
	Elf64_Shdr s;

	if (!find_section(b, ".eh_frame_hdr", &s) ||
	    !get_at(b, s.sh_addr, &head, sizeof(head)) || head.version != 1 ||
	    head.ptr_form != pcrel_sdata4 || head.count_form != udata4 ||
	    head.table_form != datarel_sdata4 || (has_go && head.n < CGO_FUNCTIONS))
		return;
	for (uint32_t i = 0; i < head.n; i++) {
		uint64_t at = s.sh_addr + sizeof(head) + i * sizeof(row);
		if (!get_at(b, at, &row, sizeof(row)))
			return;
		uint64_t start = s.sh_addr + (uint64_t)(int64_t)row.start;
		uint64_t fde = s.sh_addr + (uint64_t)(int64_t)row.entry;
		/* That both say the same tells that the form is the usual one. */
		if (get_at(b, fde, &entry, sizeof(entry)) &&
		    fde + 8 + (uint64_t)(int64_t)entry.start == start)
			add_function(b, text, (struct span){start, start + entry.size});
	}
}

/* Go. */

struct go_table {
	const uint8_t *p; /* as loaded */
	size_t n;
	uint64_t text, names, functions, n_functions;
};

static uint64_t
word(const uint8_t *p, unsigned i)
{
	uint64_t v;

	memcpy(&v, p + i * sizeof(v), sizeof(v));
	return v;
}

/* Newer tables do not say where the code is; the module does, which points at them. */
static uint64_t
find_text(const struct blocks *b, const struct go_table *t)
{
	Elf64_Phdr s;

	for (unsigned i = 0; segment(b, i, &s); i++) {
		const uint8_t *from = (const uint8_t *)b->base + s.p_vaddr;
		if (s.p_type != PT_LOAD || !(s.p_flags & PF_W))
			continue;
		for (size_t at = 0; at + GO_WORDS * 8 <= s.p_memsz; at += 8) {
			const uint8_t *m = from + at;
			if (word(m, 0) == (uintptr_t)t->p &&
			    word(m, GO_NAMES_WORD) == (uintptr_t)t->p + t->names &&
			    word(m, GO_TEXT_WORD) <= word(m, GO_MINPC_WORD))
				return word(m, GO_TEXT_WORD);
		}
	}
	return 0;
}

static bool
find_go(const struct blocks *b, struct go_table *t)
{
	Elf64_Shdr s;
	uint32_t magic;

	if (!find_section(b, ".gopclntab", &s) &&
	    !find_section(b, ".data.rel.ro.gopclntab", &s))
		return false;
	t->p = (const uint8_t *)b->base + s.sh_addr;
	t->n = s.sh_size;
	if (blocks_offset(b, s.sh_addr) == SIZE_MAX || t->n < 9 * 8)
		return false;
	memcpy(&magic, t->p, sizeof(magic));
	if (magic != (uint32_t)GO_118_MAGIC && magic != (uint32_t)GO_120_MAGIC)
		return false;
	t->n_functions = word(t->p, 1);
	t->text = word(t->p, 3);
	t->names = word(t->p, 4);
	t->functions = word(t->p, 8);
	if (t->names >= t->n || t->functions >= t->n ||
	    t->n_functions > (t->n - t->functions) / 8)
		return false;
	if (t->text == 0)
		t->text = find_text(b, t);
	return t->text != 0;
}

static bool
is_runtime(const struct go_table *t, uint32_t function)
{
	static const char *const left_out[] = {"runtime", "internal/", "syscall.", "_cgo",
	    "crosscall", "sync/atomic", "go:", "type:"};
	uint64_t at = t->functions + function;
	int32_t name;

	if (at + 8 > t->n)
		return true;
	memcpy(&name, t->p + at + 4, sizeof(name));
	uint64_t text = t->names + (uint64_t)(uint32_t)name;
	if (text >= t->n)
		return true;
	for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++) {
		size_t n = strlen(left_out[i]);
		if (n <= t->n - text && memcmp(t->p + text, left_out[i], n) == 0)
			return true;
	}
	/* What has no package's name is of its assembly. */
	const uint8_t *end = memchr(t->p + text, '\0', t->n - text);
	return !end || !memchr(t->p + text, '.', (size_t)(end - t->p) - text);
}

static void
add_go(struct blocks *b, const struct span *text, const struct go_table *t)
{
	for (uint64_t i = 0; i + 1 < t->n_functions; i++) {
		uint32_t row[3]; /* start, function, the next one's start */
		memcpy(row, t->p + t->functions + i * 8, sizeof(row));
		uint64_t from = t->text - b->base;
		if (!is_runtime(t, row[1]))
			add_function(
			    b, text, (struct span){from + row[0], from + row[2]});
	}
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
blocks_find(struct blocks *b)
{
	Elf64_Shdr s;
	Elf64_Ehdr e;
	struct go_table go;
	uint32_t n = 0;

	b->n = 0;
	if (!get(b, 0, &e, sizeof(e)) || e.e_machine != EM_X86_64 || is_instrumented(b) ||
	    !find_section(b, ".text", &s) || s.sh_addr + s.sh_size > UINT32_MAX)
		return;
	size_t offset = blocks_offset(b, s.sh_addr);
	if (offset > b->size || s.sh_size > b->size - offset)
		return;
	const struct span text = {s.sh_addr, s.sh_addr + s.sh_size};
	bool has_go = find_go(b, &go);
	if (has_go)
		add_go(b, &text, &go);
	add_unwound(b, &text, has_go);
	qsort(b->at, b->n, sizeof(*b->at), by_number);
	for (uint32_t i = 0; i < b->n; i++)
		if (n == 0 || b->at[n - 1] != b->at[i])
			b->at[n++] = b->at[i];
	b->n = n;
}
