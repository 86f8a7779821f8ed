/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/notify_rows.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "policy/notify.h"

/* clang-format off */
static const struct notify_row rows[] = {
#define ALLOW(call)       {.name = #call, .nr = __NR_##call, .verdict = ROW_ALLOW},
#define FILES(call)       {.name = #call, .nr = __NR_##call, .verdict = ROW_ALLOW},
#define REFUSE(call, err) {.name = #call, .nr = __NR_##call, .verdict = ROW_REFUSE},
#define DENY(call, err, kind_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_DENY, .kind = KIND_##kind_, .error = err},
#define ATTACK(call) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_ATTACK, .kind = KIND_ATTACK},
#define JUDGE(call, kind_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_JUDGE, .kind = KIND_##kind_},
#define WHEN(verdict_, when, call, err, kind_, arg_, mask_, value_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = arg_, .mask = mask_, .value = value_},
#define WHEN2(verdict_, when, call, err, kind_, a1, m1, v1, a2, m2, v2) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = a1, .mask = m1, .value = v1, \
	    .arg2 = a2, .mask2 = m2, .value2 = v2},
#define UNLESS(verdict_, when, call, err, kind_, arg_, value_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = arg_, .mask = ~0ull, .value = value_, .negated = true},
#define UNLESS2(verdict_, when, call, err, kind_, a1, v1, a2, m2, v2) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = a1, .mask = ~0ull, .value = v1, .negated = true, \
	    .arg2 = a2, .mask2 = m2, .value2 = v2},
#include "policy/groups.h"
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(*rows))

const struct notify_row *
notify_row_find(int nr, const uint64_t args[6])
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct notify_row *r = &rows[i];
		if (r->nr != nr || r->verdict == ROW_ALLOW || r->verdict == ROW_REFUSE)
			continue;
		if (((args[r->arg] & r->mask) == r->value) != r->negated &&
		    (args[r->arg2] & r->mask2) == r->value2)
			return r;
	}
	return NULL;
}

const char *
notify_name(int nr)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].nr == nr)
			return rows[i].name;
	return NULL;
}

uint64_t
notify_open_flags(const struct notify_row *r, const uint64_t args[6])
{
	return args[r->nr == __NR_openat ? 2 : 1];
}

bool
notify_opens_to_write(uint64_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) !=
	       O_RDONLY;
}

bool
notify_opens_to_read_or_make(uint64_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC |
			    (O_TMPFILE & ~O_DIRECTORY))) == O_CREAT;
}

bool
notify_is_internet(const uint64_t args[6])
{
	return (int)args[0] == AF_INET || (int)args[0] == AF_INET6;
}
