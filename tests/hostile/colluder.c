/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two of these, in two workers, try to find each other: each makes what the other could
 * find, then looks, over and over for as long as the other needs to come. "only=P-Q":
 * the port that this one may listen on, and the other's.
 */
#include "tests/hostile/hostile.h"

#include <arpa/inet.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	ROUNDS = 60,
	PAUSE_US = 10000,
	KEY = 0x6d657773
};

static const char *const folders[] = {
    "/", "/tmp", "/dev/shm", "/var/tmp", "/run", "/etc"};
static unsigned own_port, other_port;

/* A file that each makes under its own name and looks for under the other's. */
static bool
meet_by_file(void)
{
	char own[64], other[64];
	bool met = false;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(own, sizeof(own), "%s/meet-%u", folders[i], own_port);
		snprintf(other, sizeof(other), "%s/meet-%u", folders[i], other_port);
		int fd = open(own, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (fd >= 0)
			close(fd);
		met |= access(other, F_OK) == 0;
	}
	return met;
}

static struct sockaddr_un
unix_name(unsigned port, bool is_abstract, socklen_t *ret_len)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path + is_abstract, sizeof(a.sun_path) - 1, "%smeet-%u",
	    is_abstract ? "" : "/tmp/", port);

	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + is_abstract +
			       (size_t)n + !is_abstract);
	return a;
}

static int listener[2];

static bool
meet_by_unix_socket(bool is_abstract)
{
	socklen_t len;
	struct sockaddr_un a = unix_name(own_port, is_abstract, &len);
	int fd;

	if (!listener[is_abstract]) {
		listener[is_abstract] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)!bind(listener[is_abstract], (void *)&a, len);
		(void)!listen(listener[is_abstract], 8);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a = unix_name(other_port, is_abstract, &len);
	bool met = fd >= 0 && connect(fd, (void *)&a, len) == 0;
	if (fd >= 0)
		close(fd);
	return met;
}

/* Bound in this one, looked for from the other, both ways. */
static bool
meet_by_port(int type)
{
	static int bound[16];
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)own_port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct pollfd pfd = {.events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	if (!bound[type]) {
		bound[type] = socket(AF_INET, type | SOCK_CLOEXEC, 0);
		in.sin_addr.s_addr = 0;
		(void)!bind(bound[type], (void *)&in, sizeof(in));
		(void)!listen(bound[type], 8);
	}
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons((uint16_t)other_port);
	pfd.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (pfd.fd < 0)
		return false;
	bool met = connect(pfd.fd, (void *)&in, sizeof(in)) == 0;
	if (!met && errno == EINPROGRESS && poll(&pfd, 1, 50) > 0)
		met =
		    getsockopt(pfd.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && !error;
	close(pfd.fd);
	return met;
}

static bool
meet_by_ipc(void)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	/* Whoever is second is told that there is one already. */
	bool met = shmget(KEY + (key_t)other_port, 0, 0) >= 0 ||
		   msgget(KEY + (key_t)other_port, 0) >= 0 ||
		   semget(KEY + (key_t)other_port, 0, 0) >= 0;
	char name[32];

	(void)!shmget(KEY + (key_t)own_port, 4096, IPC_CREAT | 0666);
	(void)!msgget(KEY + (key_t)own_port, IPC_CREAT | 0666);
	(void)!semget(KEY + (key_t)own_port, 1, IPC_CREAT | 0666);
	snprintf(name, sizeof(name), "/meet-%u", own_port);
	(void)!syscall(SYS_mq_open, name + 1, O_RDWR | O_CREAT, 0666, &attr);
	snprintf(name, sizeof(name), "/meet-%u", other_port);
	return met || syscall(SYS_mq_open, name + 1, O_RDWR, 0, NULL) >= 0;
}

/* Locks on a library that both have mapped: the same file on disk. */
static bool
meet_by_lock(void)
{
	static int fd;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	if (!fd)
		fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return true;
	lock.l_type = F_RDLCK;
	(void)!fcntl(fd, F_SETLK, &lock);
	lock.l_type = F_WRLCK;
	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* A process that is neither itself nor its shim. */
static bool
meet_by_signal(void)
{
	for (int pid = 3; pid < 300; pid++)
		if (pid != (int)getpid() && kill(pid, 0) == 0)
			return true;
	return false;
}

/* A descriptor sent over each of those that it has, and what came over them. */
static bool
meet_by_descriptor(void)
{
	char byte = 'm', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&byte, 1};
	int memory = (int)syscall(SYS_memfd_create, "meet", 0);
	bool met = false;

	for (int fd = 4; fd < 8; fd++) {
		struct msghdr m = {.msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = control,
		    .msg_controllen = sizeof(control)};
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), memory >= 0 ? &memory : &fd, sizeof(int));
		(void)!sendmsg(fd, &m, MSG_DONTWAIT);
		met |=
		    recvmsg(fd, &m, MSG_DONTWAIT) > 0 && m.msg_controllen > CMSG_LEN(0);
	}
	if (memory >= 0)
		close(memory);
	return met;
}

static bool
by_abstract(void)
{
	return meet_by_unix_socket(true);
}

static bool
by_path(void)
{
	return meet_by_unix_socket(false);
}

static bool
by_stream(void)
{
	return meet_by_port(SOCK_STREAM);
}

static const struct {
	const char *name;
	bool (*meet)(void);
} ways[] = {
    {"file", meet_by_file},
    {"abstract_socket", by_abstract},
    {"path_socket", by_path},
    {"port", by_stream},
    {"ipc", meet_by_ipc},
    {"lock", meet_by_lock},
    {"signal", meet_by_signal},
    {"descriptor", meet_by_descriptor},
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static void
attack(void)
{
	bool met[N_WAYS] = {false};

	sscanf(hostile_only, "%u-%u", &own_port, &other_port);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < N_WAYS; i++)
			met[i] |= ways[i].meet();
		usleep(PAUSE_US);
	}
	for (size_t i = 0; i < N_WAYS; i++)
		told(ways[i].name, met[i] ? "got" : "none", 0);
}
