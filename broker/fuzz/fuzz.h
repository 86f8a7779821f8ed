/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzzing campaign against one plugin: "mews fuzz".
 *
 * The campaign is the trusted side. It keeps the corpus, decides what is tried next,
 * judges what came of it, and writes findings. The worker (worker/fuzz) holds the plugin
 * under the same confinement as in production, makes cases of the seed it is given and
 * runs them, a round at a time, so that no process is switched per case. What a worker
 * says is believed of nobody but itself: a finding counts when a fresh worker, given the
 * case alone, shows it again.
 */
#ifndef BROKER_FUZZ_FUZZ_H
#define BROKER_FUZZ_FUZZ_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "broker/app/app.h"
#include "worker/fuzz/shared.h"
#include "worker/launch/launcher.h"

/* FINDING(id, name, what it means) */
/* clang-format off */
#define FINDING_KINDS(FINDING) \
	FINDING(CRASH,     "crash",     "the plugin died by a signal, a panic, or an exit of its own") \
	FINDING(HANG,      "hang",      "a call did not return in time") \
	FINDING(MEMORY,    "memory",    "one case took more memory than it may") \
	FINDING(SANITIZER, "sanitizer", "a sanitizer that the plugin was built with reported something") \
	FINDING(BREACH,    "breach",    "what came back breaks the plugin interface") \
	FINDING(DENIAL,    "denial",    "the plugin tried something that its profile does not allow")
/* clang-format on */

enum finding_kind {
#define FINDING_ENUM(id, name, doc) FINDING_##id,
	FINDING_KINDS(FINDING_ENUM)
#undef FINDING_ENUM
	FINDING_KIND_N,
	FINDING_NONE = FINDING_KIND_N,
};

const char *finding_kind_name(enum finding_kind k);
/* FINDING_NONE when there is none of that name. */
enum finding_kind finding_kind_find(const char *name, size_t n);

/* Exit status of a campaign or a replay that found something of --fail-on. */
#define FUZZ_EXIT_FOUND 3

enum fuzz_engine {
	FUZZ_ENGINE_BUILTIN,
	FUZZ_ENGINE_AFL
};

struct fuzz_options {
	const char *plugin, *out, *replay, *minimize;
	enum fuzz_target target;
	bool target_given, list_targets, stop_at_first, afl_target, help;
	uint64_t time_s, runs; /* 0: no bound */
	uint64_t seed;
	uint32_t hang_ms, memory_mib, max_bytes;
	const char **seeds, **rules;
	uint32_t n_seeds, n_rules;
	uint32_t fail_on; /* bits of enum finding_kind */
	enum fuzz_engine engine;
	bool no_blocks;
	uint32_t jobs; /* campaigns at once */
	uint32_t job;  /* this is one of them: from 1 */
	const char *init_config, *open_params, *sandbox, *post; /* NULL: not given */
	char **argv; /* as given, for the engine that calls us again */
	int argc;
};

/* options.c. Lists are in the arena. */
bool fuzz_options_take(
    struct fuzz_options *o, struct arena *arena, int argc, char **argv, struct err *err);
void fuzz_usage(FILE *to);

/* Where the source target's cases are posted: on this host's loopback. */
struct fuzz_post {
	bool is_v6;
	uint16_t port;
	char path[512];
};

/* What is fuzzed, and how workers are made for it. */
struct fuzz_subject {
	struct launcher *launcher;
	struct supervisor *sup;
	const struct plugin *plugin;
	const struct confinement *confinement; /* of the fuzz worker */
	char worker_path[4096];
	enum fuzz_target target;
	const char *config, *params;
	uint32_t hang_ms;
	uint64_t memory_bytes;
	/* Of the source target. */
	enum fuzz_way way;
	char file_path[FUZZ_PATH_BYTES],
	    dir_path[FUZZ_PATH_BYTES]; /* a pipe has a folder */
	int file_fd;                   /* -1: none */
	struct fuzz_post post;
	const char *post_url;
};

/* Whether the file was built with the address sanitizer: it needs workers that have it,
 * and room for its shadow. */
bool fuzz_is_sanitized(const char *path);
/* What that takes of address space. */
#define FUZZ_SHADOW_BYTES (1ull << 46)

/* subject.c: the confinement of the plugin with the fuzz worker in it. */
bool fuzz_subject_init(struct fuzz_subject *s, struct app *app,
    const struct fuzz_options *o, enum fuzz_target target, struct err *err);
void fuzz_subject_release(struct fuzz_subject *s);
/* Why this plugin has no such target; NULL: it has. */
const char *fuzz_target_lack(const struct plugin *p, enum fuzz_target t);

/* feed.c: bytes on their way to the source. */
enum {
	FUZZ_FEED_HEAD = 1024
};

struct fuzz_feed {
	bool is_going_on;
	int fd; /* -1: nobody is there yet */
	uint64_t since_ns;
	uint32_t n, at;
	uint8_t bytes[FUZZ_FEED_HEAD + CASE_BYTES];
};

/* "http://HOST:PORT/PATH" */
bool fuzz_post_parse(struct fuzz_post *p, const char *url, struct err *err);
void fuzz_feed_begin(
    struct fuzz_feed *f, const struct fuzz_subject *s, const uint8_t *bytes, uint32_t n);
/* Never waits; true when it has come to its end just now. */
bool fuzz_feed_step(struct fuzz_feed *f, const struct fuzz_subject *s);
void fuzz_feed_end(struct fuzz_feed *f);

/* copy.c: what a worker with breakpoints loads the plugin from. */
struct fuzz_copy {
	int fd; /* -1: there is none */
	char path[FUZZ_PATH_BYTES];
	const uint8_t *original;
	size_t size;
	struct confinement confinement;
	struct confinement_mount *mount;
};

/* In the folder of the campaign; released even when it failed. */
bool fuzz_copy_init(
    struct fuzz_copy *c, const struct fuzz_subject *s, const char *out, struct err *err);
/* What the plugin is, before a worker starts. */
bool fuzz_copy_renew(struct fuzz_copy *c, struct err *err);
void fuzz_copy_release(struct fuzz_copy *c);

/* Something seen while cases ran, of which nobody knows which case it was. */
struct fuzz_incident {
	enum finding_kind kind; /* DENIAL or SANITIZER */
	char text[512], allow_with[256];
};

enum {
	FUZZ_INCIDENTS = 16,
	FUZZ_OUTPUT_BYTES = 32 << 10,
};

/* How a request ended. */
enum fuzz_end {
	FUZZ_END_DONE,
	FUZZ_END_DIED,
	FUZZ_END_HUNG,    /* killed: it did not even come to its own verdict */
	FUZZ_END_STOPPED, /* killed: the campaign is over */
};

struct fuzz_worker {
	const struct fuzz_subject *subject;
	struct fuzz_up *up; /* hostile */
	struct fuzz_down *down;
	int up_fd, down_fd, idle_fd, control_fd, output_fd;
	uint32_t id;
	bool alive, loaded;
	struct launch_event death;
	uint64_t executions; /* of this process, as last told */
	struct fuzz_feed feed;
	struct fuzz_copy copy;
	char output[FUZZ_OUTPUT_BYTES];
	uint32_t output_len;
	struct fuzz_incident incident[FUZZ_INCIDENTS];
	uint32_t n_incidents;
	/* Called now and then while waiting; false ends it. */
	bool (*tick)(void *arg, const struct fuzz_worker *w);
	void *tick_arg;
};

/* worker.c */
bool fuzz_worker_init(
    struct fuzz_worker *w, const struct fuzz_subject *s, struct err *err);
void fuzz_worker_release(struct fuzz_worker *w);
/* A fresh process with the plugin loaded. *ret_end tells, when it is not DONE, that the
 * plugin did not survive that; a plugin that said no is an error (ERR_PLUGIN). */
bool fuzz_worker_start(struct fuzz_worker *w, enum fuzz_end *ret_end, struct err *err);
void fuzz_worker_kill(struct fuzz_worker *w);
/* Carries out the request that lies in down. */
bool fuzz_worker_request(struct fuzz_worker *w, enum fuzz_request_kind kind,
    enum fuzz_end *ret_end, struct err *err);
/* What the launcher and the plugin's output still have to tell. */
void fuzz_worker_settle(struct fuzz_worker *w, int wait_ms);
/* The case that is in up, copied; its length. */
uint32_t fuzz_worker_case(const struct fuzz_worker *w, uint8_t to[CASE_BYTES]);
/* The last cases of a worker that died, this one included, as one. */
uint32_t fuzz_worker_past(const struct fuzz_worker *w, uint8_t to[CASE_BYTES]);
/* Hands out what lies in finds and empties it; only while nothing runs. */
void fuzz_worker_finds(struct fuzz_worker *w,
    void (*take)(void *arg, uint32_t kind, const uint8_t *bytes, uint32_t n,
	const char *message, uint32_t message_n),
    void *arg);

/* What became of a case. */
struct fuzz_verdict {
	enum finding_kind kind;
	char headline[512]; /* escaped */
	char key[1024];     /* the same for the same defect */
	uint32_t n_frames;
	char frame[FUZZ_FRAMES][256]; /* escaped */
	char allow_with[256];
	char output[4096]; /* escaped: the plugin's last words */
	bool in_start;     /* while loading, before any case */
};

/* judge.c: of a worker that died or hung. */
void fuzz_judge(struct fuzz_verdict *v, const struct fuzz_worker *w, enum fuzz_end end);
void fuzz_judge_breach(struct fuzz_verdict *v, const char *message, size_t n);
void fuzz_judge_incident(struct fuzz_verdict *v, const struct fuzz_incident *i);

/* A case that somebody can do again. */
struct fuzz_finding {
	char id[64];
	struct fuzz_verdict verdict;
	uint8_t *bytes;
	uint32_t n;
	uint32_t n_found;             /* before minimising */
	uint64_t executions, seconds; /* when it was found */
	bool reproduced;
	uint64_t times;
};

/* triage.c. A worker of its own: what is tried here changes nothing there. */
struct fuzz_triage {
	struct fuzz_worker worker;
	/* Denials and reports are not waited for. */
	bool quick;
};

/* Runs the case in a fresh worker (or the one that survived the last try). */
bool fuzz_try(struct fuzz_triage *t, const uint8_t *bytes, uint32_t n, bool fresh,
    struct fuzz_verdict *ret_verdict, struct err *err);
/* Makes it smaller while the verdict's key stays; bytes and *n are changed, and the
 * verdict is that of the smaller case. */
bool fuzz_minimize(struct fuzz_triage *t, uint8_t *bytes, uint32_t *n,
    struct fuzz_verdict *verdict, struct err *err);

/* record.c: findings as files, and back. */
bool fuzz_record_write(const char *out, const struct fuzz_subject *s,
    const struct fuzz_finding *f, struct err *err);
bool fuzz_record_is_there(const char *out, const struct fuzz_finding *f);
/* What a reproducer says: of ours, or an event set aside by a broker. The case is in the
 * arena. plugin's fields give names their numbers. */
struct fuzz_record {
	const char *library_path, *config, *params, *id, *post;
	enum fuzz_target target;
	const struct conf_node *root;
};
bool fuzz_record_read(
    struct fuzz_record *r, struct arena *arena, const char *path, struct err *err);
bool fuzz_record_case(const struct fuzz_record *r, const struct plugin *p,
    uint8_t to[CASE_BYTES], uint32_t *ret_n, struct err *err);
bool fuzz_file_write(
    const char *dir, const char *name, const void *bytes, size_t n, struct err *err);
bool fuzz_make_dir(const char *path, struct err *err);
/* A path, cut where it is longer than any may be: then nothing is there. */
void fuzz_path(char to[FUZZ_PATH_BYTES], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* corpus.c: what is worth changing further. */
struct fuzz_entry {
	uint8_t *bytes;
	uint32_t n;
	uint32_t tried; /* rounds, and what they cost by killing workers */
};

struct fuzz_corpus {
	struct fuzz_entry *entry;
	uint32_t n, cap;
	struct map known; /* by hash */
	struct arena arena;
	const char *dir; /* NULL: in memory alone */
	struct fuzz_word word[FUZZ_WORDS];
	uint32_t n_words;
};

void fuzz_corpus_init(struct fuzz_corpus *c);
void fuzz_corpus_release(struct fuzz_corpus *c);
/* False when it is there already, or there is no room. */
bool fuzz_corpus_add(struct fuzz_corpus *c, const uint8_t *bytes, uint32_t n);
void fuzz_corpus_word(struct fuzz_corpus *c, const void *bytes, size_t n);
/* Cases of earlier runs, and of other jobs, in dir; those that are not there yet. */
bool fuzz_corpus_load(struct fuzz_corpus *c, struct err *err);

/* seeds.c: where the first cases and words come from. */
bool fuzz_seeds_gather(struct fuzz_corpus *c, const struct fuzz_subject *s,
    const struct fuzz_options *o, struct err *err);
/* A payload as cases of the target. */
void fuzz_seeds_payload(
    struct fuzz_corpus *c, const struct fuzz_subject *s, const void *bytes, size_t n);

/* An event of each type that the plugin wants of system calls. */
void fuzz_seeds_types(struct fuzz_corpus *c, const struct fuzz_subject *s,
    const uint16_t *type, uint32_t n);

/* campaign.c */
struct fuzz_campaign {
	const struct fuzz_options *options;
	struct fuzz_subject *subject;
	struct fuzz_corpus corpus;
	struct fuzz_worker worker;
	struct fuzz_triage triage;
	struct fuzz_finding *finding;
	uint32_t n_findings, cap_findings;
	uint64_t executions, started_ns, told_ns, find_ns, told_executions;
	uint64_t features, rng;
	uint8_t rare[FUZZ_RARE_FIELDS / 8]; /* of shared.h */
	volatile sig_atomic_t *stop;
	uint8_t past[CASE_BYTES]; /* what came before the case that is looked at */
	uint32_t past_n;
	bool is_stopped, has_failed; /* has_failed: found something of --fail-on */
};

bool fuzz_campaign_init(struct fuzz_campaign *c, const struct fuzz_options *o,
    struct fuzz_subject *s, volatile sig_atomic_t *stop, struct err *err);
void fuzz_campaign_release(struct fuzz_campaign *c);
/* As a job: says how far it is. */
void fuzz_campaign_tally(const struct fuzz_campaign *c);
bool fuzz_campaign_run(struct fuzz_campaign *c, struct err *err);
/* findings.c. The finding that has the verdict's key; NULL: there is none. */
struct fuzz_finding *fuzz_campaign_known(
    struct fuzz_campaign *c, const struct fuzz_verdict *v);
/* A case that did something: kept when it is new, after a look of its own. */
bool fuzz_campaign_found(struct fuzz_campaign *c, const struct fuzz_verdict *v,
    const uint8_t *bytes, uint32_t n, struct err *err);

/* How far a campaign is. */
struct fuzz_tally {
	uint64_t executions, features;
	uint32_t blocks_hit, blocks, corpus, findings;
};

/* jobs.c */
enum {
	FUZZ_JOBS = 64
};

/* One job's word to the program that started it, on standard output. */
void fuzz_tally_say(const struct fuzz_tally *t);
/* Runs o->jobs campaigns in o->out, and tells what they found. */
bool fuzz_jobs_run(const struct fuzz_options *o, volatile sig_atomic_t *stop,
    int *ret_status, struct err *err);

/* afl.c: AFL++ in the place of our own loop, and we as its target. */
bool fuzz_afl_run(struct fuzz_campaign *c, struct err *err);
int fuzz_afl_target(struct fuzz_subject *s);

#endif
