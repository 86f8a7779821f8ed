/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, as of ABI 7; older kernels take a shorter structure. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped;             /* ABI 6 */
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1
#define FS_EXECUTE             (1ull << 0)
#define FS_WRITE_FILE          (1ull << 1)
#define FS_READ_FILE           (1ull << 2)
#define FS_READ_DIR            (1ull << 3)
#define FS_REMOVE_DIR          (1ull << 4)
#define FS_REMOVE_FILE         (1ull << 5)
#define FS_MAKE_DIR            (1ull << 7)
#define FS_MAKE_REG            (1ull << 8)
#define FS_TRUNCATE            (1ull << 14)
#define RULE_NET_PORT          2
#define NET_CONNECT_TCP        (1ull << 1)

struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

/* How many file rights, network rights and scopes each ABI knows. */
static const struct {
	unsigned fs_bits, net_bits, scope_bits;
} known[] = {
    [1] = {13, 0, 0},
    [2] = {14, 0, 0}, /* REFER */
    [3] = {15, 0, 0}, /* TRUNCATE */
    [4] = {15, 2, 0}, /* TCP bind and connect */
    [5] = {16, 2, 0}, /* IOCTL_DEV */
    [6] = {16, 2, 2}, /* abstract unix sockets, signals */
};
#define NEWEST_KNOWN (int)(sizeof(known) / sizeof(known[0]) - 1)

static uint64_t
low_bits(unsigned n)
{
	return (1ull << n) - 1;
}

int
landlock_abi(void)
{
	long abi =
	    syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

int
landlock_ruleset_new(int abi)
{
	if (abi <= 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	int at = abi < NEWEST_KNOWN ? abi : NEWEST_KNOWN;
	struct ruleset_attr attr = {
	    .handled_access_fs = low_bits(known[at].fs_bits),
	    .handled_access_net = low_bits(known[at].net_bits),
	    .scoped = low_bits(known[at].scope_bits),
	};
	size_t size = abi >= 6   ? sizeof(attr)
		      : abi >= 4 ? 2 * sizeof(uint64_t)
				 : sizeof(uint64_t);

	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0u);
}

int
landlock_allow(int ruleset_fd, int abi, int path_fd, enum landlock_grant grant)
{
	int at = abi < NEWEST_KNOWN ? abi : NEWEST_KNOWN;
	static const uint64_t rights[] = {
	    [LANDLOCK_READ_FILE] = FS_READ_FILE,
	    [LANDLOCK_READ_TREE] = FS_READ_FILE | FS_READ_DIR,
	    [LANDLOCK_READ_EXEC_FILE] = FS_READ_FILE | FS_EXECUTE,
	    [LANDLOCK_READ_EXEC_TREE] = FS_READ_FILE | FS_READ_DIR | FS_EXECUTE,
	    [LANDLOCK_WRITE_TREE] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE |
				    FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
				    FS_MAKE_REG | FS_TRUNCATE,
	};
	struct path_beneath_attr rule = {
	    .allowed_access = rights[grant] & low_bits(known[at].fs_bits),
	    .parent_fd = path_fd,
	};

	return (int)syscall(
	    SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0u);
}

int
landlock_allow_connect(int ruleset_fd, int abi, unsigned port)
{
	struct net_port_attr rule = {.allowed_access = NET_CONNECT_TCP, .port = port};

	if (abi < 4)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, RULE_NET_PORT, &rule, 0u);
}

int
landlock_enter(int ruleset_fd)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset_fd, 0u);
}

int
landlock_forbid_execute(void)
{
	struct ruleset_attr attr = {.handled_access_fs = FS_EXECUTE};
	int fd = (int)syscall(
	    SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0u);

	if (fd < 0)
		return -1;
	int rc = landlock_enter(fd);
	int saved = errno;
	close(fd);
	errno = saved;
	return rc;
}
