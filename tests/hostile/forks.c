/* SPDX-License-Identifier: Apache-2.0 */
/* Starts processes, as many as it can; "only=" says what they do. */
#include "tests/hostile/hostile.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum {
	MOST = 1000,
	MIB = 1 << 20
};

/* How many there are at once; they wait for the end of the pipe. */
static void
many(void)
{
	char word[HOSTILE_WORD], byte;
	int n = 0, gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		return;
	while (n < MOST) {
		pid_t pid = fork();
		if (pid < 0)
			break;
		if (pid == 0) {
			close(gate[1]);
			_exit(read(gate[0], &byte, 1) < 0);
		}
		n++;
	}
	snprintf(word, sizeof(word), "stopped_at_%d", n);
	told("many", n ? word : "denied", errno);
	close(gate[1]);
	while (wait(NULL) > 0)
		;
	/* As many again: the dead do not count. */
	pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	int status = 0;
	waitpid(pid, &status, 0);
	told("again",
	    pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7 ? "got" : "denied",
	    0);
}

/* MiB that one of them gets, and all of them together. */
static void
memory(void)
{
	char word[HOSTILE_WORD];
	unsigned *got =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int result[2];

	if (got == MAP_FAILED || pipe2(result, O_CLOEXEC) < 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		for (*got = 0; *got < 4096; ++*got) {
			char *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (p == MAP_FAILED)
				break;
			for (int i = 0; i < MIB; i += 4096)
				p[i] = 1;
		}
		_exit(write(result[1], got, sizeof(*got)) < 0);
	}
	close(result[1]);
	if (pid < 0 || read(result[0], got, sizeof(*got)) != sizeof(*got))
		told("memory", "denied", errno);
	else {
		snprintf(word, sizeof(word), "stopped_at_%u", *got);
		told("memory", word, 0);
	}
	waitpid(pid, NULL, 0);
}

static void
attack(void)
{
	if (only("many"))
		many();
	if (only("memory"))
		memory();
	/* A process that outlives the call, and the plugin, if it can. */
	if (only("stays") && fork() == 0)
		for (;;)
			sleep(1000);
	if (only("stays"))
		told("stays", "got", 0);
}
