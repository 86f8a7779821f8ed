/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile_auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf/load.h"

static struct arena arena;
static struct profile_set ours;

static int
setup(void **state)
{
	struct err err;

	arena_init(&arena, 64u << 20);
	return profile_set_load(&ours, &arena, "policy/profiles", &err) ? 0 : -1;
}

static int
teardown(void **state)
{
	arena_release(&arena);
	return 0;
}

static struct profile
chosen(const char *name, const char *path, const char *open_params, const char *block,
    enum profile_origin want)
{
	struct conf_node *root = NULL;
	enum profile_origin origin;
	struct profile p;
	struct err err = {0};
	struct buf notes;

	buf_init(&notes, 4096);
	if (block)
		assert_true(conf_load(
		    &arena, block, strlen(block), "falco.yaml", false, &root, &err));
	const struct profile_subject s = {
	    .name = name,
	    .library_path = path,
	    .entry = {"", open_params},
	    .block = root,
	    .file = "falco.yaml",
	};
	if (!profile_for_plugin(&p, &arena, &ours, &s, &origin, &notes, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(origin, want);
	assert_string_equal(buf_str(&notes), "");
	buf_release(&notes);
	return p;
}

static void
test_auto_finds_by_name_then_by_file(void **state)
{
	assert_string_equal(
	    chosen("k8saudit", "/x/libother.so", "", NULL, PROFILE_BY_NAME).name,
	    "k8saudit");
	assert_string_equal(
	    chosen("audit", "/x/libk8saudit.so", "", NULL, PROFILE_BY_FILE).name,
	    "k8saudit");
	assert_string_equal(
	    chosen("audit", "libk8saudit.so.1", "", NULL, PROFILE_BY_FILE).name,
	    "k8saudit");
	assert_string_equal(
	    chosen("json", "/x/libk8saudit.so", "", "profile: auto", PROFILE_BY_NAME)
		.name,
	    "json");
	assert_string_equal(
	    chosen("audit", "/x/k8saudit.so", "", NULL, PROFILE_UNKNOWN).name, "pure");
	assert_string_equal(
	    chosen("k8s", "/x/libk8s.so", "", "", PROFILE_UNKNOWN).name, "pure");
}

static void
test_auto_is_refined_by_the_block(void **state)
{
	struct profile p = chosen("k8saudit", "/x.so", "http://:9765/x",
	    "read: [/etc/hostname]\nlimits: {threads: 9}\nlisten: tcp:99",
	    PROFILE_BY_NAME);

	assert_string_equal(p.name, "k8saudit");
	assert_int_equal(p.n_listen, 2);
	assert_int_equal(p.listen[0].port, 9765);
	assert_int_equal(p.listen[1].port, 99);
	assert_int_equal(p.n_read, 1);
	assert_int_equal(p.limits.threads, 9);
}

static void
test_what_the_block_names_wins(void **state)
{
	struct profile p =
	    chosen("k8saudit", "/x.so", "http://:9765/x", "profile: pure", PROFILE_ASKED);

	assert_string_equal(p.name, "pure");
	assert_int_equal(p.n_listen, 0);
	/* Parts count for a profile that was asked for, too. */
	p = chosen("mine", "/x.so", "http://:9765/x", "profile: k8saudit", PROFILE_ASKED);
	assert_int_equal(p.n_listen, 1);
}

static void
test_unknown_profiles_and_no_blocks_are_mistakes(void **state)
{
	static const struct {
		const char *block, *want;
	} cases[] = {
	    {"profile: k8saudti", ": did you mean k8saudit?"},
	    {"[a]", "falco.yaml:1:1: sandbox: wants keys and values, as in {profile: …}"},
	    {"raed: /x",
		"falco.yaml:1:7: \"raed\" is no key of sandbox: did you mean read?"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct profile_subject s = {.name = "k8saudit",
		    .library_path = "/x",
		    .entry = {"", ""},
		    .file = "f"};
		struct profile p = {.name = "untouched"};
		enum profile_origin origin;
		struct conf_node *root;
		struct err err = {0};
		struct buf notes;
		assert_true(conf_load(&arena, cases[i].block, strlen(cases[i].block),
		    "falco.yaml", false, &root, &err));
		s.block = root;
		buf_init(&notes, 4096);
		assert_false(
		    profile_for_plugin(&p, &arena, &ours, &s, &origin, &notes, &err));
		assert_non_null(strstr(err.msg, cases[i].want));
		assert_string_equal(p.name, "untouched");
		buf_release(&notes);
	}
}

static void
test_folder_that_is_named_must_be_there(void **state)
{
	struct profile_set set;
	struct err err = {0};

	assert_false(profile_set_load_all(&set, &arena, "/no/such/folder", &err));
	assert_non_null(strstr(err.msg, "sandbox.profiles_dir: /no/such/folder: "));
	assert_true(profile_set_load_all(&set, &arena, "policy/profiles", &err));
	assert_true(set.n >= ours.n);
}

/* Every plugin of the registry, and under which built-in profile the least of it runs. */
static void
test_every_registered_plugin_has_a_profile(void **state)
{
	static const char *const names[] = {"k8saudit", "cloudtrail", "json", "dummy",
	    "dummy_c", "docker", "seccompagent", "okta", "github", "k8saudit-eks",
	    "nomad", "dnscollector", "gcpaudit", "syslogsrv", "salesforce", "box",
	    "k8smeta", "k8saudit-gke", "journald", "kafka", "gitlab", "keycloak",
	    "k8saudit-aks", "k8saudit-ovh", "dummy_rs", "container", "krsi", "collector",
	    "awselb", "edera", "nginx", "coding_agent"};

	assert_int_equal(sizeof(names) / sizeof(*names), 32);
	assert_int_equal(ours.n, 32);
	for (size_t i = 0; i < 32; i++) {
		struct profile p = chosen(names[i], "/x.so", "", NULL, PROFILE_BY_NAME);
		assert_string_equal(p.name, names[i]);
		assert_true(p.base != PROFILE_UNCONFINED);
		assert_false(p.jit);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_auto_finds_by_name_then_by_file),
	    cmocka_unit_test(test_auto_is_refined_by_the_block),
	    cmocka_unit_test(test_what_the_block_names_wins),
	    cmocka_unit_test(test_unknown_profiles_and_no_blocks_are_mistakes),
	    cmocka_unit_test(test_folder_that_is_named_must_be_there),
	    cmocka_unit_test(test_every_registered_plugin_has_a_profile),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
