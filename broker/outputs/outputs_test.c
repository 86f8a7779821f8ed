/* SPDX-License-Identifier: Apache-2.0 */
/* Long: each sink, with each way in which it can be deaf, full or gone. */
#include "broker/outputs/outputs.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/keeper/keeper.h"
#include "broker/settings/files.h"

static char dir[64], path[128], other[128];
/* A script: the keeper's command is one for all tests. */
static char program[128];
static char logged[4096];
static pthread_mutex_t logged_lock = PTHREAD_MUTEX_INITIALIZER;

static void
keep_log(enum log_level level, const char *line)
{
	pthread_mutex_lock(&logged_lock);
	strncat(logged, line, sizeof(logged) - strlen(logged) - 2);
	strcat(logged, "\n");
	pthread_mutex_unlock(&logged_lock);
}

static bool
was_logged(const char *text)
{
	pthread_mutex_lock(&logged_lock);
	bool found = strstr(logged, text) != NULL;
	pthread_mutex_unlock(&logged_lock);
	return found;
}

static int
configure_log(void **state)
{
	const struct log_config config = {LOG_LEVEL_DEBUG, .sink = keep_log};

	log_configure(&config);
	return 0;
}

static int
setup(void **state)
{
	strcpy(dir, "/tmp/outputs_test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/out", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	logged[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

__attribute__((format(printf, 1, 2))) static void
program_does(const char *fmt, ...)
{
	FILE *f = fopen(program, "we");
	va_list ap;

	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static void
nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void
wait_idle(struct outputs *o)
{
	while (!outputs_idle(o))
		nap();
}

static char *
content(const char *name)
{
	struct buf b;
	struct err err;

	buf_init(&b, 64 << 20);
	if (!file_read(name, &b, &err))
		fail_msg("%s", err.msg);
	buf_adds(&b, "");
	return buf_steal(&b);
}

static void
assert_content(const char *name, const char *want)
{
	char *have = content(name);

	assert_string_equal(have, want);
	free(have);
}

static struct outputs *
make(const struct settings *s)
{
	struct err err;
	struct outputs *o = outputs_new(s, false, &err);

	if (!o)
		fail_msg("%s", err.msg);
	return o;
}

static void
put(struct outputs *o, const char *line)
{
	assert_true(outputs_put(o, PRIORITY_NOTICE, line, strlen(line)));
	outputs_flush(o);
}

static void
test_outputs_append_lines_to_a_file(void **state)
{
	const struct settings s = {
	    .output_timeout_ms = 2000, .file_enabled = true, .file_name = path};
	struct outputs_counts c;

	for (int round = 0; round < 2; round++) {
		struct outputs *o = make(&s);
		put(o, "one");
		put(o, "");
		put(o, "two");
		wait_idle(o);
		outputs_counts(o, &c);
		assert_int_equal(c.queued, 3);
		assert_int_equal(c.delivered, 3);
		assert_int_equal(c.failed + c.dropped + c.depth, 0);
		outputs_free(o);
	}
	assert_content(path, "one\n\ntwo\none\n\ntwo\n");
}

static void
test_outputs_deliver_all_in_order_before_they_end(void **state)
{
	enum {
		N = 200000
	};
	const struct settings s = {.output_timeout_ms = 20000,
	    .file_enabled = true,
	    .file_keep_alive = true,
	    .file_name = path};
	struct outputs *o = make(&s);
	char line[256];

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < N; i++) {
		int n = snprintf(line, sizeof(line), "%d ", i);
		line[n] = 'x';
		assert_true(outputs_put(o, PRIORITY_NOTICE, line, (size_t)(n + i % 100)));
	}
	outputs_free(o);
	char *have = content(path), *p = have;
	for (int i = 0; i < N; i++) {
		char *end;
		assert_int_equal(strtol(p, &end, 10), i);
		p = strchr(end, '\n');
		assert_non_null(p);
		p++;
	}
	assert_string_equal(p, "");
	free(have);
}

static void
test_outputs_take_lines_longer_than_a_chunk(void **state)
{
	const struct settings s = {
	    .output_timeout_ms = 2000, .file_enabled = true, .file_name = path};
	struct outputs *o = make(&s);
	size_t n = 1 << 20;
	char *line = malloc(n);

	assert_non_null(line);
	memset(line, 'y', n);
	put(o, "a");
	assert_true(outputs_put(o, PRIORITY_NOTICE, line, n));
	put(o, "b");
	outputs_free(o);
	char *have = content(path);
	assert_int_equal(strlen(have), n + 5);
	assert_string_equal(have + n + 2, "\nb\n");
	free(have);
	free(line);
}

static void
test_outputs_need_a_sink(void **state)
{
	const struct settings s = {.output_timeout_ms = 2000};
	struct err err;

	assert_null(outputs_new(&s, false, &err));
	assert_string_equal(err.msg,
	    "No output configured, please make sure at least one "
	    "output is configured and enabled.");
}

static void
test_outputs_reopen_a_file_that_was_moved(void **state)
{
	const struct settings s = {.output_timeout_ms = 2000,
	    .file_enabled = true,
	    .file_keep_alive = true,
	    .file_name = path};
	struct outputs *o = make(&s);

	put(o, "one");
	wait_idle(o);
	assert_int_equal(rename(path, other), 0);
	put(o, "two");
	wait_idle(o);
	outputs_reopen(o);
	wait_idle(o);
	put(o, "three");
	outputs_free(o);
	assert_content(other, "one\ntwo\n");
	assert_content(path, "three\n");
}

static void
test_outputs_count_and_tell_what_a_sink_refuses(void **state)
{
	snprintf(path, sizeof(path), "%.40s/no/such/folder", dir);
	const struct settings s = {
	    .output_timeout_ms = 2000, .file_enabled = true, .file_name = path};
	struct outputs *o = make(&s);
	struct outputs_counts c;
	char want[512];

	put(o, "one");
	wait_idle(o);
	put(o, "two");
	wait_idle(o);
	outputs_counts(o, &c);
	assert_int_equal(c.failed, 2);
	outputs_free(o);
	snprintf(want, sizeof(want),
	    "file: failed to open output file %s: No such file or directory\n", path);
	assert_string_equal(logged, want);
}

/* A fifo with a reader that does not read: full after 64 KiB. */
static int
block_file(void)
{
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
test_outputs_never_wait_for_a_sink(void **state)
{
	enum {
		CAPACITY = 50
	};
	const struct settings s = {.output_timeout_ms = 50,
	    .queue_capacity = CAPACITY,
	    .file_enabled = true,
	    .file_name = path};
	int fd = block_file();
	struct outputs *o = make(&s);
	struct outputs_counts c;
	struct outputs_sink sink;
	static char line[4000];
	int dropped = 0;

	memset(line, 'z', sizeof(line));
	for (int i = 0; i < 200; i++)
		dropped += !outputs_put(o, PRIORITY_NOTICE, line, sizeof(line));
	assert_true(dropped >= 200 - CAPACITY - 64 && dropped > 0);
	outputs_counts(o, &c);
	assert_int_equal(c.dropped, dropped);
	assert_true(outputs_sink(o, 0, &sink));
	assert_int_equal(sink.lost[OUTPUTS_QUEUE_FULL], dropped);
	assert_int_equal(sink.depth_max, CAPACITY);
	while (!was_logged("timeout"))
		nap();
	outputs_free(o);
	assert_true(
	    was_logged("Outputs queue out of memory. Drop event and continue on ...\n"));
	assert_true(was_logged("\"file\" output timeout, its alerts wait\n"));
	assert_true(was_logged("output channels still blocked, discarding all "
			       "remaining notifications\n"));
	close(fd); /* ends the thread that was left behind */
	while (!was_logged("Broken pipe"))
		nap();
}

static void
test_outputs_that_block_hold_up_nobody_else(void **state)
{
	enum {
		N = 2000
	};
	program_does("cat >> %s", other);
	const struct settings s = {.output_timeout_ms = 100,
	    .file_enabled = true,
	    .file_name = path,
	    .program_enabled = true,
	    .program_keep_alive = true,
	    .program = program};
	int fd = block_file();
	struct outputs *o = make(&s);
	struct outputs_sink file, fed;
	static char line[100];
	struct stat st = {0};

	memset(line, 'z', sizeof(line));
	for (int i = 0; i < N; i++)
		assert_true(outputs_put(o, PRIORITY_NOTICE, line, sizeof(line)));
	outputs_flush(o);
	do {
		nap();
	} while (stat(other, &st) != 0 || st.st_size < N * 101);
	assert_true(outputs_sink(o, 0, &file));
	assert_true(outputs_sink(o, 1, &fed));
	assert_string_equal(file.name, "file");
	assert_true(file.depth > 0);
	assert_string_equal(fed.name, "program");
	assert_int_equal(fed.delivered, N);
	outputs_free(o);
	close(fd);
}

/* Times that other threads of ours lay down to wait. */
static unsigned long
sleeps_of_others(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned long sum = 0, n;
	char name[300], line[128];
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || strtol(e->d_name, NULL, 10) == getpid())
			continue;
		snprintf(name, sizeof(name), "/proc/self/task/%s/status", e->d_name);
		FILE *f = fopen(name, "re");
		while (f && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
				sum += n;
		}
		if (f)
			fclose(f);
	}
	closedir(d);
	return sum;
}

/* A pipe with room: nobody is woken to write to it; what it has no room for waits for the
 * thread. */
static void
test_outputs_write_a_few_lines_to_a_pipe_at_once(void **state)
{
	enum {
		N = 500
	};
	const struct settings s = {.output_timeout_ms = 2000, .stdout_enabled = true};
	const struct iovec nothing = {.iov_base = (char[]){'\n'}, .iov_len = 1};
	static char got[N * sizeof("line 000") * 40], want[sizeof(got)];
	size_t n = 0, len = 0;
	int pair[2], terminal = dup(STDOUT_FILENO);
	char line[32];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	if (pwritev2(pair[1], &nothing, 1, -1, RWF_NOWAIT) < 0) {
		print_message("this kernel does not tell whether a write would wait\n");
		skip();
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	fflush(stdout);
	assert_true(dup2(pair[1], STDOUT_FILENO) >= 0);
	close(pair[1]);
	struct outputs *o = make(&s);
	put(o, "first");
	wait_idle(o);
	unsigned long before = sleeps_of_others();
	for (int i = 0; i < N; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		put(o, line);
	}
	wait_idle(o);
	if (sleeps_of_others() - before >= N / 2)
		fail_msg("threads slept %lu times", sleeps_of_others() - before);
	len = (size_t)snprintf(want, sizeof(want), "\nfirst\n");
	for (int i = 0; i < N; i++)
		len += (size_t)snprintf(want + len, sizeof(want) - len, "line %d\n", i);
	/* Now it becomes full, and everything comes in order all the same. */
	for (int i = 0; i < N * 20; i++) {
		snprintf(line, sizeof(line), "more %d", i);
		put(o, line);
		len += (size_t)snprintf(want + len, sizeof(want) - len, "more %d\n", i);
	}
	while (n < len) {
		ssize_t k = read(pair[0], got + n, sizeof(got) - n);
		if (k > 0)
			n += (size_t)k;
		else
			nap();
	}
	assert_int_equal(n, len);
	assert_memory_equal(got, want, n);
	wait_idle(o);
	outputs_free(o);
	dup2(terminal, STDOUT_FILENO);
	close(terminal);
	close(pair[0]);
}

/* No more than so many bytes per file, for this process. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void
test_outputs_begin_anew_behind_half_a_line(void **state)
{
	const struct settings s = {
	    .output_timeout_ms = 2000, .file_enabled = true, .file_name = path};
	struct outputs *o = make(&s);
	struct outputs_sink sink;

	limit_files(14);
	put(o, "one");
	put(o, "two and three");
	wait_idle(o);
	put(o, "nothing of it");
	wait_idle(o);
	limit_files(RLIM_INFINITY);
	put(o, "four");
	wait_idle(o);
	assert_true(outputs_sink(o, 0, &sink));
	assert_int_equal(sink.delivered, 2);
	assert_int_equal(sink.lost[OUTPUTS_FAILED], 2);
	outputs_free(o);
	assert_content(path, "one\ntwo and th\nfour\n");
}

static void
test_outputs_drop_lines_that_are_too_long(void **state)
{
	const struct settings s = {
	    .output_timeout_ms = 2000, .file_enabled = true, .file_name = path};
	struct outputs *o = make(&s);
	size_t n = LIMIT_OUTPUT_LINE_BYTES + 1;
	char *line = malloc(n);
	struct outputs_sink sink;

	assert_non_null(line);
	memset(line, 'y', n);
	assert_false(outputs_put(o, PRIORITY_NOTICE, line, n));
	assert_true(outputs_sink(o, 0, &sink));
	assert_int_equal(sink.lost[OUTPUTS_TOO_LONG], 1);
	outputs_free(o);
	free(line);
}

static void
test_outputs_end_a_program_that_does_not_read(void **state)
{
	program_does("echo $$ > %s; exec sleep 1000", path);
	const struct settings s = {.output_timeout_ms = 200,
	    .program_enabled = true,
	    .program_keep_alive = true,
	    .program = program};
	struct outputs *o = make(&s);
	static char line[4000];
	struct stat st = {0};

	memset(line, 'z', sizeof(line));
	for (int i = 0; i < 100; i++)
		assert_true(outputs_put(o, PRIORITY_NOTICE, line, sizeof(line)));
	outputs_flush(o);
	do {
		nap();
	} while (stat(path, &st) != 0 || st.st_size == 0);
	char *text = content(path);
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	outputs_free(o);
	while (kill(pid, 0) == 0)
		nap();
}

static void
test_outputs_feed_a_program(void **state)
{
	program_does("cat >> %s; echo end >> %s", path, path);
	const struct settings s = {.output_timeout_ms = 5000,
	    .program_enabled = true,
	    .program_keep_alive = true,
	    .program = program};
	struct outputs *o = make(&s);

	put(o, "one");
	put(o, "two");
	outputs_free(o);
	assert_content(path, "one\ntwo\nend\n");
}

static void
test_outputs_start_a_program_for_each_line(void **state)
{
	program_does("cat >> %s; echo end >> %s", path, path);
	const struct settings s = {
	    .output_timeout_ms = 5000, .program_enabled = true, .program = program};
	struct outputs *o = make(&s);

	put(o, "one");
	put(o, "two");
	outputs_free(o);
	assert_content(path, "one\nend\ntwo\nend\n");
}

static void
test_outputs_start_a_dead_program_again(void **state)
{
	struct outputs_counts c;
	program_does("read l; echo $l >> %s", path);
	const struct settings s = {.output_timeout_ms = 5000,
	    .program_enabled = true,
	    .program_keep_alive = true,
	    .program = program};
	struct outputs *o = make(&s);
	struct stat st;
	off_t size = 0;

	/* Its death shows at the first write after it, whose line is lost. */
	for (int lines = 0; lines < 2;) {
		put(o, "line");
		wait_idle(o);
		for (int i = 0; i < 100; i++) {
			nap();
			if (stat(path, &st) == 0 && st.st_size > size) {
				size = st.st_size;
				lines++;
				break;
			}
		}
	}
	outputs_counts(o, &c);
	assert_true(c.failed >= 1);
	outputs_free(o);
	assert_content(path, "line\nline\n");
	assert_true(was_logged("program: "));
}

static void
test_outputs_end_a_program_that_stays(void **state)
{
	const struct settings s = {.output_timeout_ms = 400,
	    .program_enabled = true,
	    .program_keep_alive = true,
	    .program = program};
	struct outputs *o;

	program_does("exec sleep 1000");
	o = make(&s);

	put(o, "one");
	wait_idle(o);
	outputs_free(o);
	assert_string_equal(logged, "");
}

/* A server that answers each POST with the next of its statuses; 0: with nothing at all.
 */
struct server {
	int fd;
	const int *status;
	size_t n;
	struct buf requests;
	pthread_t thread;
};

static void
serve_one(struct server *s, int status)
{
	int fd = accept(s->fd, NULL, NULL);
	char piece[4096];
	struct buf request;

	buf_init(&request, 1 << 20);
	for (;;) {
		const char *end = strstr(buf_str(&request), "\r\n\r\n");
		const char *length = strstr(buf_str(&request), "Content-Length: ");
		if (end && length &&
		    request.len >=
			(size_t)(end + 4 - request.data) + strtoul(length + 16, NULL, 10))
			break;
		ssize_t k = read(fd, piece, sizeof(piece));
		if (k <= 0)
			break;
		buf_add(&request, piece, (size_t)k);
	}
	buf_adds(&s->requests, buf_str(&request));
	buf_addc(&s->requests, '\n');
	buf_release(&request);
	if (status)
		dprintf(fd,
		    "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		    status);
	else
		while (read(fd, piece, sizeof(piece)) > 0) {
		}
	close(fd);
}

static void *
serve(void *arg)
{
	struct server *s = arg;

	for (size_t i = 0; i < s->n; i++)
		serve_one(s, s->status[i]);
	return NULL;
}

static unsigned
server_start(struct server *s)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
	buf_init(&s->requests, 1 << 20);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return ntohs(at.sin_port);
}

static void
test_outputs_post_lines_over_http(void **state)
{
	/* The second alert times out once, the third is refused. */
	static const int status[] = {200, 0, 200, 500};
	struct server server = {.status = status, .n = 4};
	struct outputs_counts c;
	struct outputs_sink sink;
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/alerts", server_start(&server));
	const struct settings s = {.output_timeout_ms = 300,
	    .json_output = true,
	    .http = {.enabled = true,
		.url = url,
		.user_agent = "tester",
		.ca_cert = "",
		.ca_bundle = "",
		.ca_path = "",
		.max_consecutive_timeouts = 1}};
	struct outputs *o = make(&s);

	put(o, "{\"n\":1}");
	put(o, "{\"n\":2}");
	put(o, "{\"n\":3}");
	pthread_join(server.thread, NULL);
	wait_idle(o);
	outputs_counts(o, &c);
	assert_int_equal(c.delivered, 2);
	assert_int_equal(c.failed, 1);
	assert_true(outputs_sink(o, 0, &sink));
	assert_int_equal(sink.lost[OUTPUTS_REFUSED], 1);
	outputs_free(o);
	assert_non_null(strstr(server.requests.data, "POST /alerts HTTP/1.1\r\n"));
	assert_non_null(strstr(server.requests.data, "User-Agent: tester\r\n"));
	assert_non_null(
	    strstr(server.requests.data, "Content-Type: application/json\r\n"));
	const char *second = strstr(server.requests.data, "{\"n\":2}\n");
	assert_non_null(second);
	assert_non_null(strstr(second + 1, "{\"n\":2}\n"));
	assert_non_null(strstr(server.requests.data, "{\"n\":3}\n"));
	assert_true(was_logged("http: the server answered with status 500\n"));
	buf_release(&server.requests);
	close(server.fd);
}

static void
test_outputs_tell_when_nobody_listens(void **state)
{
	const struct settings s = {.output_timeout_ms = 1000,
	    .http = {.enabled = true,
		.url = "http://127.0.0.1:1/",
		.user_agent = "",
		.ca_cert = "",
		.ca_bundle = "",
		.ca_path = ""}};
	struct outputs *o = make(&s);

	put(o, "x");
	outputs_free(o);
	assert_true(was_logged("http: libcurl failed to perform call: "));
}

int
main(void)
{
	char command[sizeof(program) + 2];
	struct err err;

	snprintf(program, sizeof(program), "/tmp/outputs_test.%d.sh", (int)getpid());
	snprintf(command, sizeof(command), ". %s", program);
	if (!keeper_start(&(struct keeper_config){.program = command}, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_outputs_append_lines_to_a_file),
	    TEST(test_outputs_deliver_all_in_order_before_they_end),
	    TEST(test_outputs_take_lines_longer_than_a_chunk),
	    TEST(test_outputs_need_a_sink),
	    TEST(test_outputs_reopen_a_file_that_was_moved),
	    TEST(test_outputs_count_and_tell_what_a_sink_refuses),
	    TEST(test_outputs_never_wait_for_a_sink),
	    TEST(test_outputs_that_block_hold_up_nobody_else),
	    TEST(test_outputs_write_a_few_lines_to_a_pipe_at_once),
	    TEST(test_outputs_begin_anew_behind_half_a_line),
	    TEST(test_outputs_drop_lines_that_are_too_long),
	    TEST(test_outputs_end_a_program_that_does_not_read),
	    TEST(test_outputs_feed_a_program),
	    TEST(test_outputs_start_a_program_for_each_line),
	    TEST(test_outputs_start_a_dead_program_again),
	    TEST(test_outputs_end_a_program_that_stays),
	    TEST(test_outputs_post_lines_over_http),
	    TEST(test_outputs_tell_when_nobody_listens),
	};
	int rc = cmocka_run_group_tests(tests, configure_log, NULL);
	unlink(program);
	return rc;
}
