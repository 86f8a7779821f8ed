/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that a worker finds not to exist, as on an older kernel. */
#include "tests/hostile/hostile.h"

#define CALL(name)                                                                       \
	{                                                                                \
#name, SYS_##name                                                        \
	}

static const struct {
	const char *name;
	long number;
} calls[] = {
    CALL(io_uring_setup),
    CALL(io_uring_enter),
    CALL(io_uring_register),
    CALL(clone3),
    CALL(openat2),
    CALL(memfd_create),
    CALL(memfd_secret),
    CALL(mq_open),
    CALL(msgget),
    CALL(semget),
    CALL(shmget),
    CALL(shmat),
    CALL(io_setup),
    CALL(splice),
    CALL(tee),
    CALL(vmsplice),
    CALL(copy_file_range),
    CALL(name_to_handle_at),
    CALL(lookup_dcookie),
    CALL(uselib),
    CALL(ustat),
    CALL(sysfs),
    CALL(pidfd_open),
    CALL(process_mrelease),
    {"unknown_1000", 1000},
    {"unknown_461", 461},
    {"negative", -1},
};

static void
attack(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		tried(calls[i].name, syscall(calls[i].number, 0, 0, 0, 0, 0, 0));
}
