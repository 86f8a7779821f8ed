/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/preflight.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FIXTURE "policy/testdata/fixture.so"

static struct arena arena;
static uint8_t *bytes;
static size_t n_bytes;
static char dir[256];

static int
setup(void **state)
{
	FILE *f = fopen(FIXTURE, "r");
	const char *tmp = getenv("TEST_TMPDIR");

	if (!f || fseek(f, 0, SEEK_END) != 0)
		return -1;
	n_bytes = (size_t)ftell(f);
	bytes = malloc(n_bytes);
	rewind(f);
	if (!bytes || fread(bytes, 1, n_bytes, f) != n_bytes)
		return -1;
	fclose(f);
	snprintf(dir, sizeof(dir), "%s/preflight.XXXXXX", tmp ? tmp : "/tmp");
	arena_init(&arena, 16u << 20);
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	free(bytes);
	arena_release(&arena);
	return rmdir(dir);
}

/* A changed copy of the fixture: change gets its header and program headers. */
static void
assert_refused(void (*change)(Elf64_Ehdr *, Elf64_Phdr *), const char *want)
{
	struct err err = {0};
	struct elf e;
	uint8_t *copy = malloc(n_bytes);

	assert_non_null(copy);
	memcpy(copy, bytes, n_bytes);
	Elf64_Ehdr *eh = (Elf64_Ehdr *)copy;
	change(eh, (Elf64_Phdr *)(copy + eh->e_phoff));
	assert_false(preflight_bytes(&e, copy, n_bytes, &err));
	if (!strstr(err.msg, want))
		fail_msg("\"%s\" is not in \"%s\"", want, err.msg);
	free(copy);
}

static Elf64_Phdr *
find(const Elf64_Ehdr *eh, Elf64_Phdr *ph, uint32_t type)
{
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == type)
			return &ph[i];
	fail_msg("no segment %u", type);
	return NULL;
}

static void
no_magic(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_ident[0] = '#';
}

static void
other_machine(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_machine = EM_RISCV;
}

static void
unheard_machine(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_machine = 4711;
}

static void
narrow(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_ident[EI_CLASS] = ELFCLASS32;
}

static void
object_file(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_type = ET_REL;
}

static void
program(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_type = ET_EXEC;
}

static void
interpreted(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	find(eh, ph, PT_GNU_EH_FRAME)->p_type = PT_INTERP;
}

static void
stack(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	find(eh, ph, PT_GNU_STACK)->p_flags |= PF_X;
}

static void
no_word_on_stack(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	find(eh, ph, PT_GNU_STACK)->p_type = PT_NULL;
}

static void
writable_code(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	find(eh, ph, PT_LOAD)->p_flags = PF_R | PF_W | PF_X;
}

static void
far_segment(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	find(eh, ph, PT_LOAD)->p_filesz = UINT64_MAX;
}

static void
far_headers(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_phoff = UINT64_MAX - 8;
}

static void
many_segments(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	eh->e_phnum = 65535;
}

static void
no_dynamic(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	find(eh, ph, PT_DYNAMIC)->p_type = PT_NULL;
}

static Elf64_Dyn *
tag(Elf64_Ehdr *eh, Elf64_Phdr *ph, int64_t which)
{
	Elf64_Dyn *d = (Elf64_Dyn *)((uint8_t *)eh + find(eh, ph, PT_DYNAMIC)->p_offset);

	while (d->d_tag != which)
		d++;
	return d;
}

static void
text_relocations(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	tag(eh, ph, DT_RELACOUNT)->d_tag = DT_TEXTREL;
}

static void
strings_elsewhere(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	tag(eh, ph, DT_STRTAB)->d_un.d_ptr = 0x7fffffff0000;
}

static void
needed_elsewhere(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	tag(eh, ph, DT_NEEDED)->d_un.d_val = 1u << 30;
}

static void
no_symbols(Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	tag(eh, ph, DT_GNU_HASH)->d_tag = DT_DEBUG;
}

static void
test_preflight_refuses_what_no_worker_loads(void **state)
{
	assert_refused(no_magic, "invalid ELF header");
	assert_refused(other_machine, "is built for riscv, this machine is ");
	assert_refused(unheard_machine, "is built for machine 4711, this machine is ");
	assert_refused(narrow, "wrong ELF class: ELFCLASS32");
	assert_refused(object_file, "neither");
	assert_refused(program, "is a program, not a shared object");
	assert_refused(interpreted, "is a program, not a shared object");
	assert_refused(stack, "asks for an executable stack");
#if defined(__x86_64__)
	assert_refused(no_word_on_stack, "asks for an executable stack");
#endif
	assert_refused(writable_code, "writable and executable");
	assert_refused(text_relocations, "has text relocations");
	assert_refused(
	    no_symbols, "plugin_get_required_api_version symbol not implemented");
}

static void
test_preflight_refuses_what_is_cut_or_lies(void **state)
{
	assert_refused(far_segment, "file too short");
	assert_refused(far_headers, "file too short");
	assert_refused(many_segments, "has more than 128 segments");
	assert_refused(no_dynamic, "no dynamic section");
	assert_refused(strings_elsewhere, "file too short");
	assert_refused(needed_elsewhere, "needed library is cut off");
}

static void
test_preflight_survives_any_length(void **state)
{
	for (size_t n = 0; n < n_bytes; n += n < 4096 ? 1 : 61) {
		/* Of exactly that size, so that a sanitizer sees one byte too far. */
		uint8_t *copy = malloc(n + !n);
		struct err err = {0};
		struct elf e;
		assert_non_null(copy);
		memcpy(copy, bytes, n);
		bool ok = preflight_bytes(&e, copy, n, &err);
		if (n < 4096)
			assert_false(ok);
		assert_true(ok || err.msg[0] != '\0');
		free(copy);
	}
}

static bool
examined(const char *path, struct preflight *pf, struct err *err)
{
	return preflight_plugin(pf, &arena, path, NULL, 0, err);
}

static void
assert_not_loaded(const char *path, const char *want)
{
	struct preflight pf;
	struct err err = {0};
	char text[PATH_MAX + 200];

	assert_false(examined(path, &pf, &err));
	snprintf(text, sizeof(text), "%s: %s", path, want);
	assert_string_equal(err.msg, text);
}

static void
test_preflight_speaks_as_the_loader_does(void **state)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/nothing", dir);
	assert_not_loaded(
	    path, "cannot open shared object file: No such file or directory");
	assert_not_loaded(dir, "cannot read file data: Is a directory");
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_not_loaded(path, "file too short");
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("#!/bin/sh\necho this is no library, whatever it is called\n", f);
	fclose(f);
	assert_not_loaded(path, "invalid ELF header");
	if (geteuid() != 0) {
		assert_int_equal(chmod(path, 0), 0);
		assert_not_loaded(
		    path, "cannot open shared object file: Permission denied");
	}
	assert_int_equal(unlink(path), 0);
	/* Opening a pipe must not wait for somebody to write to it. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_not_loaded(path, "is not a regular file");
	assert_int_equal(unlink(path), 0);
}

static void
test_preflight_finds_what_it_needs(void **state)
{
	struct preflight pf;
	struct err err = {0};
	bool libc = false, libm = false;

	if (!examined(FIXTURE, &pf, &err))
		fail_msg("%s", err.msg);
	for (uint32_t i = 0; i < pf.n_library; i++) {
		libc |= strcmp(pf.library[i].name, "libc.so.6") == 0;
		libm |= strcmp(pf.library[i].name, "libm.so.6") == 0;
		assert_int_equal(access(pf.library[i].path, R_OK), 0);
		assert_false(pf.library[i].own);
		assert_null(strstr(pf.library[i].name, "ld-linux"));
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(pf.library[i].name, pf.library[k].name);
	}
	assert_true(libc && libm);
	assert_false(pf.go_runtime);
	assert_int_equal(pf.size, n_bytes);
	assert_int_equal(strlen(pf.sha256), 64);
}

static void
write_fixture(const char *path, const char *from, const char *to)
{
	uint8_t *copy = malloc(n_bytes);
	size_t n = strlen(from);

	assert_non_null(copy);
	memcpy(copy, bytes, n_bytes);
	for (uint8_t *p = copy; (p = memmem(p, n_bytes - (size_t)(p - copy), from, n));
	     p++)
		memcpy(p, to, n);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(copy, 1, n_bytes, f), n_bytes);
	fclose(f);
	free(copy);
}

static void
test_preflight_names_the_library_that_is_missing(void **state)
{
	struct preflight pf;
	struct err err = {0};
	char path[300];

	snprintf(path, sizeof(path), "%s/p.so", dir);
	write_fixture(path, "libm.so.6", "libQ.so.6");
	assert_false(examined(path, &pf, &err));
	assert_non_null(strstr(err.msg, "needs the library libQ.so.6: cannot open shared "
					"object file: No such file or directory"));
	/* A path is not a name to look for. */
	write_fixture(path, "libm.so.6", "/tmp/so.6");
	assert_false(examined(path, &pf, &err));
	assert_non_null(strstr(err.msg, "needs the library /tmp/so.6"));
	assert_int_equal(unlink(path), 0);
}

static void
test_preflight_marks_what_the_linker_says(void **state)
{
	struct preflight pf;
	struct err err = {0};

	assert_false(examined("policy/testdata/executable_stack.so", &pf, &err));
	assert_non_null(strstr(err.msg, "asks for an executable stack"));
}

static void
test_preflight_takes_the_run_path_only_where_listed(void **state)
{
	struct preflight pf;
	struct err err = {0};
	char here[300], lib[400];
	const char *listed[] = {dir};
	char path[300];
	FILE *f = fopen("policy/testdata/run_path.so", "r");

	/* Its run path is $ORIGIN/lib; libm there is a copy of the fixture. */
	assert_non_null(f);
	uint8_t *all = malloc(1u << 20);
	assert_non_null(all);
	size_t n = fread(all, 1, 1u << 20, f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/p.so", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(all, 1, n, f), n);
	fclose(f);
	free(all);
	snprintf(here, sizeof(here), "%s/lib", dir);
	assert_int_equal(mkdir(here, 0700), 0);
	snprintf(lib, sizeof(lib), "%s/libm.so.6", here);
	write_fixture(lib, "libm.so.6", "libc.so.6");

	for (uint32_t n_listed = 0; n_listed < 2; n_listed++) {
		bool own = false;
		if (!preflight_plugin(&pf, &arena, path, listed, n_listed, &err))
			fail_msg("%s", err.msg);
		for (uint32_t i = 0; i < pf.n_library; i++)
			if (strcmp(pf.library[i].name, "libm.so.6") == 0)
				own = pf.library[i].own;
		assert_int_equal(own, n_listed == 1);
	}
	assert_int_equal(unlink(lib), 0);
	assert_int_equal(rmdir(here), 0);
	assert_int_equal(unlink(path), 0);
}

static void
test_preflight_reads_a_program(void **state)
{
	struct preflight pf;
	struct err err = {0};

	if (!preflight_program(&pf, &arena, "/proc/self/exe", &err))
		fail_msg("%s", err.msg);
	assert_non_null(strstr(pf.interp, "/ld-"));
	assert_true(pf.n_library > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_preflight_refuses_what_no_worker_loads),
	    cmocka_unit_test(test_preflight_refuses_what_is_cut_or_lies),
	    cmocka_unit_test(test_preflight_survives_any_length),
	    cmocka_unit_test(test_preflight_speaks_as_the_loader_does),
	    cmocka_unit_test(test_preflight_finds_what_it_needs),
	    cmocka_unit_test(test_preflight_names_the_library_that_is_missing),
	    cmocka_unit_test(test_preflight_marks_what_the_linker_says),
	    cmocka_unit_test(test_preflight_takes_the_run_path_only_where_listed),
	    cmocka_unit_test(test_preflight_reads_a_program),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
