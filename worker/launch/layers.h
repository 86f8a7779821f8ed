/* SPDX-License-Identifier: Apache-2.0 */
/* The layers as a table: names, tiers, and the namespaces among them. */
#ifndef WORKER_LAUNCH_LAYERS_H
#define WORKER_LAUNCH_LAYERS_H

#include <stdint.h>

#include "worker/launch/launcher.h"

/* LAYER(id, name in messages, lowest tier that requires it; 0: none does) */
/* clang-format off */
#define LAUNCH_LAYERS(LAYER) \
	LAYER(USER_NS,      "user",         3) \
	LAYER(PID_NS,       "pid",          2) \
	LAYER(MOUNT_NS,     "mount",        2) \
	LAYER(NET_NS,       "net",          2) \
	LAYER(IPC_NS,       "ipc",          2) \
	LAYER(UTS_NS,       "uts",          2) \
	LAYER(CGROUP_NS,    "cgroup",       2) \
	LAYER(ROOT,         "root",         2) \
	LAYER(LANDLOCK,     "landlock",     1) \
	LAYER(NO_NEW_PRIVS, "no-new-privs", 1) \
	LAYER(NO_CAPS,      "no-caps",      1) \
	LAYER(RLIMITS,      "rlimits",      1) \
	LAYER(SECCOMP,      "seccomp",      1) \
	LAYER(MDWE,         "mdwe",         0)

/* NAMESPACE(layer, clone flag, name in /proc/PID/ns) */
#define LAUNCH_NAMESPACES(NAMESPACE) \
	NAMESPACE(LAYER_USER_NS,   CLONE_NEWUSER,   "user") \
	NAMESPACE(LAYER_PID_NS,    CLONE_NEWPID,    "pid") \
	NAMESPACE(LAYER_MOUNT_NS,  CLONE_NEWNS,     "mnt") \
	NAMESPACE(LAYER_NET_NS,    CLONE_NEWNET,    "net") \
	NAMESPACE(LAYER_IPC_NS,    CLONE_NEWIPC,    "ipc") \
	NAMESPACE(LAYER_UTS_NS,    CLONE_NEWUTS,    "uts") \
	NAMESPACE(LAYER_CGROUP_NS, CLONE_NEWCGROUP, "cgroup")
/* clang-format on */

#define LAUNCH_N_NAMESPACES 7

/* Layers that a launcher of the mutation run leaves out (tests/hostile/mutate.sh), to
 * show that some test notices. */
#ifndef LAUNCH_TEST_WITHOUT
#define LAUNCH_TEST_WITHOUT 0u
#else
uint32_t launch_test_without(void); /* mutant.c */
#endif

#endif
