/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the launcher's tests share: a bench with one launcher, on which workers are made
 * from testdata/probe_worker.c and told what to try. Every test runs as whoever runs the
 * program and, when that is root, once more as an ordinary user.
 */
#ifndef WORKER_LAUNCH_TEST_BENCH_H
#define WORKER_LAUNCH_TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/launch/launcher.h"

#define BENCH_PATIENCE_MS 5000
#define BENCH_ALL_LAYERS  (launch_tier_layers(LAUNCH_TIER_FULL) | LAYER_MDWE)

/* Copies of what is tested, where every user can read them. */
extern char bench_dir[64], bench_launcher[128], bench_probe[128], bench_plugin[128],
    bench_worker[128];

struct bench {
	struct launcher *launcher;
	struct arena arena;
	struct profile profile;
	struct confinement confinement;
	struct launch_request request; /* min_tier and worker_path are the test's */
	struct launch_result result;
	int control_fd; /* our ends, of the last worker */
	int output_fd;
};

/* cmocka's setup and teardown; the latter wants that no process is left. */
int bench_new(void **state);
int bench_free(void **state);
#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_new, bench_free)

void bench_confine(struct bench *b, const char *profile);
void bench_confine_to(struct bench *b, const char **path, uint32_t n);

bool bench_launch(struct bench *b, struct err *err);
void bench_must_launch(struct bench *b);
void bench_must_not_launch(struct bench *b, const char *why);

/* A command of probe_worker.c without and with its answer; of a "try", the errno. */
void bench_tell(struct bench *b, const char *command);
const char *bench_ask(struct bench *b, const char *command);
int bench_attempt(struct bench *b, const char *command);
/* Waits for the next event by way of launcher_fd, as the broker does. */
struct launch_event bench_event(struct bench *b);

bool bench_is_gone(pid_t pid);
/* /proc/PID/FILE; "" when it cannot be read. Valid until the next call. */
const char *bench_proc(pid_t pid, const char *file);
pid_t bench_parent(pid_t pid);
bool bench_copy(const char *from, const char *name, char *ret_path, size_t size);

/* main: arguments are launcher, probe, plugin, worker. run gets "as root" and the like.
 */
int bench_main(int argc, char **argv, int (*run)(const char *who));

#endif
