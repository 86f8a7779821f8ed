/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/egress.h"

#include <string.h>

/* n_connect, then host, subdomains, internal, port of each; base; n_unix, then path,
 * filtered, n_http_get, http_get of each. Numbers are u32 as they are in memory, texts
 * end with NUL. */

static void
put_u32(struct buf *out, uint32_t v)
{
	buf_add(out, &v, sizeof(v));
}

static void
put_text(struct buf *out, const char *s)
{
	buf_add(out, s, strlen(s) + 1);
}

void
egress_policy_pack(const struct profile *p, struct buf *out)
{
	put_u32(out, p->n_connect);
	for (uint32_t i = 0; i < p->n_connect; i++) {
		put_text(out, p->connect[i].host);
		put_u32(out, p->connect[i].subdomains);
		put_u32(out, p->connect[i].internal);
		put_u32(out, p->connect[i].port);
	}
	put_u32(out, p->base);
	put_u32(out, p->n_unix_socket);
	for (uint32_t i = 0; i < p->n_unix_socket; i++) {
		const struct profile_unix *u = &p->unix_socket[i];
		put_text(out, u->path);
		put_u32(out, u->filtered);
		put_u32(out, u->n_http_get);
		for (uint32_t k = 0; k < u->n_http_get; k++)
			put_text(out, u->http_get[k]);
	}
}

struct reader {
	const char *at, *end;
	struct arena *arena;
	bool failed;
};

static uint32_t
take_u32(struct reader *r, uint32_t max)
{
	uint32_t v = 0;

	if ((size_t)(r->end - r->at) < sizeof(v)) {
		r->failed = true;
		return 0;
	}
	memcpy(&v, r->at, sizeof(v));
	r->at += sizeof(v);
	if (v > max) {
		r->failed = true;
		return 0;
	}
	return v;
}

static const char *
take_text(struct reader *r)
{
	const char *nul = memchr(r->at, '\0', (size_t)(r->end - r->at));
	const char *copy = NULL;

	if (nul != NULL && nul > r->at)
		copy = arena_strdup(r->arena, r->at);
	if (copy == NULL)
		r->failed = true;
	else
		r->at = nul + 1;
	return copy != NULL ? copy : "";
}

static void *
take_list(struct reader *r, uint32_t n, size_t size)
{
	void *list = arena_array(r->arena, (size_t)n + 1, size);

	if (list == NULL)
		r->failed = true;
	return list;
}

static void
take_unix(struct reader *r, struct profile_unix *u)
{
	u->path = take_text(r);
	if (u->path[0] != '/')
		r->failed = true;
	u->filtered = take_u32(r, 1) != 0;
	uint32_t n = take_u32(r, LIMIT_POLICY_ITEMS);
	const char **text = take_list(r, n, sizeof(*text));
	for (uint32_t i = 0; i < n && !r->failed; i++)
		text[u->n_http_get++] = take_text(r);
	u->http_get = text;
}

bool
egress_policy_unpack(const void *bytes, size_t n, struct arena *arena,
    struct profile *ret_profile, struct err *err)
{
	struct reader r = {bytes, (const char *)bytes + n, arena, false};
	struct profile p = {0};

	uint32_t n_connect = take_u32(&r, LIMIT_POLICY_ITEMS);
	p.connect = take_list(&r, n_connect, sizeof(*p.connect));
	for (uint32_t i = 0; i < n_connect && !r.failed; i++) {
		struct profile_connect *c = &p.connect[p.n_connect++];
		c->host = take_text(&r);
		/* So that it fits where names of the DNS fit. */
		if (strlen(c->host) > 253)
			r.failed = true;
		c->subdomains = take_u32(&r, 1) != 0;
		c->internal = take_u32(&r, 1) != 0;
		c->port = (uint16_t)take_u32(&r, 65535);
	}
	p.base = (enum profile_base)take_u32(&r, PROFILE_UNCONFINED);
	uint32_t n_unix = take_u32(&r, LIMIT_POLICY_ITEMS);
	p.unix_socket = take_list(&r, n_unix, sizeof(*p.unix_socket));
	for (uint32_t i = 0; i < n_unix && !r.failed; i++)
		take_unix(&r, &p.unix_socket[p.n_unix_socket++]);
	if (r.failed || r.at != r.end)
		return err_set(err, ERR_PEER, "the places of a policy are malformed");
	*ret_profile = p;
	return true;
}
