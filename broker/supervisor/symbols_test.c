/* SPDX-License-Identifier: Apache-2.0 */
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/supervisor/symbols.h"

/* Static, so that only .symtab has it. */
static __attribute__((noinline)) int
a_function_of_the_test(int x)
{
	static volatile int y;

	y += x;
	return y * 3;
}

static int
own_base(struct dl_phdr_info *info, size_t size, void *arg)
{
	*(uint64_t *)arg = info->dlpi_addr;
	return 1; /* the first is the program */
}

static void
test_symbols_name_a_function_of_this_program(void **state)
{
	char name[SYMBOL_NAME_BYTES];
	uint64_t base = 0, offset = 0,
		 at = (uint64_t)(uintptr_t)a_function_of_the_test + 2;
	struct stat st;
	struct err err;

	dl_iterate_phdr(own_base, &base);
	struct symbols *s = symbols_read("/proc/self/exe", &st, &err);
	assert_non_null(s);
	assert_true(symbols_find(s, at - base, name, &offset));
	assert_string_equal(name, "a_function_of_the_test");
	assert_int_equal(offset, 2);
	assert_true(st.st_size > 0);
	assert_false(symbols_find(s, 1, name, &offset));
	symbols_free(s);
	assert_int_equal(a_function_of_the_test(1), 3);
}

/* What is read of a file whose bytes are changed one after the other, and of one that is
 * cut: no more than what is there. */
static void
test_symbols_of_broken_files(void **state)
{
	char path[] = "/tmp/symbols-test.XXXXXX", name[SYMBOL_NAME_BYTES];
	static uint8_t file[1 << 16];
	FILE *self = fopen("/proc/self/exe", "re");
	int fd = mkstemp(path);
	struct stat st;
	struct err err;
	uint64_t offset;

	assert_true(self && fd >= 0);
	size_t n = fread(file, 1, sizeof(file), self);
	fclose(self);
	for (unsigned i = 0; i < 64; i++) {
		/* The header's fields; the file is cut behind what was read, too. */
		uint8_t was = file[i];
		for (unsigned v = 0; v < 256; v += 51) {
			file[i] = (uint8_t)v;
			assert_int_equal(pwrite(fd, file, n, 0), n);
			struct symbols *s = symbols_read(path, &st, &err);
			if (s)
				symbols_find(s, 0x1000, name, &offset);
			symbols_free(s);
		}
		file[i] = was;
	}
	unlink(path);
	close(fd);
	assert_null(symbols_read("/dev/null", &st, &err));
	assert_null(symbols_read("/nowhere/at/all", &st, &err));
	assert_non_null(strstr(err.msg, "/nowhere/at/all"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_symbols_name_a_function_of_this_program),
	    cmocka_unit_test(test_symbols_of_broken_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
