/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
assert_digest(const char *text, const char *want)
{
	struct sha256 s;
	char hex[65];

	sha256_init(&s);
	sha256_add(&s, text, strlen(text));
	sha256_hex(&s, hex);
	assert_string_equal(hex, want);
}

/* The standard's own examples. */
static void
test_sha256_known_digests(void **state)
{
	assert_digest(
	    "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_digest(
	    "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
test_sha256_a_million_letters(void **state)
{
	struct sha256 s;
	char block[1000], hex[65];

	memset(block, 'a', sizeof(block));
	sha256_init(&s);
	for (int i = 0; i < 1000; i++)
		sha256_add(&s, block, sizeof(block));
	sha256_hex(&s, hex);
	assert_string_equal(
	    hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
test_sha256_pieces_do_not_matter(void **state)
{
	static const char text[] =
	    "the same bytes, whether they come at once or one by one, over more than one "
	    "block of sixty-four and with every split of them in between, give one "
	    "digest";
	char whole[65], split[65];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, text, sizeof(text));
	sha256_hex(&s, whole);
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		sha256_init(&s);
		sha256_add(&s, text, cut);
		for (size_t i = cut; i < sizeof(text); i++)
			sha256_add(&s, text + i, 1);
		sha256_hex(&s, split);
		assert_string_equal(split, whole);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sha256_known_digests),
	    cmocka_unit_test(test_sha256_a_million_letters),
	    cmocka_unit_test(test_sha256_pieces_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
