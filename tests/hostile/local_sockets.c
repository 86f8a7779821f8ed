/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin that may listen at one unix socket tries beyond that. "only=DIR": the
 * socket is DIR/may.sock; DIR/host.sock (streams) and DIR/host.dgram are the host's, and
 * DIR/file is a file.
 */
#include "tests/hostile/hostile.h"

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char path[128];

/* Its own, or another's name beside it. */
static const char *
in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", hostile_only, name);
	return path;
}

static struct sockaddr_un
at(const char *text)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, text, strnlen(text, sizeof(un.sun_path)));
	return un;
}

static void
try_bind(const char *name, const char *text)
{
	struct sockaddr_un un = at(text);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	tried(name, bind(fd, (void *)&un, sizeof(un)));
	close(fd);
}

static void
other_paths(void)
{
	char text[200];

	try_bind("other_name", in_dir("other.sock"));
	try_bind("the_hosts", in_dir("host.sock"));
	try_bind("a_file", in_dir("file"));
	try_bind("other_dir", "/tmp/other.sock");
	snprintf(text, sizeof(text), "%s/../%s", hostile_only, "may.sock");
	try_bind("dot_dot", text);
	snprintf(text, sizeof(text), "%s/x/../may.sock", hostile_only);
	try_bind("dot_dot_inside", text);
	snprintf(text, sizeof(text), "%s/./may.sock", hostile_only);
	try_bind("dot", text);
	snprintf(text, sizeof(text), "%s//may.sock", hostile_only);
	try_bind("two_slashes", text);
	snprintf(text, sizeof(text), "%s/may.sock/", hostile_only);
	try_bind("slash_at_end", text);
	try_bind("relative", "may.sock");
	try_bind("relative_dot_dot", "../may.sock");
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[108] = '\0';
	try_bind("long", text);
}

static void
other_addresses(void)
{
	struct sockaddr_un un = at(in_dir("may.sock"));
	struct sockaddr_storage big = {.ss_family = AF_UNIX};
	struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0hostile"};
	struct sockaddr inet = {.sa_family = AF_INET};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&big, &un, sizeof(un));
	tried("too_long", bind(fd, (void *)&big, sizeof(big)));
	tried("no_memory", bind(fd, (void *)16, sizeof(un)));
	tried("abstract",
	    bind(fd, (void *)&abstract, offsetof(struct sockaddr_un, sun_path) + 8));
	tried("unnamed", bind(fd, (void *)&abstract, sizeof(sa_family_t)));
	tried("other_family", bind(fd, &inet, sizeof(inet)));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	tried("internet_socket", bind(fd, (void *)&un, sizeof(un)));
	close(fd);
}

/* A second thread that changes, without pause, what the first one passes. */
static struct sockaddr_un changing;
static volatile bool is_over;

static void *
change_path(void *arg)
{
	static const char may[] = "may", not [] = "not";
	char *name = strstr(changing.sun_path, "may.sock");

	while (!is_over) {
		memcpy(name, not, 3);
		memcpy(name, may, 3);
	}
	return arg;
}

static void
race(void)
{
	const char *outcome = "denied";
	pthread_t thread;

	changing = at(in_dir("may.sock"));
	is_over = false;
	if (pthread_create(&thread, NULL, change_path, NULL) != 0)
		return;
	for (int i = 0; i < 200; i++) {
		struct sockaddr_un un;
		socklen_t len = sizeof(un);
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(fd, (void *)&changing, sizeof(changing)) == 0 &&
		    getsockname(fd, (void *)&un, &len) == 0 &&
		    strcmp(un.sun_path, "may.sock") != 0)
			outcome = "got";
		close(fd);
	}
	is_over = true;
	pthread_join(thread, NULL);
	told("race", outcome, 0);
}

static void
changes(void)
{
	char other[128];

	tried("unlink_file", unlink(in_dir("file")));
	tried("unlink_host", unlink(in_dir("host.sock")));
	tried("chmod_file", chmod(in_dir("file"), 0777));
	tried("mkdir_other", mkdir(in_dir("d"), 0755));
	tried("rmdir", rmdir(hostile_only));
	tried("create", open(in_dir("may.sock"), O_RDWR | O_CREAT, 0644));
	tried("mknod", mknod(in_dir("may.sock"), S_IFSOCK | 0666, 0));
	tried("symlink", symlink("/etc/passwd", in_dir("may.sock")));
	snprintf(other, sizeof(other), "%s/other", hostile_only);
	tried("rename", rename(in_dir("may.sock"), other));
	tried("link", link(in_dir("may.sock"), other));
}

static void
reach_out(int fd)
{
	struct sockaddr_un host = at(in_dir("host.sock")),
			   dgram = at(in_dir("host.dgram")), own = at(in_dir("may.sock"));
	struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0hostile"};
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_name = &dgram,
	    .msg_namelen = sizeof(dgram),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};
	int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, pair[2];
	int d = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(one);

	tried("connect_host", connect(stream, (void *)&host, sizeof(host)));
	tried("connect_own", connect(stream, (void *)&own, sizeof(own)));
	tried("connect_abstract", connect(stream, (void *)&abstract,
				      offsetof(struct sockaddr_un, sun_path) + 8));
	tried("connect_listener", connect(fd, (void *)&host, sizeof(host)));
	tried("connect_datagram", connect(d, (void *)&dgram, sizeof(dgram)));
	tried("send_datagram", sendto(d, "x", 1, 0, (void *)&dgram, sizeof(dgram)));
	tried("send_message", sendmsg(d, &m, 0));
	tried("receive_message", recvmsg(d, &m, MSG_DONTWAIT));
	tried(
	    "take_rights", setsockopt(fd, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &one, len));
	tried("peer_process",
	    getsockopt(fd, SOL_SOCKET, 77 /* SO_PEERPIDFD */, &one, &len));
	tried("datagram_pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	tried("listen_unbound", listen(stream, 1));
	close(stream);
	close(d);
}

static void
attack(void)
{
	struct sockaddr_un un;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), again;

	other_paths();
	other_addresses();
	race();
	changes();
	un = at(in_dir("may.sock"));
	if (!tried("its_own", bind(fd, (void *)&un, sizeof(un))))
		return;
	tried("bound_again", bind(fd, (void *)&un, sizeof(un)));
	again = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	tried("second_socket", bind(again, (void *)&un, sizeof(un)));
	tried("mode", chmod(un.sun_path, 07777));
	listen(fd, 100000);
	reach_out(fd);
	/* Its file goes with the worker; until somebody has looked at it, it stays. */
	poll(NULL, 0, 300);
}
