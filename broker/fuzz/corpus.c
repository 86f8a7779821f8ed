/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/sha256.h"
#include "broker/fuzz/fuzz.h"
#include "broker/settings/files.h"

enum {
	/* Of all cases together; more than a campaign of a day finds. */
	CORPUS_BYTES = 1 << 30,
	ENTRIES_MAX = 1 << 20,
};

void
fuzz_corpus_init(struct fuzz_corpus *c)
{
	memset(c, 0, sizeof(*c));
	map_init(&c->known);
	arena_init(&c->arena, CORPUS_BYTES);
}

void
fuzz_corpus_release(struct fuzz_corpus *c)
{
	map_release(&c->known);
	arena_release(&c->arena);
	free(c->entry);
	c->entry = NULL;
}

static void
name_of(const uint8_t *bytes, uint32_t n, char name[65])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, bytes, n);
	sha256_hex(&s, name);
}

bool
fuzz_corpus_add(struct fuzz_corpus *c, const uint8_t *bytes, uint32_t n)
{
	char name[65];
	struct err ignored;

	name_of(bytes, n, name);
	if (map_gets(&c->known, name))
		return false;
	if (c->n == c->cap) {
		uint32_t cap = c->cap ? 2 * c->cap : 64;
		struct fuzz_entry *e = reallocarray(c->entry, cap, sizeof(*e));
		if (!e || c->n >= ENTRIES_MAX)
			return false;
		c->entry = e;
		c->cap = cap;
	}
	uint8_t *copy = arena_alloc(&c->arena, n + 1);
	const char *key = arena_strdup(&c->arena, name);
	if (!copy || !key || !map_puts(&c->known, key, copy))
		return false;
	memcpy(copy, bytes, n);
	c->entry[c->n++] = (struct fuzz_entry){.bytes = copy, .n = n};
	/* What cannot be kept is found again next time. */
	if (c->dir)
		fuzz_file_write(c->dir, name, bytes, n, &ignored);
	return true;
}

void
fuzz_corpus_word(struct fuzz_corpus *c, const void *bytes, size_t n)
{
	struct fuzz_word *w = &c->word[c->n_words];

	if (n == 0 || n > FUZZ_WORD_BYTES || c->n_words == FUZZ_WORDS)
		return;
	for (uint32_t i = 0; i < c->n_words; i++)
		if (c->word[i].len == n && memcmp(c->word[i].bytes, bytes, n) == 0)
			return;
	w->len = (uint8_t)n;
	memcpy(w->bytes, bytes, n);
	c->n_words++;
}

bool
fuzz_corpus_load(struct fuzz_corpus *c, struct err *err)
{
	const char *dir = c->dir;
	struct file_list files;

	if (!file_list_read(&files, dir, NULL, err))
		return false;
	/* They are there already. */
	c->dir = NULL;
	for (size_t i = 0; i < files.n; i++) {
		struct buf b;
		struct err ignored;

		const char *slash = strrchr(files.path[i], '/');
		const char *name = slash ? slash + 1 : files.path[i];
		/* What another job is writing has another name until it is whole. */
		if (map_gets(&c->known, name) || strchr(name, '.'))
			continue;
		buf_init(&b, CASE_BYTES);
		if (file_read(files.path[i], &b, &ignored))
			fuzz_corpus_add(c, (const uint8_t *)buf_str(&b), (uint32_t)b.len);
		buf_release(&b);
	}
	c->dir = dir;
	file_list_release(&files);
	return true;
}
