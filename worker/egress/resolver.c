/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

#define THREADS 8
/* Of one owner, whose names may be slow on purpose. */
#define OWNER_THREADS      2u
#define OWNER_LOOKUPS      (LIMIT_EGRESS_LOOKUPS / 4)
#define THREAD_STACK_BYTES (256u << 10)   /* getaddrinfo's own buffers are on it */
#define KNOWN_NS           10000000000ull /* what was found is known for so long */
#define UNKNOWN_NS         2000000000ull  /* and what was not */

enum lookup_state {
	LOOKUP_FREE,
	LOOKUP_QUEUED,
	LOOKUP_RUNNING, /* a thread's; only name is read elsewhere */
	LOOKUP_ANSWERED,
	LOOKUP_KNOWN,
};

/* QUEUED to ANSWERED are guarded by the resolver's lock, the rest is the loop's. */
struct lookup {
	enum lookup_state state;
	char name[DNS_NAME_BYTES];
	struct resolved result;
	uint32_t owner;
	uint64_t asked_at; /* order in the queue */
	uint64_t stale_ns;
	struct resolver_waits waits;
};

struct host {
	char *name;
	struct address address;
};

struct resolver {
	struct source wake; /* eventfd */
	struct loop *loop;
	struct host *host;
	unsigned n_hosts;
	struct lookup lookup[LIMIT_EGRESS_LOOKUPS];
	uint64_t n_asked;
	pthread_mutex_t lock;
	pthread_cond_t queued;
};

static bool
add_host(struct resolver *r, const struct address *a, const char *name, struct err *err)
{
	if (r->n_hosts == LIMIT_EGRESS_HOSTS)
		return err_set(err, ERR_LIMIT, "more than %u names", LIMIT_EGRESS_HOSTS);
	if (strlen(name) >= DNS_NAME_BYTES)
		return err_set(err, ERR_SYNTAX, "a name is too long");
	struct host *h = &r->host[r->n_hosts];
	h->address = *a;
	h->name = strdup(name);
	if (h->name == NULL)
		return err_nomem(err);
	for (char *c = h->name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	r->n_hosts++;
	return true;
}

/* "ADDRESS NAME NAME…  # comment" */
static bool
read_line(struct resolver *r, char *line, struct err *err)
{
	static const char blank[] = " \t\r\n";
	struct address a;
	char *rest = line, *word = NULL;

	line[strcspn(line, "#")] = '\0';
	while ((word = strsep(&rest, blank)) != NULL && word[0] == '\0')
		;
	if (word == NULL)
		return true;
	if (!address_parse(word, &a))
		return err_set(err, ERR_SYNTAX, "begins with no IP address");
	while ((word = strsep(&rest, blank)) != NULL)
		if (word[0] != '\0' && !add_host(r, &a, word, err))
			return false;
	return true;
}

static bool
read_hosts(struct resolver *r, const char *path, struct err *err)
{
	char line[1024];
	unsigned number = 0;
	bool ok = true;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return err_sys(err, "%s", path);
	r->host = calloc(LIMIT_EGRESS_HOSTS, sizeof(*r->host));
	if (r->host == NULL)
		ok = err_nomem(err);
	while (ok && fgets(line, sizeof(line), f) != NULL) {
		number++;
		ok = strlen(line) < sizeof(line) - 1
			 ? read_line(r, line, err)
			 : err_set(err, ERR_SYNTAX, "is too long");
	}
	if (!ok)
		err_wrap(err, "%s:%u", path, number);
	fclose(f);
	return ok;
}

struct resolver *
resolver_new(const char *hosts_path, struct err *err)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		err_nomem(err);
		return NULL;
	}
	r->wake.fd = -1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->queued, NULL);
	for (unsigned i = 0; i < LIMIT_EGRESS_LOOKUPS; i++)
		TAILQ_INIT(&r->lookup[i].waits);
	if (hosts_path != NULL && !read_hosts(r, hosts_path, err)) {
		for (unsigned i = 0; i < r->n_hosts; i++)
			free(r->host[i].name);
		free(r->host);
		free(r);
		return NULL;
	}
	return r;
}

static void
look_up(const char *name, struct resolved *result)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;

	*result = (struct resolved){0};
	int rc = getaddrinfo(name, NULL, &hints, &list);
	if (rc != 0) {
		snprintf(result->why, sizeof(result->why), "%s", gai_strerror(rc));
		return;
	}
	for (const struct addrinfo *i = list;
	     i != NULL && result->n < LIMIT_EGRESS_ADDRESSES; i = i->ai_next)
		if (address_of_sockaddr(i->ai_addr, &result->address[result->n], NULL))
			result->n++;
	freeaddrinfo(list);
}

static unsigned
count_of(const struct resolver *r, uint32_t owner, enum lookup_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LIMIT_EGRESS_LOOKUPS; i++)
		n += r->lookup[i].state == state && r->lookup[i].owner == owner;
	return n;
}

/* Of those whose owners have a thread left. */
static struct lookup *
longest_queued(struct resolver *r)
{
	struct lookup *first = NULL;

	for (unsigned i = 0; i < LIMIT_EGRESS_LOOKUPS; i++) {
		struct lookup *l = &r->lookup[i];
		if (l->state == LOOKUP_QUEUED &&
		    (first == NULL || l->asked_at < first->asked_at) &&
		    count_of(r, l->owner, LOOKUP_RUNNING) < OWNER_THREADS)
			first = l;
	}
	return first;
}

static void *
thread_main(void *arg)
{
	struct resolver *r = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct lookup *l;
		while ((l = longest_queued(r)) == NULL)
			pthread_cond_wait(&r->queued, &r->lock);
		l->state = LOOKUP_RUNNING;
		pthread_mutex_unlock(&r->lock);
		look_up(l->name, &l->result);
		pthread_mutex_lock(&r->lock);
		l->state = LOOKUP_ANSWERED;
		/* It is an eventfd: full means that the loop is to look already. */
		(void)!write(r->wake.fd, &one, sizeof(one));
	}
	return NULL;
}

static void
tell_waiters(struct lookup *l)
{
	struct resolver_wait *w;
	/* A waiter may ask for another name, which may take this place. */
	struct resolved result = l->result;
	struct resolver_waits waits = TAILQ_HEAD_INITIALIZER(waits);

	TAILQ_CONCAT(&waits, &l->waits, link);
	TAILQ_FOREACH (w, &waits, link)
		w->list = &waits;
	while ((w = TAILQ_FIRST(&waits)) != NULL) {
		resolver_cancel(w);
		w->done(w, &result);
	}
}

static void
on_answers(struct source *s, uint32_t events)
{
	struct resolver *r = (struct resolver *)(void *)s;
	uint64_t n;

	(void)!read(s->fd, &n, sizeof(n));
	for (unsigned i = 0; i < LIMIT_EGRESS_LOOKUPS; i++) {
		struct lookup *l = &r->lookup[i];
		pthread_mutex_lock(&r->lock);
		bool is_answered = l->state == LOOKUP_ANSWERED;
		if (is_answered)
			l->state = LOOKUP_KNOWN;
		pthread_mutex_unlock(&r->lock);
		if (!is_answered)
			continue;
		l->stale_ns = clock_mono_ns() + (l->result.n > 0 ? KNOWN_NS : UNKNOWN_NS);
		tell_waiters(l);
	}
}

bool
resolver_start(struct resolver *r, struct loop *loop, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = 0;

	_Static_assert(offsetof(struct resolver, wake) == 0, "on_answers casts");
	r->loop = loop;
	r->wake.ready = on_answers;
	r->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake.fd < 0 || !loop_add(loop, &r->wake, EPOLLIN))
		return err_sys(err, "eventfd");
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	for (int i = 0; i < THREADS && rc == 0; i++)
		rc = pthread_create(&thread, &attr, thread_main, r);
	pthread_attr_destroy(&attr);
	errno = rc;
	return rc == 0 || err_sys(err, "threads for looking up names");
}

static bool
in_hosts(const struct resolver *r, const char *name, struct resolved *result)
{
	*result = (struct resolved){0};
	for (unsigned i = 0; i < r->n_hosts && result->n < LIMIT_EGRESS_ADDRESSES; i++)
		if (strcmp(r->host[i].name, name) == 0)
			result->address[result->n++] = r->host[i].address;
	return result->n > 0;
}

/* The name's, else an unused one, else one that nobody needs. The lock is held. */
static struct lookup *
find_place(struct resolver *r, const char *name, uint64_t now_ns)
{
	struct lookup *place = NULL;

	for (unsigned i = 0; i < LIMIT_EGRESS_LOOKUPS; i++) {
		struct lookup *l = &r->lookup[i];
		if (l->state != LOOKUP_FREE && strcmp(l->name, name) == 0)
			return l;
		if (l->state == LOOKUP_FREE &&
		    (place == NULL || place->state != LOOKUP_FREE))
			place = l;
		else if (l->state == LOOKUP_KNOWN && place == NULL &&
			 l->stale_ns <= now_ns)
			place = l;
	}
	if (place != NULL)
		place->state = LOOKUP_FREE;
	return place;
}

bool
resolver_ask(
    struct resolver *r, const char *name, uint32_t owner, struct resolver_wait *w)
{
	uint64_t now_ns = clock_mono_ns();
	struct resolved result;

	w->list = NULL;
	if (in_hosts(r, name, &result)) {
		w->done(w, &result);
		return true;
	}
	pthread_mutex_lock(&r->lock);
	struct lookup *l = find_place(r, name, now_ns);
	bool is_known = l != NULL && l->state == LOOKUP_KNOWN && l->stale_ns > now_ns;
	bool is_new = l != NULL && (l->state == LOOKUP_FREE ||
				       (l->state == LOOKUP_KNOWN && !is_known));
	if (is_new && count_of(r, owner, LOOKUP_QUEUED) >= OWNER_LOOKUPS) {
		l = NULL;
	} else if (is_new) {
		snprintf(l->name, sizeof(l->name), "%s", name);
		l->owner = owner;
		l->state = LOOKUP_QUEUED;
		l->asked_at = r->n_asked++;
		pthread_cond_signal(&r->queued);
	}
	if (l != NULL && !is_known) {
		w->list = &l->waits;
		TAILQ_INSERT_TAIL(&l->waits, w, link);
	}
	pthread_mutex_unlock(&r->lock);
	if (is_known) {
		result = l->result;
		w->done(w, &result);
	}
	return l != NULL;
}

void
resolver_cancel(struct resolver_wait *w)
{
	if (w->list != NULL)
		TAILQ_REMOVE(w->list, w, link);
	w->list = NULL;
}
