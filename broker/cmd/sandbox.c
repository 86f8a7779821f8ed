/* SPDX-License-Identifier: Apache-2.0 */
/* "mews sandbox": what this host gives, and what a plugin gets of it. */
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/app/single.h"
#include "broker/cmd/commands.h"
#include "broker/options/command_line.h"
#include "broker/supervisor/worker.h"
#include "worker/launch/cgroup.h"
#include "worker/launch/landlock.h"
#include "worker/launch/launcher.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66 /* since Linux 6.3 */
#endif

static const char usage[] =
    "mews sandbox [PLUGIN.so [--init-config TEXT] [--sandbox '{profile: …}']]\n"
    "\n"
    "Says which layers of confinement this host gives to whoever runs this, and which "
    "tier\n"
    "(sandbox.min_tier) that is. With a plugin, makes its worker, and says which layers\n"
    "were found to hold from outside before the plugin was loaded.\n"
    "\n"
    "  mews sandbox\n"
    "  mews sandbox libk8saudit.so --sandbox '{profile: listener, listen: [tcp:9765]}'\n";

/* In a process of its own: it cannot be undone. */
static bool
can_unshare(int flags)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void
row(const char *name, bool is_there, const char *what)
{
	printf("  %-18s %-4s %s\n", name, is_there ? "yes" : "no", what);
}

/* What limits are kept by, beside resource limits. */
static void
show_cgroup(void)
{
	char why[128], what[128];
	uint32_t has = cgroups_look(why, sizeof(why));

	snprintf(what, sizeof(what), "limits are kept by a group for each worker:%s%s%s",
	    has & CGROUP_MEMORY ? " memory" : "", has & CGROUP_PIDS ? " pids" : "",
	    has & CGROUP_CPU ? " cpu" : "");
	row("cgroup", has, has ? what : why);
}

static void
show_host(void)
{
	const int all = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
			CLONE_NEWUTS | CLONE_NEWCGROUP;
	bool user = can_unshare(CLONE_NEWUSER | all);
	bool others = user || can_unshare(all);
	int abi = landlock_abi();
	const uint32_t action = SECCOMP_RET_USER_NOTIF;
	bool notifies = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &action) == 0;
	bool mdwe = prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0;
	struct utsname u;
	char landlock[80];
	int tier = abi <= 0 || !notifies ? 0 : user ? 3 : others ? 2 : 1;

	uname(&u);
	printf("host\n  %-18s %s %s\n  %-18s %s\n", "kernel", u.sysname, u.release, "as",
	    geteuid() == 0 ? "root: each worker gets a uid of its own"
			   : "an ordinary user: workers share its uid outside");
	printf("layers\n");
	row("user namespaces", user, "uid 0 inside is nobody outside");
	row("other namespaces", others, "an empty root, network and process table");
	snprintf(landlock, sizeof(landlock),
	    abi > 0 ? "ABI %d%s" : "needed: nothing is run without it", abi,
	    abi < 4   ? ": files only"
	    : abi < 6 ? ": files and TCP"
		      : ": files, TCP, abstract sockets, signals");
	row("landlock", abi > 0, landlock);
	row("seccomp", notifies, "system calls by list; some decided by the launcher");
	row("no execution gain", mdwe, "memory never becomes executable (Linux 6.3)");
	show_cgroup();
	printf("tier %d: %s\n", tier,
	    tier == 3   ? "everything"
	    : tier == 2 ? "no user namespaces: only root can run plugins so"
	    : tier == 1
		? "no namespaces: plugins see the host's names, none that connect or "
		  "listen are run"
		: "plugins are not run here");
}

static enum step_rc
step_show_layers(struct app *app, struct err *err)
{
	const struct plugin *p = &app->plugins.plugin[0];
	uint32_t missing = launch_tier_layers(LAUNCH_TIER_FULL) & ~p->worker->layers;
	char text[256];

	launch_layers_text(p->worker->layers, text, sizeof(text));
	printf("plugin %s\n  %-18s %s\n", p->name, "layers that hold", text);
	launch_layers_text(missing, text, sizeof(text));
	printf("  %-18s %s\n", "missing", missing ? text : "none");
	return STEP_END;
}

int
cmd_sandbox(int argc, char **argv)
{
	app_step_fn *const steps[] = {
	    step_start_workers, step_load_plugins, step_show_layers};
	struct command_line line;
	struct app app = {.options = &line.options};
	int status;

	if (!command_line_take(&line, OWN_RUN, usage, argc, argv, &status))
		return status;
	const struct option_list *plugin = &line.options.word;
	if (plugin->n > 1)
		return command_line_misused(&line, "one plugin at a time", usage);
	show_host();
	fflush(stdout);
	status = plugin->n == 0 ? 0
				: single_run(&app, &line.own, plugin->value, 1, steps,
				      sizeof(steps) / sizeof(*steps));
	command_line_release(&line);
	return status;
}
