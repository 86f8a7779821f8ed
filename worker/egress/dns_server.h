/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver that workers see: it knows the names of their policy, and asks nobody. */
#ifndef WORKER_EGRESS_DNS_SERVER_H
#define WORKER_EGRESS_DNS_SERVER_H

#include "worker/egress/server.h"

/* Of struct listener: EGRESS_DNS_UDP and EGRESS_DNS_TCP. */
void dns_server_on_datagram(struct source *s, uint32_t events);
void dns_server_on_connection(struct source *s, uint32_t events);

/* Closes streams that took too long, hears again whom it did not; the deadline of the
 * rest goes to the loop. */
void dns_server_expire(struct worker *w, uint64_t now_ns);
void dns_server_end(struct worker *w);

#endif
