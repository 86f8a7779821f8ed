/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* Of one that does not say its size, as assembly's: no more than this is its. */
	BYTES_WITHOUT_SIZE = 4096,
	SECTIONS_MAX = 256,
	/* The largest Go plugins have a few MB of each. */
	TABLE_BYTES_MAX = 64 << 20,
};

struct symbols {
	Elf64_Sym *symbol;
	size_t n;
	char *text; /* NUL-terminated */
	size_t n_text;
};

struct file {
	int fd;
	uint64_t size;
};

/* Bytes [offset, offset + n) of the file and a NUL, or NULL. */
static void *
read_part(const struct file *f, uint64_t offset, uint64_t n, struct err *err)
{
	char *p;
	size_t at = 0;

	if (n == 0 || n > TABLE_BYTES_MAX || offset > f->size || n > f->size - offset) {
		err_set(
		    err, ERR_SYNTAX, "a part of it is not where it says, or too large");
		return NULL;
	}
	p = malloc(n + 1);
	if (!p) {
		err_nomem(err);
		return NULL;
	}
	while (at < n) {
		ssize_t got = pread(f->fd, p + at, n - at, (off_t)(offset + at));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			err_sys(err, "reading it");
			free(p);
			return NULL;
		}
		at += (size_t)got;
	}
	p[n] = '\0';
	return p;
}

static bool
read_tables(struct symbols *s, const struct file *f, const Elf64_Shdr *section,
    unsigned n_section, const Elf64_Shdr *table, struct err *err)
{
	if (table->sh_link >= n_section)
		return err_set(err, ERR_SYNTAX, "its symbols have no names");
	const Elf64_Shdr *text = &section[table->sh_link];
	s->symbol = read_part(f, table->sh_offset, table->sh_size, err);
	if (!s->symbol)
		return false;
	s->n = table->sh_size / sizeof(*s->symbol);
	s->text = read_part(f, text->sh_offset, text->sh_size, err);
	s->n_text = text->sh_size;
	return s->text != NULL;
}

static bool
read_sections(struct symbols *s, const struct file *f, struct err *err)
{
	static const uint32_t types[] = {SHT_SYMTAB, SHT_DYNSYM};
	Elf64_Ehdr *head = read_part(f, 0, sizeof(*head), err);
	Elf64_Shdr *section = NULL;
	bool done = false;

	if (!head)
		return false;
	unsigned n = head->e_shnum;
	if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_ident[EI_CLASS] != ELFCLASS64 ||
	    head->e_shentsize != sizeof(*section) || n > SECTIONS_MAX)
		err_set(err, ERR_SYNTAX, "not an ELF file that has sections");
	else
		section = read_part(f, head->e_shoff, n * sizeof(*section), err);
	free(head);
	if (!section)
		return false;
	err_set(err, ERR_SYNTAX, "it has no symbols");
	for (size_t t = 0; !done && t < sizeof(types) / sizeof(*types); t++) {
		for (unsigned i = 0; !s->symbol && i < n; i++)
			if (section[i].sh_type == types[t])
				done = read_tables(s, f, section, n, &section[i], err);
	}
	free(section);
	return done;
}

struct symbols *
symbols_read(const char *path, struct stat *ret_stat, struct err *err)
{
	/* NONBLOCK: whatever it is now, opening it does not wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct symbols *s = calloc(1, sizeof(*s));
	bool done = false;

	if (!s) {
		err_nomem(err);
	} else if (fd < 0 || fstat(fd, ret_stat) < 0) {
		err_sys(err, "%s", path);
	} else if (!S_ISREG(ret_stat->st_mode)) {
		err_set(err, ERR_SYNTAX, "%s: no regular file", path);
	} else {
		const struct file f = {fd, (uint64_t)ret_stat->st_size};
		done = read_sections(s, &f, err) || err_wrap(err, "%s", path);
	}
	if (fd >= 0)
		close(fd);
	if (done)
		return s;
	symbols_free(s);
	return NULL;
}

void
symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->symbol);
	free(s->text);
	free(s);
}

static bool
holds(const Elf64_Sym *s, uint64_t address)
{
	unsigned type = ELF64_ST_TYPE(s->st_info);

	uint64_t size = s->st_size ? s->st_size : BYTES_WITHOUT_SIZE;

	return (type == STT_FUNC || type == STT_GNU_IFUNC) && s->st_shndx != SHN_UNDEF &&
	       address >= s->st_value && address - s->st_value < size;
}

bool
symbols_find(const struct symbols *s, uint64_t address, char ret_name[SYMBOL_NAME_BYTES],
    uint64_t *ret_offset)
{
	const Elf64_Sym *best = NULL;
	size_t n = 0;

	/* The nearest before it: one without a size may seem to hold others. */
	for (size_t i = 0; i < s->n; i++) {
		const Elf64_Sym *c = &s->symbol[i];
		if (holds(c, address) && (!best || c->st_value > best->st_value))
			best = c;
	}
	if (!best || best->st_name >= s->n_text || !s->text[best->st_name])
		return false;
	for (const char *p = s->text + best->st_name; *p && n + 1 < SYMBOL_NAME_BYTES;
	     p++)
		ret_name[n++] = *p > ' ' && *p < 0x7f ? *p : '?';
	ret_name[n] = '\0';
	*ret_offset = address - best->st_value;
	return true;
}
