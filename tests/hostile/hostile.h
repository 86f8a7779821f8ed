/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that tries what it must not be able to do, and tells how it went: as events of
 * the source "hostile" with the fields attack.name, attack.outcome ("denied", "got", or a
 * word of the attack's own) and attack.errno ("EPERM"; "0" when there was none).
 *
 * The file defines attack(), which calls tried() for each thing. It runs once, at the
 * moment that the initial configuration names ("moment=init", "moment=next_batch", the
 * default), or, in the variant NAME_ctor.so, in the constructor, before anything is
 * known. "only=NAME" reaches an attack as hostile_only: for those of which each ends the
 * worker.
 */
#ifndef TESTS_HOSTILE_HOSTILE_H
#define TESTS_HOSTILE_HOSTILE_H

#ifndef KIT_NAME
#define KIT_NAME "hostile"
#define KIT_ID   4500
#endif
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"string\",\"name\":\"attack.name\",\"desc\":\"what was tried\"},"   \
	"{\"type\":\"string\",\"name\":\"attack.outcome\",\"desc\":\"how it went\"},"    \
	"{\"type\":\"string\",\"name\":\"attack.errno\",\"desc\":\"the system's "        \
	"answer\"}]"
#define KIT_HOOK
#define KIT_OWN_init
#define KIT_OWN_next_batch
#define KIT_OWN_extract_fields

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "tests/plugins/kit.h"

enum {
	HOSTILE_REPORTS = 96,
	HOSTILE_WORD = 48
};

struct hostile_report {
	char name[HOSTILE_WORD], outcome[HOSTILE_WORD], error[16];
};

static struct hostile_report hostile_report[HOSTILE_REPORTS];
static unsigned hostile_reports, hostile_told;
static bool hostile_ran, hostile_at_init;
static char hostile_only[HOSTILE_WORD];

/* The file's own. */
static void attack(void);

/* outcome in a word; error 0 for none. */
static void
told(const char *name, const char *outcome, int error)
{
	struct hostile_report *r;
	const char *word = error ? strerrorname_np(error) : "0";

	if (hostile_reports == HOSTILE_REPORTS)
		return;
	r = &hostile_report[hostile_reports++];
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->outcome, sizeof(r->outcome), "%s", outcome);
	snprintf(r->error, sizeof(r->error), "%s", word ? word : "?");
}

/* For calls that answer -1 and errno. */
__attribute__((unused)) static bool
tried(const char *name, long rc)
{
	told(name, rc < 0 ? "denied" : "got", rc < 0 ? errno : 0);
	return rc >= 0;
}

/* Was this attack asked for? */
__attribute__((unused)) static bool
only(const char *name)
{
	return strcmp(hostile_only, name) == 0;
}

static void
hostile_run(void)
{
	if (!hostile_ran) {
		hostile_ran = true;
		attack();
	}
}

static void
kit_at(enum kit_step step, uint64_t number)
{
	(void)number;
#ifdef HOSTILE_IN_CONSTRUCTOR
	if (step == KIT_CONSTRUCTOR)
		hostile_run();
#else
	(void)step;
#endif
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	const char *word = in->config ? strstr(in->config, "only=") : NULL;

	if (word)
		snprintf(hostile_only, sizeof(hostile_only), "%.*s",
		    (int)strcspn(word + 5, " ,\""), word + 5);
	hostile_at_init = in->config && strstr(in->config, "moment=init");
	if (hostile_at_init)
		hostile_run();
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_state));
}

/* The attack in the first call, then an event per report. */
int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;
	unsigned char number;

	(void)s;
	hostile_run();
	*nevts = 0;
	*evts = h->event;
	if (hostile_told == hostile_reports)
		return PLUGIN_EOF;
	number = (unsigned char)hostile_told++;
	h->event[0] = kit_event(h->memory[0], UINT64_MAX, KIT_ID, &number, 1);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	static const char *value[3];
	unsigned char number =
	    ((const unsigned char *)event->evt)[PLUGIN_EVENT_PAYLOAD_OFF];
	const struct hostile_report *r = &hostile_report[number % HOSTILE_REPORTS];

	(void)s;
	value[0] = r->name;
	value[1] = r->outcome;
	value[2] = r->error;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 1;
		in->fields[i].res.str = &value[in->fields[i].field_id % 3];
	}
	return PLUGIN_SUCCESS;
}

#endif
