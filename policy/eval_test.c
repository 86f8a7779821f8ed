/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/eval.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define RET(k)   BPF_STMT(BPF_RET | BPF_K, k)
#define N(p)     (sizeof(p) / sizeof(*(p)))

static uint32_t
run(const struct sock_filter *p, uint32_t n, const struct seccomp_data *d)
{
	struct err err = {0};

	if (!bpf_check(p, n, &err))
		fail_msg("%s", err.msg);
	return bpf_run(p, n, d);
}

static void
test_eval_follows_both_branches(void **state)
{
	const struct sock_filter p[] = {LOAD(0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1), RET(1),
	    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 100, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET(2), RET(3)};
	struct seccomp_data d = {.nr = 7};

	assert_int_equal(run(p, N(p), &d), 1);
	d.nr = 101;
	assert_int_equal(run(p, N(p), &d), 2);
	d.nr = 100;
	assert_int_equal(run(p, N(p), &d), 3);
}

static void
test_eval_reads_halves_of_arguments(void **state)
{
	struct seccomp_data d = {.args = {0, 0x1122334455667788ull}};
	const struct sock_filter low[] = {LOAD(24), BPF_STMT(BPF_RET | BPF_A, 0)};
	const struct sock_filter high[] = {LOAD(28),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_A, 0)};

	assert_int_equal(run(low, N(low), &d), 0x55667788);
	assert_int_equal(run(high, N(high), &d), 0x3344);
}

static void
test_eval_keeps_scratch_words(void **state)
{
	const struct sock_filter p[] = {BPF_STMT(BPF_LD | BPF_IMM, 5),
	    BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_IMM, 0),
	    BPF_STMT(BPF_LDX | BPF_MEM, 3), BPF_STMT(BPF_MISC | BPF_TXA, 0),
	    BPF_STMT(BPF_RET | BPF_A, 0)};
	struct seccomp_data d = {0};

	assert_int_equal(run(p, N(p), &d), 5);
}

static void
test_eval_check_refuses_what_the_kernel_does(void **state)
{
	static const struct sock_filter bad[][2] = {
	    {LOAD(2), RET(0)},
	    {LOAD(64), RET(0)},
	    {BPF_STMT(BPF_ST, 16), RET(0)},
	    {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), RET(0)},
	    {BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET(0)},
	    {BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), RET(0)},
	    {RET(0), LOAD(0)},
	    {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET(0)},
	    {BPF_STMT(0xffff, 0), RET(0)},
	};
	struct err err;

	for (size_t i = 0; i < N(bad); i++)
		assert_false(bpf_check(bad[i], 2, &err));
	assert_false(bpf_check(bad[0], 0, &err));
}

static void
test_eval_stricter_orders_as_the_kernel_does(void **state)
{
	static const uint32_t order[] = {SECCOMP_RET_KILL_PROCESS,
	    SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
	    SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
	    SECCOMP_RET_ALLOW};
	char text[32];

	for (size_t i = 0; i < N(order); i++)
		for (size_t k = i; k < N(order); k++) {
			assert_int_equal(bpf_stricter(order[i], order[k]), order[i]);
			assert_int_equal(bpf_stricter(order[k], order[i]), order[i]);
		}
	assert_string_equal(
	    bpf_action_text(SECCOMP_RET_ERRNO | 38, text, sizeof(text)), "errno 38");
	assert_string_equal(
	    bpf_action_text(SECCOMP_RET_KILL_PROCESS, text, sizeof(text)), "kill");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_eval_follows_both_branches),
	    cmocka_unit_test(test_eval_reads_halves_of_arguments),
	    cmocka_unit_test(test_eval_keeps_scratch_words),
	    cmocka_unit_test(test_eval_check_refuses_what_the_kernel_does),
	    cmocka_unit_test(test_eval_stricter_orders_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
