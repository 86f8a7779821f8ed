/* SPDX-License-Identifier: Apache-2.0 */
/* Long: the hosts, names, peers and plugin of a test are one world, made and ended here.
 */
#include "worker/egress/test_bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/egress/dns.h"
#include "worker/egress/message.h"

#define PATIENCE_MS 20000
#define ORDINARY_ID 64321
#define EGRESS_ID   64322

bool bench_has_public;
uint16_t bench_port, bench_other_port;
char bench_unix_path[128];
static char bench_dir[64], bench_binary[128];

/* The servers. */

static bool
send_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0) {
			at += sent;
			n -= (size_t)sent;
		}
	}
	return true;
}

static void
serve_flood(int fd, size_t n)
{
	static const size_t at_once = 251 * 256;
	unsigned char *bytes = malloc(at_once);

	for (size_t i = 0; i < at_once; i++)
		bytes[i] = (unsigned char)(i % 251);
	for (size_t sent = 0, now; sent < n; sent += now) {
		now = n - sent < at_once ? n - sent : at_once;
		if (!send_all(fd, bytes, now))
			break;
	}
	free(bytes);
}

static void *
serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char bytes[16384], answer[sizeof(bytes) + 128];
	size_t n = 0, total;
	ssize_t got = 1;

	while (n < sizeof(bytes) - 1 && memchr(bytes, '\n', n) == NULL &&
	       (got = read(fd, bytes + n, sizeof(bytes) - 1 - n)) > 0)
		n += (size_t)got;
	bytes[n] = '\0';
	if (strncmp(bytes, "count\n", 6) == 0) {
		for (total = n - 6; (got = read(fd, bytes, sizeof(bytes))) > 0;)
			total += (size_t)got;
		snprintf(answer, sizeof(answer), "%zu", total);
		send_all(fd, answer, strlen(answer));
	} else if (strncmp(bytes, "flood ", 6) == 0) {
		serve_flood(fd, strtoul(bytes + 6, NULL, 10));
	} else if (strncmp(bytes, "reset\n", 6) == 0) {
		struct linger now = {.l_onoff = 1, .l_linger = 0};
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	} else if (strncmp(bytes, "GET ", 4) == 0) {
		while (strstr(bytes, "\r\n\r\n") == NULL && n < sizeof(bytes) - 1 &&
		       (got = read(fd, bytes + n, sizeof(bytes) - 1 - n)) > 0) {
			n += (size_t)got;
			bytes[n] = '\0';
		}
		snprintf(answer, sizeof(answer),
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: "
		    "close\r\n\r\n%s",
		    n, bytes);
		send_all(fd, answer, strlen(answer));
	} else {
		do {
			if (!send_all(fd, bytes, n))
				break;
			got = read(fd, bytes, sizeof(bytes));
			n = (size_t)got;
		} while (got > 0);
	}
	close(fd);
	return NULL;
}

static int
listen_at(const struct sockaddr *sa, socklen_t len)
{
	int off = 0, fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sa->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (fd < 0 || bind(fd, sa, len) < 0 || listen(fd, 1024) < 0) {
		perror("bench: listening");
		exit(1);
	}
	return fd;
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_in6 sa;
	socklen_t len = sizeof(sa);

	getsockname(fd, (struct sockaddr *)&sa, &len);
	return ntohs(sa.sin6_port);
}

static pid_t
start_servers(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct pollfd pfd[3];

	snprintf(bench_unix_path, sizeof(bench_unix_path), "%s/server.sock", bench_dir);
	memcpy(un.sun_path, bench_unix_path, strlen(bench_unix_path));
	unlink(bench_unix_path);
	pfd[0].fd = listen_at((struct sockaddr *)&any, sizeof(any));
	pfd[1].fd = listen_at((struct sockaddr *)&any, sizeof(any));
	pfd[2].fd = listen_at((struct sockaddr *)&un, sizeof(un));
	bench_port = port_of(pfd[0].fd);
	bench_other_port = port_of(pfd[1].fd);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_attr_t attr;
		pthread_t thread;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		pthread_attr_setstacksize(&attr, 128u << 10);
		for (int i = 0; i < 3; i++)
			pfd[i].events = POLLIN;
		while (poll(pfd, 3, -1) > 0)
			for (int i = 0; i < 3; i++) {
				if ((pfd[i].revents & POLLIN) == 0)
					continue;
				int fd = accept4(pfd[i].fd, NULL, NULL, SOCK_CLOEXEC);
				if (fd >= 0 && pthread_create(&thread, &attr, serve,
						   (void *)(intptr_t)fd) != 0)
					close(fd);
			}
		_exit(1);
	}
	for (int i = 0; i < 3; i++)
		close(pfd[i].fd);
	return pid;
}

/* The bench. */

int
bench_new(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "%s/test-XXXXXX", bench_dir);
	*state = b;
	return b != NULL && mkdtemp(b->dir) != NULL ? 0 : -1;
}

int
bench_free(void **state)
{
	struct bench *b = *state;
	char hosts_path[128];

	egress_free(b->egress);
	snprintf(hosts_path, sizeof(hosts_path), "%s/hosts", b->dir);
	unlink(hosts_path);
	int rc = rmdir(b->dir);
	free(b);
	return rc;
}

void
bench_start(struct bench *b, const char *hosts)
{
	char path[128];
	struct egress_config config = {
	    .path = bench_binary, .hosts_path = path, .uid = EGRESS_ID, .gid = EGRESS_ID};
	struct err err;

	snprintf(path, sizeof(path), "%s/hosts", b->dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(hosts, f);
	fclose(f);
	b->egress = egress_start(&config, &err);
	if (b->egress == NULL)
		fail_msg("%s", err.msg);
}

/* The one child with that name. */
pid_t
bench_egress_pid(void)
{
	char path[64], name[32], children[256] = "";
	pid_t found = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(children, sizeof(children), f));
	fclose(f);
	for (char *at = children; *at != '\0'; at += strspn(at, " \n")) {
		pid_t pid = (pid_t)strtol(at, &at, 10);
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
		if ((f = fopen(path, "re")) == NULL)
			continue;
		if (fgets(name, sizeof(name), f) != NULL &&
		    strcmp(name, "mews-egress\n") == 0)
			found = pid;
		fclose(f);
	}
	assert_true(found > 0);
	return found;
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	INSIDE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* As the launcher's child: a user and a network namespace, and in them all capabilities.
 */
static void
enter_namespaces(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	INSIDE(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
}

static void
run_inside(struct bench_worker *w, const struct profile *p, int fd,
    void (*inside)(const struct bench_worker *))
{
	struct message_head head = {0};
	int socket_fd[LIMIT_EGRESS_SOCKETS];
	struct egress_plan plan;
	struct err err = {0};
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_namespaces();
	INSIDE(egress_plan_make(&plan, p, &err));
	if (!egress_sockets_make(&plan, socket_fd, &err))
		inside_fail(__FILE__, __LINE__, err.msg);
	w->dir_fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = plan.n_inet; i < plan.n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", i - plan.n_inet);
		if (!egress_unix_make(w->dir_fd, name, &socket_fd[i], &err))
			inside_fail(__FILE__, __LINE__, err.msg);
	}
	INSIDE(message_send(fd, &head, NULL, 0, socket_fd, plan.n, 0, &err) == PACKET_OK);
	for (unsigned i = 0; i < plan.n; i++)
		close(socket_fd[i]);
	INSIDE(read(fd, &go, 1) == 1);
	inside(w);
	_exit(0);
}

void
bench_worker_hold(struct bench *b, struct bench_worker *w, const struct profile *profile,
    void (*inside)(const struct bench_worker *))
{
	struct message_head head;
	int pair[2], fd[LIMIT_EGRESS_SOCKETS];
	struct egress_plan plan;
	unsigned n_fd;
	size_t n;
	struct err err;

	w->id = ++b->n_workers;
	snprintf(w->dir, sizeof(w->dir), "%s/%u", b->dir, w->id);
	assert_int_equal(mkdir(w->dir, 0755), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		close(pair[0]);
		run_inside(w, profile, pair[1], inside);
	}
	close(pair[1]);
	w->go_fd = pair[0];
	struct pollfd pfd = {.fd = pair[0], .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	if (message_receive(pair[0], &head, NULL, 0, &n, fd, LIMIT_EGRESS_SOCKETS, &n_fd,
		&err) != PACKET_OK)
		fail_msg("worker: %s", err.msg);
	assert_true(egress_plan_make(&plan, profile, &err));
	assert_int_equal(n_fd, plan.n);
	if (!egress_add(b->egress, w->id, profile, fd, &err))
		fail_msg("%s", err.msg);
	for (unsigned i = 0; i < n_fd; i++)
		close(fd[i]);
}

void
bench_worker_go(const struct bench_worker *w)
{
	assert_int_equal(write(w->go_fd, "g", 1), 1);
}

void
bench_worker_new(struct bench *b, struct bench_worker *w, const struct profile *profile,
    void (*inside)(const struct bench_worker *))
{
	bench_worker_hold(b, w, profile, inside);
	bench_worker_go(w);
}

/* Takes the events that are there; waits for the first up to that long. */
static void
take_events(struct bench *b, int ms)
{
	struct pollfd pfd = {.fd = egress_fd(b->egress), .events = POLLIN};
	struct egress_event e;

	poll(&pfd, 1, ms);
	while (egress_event(b->egress, &e))
		if (b->n_events < sizeof(b->event) / sizeof(b->event[0]))
			b->event[b->n_events++] = e;
}

static void
remove_tree(const struct bench_worker *w)
{
	char path[128];

	for (unsigned i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "%s/%u", w->dir, i);
		unlink(path);
	}
	rmdir(w->dir);
}

void
bench_worker_wait(struct bench *b, struct bench_worker *w)
{
	uint64_t end_ns = clock_mono_ns() + 3 * PATIENCE_MS * 1000000ull;
	int status;

	for (;;) {
		pid_t got = waitpid(w->pid, &status, WNOHANG);
		if (got == w->pid)
			break;
		if (clock_mono_ns() > end_ns) {
			kill(w->pid, SIGKILL);
			waitpid(w->pid, &status, 0);
			break;
		}
		take_events(b, 5);
	}
	close(w->go_fd);
	take_events(b, 0);
	remove_tree(w);
	/* It has said what failed. */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void
bench_run(struct bench *b, const struct profile *profile,
    void (*inside)(const struct bench_worker *))
{
	struct bench_worker w;
	struct err err;

	bench_worker_new(b, &w, profile, inside);
	bench_worker_wait(b, &w);
	assert_true(egress_remove(b->egress, w.id, &err));
}

static const struct egress_event *
find_event(const struct bench *b, enum egress_event_kind kind, const char *text)
{
	for (unsigned i = b->n_events; i > 0; i--)
		if (b->event[i - 1].kind == kind &&
		    strstr(b->event[i - 1].what, text) != NULL)
			return &b->event[i - 1];
	return NULL;
}

bool
bench_had_event(const struct bench *b, enum egress_event_kind kind, const char *text)
{
	return find_event(b, kind, text) != NULL;
}

const struct egress_event *
bench_event(struct bench *b, enum egress_event_kind kind, const char *text)
{
	uint64_t end_ns = clock_mono_ns() + PATIENCE_MS * 1000000ull;
	const struct egress_event *e;

	while ((e = find_event(b, kind, text)) == NULL) {
		if (clock_mono_ns() > end_ns) {
			for (unsigned i = 0; i < b->n_events; i++)
				print_message(
				    "event %d %s\n", b->event[i].kind, b->event[i].what);
			fail_msg("no event with: %s", text);
		}
		take_events(b, 100);
	}
	return e;
}

struct egress_counters
bench_counters(struct bench *b, uint32_t id)
{
	struct err err;

	/* Only what comes now. */
	take_events(b, 0);
	b->n_events = 0;
	assert_true(egress_ask_counters(b->egress, id, &err));
	return bench_event(b, EGRESS_EVENT_COUNTERS, "")->counters;
}

/* Inside. */

void
inside_fail(const char *file, int line, const char *what)
{
	int saved = errno;

	fprintf(
	    stderr, "inside, %s:%d: %s (errno %s)\n", file, line, what, strerror(saved));
	_exit(1);
}

static void
set_patience(int fd)
{
	struct timeval t = {.tv_sec = PATIENCE_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

int
inside_dial(const char *address, uint16_t port)
{
	struct sockaddr_storage sa;
	struct address a;

	INSIDE(address_parse(address, &a));
	socklen_t len = address_to_sockaddr(&a, port, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	INSIDE(fd >= 0);
	set_patience(fd);
	if (connect(fd, (struct sockaddr *)&sa, len) == 0)
		return fd;
	int saved = errno;
	close(fd);
	return -saved;
}

int
inside_dial_unix(const struct bench_worker *w, const char *name)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	INSIDE(fd >= 0);
	set_patience(fd);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%.8s", w->dir, name);
	INSIDE(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	return fd;
}

static size_t
make_query(const char *name, unsigned type, uint8_t out[DNS_QUERY_BYTES])
{
	static const uint8_t head[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	size_t n = sizeof(head);

	memcpy(out, head, n);
	while (*name != '\0') {
		size_t label = strcspn(name, ".");
		out[n++] = (uint8_t)label;
		memcpy(out + n, name, label);
		n += label;
		name += label + (name[label] == '.');
	}
	memcpy(out + n, (const uint8_t[]){0, 0, (uint8_t)type, 0, 1}, 5);
	return n + 5;
}

static const char *
read_answer(const uint8_t *p, ssize_t n, size_t n_query)
{
	static const char *const rcodes[] = {
	    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
	static char text[INET_ADDRSTRLEN];

	if (n < 12)
		return "";
	INSIDE(p[0] == 0x12 && p[1] == 0x34 && (p[2] & 0x80) != 0 && (p[3] & 15) < 6);
	if (p[7] == 0)
		return rcodes[p[3] & 15];
	INSIDE((size_t)n == n_query + 16);
	inet_ntop(AF_INET, p + n - 4, text, sizeof(text));
	return text;
}

const char *
inside_ask(const char *name, unsigned type, bool over_tcp)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 2};
	uint8_t query[2 + DNS_QUERY_BYTES], answer[2 + DNS_ANSWER_BYTES];
	size_t n = make_query(name, type, query + 2);
	int fd = socket(AF_INET, (over_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	INSIDE(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	INSIDE(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	ssize_t got;
	if (over_tcp) {
		query[0] = (uint8_t)(n >> 8);
		query[1] = (uint8_t)n;
		/* In two pieces, as it may come. */
		INSIDE(send_all(fd, query, 7));
		INSIDE(send_all(fd, query + 7, n + 2 - 7));
		got = recv(fd, answer, sizeof(answer), 0) - 2;
	} else {
		INSIDE(send_all(fd, query + 2, n));
		got = recv(fd, answer + 2, DNS_ANSWER_BYTES, 0);
	}
	close(fd);
	return read_answer(answer + 2, got, n);
}

const char *
inside_talk(int fd, const char *request)
{
	static char answer[65536];
	size_t n = 0;
	ssize_t got = 0;

	INSIDE(fd >= 0);
	send_all(fd, request, strlen(request));
	while (n < sizeof(answer) - 1 &&
	       (got = read(fd, answer + n, sizeof(answer) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	answer[got < 0 ? 0 : n] = '\0';
	return answer;
}

/* The run. */

static bool
copy_binary(const char *from)
{
	char bytes[65536];
	ssize_t n;

	snprintf(bench_binary, sizeof(bench_binary), "%s/mews-egress", bench_dir);
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(bench_binary, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			return false;
	close(in);
	close(out);
	return chmod(bench_binary, 0755) == 0;
}

/* This process's own network, with a public and a private address that are its own: by
 * what is tested, which can do just that. */
static bool
make_network(void)
{
	struct profile_connect own[] = {
	    {BENCH_PUBLIC, false, 9, false}, {BENCH_PRIVATE, false, 9, false}};
	struct profile p = {.connect = own, .n_connect = 2};
	int fd[LIMIT_EGRESS_SOCKETS];
	struct egress_plan plan;
	struct err err;

	if (unshare(CLONE_NEWNET) < 0 || !egress_plan_make(&plan, &p, &err) ||
	    !egress_sockets_make(&plan, fd, &err))
		return false;
	for (unsigned i = 0; i < plan.n_inet; i++)
		close(fd[i]);
	return true;
}

static bool
has_namespaces(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static int
run_with_servers(const char *who, int (*run)(const char *))
{
	if (!has_namespaces()) {
		printf("skipped %s: no user and network namespaces here\n", who);
		return 0;
	}
	pid_t servers = start_servers();
	int rc = run(who);
	kill(servers, SIGKILL);
	waitpid(servers, NULL, 0);
	unlink(bench_unix_path);
	return rc;
}

int
bench_main(int argc, char **argv, int (*run)(const char *who))
{
	struct rlimit files;
	int rc, status;

	if (argc != 2) {
		fprintf(stderr, "usage: %s MEWS-EGRESS\n", argv[0]);
		return 2;
	}
	setbuf(stdout, NULL);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	strncpy(bench_dir, "/tmp/mews-egress-XXXXXX", sizeof(bench_dir) - 1);
	if (mkdtemp(bench_dir) == NULL || chmod(bench_dir, 0777) < 0 ||
	    !copy_binary(argv[1])) {
		perror("bench");
		return 1;
	}
	bool is_root = geteuid() == 0;
	/* One that mews-egress must get rid of. */
	if (is_root && setgroups(1, (const gid_t[]){ORDINARY_ID}) < 0) {
		perror("bench: setgroups");
		return 1;
	}
	if (is_root && !make_network()) {
		perror("bench: network");
		return 1;
	}
	bench_has_public = is_root;
	rc = run_with_servers(is_root ? "as root" : "as an ordinary user", run);
	if (is_root) {
		pid_t pid = fork();
		if (pid == 0) {
			if (setgroups(0, NULL) < 0 ||
			    setresgid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) < 0 ||
			    setresuid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) < 0)
				_exit(1);
			/* Changing credentials took it; /proc/self is to be its own. */
			prctl(PR_SET_DUMPABLE, 1);
			exit(run_with_servers("as an ordinary user", run));
		}
		waitpid(pid, &status, 0);
		rc |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	unlink(bench_binary);
	rmdir(bench_dir);
	return rc;
}
