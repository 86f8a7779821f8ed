/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/fuzz/insn.h"
#include "worker/fuzz/mutate.h"

static const struct {
	const char *bytes;
	uint32_t n;
	enum insn_kind kind;
	int64_t target;
} row[] = {
    {"\x55", 1, INSN_PLAIN, 0},
    {"\x48\x89\xe5", 3, INSN_PLAIN, 0},
    {"\x8b\x05\xd1\x20\x00\x00", 6, INSN_PLAIN, 0},         /* rip-relative */
    {"\x42\x0f\xb6\x0c\x11", 5, INSN_PLAIN, 0},             /* with an index */
    {"\x48\x8b\x04\x25\x28\x00\x00\x00", 8, INSN_PLAIN, 0}, /* no base */
    {"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, INSN_PLAIN, 0},
    {"\x66\xc7\x45\xf0\x34\x12", 6, INSN_PLAIN, 0}, /* imm16 */
    {"\xc7\x05\xe3\x20\x00\x00\x00\x00\x00\x00", 10, INSN_PLAIN, 0},
    {"\xf6\x40\x10\x01", 4, INSN_PLAIN, 0}, /* test */
    {"\xf6\x50\x10", 3, INSN_PLAIN, 0},     /* not */
    {"\x48\xf7\xc1\x01\x00\x00\x00", 7, INSN_PLAIN, 0},
    {"\xc8\x10\x00\x00", 4, INSN_PLAIN, 0},
    {"\xe8\x00\x00\x00\x00", 5, INSN_PLAIN, 0},
    {"\x66\x66\x48\xe8\x00\x00\x00\x00", 8, INSN_PLAIN, 0}, /* __tls_get_addr */
    {"\x64\x48\xa1\x00\x00\x00\x00\x00\x00\x00\x00", 11, INSN_PLAIN, 0},
    {"\xf3\x0f\x1e\xfa", 4, INSN_PLAIN, 0},         /* endbr64 */
    {"\x66\x0f\x3a\x0f\xc1\x08", 6, INSN_PLAIN, 0}, /* palignr */
    {"\x66\x0f\x38\x00\xc1", 5, INSN_PLAIN, 0},
    {"\xc5\xf8\x77", 3, INSN_PLAIN, 0}, /* vzeroupper */
    {"\xc5\xf9\x70\xc0\x4e", 5, INSN_PLAIN, 0},
    {"\xc4\xe2\x7d\x5a\x00", 5, INSN_PLAIN, 0},
    {"\xc4\xe3\x7d\x39\xc1\x01", 6, INSN_PLAIN, 0},
    {"\x62\xf1\xfe\x48\x6f\x46\x01", 7, INSN_PLAIN, 0}, /* vmovdqu64 */
    {"\x62\xf3\x7d\x20\x3f\xc1\x00", 7, INSN_PLAIN, 0}, /* vpcmpub */
    {"\x0f\x1f\x84\x00\x00\x00\x00\x00", 8, INSN_PAD, 0},
    {"\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", 10, INSN_PAD, 0},
    {"\x90", 1, INSN_PAD, 0},
    {"\xcc", 1, INSN_PAD, 0},
    {"\x74\xfe", 2, INSN_BRANCH, 0},
    {"\x75\x10", 2, INSN_BRANCH, 0x12},
    {"\x0f\x84\x00\x01\x00\x00", 6, INSN_BRANCH, 0x106},
    {"\xe3\x05", 2, INSN_BRANCH, 7},
    {"\xeb\x05", 2, INSN_JUMP, 7},
    {"\xe9\xfb\xff\xff\xff", 5, INSN_JUMP, 0},
    {"\xff\xe0", 2, INSN_END, 0},
    {"\xff\xd0", 2, INSN_PLAIN, 0},                       /* a call */
    {"\x3e\xff\x24\xc5\x00\x00\x00\x00", 8, INSN_END, 0}, /* a switch */
    {"\xc3", 1, INSN_END, 0},
    {"\xf3\xc3", 2, INSN_END, 0},
    {"\x0f\x0b", 2, INSN_END, 0},
};

static void
lengths_and_kinds(void **state)
{
	struct insn insn;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		uint8_t bytes[16] = {0};

		memcpy(bytes, row[i].bytes, row[i].n);
		assert_int_equal(insn_decode(bytes, sizeof(bytes), &insn), row[i].n);
		assert_int_equal(insn.kind, row[i].kind);
		assert_int_equal(insn.target, row[i].target);
		/* One byte less is none. */
		assert_int_equal(insn_decode(bytes, row[i].n - 1, &insn), 0);
	}
}

static void
constants(void **state)
{
	static const struct {
		const char *bytes;
		uint32_t n, constant;
	} of[] = {
	    {"\x81\x38\x6e\x75\x6c\x6c", 6, 4},                  /* cmpl, (%rax) */
	    {"\x66\x81\x38\x6f\x6b", 5, 2},                      /* cmpw */
	    {"\x3d\x01\x02\x03\x04", 5, 4},                      /* cmp, %eax */
	    {"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, 8}, /* movabs */
	    {"\x81\xc1\x01\x02\x03\x04", 6, 0},                  /* add */
	    {"\xb8\x01\x02\x03\x04", 5, 0},                      /* mov */
	};
	struct insn insn;

	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++) {
		assert_int_equal(
		    insn_decode((const uint8_t *)of[i].bytes, of[i].n, &insn), of[i].n);
		assert_int_equal(insn.constant, of[i].constant);
	}
}

static void
what_is_none(void **state)
{
	static const char *const none[] = {"\x06", "\x60", "\x9a", "\xd4", "\xea",
	    "\x0f\x04", "\x0f\x0a", "\x48\x48",
	    "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"};
	struct insn insn;

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(
		    insn_decode((const uint8_t *)none[i], strlen(none[i]), &insn), 0);
	assert_int_equal(insn_decode(NULL, 0, &insn), 0);
}

/* Whatever stands there: no byte past the end, no length past fifteen. */
static void
noise(void **state)
{
	struct fuzz_rng r = {7};
	struct insn insn;
	uint8_t bytes[16];
	uint32_t n_valid = 0;

	for (unsigned i = 0; i < 1000000; i++) {
		for (unsigned k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)fuzz_rng_next(&r);
		uint32_t cap = fuzz_rng_below(&r, sizeof(bytes) + 1);
		uint32_t n = insn_decode(bytes, cap, &insn);
		assert_true(n <= cap && n <= 15);
		n_valid += n > 0;
	}
	assert_true(n_valid > 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lengths_and_kinds),
	    cmocka_unit_test(constants),
	    cmocka_unit_test(what_is_none),
	    cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
