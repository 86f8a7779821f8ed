/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The double of a plugin that cannot be had here: it makes the same demands at the same
 * moments, and misbehaves in the same way. DOUBLE is the plugin's name, and demands.h
 * has what it does. Each deed becomes an event: "DEED: how it went". What init_config
 * has under "also" is done too, so that one thing more can be asked for.
 *
 * A deed may have $KEY in it, which is the value of that key in init_config, or $PARAMS,
 * the open parameters; $KEY=TEXT is TEXT where there is no such key. "~/" is home.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define TEXT_(name) #name
#define TEXT(name)  TEXT_(name)
#define KIT_NAME    TEXT(DOUBLE)
#define KIT_ID      4500
#define KIT_SOURCE  "double"
#define KIT_FIELDS  "[{\"type\":\"string\",\"name\":\"double.text\",\"desc\":\"a deed\"}]"
#define KIT_OWN_init
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_extract_fields
#define KIT_OWN_get_last_error
#include "tests/plugins/kit.h"

#define CAT_(a, b) a##b
#define CAT(a, b)  CAT_(a, b)

struct demand {
	enum kit_step at;
	const char *deed;
};

#include "tests/doubles/demands.h"

static const struct demand *const demands = CAT(demands_of_, DOUBLE);

enum {
	MAX_WORDS = 6,
	MAX_EVENTS = 64,
	EVENT_BYTES = 400,
	WAIT_MS = 8000,
};

static char config[4096], params[1024];
static char happened[MAX_EVENTS][EVENT_BYTES];
static unsigned n_happened, n_told;
static struct plugin_event *told[MAX_EVENTS];
static unsigned char memory[MAX_EVENTS][PLUGIN_EVENT_PAYLOAD_OFF + EVENT_BYTES];
static char error[EVENT_BYTES] = "out of order";

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return error;
}

/* The value of a key of init_config or of parameters that are JSON, wherever it stands;
 * without its quotes. */
static void
value_of(const char *key, char *out, size_t size)
{
	char quoted[80];
	size_t n = 0;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	const char *at = strstr(config, quoted);
	if (!at)
		at = strstr(params, quoted);
	for (at = at ? at + strlen(quoted) : ""; *at == ' ' || *at == '['; at++)
		;
	bool text = *at == '"';
	for (at += text; *at && n + 1 < size && (text ? *at != '"' : isalnum(*at)); at++)
		out[n++] = *at;
	out[n] = '\0';
}

static const char *
said(int result)
{
	return result < 0 ? strerror(errno) : "done";
}

static const char *
do_read(const char *path, int flags)
{
	static char byte[2];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags, 0644);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return said(-1);
	ssize_t n = S_ISDIR(st.st_mode) ? 0 : read(fd, byte, 1);
	const char *word = said((int)n);
	close(fd);
	return word;
}

static const char *
do_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return said(-1);
	const char *word = said((int)write(fd, "x\n", 2));
	close(fd);
	return word;
}

static const char *
do_watch(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	return said(fd < 0 ? -1 : inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE));
}

/* "host:port", "[::1]:port", ":port", "host" of a web service */
static bool
split(const char *place, char *host, size_t size, char *port, size_t port_size)
{
	const char *colon = strrchr(place, ':');
	size_t n = colon ? (size_t)(colon - place) : 0;

	if (!colon) {
		snprintf(host, size, "%.*s", (int)strcspn(place, "/"), place);
		snprintf(port, port_size, "443");
		return true;
	}
	if (n >= size)
		return false;
	if (place[0] == '[') {
		place++;
		n -= 2;
	}
	snprintf(host, size, "%.*s", (int)n, place);
	snprintf(port, port_size, "%s", colon + 1);
	port[strspn(port, "0123456789")] = '\0';
	return true;
}

static int
sock(const char *place, int type, int flags, struct addrinfo **ret)
{
	const struct addrinfo hints = {.ai_socktype = type, .ai_flags = flags};
	char host[256], port[32];

	if (!split(place, host, sizeof(host), port, sizeof(port)) ||
	    getaddrinfo(host[0] ? host : NULL, port, &hints, ret) != 0) {
		errno = EHOSTUNREACH;
		return -1;
	}
	/* A runtime in Go listens at every address of both families, if it may. */
	for (struct addrinfo *a = *ret; !host[0] && a; a = a->ai_next)
		if (a->ai_family == AF_INET6 && (*ret)->ai_family != AF_INET6)
			*ret = a;
	return socket((*ret)->ai_family, type | SOCK_CLOEXEC, 0);
}

/* Connects, sends a line, and waits for an answer. */
static const char *
do_connect(const char *place)
{
	struct addrinfo *at;
	char answer[64];
	int fd = sock(place, SOCK_STREAM, 0, &at);

	if (fd < 0 || connect(fd, at->ai_addr, at->ai_addrlen) < 0)
		return said(-1);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (write(fd, "hello\n", 6) != 6 || poll(&p, 1, WAIT_MS) != 1 ||
	    read(fd, answer, sizeof(answer)) <= 0)
		return "no answer";
	close(fd);
	return "done";
}

/* Removes what is left of an old one, makes the directories, binds: as servers do. */
static int
bound_at_path(const char *path, int type)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	char dir[108];

	snprintf(un.sun_path, sizeof(un.sun_path), "%.107s", path);
	(void)unlink(path);
	for (const char *end = path; (end = strchr(end + 1, '/'));) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(end - path), path);
		(void)mkdir(dir, 0755);
	}
	if (fd >= 0 && bind(fd, (void *)&un, sizeof(un)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
bound_at(const char *kind, const char *place, bool datagrams)
{
	int one = 1, type = datagrams ? SOCK_DGRAM : SOCK_STREAM, fd;
	struct addrinfo *at;

	if (strncmp(kind, "unix", 4) == 0)
		return bound_at_path(place, type);
	fd = sock(place, type, AI_PASSIVE, &at);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Listens, and waits for one line, which is its event too. A kind "url" is as the open
 * parameters say. */
static const char *
do_serve(const char *kind, const char *place)
{
	static char line[200];
	char scheme[16] = "";

	if (strcmp(kind, "url") == 0 && sscanf(params, "%15[a-z]", scheme) == 1)
		kind = scheme;
	bool datagrams = strcmp(kind, "udp") == 0 || strcmp(kind, "unixgram") == 0;
	int fd = bound_at(kind, place, datagrams);

	if (fd < 0 || (!datagrams && listen(fd, 10) < 0))
		return said(-1);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (poll(&p, 1, WAIT_MS) != 1)
		return "nobody came";
	int peer = datagrams ? fd : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n = peer < 0 ? -1 : recv(peer, line, sizeof(line) - 1, 0);
	if (n < 0)
		return said(-1);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (!datagrams && write(peer, "ok\n", 3) < 0)
		return said(-1);
	if (peer != fd)
		close(peer);
	close(fd);
	return line;
}

/* A request by HTTP through a unix socket: the first line of the answer. */
static const char *
do_unix(const char *path, const char *request)
{
	static char line[200];
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char text[200];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%.107s", path);
	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: docker\r\n\r\n", request);
	for (char *c = text; *c; c++)
		if (*c == '_')
			*c = ' ';
	if (fd < 0 || connect(fd, (void *)&sa, sizeof(sa)) < 0 ||
	    write(fd, text, strlen(text)) < 0)
		return said(-1);
	ssize_t n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return n < 0 ? said(-1) : "closed";
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static void *
idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static const char *
do_threads(unsigned long n)
{
	pthread_t thread;

	for (; n > 0; n--) {
		errno = pthread_create(&thread, NULL, idle, NULL);
		if (errno)
			return said(-1);
	}
	return "done";
}

/* clang-format off */
static const char *
do_word(char *const w[MAX_WORDS])
{
#define WORD(text) (strcmp(w[0], text) == 0)
	if (WORD("read"))    return do_read(w[1], 0);
	if (WORD("follow"))  return do_read(w[1], O_CREAT);
	if (WORD("create"))  return do_create(w[1]);
	if (WORD("mkdir"))   return said(mkdir(w[1], 0755));
	if (WORD("unlink"))  return said(unlink(w[1]));
	if (WORD("watch"))   return do_watch(w[1]);
	if (WORD("connect")) return do_connect(w[1]);
	if (WORD("serve"))   return do_serve(w[1], w[2]);
	if (WORD("unix"))    return do_unix(w[1], w[2]);
	if (WORD("threads")) return do_threads(strtoul(w[1], NULL, 10));
	if (WORD("bpf"))     return said((int)syscall(SYS_bpf, 0, NULL, 0));
	if (WORD("sleep"))   return said(usleep((useconds_t)strtoul(w[1], NULL, 10) * 1000));
	if (WORD("say"))     return printf("%s\n", w[1]) < 0 || fflush(stdout) ? "?" : "done";
	if (WORD("abort"))   abort();
	if (WORD("exit"))    _exit((int)strtol(w[1], NULL, 10));
	return "what?";
#undef WORD
}
/* clang-format on */

static const char *
home(void)
{
	const char *dir = getenv("HOME");

	return dir ? dir : "/nowhere";
}

static bool
act(const char *deed)
{
	static char words[MAX_WORDS][512];
	char copy[1024], *rest = copy, *w[MAX_WORDS], *shown = happened[n_happened];
	unsigned n = 0;

	snprintf(copy, sizeof(copy), "%s", deed);
	for (unsigned i = 0; i < MAX_WORDS; i++) {
		w[i] = words[i];
		words[i][0] = '\0';
	}
	for (char *word; n < MAX_WORDS && (word = strsep(&rest, " ")); n++) {
		if (strcmp(word, "$PARAMS") == 0)
			snprintf(w[n], sizeof(words[n]), "%.500s", params);
		else if (word[0] == '$') {
			char *none = strchr(word, '=');
			if (none)
				*none++ = '\0';
			value_of(word + 1, w[n], sizeof(words[n]));
			if (w[n][0] == '\0' && none)
				snprintf(w[n], sizeof(words[n]), "%s%.400s",
				    none[0] == '~' ? home() : "",
				    none + (none[0] == '~'));
		} else
			snprintf(w[n], sizeof(words[n]), "%.500s", word);
		/* "https://a:1/b" is "a:1": what is reached is a place. */
		char *scheme = strstr(w[n], "://");
		if (scheme) {
			memmove(w[n], scheme + 3, strlen(scheme + 3) + 1);
			if (strcmp(w[0], "connect") == 0 || strcmp(w[0], "serve") == 0)
				w[n][strcspn(w[n], "/")] = '\0';
		}
	}
	const char *result = do_word(w);
	if (n_happened < MAX_EVENTS)
		snprintf(shown, EVENT_BYTES, "%s: %s", deed, result), n_happened++;
	snprintf(error, sizeof(error), "%s: %s", deed, result);
	return strcmp(result, "done") == 0;
}

/* What it demands at this step; whether all of it was granted. */
static bool
act_at(enum kit_step step)
{
	bool ok = true;

	for (const struct demand *d = demands; d->deed; d++)
		if (d->at == step)
			ok &= act(d->deed);
	return ok;
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	snprintf(config, sizeof(config), "%s", in->config ? in->config : "");
	act_at(KIT_INIT);
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_state));
}

plugin_instance *
plugin_open(plugin_state *s, const char *text, int32_t *rc)
{
	char also[512], *rest = also, *deed;

	(void)s;
	snprintf(params, sizeof(params), "%s", text ? text : "");
	act_at(KIT_OPEN);
	value_of("also", also, sizeof(also));
	while (also[0] && (deed = strsep(&rest, ";")))
		act(deed);
	*rc = PLUGIN_SUCCESS;
	return calloc(1, 1);
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	(void)s;
	act_at(KIT_CLOSE);
	free(h);
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *h, uint32_t *n, struct plugin_event ***events)
{
	static bool asked;

	(void)s;
	(void)h;
	if (!asked)
		act_at(KIT_NEXT_BATCH);
	asked = true;
	*n = 0;
	*events = told;
	for (; n_told < n_happened; n_told++)
		told[(*n)++] = kit_event(memory[n_told], 1700000000000000000ull + n_told,
		    KIT_ID, happened[n_told], (uint32_t)strlen(happened[n_told]));
	/* Events and the end in one call, as the SDK for Go does it. */
	return PLUGIN_EOF;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	static char text[EVENT_BYTES];
	static const char *str = text;

	(void)sv;
	act_at(KIT_EXTRACT);
	kit_payload(event, text, sizeof(text));
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		in->fields[i].res.str = &str;
	}
	return PLUGIN_SUCCESS;
}
