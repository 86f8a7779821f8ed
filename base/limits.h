/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bound that is not a setting, with its unit and its reason. A bound that an
 * operator may change is in the options or the policy, and has its default there.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* -- data plane ----------------------------------------------------------------- */
#define LIMIT_CHUNK_EVENTS    256u       /* events: one bit mask of four words */
#define LIMIT_RING_UP_BYTES   (8u << 20) /* worker to broker; a power of two */
#define LIMIT_RING_DOWN_BYTES (4u << 20) /* broker to worker; a power of two */
#define LIMIT_FRAME_BYTES                                                                \
	(2u << 20)                    /* a frame in a ring: the half of the smaller ring \
				       */
#define LIMIT_EVENT_BYTES  (1u << 20) /* one event: four times the largest SDK default */
#define LIMIT_CHUNK_BYTES  (512u << 10) /* soft: a chunk is published past this size */
#define LIMIT_PLAN_SLOTS   4096u      /* distinct (field, argument) pairs per pipeline */
#define LIMIT_LIST_VALUES  65536u     /* elements of one list value */
#define LIMIT_BATCH_EVENTS (1u << 20) /* events of one next_batch */

/* async events and table operations, beside the rings of events */
#define LIMIT_RING_SIDE_UP_BYTES   (4u << 20)   /* worker to broker; a power of two */
#define LIMIT_RING_SIDE_DOWN_BYTES (2u << 20)   /* broker to worker; a power of two */
#define LIMIT_METRICS_BYTES        (256u << 10) /* all metrics of a plugin, as a message */
#define LIMIT_ROUTINES             64u          /* threads of one plugin that listens */
#define LIMIT_PLUGIN_METRICS       1024u        /* that one plugin has */
#define LIMIT_TABLES               256u         /* that the plugins of one source have */
#define LIMIT_TABLE_FIELDS         256u         /* of one table */
#define LIMIT_TABLE_HANDLES                                                              \
	4096u /* entries and sub-tables that one user holds of one owner */
#define LIMIT_TABLE_CALLS    64u            /* of one worker that are not answered yet */
#define LIMIT_TABLE_CALL_MS  1000u          /* how long an owner may take to answer */
#define LIMIT_TABLE_ENTRIES  (1u << 20)     /* of all built-in tables of a source */
#define LIMIT_TABLE_BYTES    (256ul << 20)  /* their keys and values */
#define LIMIT_ASYNC_EVENTS   4096u          /* Falco's: that wait for their turn */
#define LIMIT_ASYNC_BYTES    (64u << 20)    /* what they may take */
#define LIMIT_ASYNC_AHEAD_NS 10000000000ull /* Falco's: in the future, at most */

/* -- what a plugin may declare ------------------------------------------------------ */
#define LIMIT_PLUGIN_FIELDS     8192u      /* entries of get_fields */
#define LIMIT_PLUGIN_JSON_BYTES (4u << 20) /* get_fields and the like, as text */
#define LIMIT_JSON_DEPTH        64u
#define LIMIT_PLUGIN_NAMES      1024u /* entries of a list of sources or async events */
#define LIMIT_NAME_BYTES        1024u /* a plugin's, field's or source's name */
#define LIMIT_TEXT_BYTES        (64u << 10) /* descriptions, error texts */

/* -- control channel ------------------------------------------------------------------
 */
#define LIMIT_CONTROL_BYTES   (4u << 20)  /* one message: the largest is a field list */
#define LIMIT_CONTROL_MEMORY  (32u << 20) /* what unpacking one message may allocate */
#define LIMIT_LOG_LINE_BYTES  1024u       /* one line of a plugin; the rest is cut */
#define LIMIT_LOG_LINES_PER_S 1000u /* lines that a worker sends; the rest it counts */

/* -- launcher ------------------------------------------------------------------- */
#define LIMIT_WORKERS                1024u /* alive at once under one launcher */
#define LIMIT_WORKER_MOUNTS          250u /* as descriptors in one message: SCM_MAX_FD is 253 */
#define LIMIT_LAUNCH_BYTES           (1u << 20) /* a confinement as the launcher gets it */
#define LIMIT_DENIALS                64u        /* distinct ones told per worker */
#define LIMIT_NOTIFICATIONS          1000u /* of one worker at once: loading opens many files */
#define LIMIT_LISTEN_BACKLOG         128u /* connections that wait until a plugin takes them */
#define LIMIT_NOTIFICATIONS_PER_TICK 100u /* and per 100 ms after that */

/* -- rules
 * ------------------------------------------------------------------------------- */
#define LIMIT_RULES_FILE_BYTES                                                           \
	(64u << 20) /* a rules file: a hundred times the largest known */
#define LIMIT_RULES_MEMORY    (1024ul << 20) /* arena of one ruleset */
#define LIMIT_YAML_DEPTH      128u
#define LIMIT_YAML_NODES      (8u << 20)  /* after aliases are followed */
#define LIMIT_CONDITION_DEPTH 1000u       /* Falco's: conditions of rules and macros */
#define LIMIT_FORMAT_DEPTH    100u        /* Falco's: everywhere else */
#define LIMIT_CONDITION_BYTES (16u << 20) /* a condition after lists are put in */
#define LIMIT_EXPR_NODES      (4u << 20)  /* a condition after macros are put in */
#define LIMIT_EXPR_DEPTH      1000u       /* the same, levels: recursion takes stack */
#define LIMIT_EXCEPTIONS      4096u       /* of one rule; they are compared by name */
#define LIMIT_OUTPUT_FIELDS   256u /* distinct ones in one output and its extra fields */
#define LIMIT_LIST_ITEMS      (1u << 20) /* of a rules list after lists are put in */
#define LIMIT_CONSTANT_BYTES  256u       /* Falco's: a constant value, its NUL included */

/* -- configuration
 * ------------------------------------------------------------------------ */
#define LIMIT_CONFIG_BYTES  (16u << 20)
#define LIMIT_CONFIG_MEMORY (256ul << 20) /* arena of one configuration */
#define LIMIT_PLUGINS       128u          /* entries that are loaded */

/* outputs */
#define LIMIT_OUTPUT_LINE_BYTES (4u << 20) /* one alert; a longer one is dropped */
#define LIMIT_OUTPUT_QUEUE_BYTES                                                         \
	(256ul << 20)                       /* alerts that wait, capacity 0 included     \
					     */
#define LIMIT_OUTPUT_BATCH_BYTES (1u << 20) /* handed to the sinks at once */

/* -- policy
 * ----------------------------------------------------------------------------- */
#define LIMIT_PLUGIN_FILE_BYTES (512u << 20) /* a .so: the largest known has 37 MB */
#define LIMIT_PLUGIN_LIBRARIES  128u         /* that one needs, directly or not */
#define LIMIT_POLICY_ITEMS      256u         /* entries of one list of a sandbox block */
#define LIMIT_UNIX_LISTENERS    16u          /* of one plugin: two descriptors each */

/* -- egress --------------------------------------------------------------------- */
#define LIMIT_EGRESS_SOCKETS           250u /* of one worker; in one message: SCM_MAX_FD is 253 */
#define LIMIT_EGRESS_GRANT_BYTES       (128u << 10) /* a policy's places: one message */
#define LIMIT_EGRESS_RELAYS            4096u /* connections of all workers: six fds each */
#define LIMIT_EGRESS_RELAYS_PER_WORKER 1024u
#define LIMIT_EGRESS_NAMES             1024u /* names of patterns that one worker asked for */
#define LIMIT_EGRESS_ADDRESSES         16u /* of one name; the rest is not tried */
#define LIMIT_EGRESS_LOOKUPS           256u /* names being looked up, or known for a while */
#define LIMIT_EGRESS_HOSTS             4096u /* entries of the hosts file */
#define LIMIT_EGRESS_QUERIES_PER_S     200u  /* of one worker; five times that at once */
#define LIMIT_EGRESS_DNS_STREAMS       8u /* TCP connections to the resolver, per worker */
#define LIMIT_EGRESS_PIPE_BYTES        (64u << 10) /* between two sockets, each way */
#define LIMIT_HTTP_HEAD_BYTES          (16u << 10) /* a request through a filtered socket */
#define LIMIT_HTTP_HEADERS             64u

/* operators */
#define LIMIT_WEB_HEAD_BYTES    (8u << 10) /* a request of theirs: a probe or a scraper */
#define LIMIT_WEB_CONNECTIONS   64u        /* at once */
#define LIMIT_WEB_ACCEPTS_PER_S 200u       /* a TLS handshake takes about a millisecond */
#define LIMIT_WEB_ANSWER_BYTES  (8u << 20) /* metrics of ten thousand rules */
#define LIMIT_CTL_CLIENTS       16u        /* connections of mews ctl, top and tap */
#define LIMIT_CTL_LINE_BYTES    (64u << 10) /* one request */
#define LIMIT_CTL_QUEUE_BYTES   (16u << 20) /* answers that a client has not read */

/* capture files */
#define LIMIT_CAPTURE_FILES       256u /* being written at once: two for each source */
#define LIMIT_CAPTURE_QUEUE_BYTES (32u << 20) /* events that wait for the disk */
#define LIMIT_CAPTURE_HELD_BYTES                                                         \
	(8u << 20) /* of one file, that wait for the plugins' state */
#define LIMIT_CAPTURE_PATH_BYTES 4096u
#define LIMIT_CAPTURE_STALL_MS                                                           \
	2000u /* a disk that does nothing for so long is not waited for */
#define LIMIT_CAPTURE_STOP_MS 5000u /* for what is queued at the end of a run */

#endif
