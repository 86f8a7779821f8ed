/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/rule_files.h"

#include <stdlib.h>

#include "base/limits.h"
#include "broker/settings/files.h"

bool
rule_files_read(
    struct rule_files *f, const char *const *path, uint32_t n, struct err *err)
{
	struct err why;

	*f = (struct rule_files){.path = path,
	    .text = calloc(n + 1, sizeof(*f->text)),
	    .yaml = calloc(n + 1, sizeof(struct rules_text *))};
	if (!f->text || !f->yaml) {
		rule_files_release(f);
		return err_nomem(err);
	}
	for (; f->n < n; f->n++) {
		buf_init(&f->text[f->n], LIMIT_RULES_FILE_BYTES);
		if (!file_read(path[f->n], &f->text[f->n], &why)) {
			buf_release(&f->text[f->n]);
			rule_files_release(f);
			return err_set(err, ERR_USAGE,
			    "Could not open file %s for reading", path[f->n]);
		}
	}
	return true;
}

static void *
take_apart(void *arg)
{
	struct rule_files *f = arg;

	for (uint32_t i = 0; i < f->n; i++)
		f->yaml[i] = rules_text_new(buf_str(&f->text[i]), f->text[i].len);
	return NULL;
}

void
rule_files_begin(struct rule_files *f)
{
	f->is_running = pthread_create(&f->thread, NULL, take_apart, f) == 0;
}

void
rule_files_await(struct rule_files *f)
{
	if (f->is_running)
		pthread_join(f->thread, NULL);
	f->is_running = false;
}

bool
rule_files_load(struct rule_files *f, uint32_t i, struct loader *l,
    const struct load_result **ret_result, struct err *err)
{
	struct rules_text *yaml = f->yaml[i];

	f->yaml[i] = NULL;
	if (!yaml)
		return loader_file(
		    l, f->path[i], buf_str(&f->text[i]), f->text[i].len, ret_result, err);
	return loader_text(l, f->path[i], yaml, ret_result, err);
}

void
rule_files_release(struct rule_files *f)
{
	rule_files_await(f);
	for (uint32_t i = 0; i < f->n; i++) {
		rules_text_free(f->yaml[i]);
		buf_release(&f->text[i]);
	}
	free(f->text);
	free(f->yaml);
	*f = (struct rule_files){.n = 0};
}
