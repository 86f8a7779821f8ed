/* SPDX-License-Identifier: Apache-2.0 */
/* "mews ctl": one request to a running broker, one answer as a line of JSON. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "broker/cmd/commands.h"
#include "broker/operators/ctl.h"
#include "broker/operators/ctl_client.h"

static void
print_usage(void)
{
	static const char head[] =
	    "mews ctl [--socket PATH | -c falco.yaml] COMMAND [ARGUMENT]\n"
	    "\n"
	    "Asks a running broker; only its own user and root are answered. The answer "
	    "is "
	    "a line\n"
	    "of JSON, spread over many for a terminal.\n"
	    "\n";

	fputs(head, stdout);
#define CTL_ROW(function, name, argument, text)                                          \
	printf("  %-12s %-7s %s\n", name, argument, text);
	CTL_COMMANDS(CTL_ROW)
#undef CTL_ROW
	fputs("\n  mews ctl status\n  mews ctl restart k8saudit\n", stdout);
}

static void
print_answer(const char *line)
{
	struct buf text;

	if (!isatty(STDOUT_FILENO)) {
		puts(line);
		return;
	}
	buf_init(&text, 4 * LIMIT_CTL_QUEUE_BYTES);
	json_indent(&text, line, strlen(line));
	puts(buf_str(&text));
	buf_release(&text);
}

int
cmd_ctl(int argc, char **argv)
{
	struct ctl_client_options o;
	struct ctl_connection c;
	const char *line;
	struct err err;
	bool done;

	if (!ctl_client_options_take(&o, argc, argv, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		return 1;
	}
	if (o.help || o.n_word == 0 || strcmp(o.word[0], "help") == 0) {
		print_usage();
		return o.n_word == 0 && !o.help;
	}
	done =
	    ctl_connect(&c, &o, &err) && ctl_ask(&c, o.word[0], o.word[1], &line, &err);
	if (done)
		print_answer(line);
	else
		fprintf(stderr, "Error: %s\n", err.msg);
	/* A tap goes on. */
	while (done && strcmp(o.word[0], "tap") == 0 && ctl_hear(&c, &line, &err))
		puts(line);
	ctl_disconnect(&c);
	return done ? 0 : 1;
}
