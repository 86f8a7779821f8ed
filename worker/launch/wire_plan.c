/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A launch request as bytes: numbers as they are in memory, texts as a u32 length, the
 * bytes and a NUL, programs as a u32 length and the bytes. One table of fields serves
 * both directions.
 */
#include "worker/launch/wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "worker/egress/egress.h"
#include "worker/launch/setup.h"

/* NUMBER, FLAG (a bool) and TEXT of request r, its confinement c and its profile p. */
/* clang-format off */
#define PLAN_FIELDS(NUMBER, FLAG, TEXT) \
	NUMBER(r->id)                  NUMBER(r->min_tier) \
	TEXT(r->title)                 TEXT(r->worker_path) \
	NUMBER(p->base)                FLAG(p->late_dlopen)           FLAG(p->jit) \
	FLAG(p->observe) \
	NUMBER(p->limits.memory_bytes) NUMBER(p->limits.threads) \
	NUMBER(p->limits.open_files)   NUMBER(p->limits.file_size_bytes) \
	NUMBER(p->limits.cpu_percent)  NUMBER(p->limits.processes) \
	TEXT(r->egress_hosts) \
	TEXT(p->name)                  TEXT(c->plugin_target)         TEXT(c->worker_target) \
	NUMBER(c->plugin_dev)          NUMBER(c->plugin_ino) \
	NUMBER(c->plugin_size)         NUMBER(c->plugin_mtime_ns) \
	NUMBER(c->plugin_ctime_ns)
/* clang-format on */

static void
put_bytes(struct buf *b, const void *bytes, size_t n)
{
	uint32_t len = (uint32_t)n;

	buf_add(b, &len, sizeof(len));
	buf_add(b, bytes, n);
}

static void
put_text(struct buf *b, const char *s)
{
	if (s == NULL)
		s = "";
	put_bytes(b, s, strlen(s));
	buf_addc(b, '\0');
}

bool
wire_plan_pack(const struct launch_request *r, int *ret_memfd, struct err *err)
{
	const struct confinement *c = r->confinement;
	const struct profile *p = c->profile;
	struct buf b;

	buf_init(&b, LIMIT_LAUNCH_BYTES);
#define NUMBER(lvalue) buf_add(&b, &(lvalue), sizeof(lvalue));
#define FLAG(lvalue)   buf_addc(&b, lvalue);
#define TEXT(lvalue)   put_text(&b, lvalue);
	PLAN_FIELDS(NUMBER, FLAG, TEXT)
#undef NUMBER
#undef FLAG
#undef TEXT
	put_text(&b, c->sha256);
	buf_add(&b, &c->n_mount, sizeof(c->n_mount));
	for (uint32_t i = 0; i < c->n_mount; i++) {
		put_text(&b, c->mount[i].source);
		put_text(&b, c->mount[i].target);
		buf_addc(&b, c->mount[i].directory);
		buf_addc(&b, c->mount[i].exec);
		buf_addc(&b, c->mount[i].writable);
	}
	buf_add(&b, &c->n_file, sizeof(c->n_file));
	for (uint32_t i = 0; i < c->n_file; i++) {
		put_text(&b, c->file[i].target);
		put_bytes(&b, c->file[i].text, c->file[i].n);
	}
	buf_add(&b, &c->n_env, sizeof(c->n_env));
	for (uint32_t i = 0; i < c->n_env; i++)
		put_text(&b, c->env[i]);
	buf_add(&b, &p->n_read, sizeof(p->n_read));
	for (uint32_t i = 0; i < p->n_read; i++)
		put_text(&b, p->read[i]);
	buf_add(&b, &p->n_write, sizeof(p->n_write));
	for (uint32_t i = 0; i < p->n_write; i++)
		put_text(&b, p->write[i]);
	struct buf places;
	buf_init(&places, LIMIT_EGRESS_GRANT_BYTES);
	egress_policy_pack(p, &places);
	put_bytes(&b, places.data, places.len);
	bool fits = !places.failed;
	buf_release(&places);
	buf_add(&b, &p->n_listen, sizeof(p->n_listen));
	for (uint32_t i = 0; i < p->n_listen; i++) {
		uint8_t transport = (uint8_t)p->listen[i].transport;
		buf_add(&b, &transport, sizeof(transport));
		buf_add(&b, &p->listen[i].port, sizeof(p->listen[i].port));
		put_text(&b, p->listen[i].address);
	}
	buf_add(&b, &p->n_listen_unix, sizeof(p->n_listen_unix));
	for (uint32_t i = 0; i < p->n_listen_unix; i++) {
		const struct profile_listen_unix *l = &p->listen_unix[i];
		put_text(&b, l->path);
		buf_add(&b, &l->mode, sizeof(l->mode));
		buf_add(&b, &l->most_mode, sizeof(l->most_mode));
		buf_add(&b, &l->owner, sizeof(l->owner));
		buf_add(&b, &l->group, sizeof(l->group));
		buf_addc(&b, l->descriptors);
	}
	put_bytes(&b, c->filter_load, c->filter_load_len);
	put_bytes(&b, c->filter_run, c->filter_run_len);

	bool ok = b.failed || !fits
		      ? err_set(err, ERR_LIMIT, "the confinement is too large")
		      : wire_memfd("mews-plan", b.data, b.len, ret_memfd, err);
	buf_release(&b);
	return ok;
}

struct reader {
	const char *at;
	size_t left;
	bool failed; /* from the first wrong length on; then only zeros come out */
};

static void
get_number(struct reader *in, void *ret_value, size_t size)
{
	if (in->failed || in->left < size) {
		in->failed = true;
		memset(ret_value, 0, size);
		return;
	}
	memcpy(ret_value, in->at, size);
	in->at += size;
	in->left -= size;
}

static bool
get_flag(struct reader *in)
{
	uint8_t v;

	get_number(in, &v, sizeof(v));
	return v != 0;
}

static const char *
get_bytes(struct reader *in, uint32_t *ret_len, size_t extra)
{
	uint32_t len;

	get_number(in, &len, sizeof(len));
	if (in->failed || in->left < len + extra) {
		in->failed = true;
		len = 0;
	}
	const char *bytes = in->at;
	if (!in->failed) {
		in->at += len + extra;
		in->left -= len + extra;
	}
	*ret_len = len;
	return bytes;
}

static const char *
get_text(struct reader *in)
{
	uint32_t len;
	const char *s = get_bytes(in, &len, 1);

	if (in->failed || memchr(s, '\0', len + 1) != s + len) {
		in->failed = true;
		return "";
	}
	return s;
}

/* A count of things of at least min_size bytes each. */
static uint32_t
get_count(struct reader *in, size_t min_size)
{
	uint32_t n;

	get_number(in, &n, sizeof(n));
	if (n > in->left / min_size) {
		in->failed = true;
		n = 0;
	}
	return n;
}

static const char **
get_texts(struct reader *in, struct arena *arena, uint32_t *ret_n)
{
	uint32_t n = get_count(in, sizeof(uint32_t) + 1);
	/* One more: environments end in NULL. */
	const char **text = arena_array(arena, (size_t)n + 1, sizeof(*text));

	if (text == NULL) {
		in->failed = true;
		n = 0;
	}
	for (uint32_t i = 0; i < n; i++)
		text[i] = get_text(in);
	*ret_n = n;
	return text;
}

static bool
get_files(struct reader *in, struct arena *arena, struct confinement *c)
{
	c->n_file = get_count(in, 2 * sizeof(uint32_t) + 1);
	c->file = arena_array(arena, (size_t)c->n_file + 1, sizeof(*c->file));
	for (uint32_t i = 0; c->file != NULL && i < c->n_file; i++) {
		c->file[i].target = get_text(in);
		c->file[i].text = get_bytes(in, &c->file[i].n, 0);
	}
	return c->file != NULL;
}

static bool
get_listen(struct reader *in, struct arena *arena, struct profile *p)
{
	p->n_listen = get_count(in, 1 + sizeof(uint16_t) + sizeof(uint32_t) + 1);
	p->listen = arena_array(arena, (size_t)p->n_listen + 1, sizeof(*p->listen));
	if (p->listen == NULL)
		return false;
	for (uint32_t i = 0; i < p->n_listen; i++) {
		struct profile_listen *l = &p->listen[i];
		l->transport = get_flag(in) ? PROFILE_UDP : PROFILE_TCP;
		get_number(in, &l->port, sizeof(l->port));
		l->address = get_text(in);
		if (l->address[0] == '\0')
			l->address = NULL;
	}
	return true;
}

static bool
get_listen_unix(struct reader *in, struct arena *arena, struct profile *p)
{
	p->n_listen_unix = get_count(in, sizeof(uint32_t) + 1 + 4 * sizeof(uint32_t) + 1);
	p->listen_unix =
	    arena_array(arena, (size_t)p->n_listen_unix + 1, sizeof(*p->listen_unix));
	if (p->listen_unix == NULL)
		return false;
	for (uint32_t i = 0; i < p->n_listen_unix; i++) {
		struct profile_listen_unix *l = &p->listen_unix[i];
		l->path = get_text(in);
		get_number(in, &l->mode, sizeof(l->mode));
		get_number(in, &l->most_mode, sizeof(l->most_mode));
		get_number(in, &l->owner, sizeof(l->owner));
		get_number(in, &l->group, sizeof(l->group));
		l->descriptors = get_flag(in);
	}
	return true;
}

/* Absolute, and every component a plain name. */
static bool
path_is_plain(const char *path)
{
	if (path[0] != '/' || path[1] == '\0' || strlen(path) >= 4096)
		return false;
	for (const char *s = path; *s != '\0';) {
		const char *name = ++s;
		s = strchrnul(s, '/');
		size_t n = (size_t)(s - name);
		if (n == 0 || n > 255 || (n == 1 && name[0] == '.') ||
		    (n == 2 && name[0] == '.' && name[1] == '.'))
			return false;
	}
	return true;
}

static bool
filter_is_sound(uint32_t len)
{
	return len % 8 == 0 && len <= SETUP_FILTER_MAX_BYTES;
}

/* What the launcher and the child rely on. */
static bool
plan_check(const struct launch_request *r, struct err *err)
{
	const struct confinement *c = r->confinement;
	const struct profile *p = c->profile;
	bool has_worker = false, has_plugin = false;

	if (r->min_tier > LAUNCH_TIER_FULL)
		return err_set(err, ERR_USAGE, "there is no tier %u", r->min_tier);
	if ((unsigned)p->base > PROFILE_UNCONFINED)
		return err_set(
		    err, ERR_PEER, "there is no profile %u", (unsigned)p->base);
	if (r->worker_path[0] != '/')
		return err_set(err, ERR_USAGE, "the worker's path is not absolute");
	if (p->base == PROFILE_UNCONFINED)
		return true;
	if (c->n_mount > LIMIT_WORKER_MOUNTS)
		return err_set(err, ERR_LIMIT,
		    "%u files and directories to mount, at most %u", c->n_mount,
		    LIMIT_WORKER_MOUNTS);
	for (uint32_t i = 0; i < c->n_mount; i++) {
		const struct confinement_mount *m = &c->mount[i];
		if (!path_is_plain(m->source) || !path_is_plain(m->target))
			return err_set(err, ERR_USAGE,
			    "%s: not an absolute, plain path to mount", m->source);
		has_worker |= strcmp(m->target, c->worker_target) == 0;
		has_plugin |= strcmp(m->target, c->plugin_target) == 0;
	}
	for (uint32_t i = 0; i < c->n_file; i++)
		if (!path_is_plain(c->file[i].target))
			return err_set(err, ERR_USAGE,
			    "%s: not an absolute, plain path to make", c->file[i].target);
	for (uint32_t i = 0; i < p->n_unix_socket; i++)
		if (!path_is_plain(p->unix_socket[i].path))
			return err_set(err, ERR_USAGE,
			    "unix: %s: not an absolute, plain path",
			    p->unix_socket[i].path);
	if (!has_worker || !has_plugin)
		return err_set(err, ERR_USAGE, "the confinement does not mount the %s",
		    has_worker ? "plugin" : "worker");
	if (p->n_listen_unix > LIMIT_UNIX_LISTENERS)
		return err_set(err, ERR_LIMIT, "%u unix sockets to listen at, at most %u",
		    p->n_listen_unix, LIMIT_UNIX_LISTENERS);
	for (uint32_t i = 0; i < p->n_listen_unix; i++)
		if (!path_is_plain(p->listen_unix[i].path) ||
		    (p->listen_unix[i].mode | p->listen_unix[i].most_mode) > 0777)
			return err_set(err, ERR_USAGE,
			    "%s: not an absolute, plain path to listen at",
			    p->listen_unix[i].path);
	/* Fail closed: only the profile of that name runs without filters. */
	if (c->filter_load_len == 0 || c->filter_run_len == 0 ||
	    !filter_is_sound(c->filter_load_len) || !filter_is_sound(c->filter_run_len))
		return err_set(
		    err, ERR_USAGE, "the confinement's system call filters are missing");
	if (p->limits.memory_bytes == 0 || p->limits.threads == 0 ||
	    p->limits.open_files <= SETUP_FILTERS_FD)
		return err_set(err, ERR_USAGE, "the confinement's limits are too small");
	return true;
}

static bool
plan_read(
    struct reader *in, struct arena *arena, struct launch_request *r, struct err *err)
{
	struct confinement *c = arena_alloc(arena, sizeof(*c));
	struct profile *p = arena_alloc(arena, sizeof(*p));

	if (c == NULL || p == NULL)
		return err_nomem(err);
#define NUMBER(lvalue) get_number(in, &(lvalue), sizeof(lvalue));
#define FLAG(lvalue)   lvalue = get_flag(in);
#define TEXT(lvalue)   lvalue = get_text(in);
	PLAN_FIELDS(NUMBER, FLAG, TEXT)
#undef NUMBER
#undef FLAG
#undef TEXT
	const char *sha256 = get_text(in);
	if (strlen(sha256) < sizeof(c->sha256))
		memcpy(c->sha256, sha256, strlen(sha256));
	c->n_mount = get_count(in, 2 * (sizeof(uint32_t) + 1) + 3);
	c->mount = arena_array(arena, c->n_mount + 1, sizeof(*c->mount));
	if (c->mount == NULL)
		return err_nomem(err);
	for (uint32_t i = 0; i < c->n_mount; i++) {
		c->mount[i].source = get_text(in);
		c->mount[i].target = get_text(in);
		c->mount[i].directory = get_flag(in);
		c->mount[i].exec = get_flag(in);
		c->mount[i].writable = get_flag(in);
	}
	if (!get_files(in, arena, c))
		return err_nomem(err);
	c->env = get_texts(in, arena, &c->n_env);
	p->read = get_texts(in, arena, &p->n_read);
	p->write = get_texts(in, arena, &p->n_write);
	uint32_t n_places;
	const char *places = get_bytes(in, &n_places, 0);
	struct profile connects = {0};
	if (!in->failed && !egress_policy_unpack(places, n_places, arena, &connects, err))
		return false;
	p->connect = connects.connect;
	p->n_connect = connects.n_connect;
	p->unix_socket = connects.unix_socket;
	p->n_unix_socket = connects.n_unix_socket;
	if (!get_listen(in, arena, p) || !get_listen_unix(in, arena, p))
		return err_nomem(err);
	c->filter_load = get_bytes(in, &c->filter_load_len, 0);
	c->filter_run = get_bytes(in, &c->filter_run_len, 0);
	if (in->failed || in->left != 0)
		return err_set(err, ERR_PEER, "a malformed confinement");
	c->profile = p;
	r->confinement = c;
	return plan_check(r, err);
}

bool
wire_plan_unpack(
    int memfd, struct arena *arena, struct launch_request *ret_request, struct err *err)
{
	struct stat st;
	int seals = fcntl(memfd, F_GET_SEALS);

	/* Sealed, so that what is checked here is what is read later. */
	if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || fstat(memfd, &st) < 0 ||
	    st.st_size > LIMIT_LAUNCH_BYTES)
		return err_set(err, ERR_PEER, "a confinement that is not sealed");
	size_t size = (size_t)st.st_size;
	char *bytes = arena_alloc(arena, size + 1);
	if (bytes == NULL)
		return err_nomem(err);
	if (pread(memfd, bytes, size, 0) != (ssize_t)size)
		return err_sys(err, "reading a confinement");

	struct reader in = {.at = bytes, .left = size};
	struct launch_request r = {0};
	if (!plan_read(&in, arena, &r, err))
		return false;
	*ret_request = r;
	return true;
}
