/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* RANGE: the first bits of it, how many, what it is. The first that fits counts. */
struct range {
	uint8_t first[16];
	uint8_t bits;
	uint8_t class;
};

static const struct range ip4[] = {
    {{169, 254, 169, 254}, 32, ADDRESS_METADATA},
    {{169, 254, 170, 2}, 32, ADDRESS_METADATA},   /* ECS tasks */
    {{100, 100, 100, 200}, 32, ADDRESS_METADATA}, /* Alibaba */
    {{192, 0, 0, 192}, 32, ADDRESS_METADATA},     /* Oracle */
    {{168, 63, 129, 16}, 32, ADDRESS_METADATA},   /* Azure: public in form alone */
    {{0}, 8, ADDRESS_NOWHERE},
    {{10}, 8, ADDRESS_PRIVATE},
    {{100, 64}, 10, ADDRESS_PRIVATE}, /* carriers' */
    {{127}, 8, ADDRESS_LOOPBACK},
    {{169, 254}, 16, ADDRESS_LINK_LOCAL},
    {{172, 16}, 12, ADDRESS_PRIVATE},
    {{192, 0, 0}, 24, ADDRESS_NOWHERE},
    {{192, 0, 2}, 24, ADDRESS_NOWHERE},
    {{192, 88, 99}, 24, ADDRESS_NOWHERE},
    {{192, 168}, 16, ADDRESS_PRIVATE},
    {{198, 18}, 15, ADDRESS_NOWHERE},
    {{198, 51, 100}, 24, ADDRESS_NOWHERE},
    {{203, 0, 113}, 24, ADDRESS_NOWHERE},
    {{224}, 4, ADDRESS_MULTICAST},
    {{255, 255, 255, 255}, 32, ADDRESS_MULTICAST},
    {{240}, 4, ADDRESS_NOWHERE},
    {{0}, 0, ADDRESS_PUBLIC},
};

static const struct range ip6[] = {
    {{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128,
	ADDRESS_METADATA},
    {{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23}, 128, ADDRESS_METADATA},
    {{0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128,
	ADDRESS_METADATA},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, ADDRESS_LOOPBACK},
    {{0}, 128, ADDRESS_NOWHERE},
    {{0}, 96, ADDRESS_MAPPED}, /* compatible */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, ADDRESS_MAPPED},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, ADDRESS_MAPPED}, /* translated */
    {{0, 0x64, 0xff, 0x9b}, 32, ADDRESS_MAPPED},                /* NAT64 */
    {{0x20, 0x02}, 16, ADDRESS_MAPPED},                         /* 6to4 */
    {{0x20, 0x01, 0, 0}, 32, ADDRESS_MAPPED},                   /* Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, ADDRESS_NOWHERE},
    {{0xfe, 0x80}, 10, ADDRESS_LINK_LOCAL},
    {{0xfe, 0xc0}, 10, ADDRESS_PRIVATE}, /* site-local */
    {{0xfc}, 7, ADDRESS_PRIVATE},
    {{0xff}, 8, ADDRESS_MULTICAST},
    {{0x20}, 3, ADDRESS_PUBLIC},
    {{0}, 0, ADDRESS_NOWHERE},
};

static bool
range_has(const struct range *r, const uint8_t *bytes)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(bytes, r->first, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] ^ r->first[whole]) >> (8 - rest) == 0;
}

enum address_class
address_class(const struct address *a)
{
	/* The last row of each has every address. */
	const struct range *r = a->is_ip6 ? ip6 : ip4;

	while (!range_has(r, a->bytes))
		r++;
	return (enum address_class)r->class;
}

const char *address_class_text(enum address_class class)
{
	static const char *const text[] = {
#define CLASS(id, words) words,
	    ADDRESS_CLASSES(CLASS)
#undef CLASS
	};

	return text[class];
}

bool
address_parse(const char *text, struct address *ret_address)
{
	struct address a = {0};

	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return false;
		a.is_ip6 = true;
	}
	*ret_address = a;
	return true;
}

bool
address_of_sockaddr(
    const struct sockaddr *sa, struct address *ret_address, uint16_t *ret_port)
{
	struct address a = {0};
	uint16_t port;

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;
		memcpy(a.bytes, &in->sin_addr, 4);
		port = in->sin_port;
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;
		memcpy(a.bytes, &in6->sin6_addr, 16);
		a.is_ip6 = true;
		port = in6->sin6_port;
	} else {
		return false;
	}
	*ret_address = a;
	if (ret_port != NULL)
		*ret_port = ntohs(port);
	return true;
}

socklen_t
address_to_sockaddr(
    const struct address *a, uint16_t port, struct sockaddr_storage *ret_sa)
{
	memset(ret_sa, 0, sizeof(*ret_sa));
	if (!a->is_ip6) {
		struct sockaddr_in *in = (void *)ret_sa;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (void *)ret_sa;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->bytes, 16);
	return sizeof(*in6);
}

void
address_unmap(struct address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!a->is_ip6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return;
	a->is_ip6 = false;
	memcpy(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return a->is_ip6 == b->is_ip6 && memcmp(a->bytes, b->bytes, 16) == 0;
}

void
address_text(const struct address *a, uint16_t port, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->is_ip6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof(text));
	buf_addf(out, a->is_ip6 ? "[%s]:%u" : "%s:%u", text, port);
}

bool
address_is_localhost(const char *name)
{
	return strcmp(name, "localhost") == 0;
}
