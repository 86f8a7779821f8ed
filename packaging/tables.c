/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell completion and parts of man pages, made from the tables that the program itself
 * is made of:
 *
 *   tables bash|zsh|fish
 *   tables man PAGE.scd      a page with its lines "@falco@", "@own COMMAND@", "@fuzz@",
 *                            "@ctl@" and "@keys PREFIX@" replaced by what they stand for
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cmd/commands.h"
#include "broker/fuzz/option_table.h"
#include "broker/operators/ctl_command_table.h"
#include "broker/options/own_options.h"

/* Falco's; letter '\0', name "": it has none. */
struct option {
	char letter;
	const char *name, *arg, *help;
};

static const struct option falco[] = {
#define OPT(id, letter, name, arg, kind, member, help) {letter, name, arg, help},
#include "broker/options/option_table.h"
#undef OPT
};

/* Those of Falco's that authors' commands heed. */
static const char author_letters[] = "crovN";
static const char *const author_names[] = {"format", "option", NULL};

struct own {
	const char *name, *arg, *help;
	unsigned commands;
};

static const struct own own[] = {
#define OWN(name, arg, kind, member, commands, help) {name, arg, help, commands},
#include "broker/options/own_option_table.h"
#undef OWN
};

static const struct own fuzz[] = {
#define FUZZ_ROW(name, arg, help) {name, arg, help, 0},
    FUZZ_OPTIONS(FUZZ_ROW)
#undef FUZZ_ROW
};

static const struct own ctl_options[] = {
    {"--socket", "PATH", "the broker's control socket", 0},
    {"-c", "PATH", "the configuration that names it", 0},
};

static const struct {
	const char *name, *arg, *help;
} ctl[] = {
#define CTL_ROW(function, name, arg, help) {name, arg, help},
    CTL_COMMANDS(CTL_ROW)
#undef CTL_ROW
};

static const struct {
	const char *name, *arg, *help;
} commands[] = {
#define COMMAND_ROW(function, name, arg, help) {name, arg, help},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

static const struct {
	const char *name;
	unsigned bit;
} bits[] = {
#define BIT_ROW(id, bit, name) {name, bit},
    OWN_COMMANDS(BIT_ROW)
#undef BIT_ROW
};

struct key {
	const char *path, *fallback, *help;
};

static const struct key keys[] = {
#define READ(path, type, member, fallback, help) {path, fallback, help},
#define KEY(path, type, fallback, help)          {path, fallback, help},
#define WORD(path, words, fallback, help)        {path, fallback, help},
#define KERNEL(path, type, fallback, help)       {path, fallback, help},
#include "broker/settings/config_keys.h"
#undef READ
#undef KEY
#undef WORD
#undef KERNEL
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned
command_bit(const char *name)
{
	for (size_t i = 0; i < COUNT(bits); i++) {
		if (strcmp(bits[i].name, name) == 0)
			return bits[i].bit;
	}
	return 0;
}

/* Calls give for each option of a command; NULL: of mews without one. */
typedef void give_fn(const char *command, const struct own *o);

static void
give_falco(const char *command, const struct option *o, give_fn *give)
{
	char name[64];

	if (o->name[0]) {
		snprintf(name, sizeof(name), "--%s", o->name);
		give(command, &(struct own){name, o->arg, o->help, 0});
	}
	if (o->letter) {
		snprintf(name, sizeof(name), "-%c", o->letter);
		give(command, &(struct own){name, o->arg, o->help, 0});
	}
}

static int
authors_take(const struct option *o)
{
	if (o->letter && strchr(author_letters, o->letter))
		return 1;
	for (const char *const *n = author_names; *n; n++) {
		if (strcmp(*n, o->name) == 0)
			return 1;
	}
	return 0;
}

static void
each_option(const char *command, give_fn *give)
{
	unsigned bit = command ? command_bit(command) : 0;
	int is_ctl =
	    command && (strcmp(command, "ctl") == 0 || strcmp(command, "top") == 0 ||
			   strcmp(command, "tap") == 0);

	for (size_t i = 0; i < COUNT(own); i++) {
		if (command && (own[i].commands & bit))
			give(command, &own[i]);
	}
	for (size_t i = 0; command && !strcmp(command, "fuzz") && i < COUNT(fuzz); i++)
		give(command, &fuzz[i]);
	for (size_t i = 0; is_ctl && i < COUNT(ctl_options); i++)
		give(command, &ctl_options[i]);
	for (size_t i = 0; i < COUNT(falco); i++) {
		if (!command || (bit & (OWN_RUN | OWN_REPLAY)) ||
		    ((bit & OWN_AUTHORS) && authors_take(&falco[i])))
			give_falco(command, &falco[i], give);
	}
	if (command && !(bit & (OWN_RUN | OWN_REPLAY)))
		give(command, &(struct own){"--help", "", "how to use it", 0});
}

/* A text inside single quotes: how the shell wants a quote there, and what else a
 * backslash goes before. */
static void
put_quoted(const char *s, const char *quote, const char *escaped)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs(quote, stdout);
		else if (strchr(escaped, *s))
			printf("\\%c", *s);
		else
			putchar(*s);
	}
}

/* bash */

static void
bash_option(const char *command, const struct own *o)
{
	printf(" %s", o->name);
}

static void
print_bash(void)
{
	puts("# bash completion for mews and, where it stands in its place, falco\n"
	     "_mews()\n"
	     "{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} command='' words=''\n"
	     "\t[ \"$COMP_CWORD\" -gt 1 ] && command=${COMP_WORDS[1]}\n"
	     "\tcase ${COMP_WORDS[0]##*/} in falco) command='' ;; esac\n"
	     "\tcase $command in");
	for (size_t i = 0; i < COUNT(commands); i++) {
		printf("\t%s) words='", commands[i].name);
		each_option(commands[i].name, bash_option);
		puts("' ;;");
	}
	printf("\t*) words='");
	each_option(NULL, bash_option);
	printf("' ;;\n\tesac\n\tif [ \"$command\" = ctl ]; then\n\t\twords=\"$words");
	for (size_t i = 0; i < COUNT(ctl); i++)
		printf(" %s", ctl[i].name);
	printf("\"\n\telif [ \"$command\" = help ] || { [ \"$COMP_CWORD\" = 1 ] && "
	       "[ \"${COMP_WORDS[0]##*/}\" != falco ]; }; then\n\t\twords=\"$words");
	for (size_t i = 0; i < COUNT(commands); i++)
		printf(" %s", commands[i].name);
	puts("\"\n\tfi\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	     "\tcase $cur in -*) ;; *) mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < "
	     "<(compgen -f -- \"$cur\") ;; esac\n"
	     "}\n"
	     "complete -o filenames -F _mews mews");
}

/* zsh */

static void
zsh_option(const char *command, const struct own *o)
{
	printf("\t\t'*%s%s[", o->name, o->arg[0] && o->name[1] == '-' ? "=" : "");
	put_quoted(o->help, "'\\''", "[]\\:");
	fputs("]", stdout);
	if (o->arg[0]) {
		putchar(':');
		put_quoted(o->arg, "'\\''", "[]\\:");
		fputs(":_files", stdout);
	}
	puts("' \\");
}

static void
print_zsh(void)
{
	puts("#compdef mews\n"
	     "_mews() {\n"
	     "\tlocal -a commands\n"
	     "\tcommands=(");
	for (size_t i = 0; i < COUNT(commands); i++) {
		printf("\t\t'%s:", commands[i].name);
		put_quoted(commands[i].help, "'\\''", ":\\");
		puts("'");
	}
	puts("\t)\n"
	     "\tif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
	     "\t\t_describe command commands\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tlocal command=$words[2]\n"
	     "\tcase $command in");
	for (size_t i = 0; i < COUNT(commands); i++) {
		printf("\t%s)\n\t\t_arguments \\\n", commands[i].name);
		each_option(commands[i].name, zsh_option);
		puts("\t\t'*:file:_files' ;;");
	}
	puts("\t*)\n\t\t_arguments \\");
	each_option(NULL, zsh_option);
	puts("\t\t'*:file:_files' ;;\n\tesac\n}\n_mews \"$@\"");
}

/* fish */

static void
fish_option(const char *command, const struct own *o)
{
	if (command)
		printf("complete -c mews -n '__fish_seen_subcommand_from %s'", command);
	else
		printf("complete -c mews -n __fish_use_subcommand");
	printf(
	    o->name[1] == '-' ? " -l %s" : " -s %s", o->name + (o->name[1] == '-') + 1);
	fputs(o->arg[0] ? " -r -d '" : " -d '", stdout);
	put_quoted(o->help, "\\'", "\\");
	puts("'");
}

static void
print_fish(void)
{
	puts("# fish completion for mews");
	for (size_t i = 0; i < COUNT(commands); i++) {
		printf("complete -c mews -n __fish_use_subcommand -a %s -d '",
		    commands[i].name);
		put_quoted(commands[i].help, "\\'", "\\");
		puts("'");
	}
	each_option(NULL, fish_option);
	for (size_t i = 0; i < COUNT(commands); i++)
		each_option(commands[i].name, fish_option);
	for (size_t i = 0; i < COUNT(ctl); i++) {
		printf("complete -c mews -n '__fish_seen_subcommand_from ctl' -a %s -d '",
		    ctl[i].name);
		put_quoted(ctl[i].help, "\\'", "\\");
		puts("'");
	}
}

/* scdoc */

static void
put_scdoc(const char *s)
{
	for (; *s; s++) {
		if (strchr("*_\\#<>`", *s))
			putchar('\\');
		putchar(*s);
	}
}

static void
man_entry(const char *name, const char *arg, const char *help)
{
	fputs("*", stdout);
	put_scdoc(name);
	fputs("*", stdout);
	if (arg[0]) {
		putchar(' ');
		put_scdoc(arg);
	}
	fputs("\n\t", stdout);
	put_scdoc(help);
	fputs("\n\n", stdout);
}

static void
man_own(const char *command)
{
	for (size_t i = 0; i < COUNT(own); i++) {
		if (own[i].commands & command_bit(command))
			man_entry(own[i].name, own[i].arg, own[i].help);
	}
}

static void
man_falco(void)
{
	for (size_t i = 0; i < COUNT(falco); i++) {
		const struct option *o = &falco[i];
		char name[80];
		snprintf(name, sizeof(name), "%s%.1s%s%s%s", o->letter ? "-" : "",
		    &o->letter, o->letter && o->name[0] ? ", " : "",
		    o->name[0] ? "--" : "", o->name);
		man_entry(name, o->arg, o->help);
	}
}

static void
man_keys(const char *prefix)
{
	static const char ours[] = " (mews)";

	for (size_t i = 0; i < COUNT(keys); i++) {
		size_t n = strlen(keys[i].help);
		char help[400], fallback[120] = "";
		if (strncmp(keys[i].path, prefix, strlen(prefix)) != 0)
			continue;
		if (n > sizeof(ours) - 1 &&
		    strcmp(keys[i].help + n - (sizeof(ours) - 1), ours) == 0)
			n -= sizeof(ours) - 1;
		if (keys[i].fallback[0])
			snprintf(fallback, sizeof(fallback), " Default: %s.",
			    keys[i].fallback);
		snprintf(help, sizeof(help), "%.*s.%s", (int)n, keys[i].help, fallback);
		man_entry(keys[i].path, "", help);
	}
}

static int
print_man(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[1000], word[60];

	if (!f) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		if (strcmp(line, "@falco@\n") == 0)
			man_falco();
		else if (sscanf(line, "@own %59[a-z-]@", word) == 1)
			man_own(word);
		else if (strcmp(line, "@fuzz@\n") == 0)
			for (size_t i = 0; i < COUNT(fuzz); i++)
				man_entry(fuzz[i].name, fuzz[i].arg, fuzz[i].help);
		else if (strcmp(line, "@ctl@\n") == 0)
			for (size_t i = 0; i < COUNT(ctl); i++)
				man_entry(ctl[i].name, ctl[i].arg, ctl[i].help);
		else if (sscanf(line, "@keys %59[^@]@", word) == 1)
			man_keys(word);
		else
			fputs(line, stdout);
	}
	fclose(f);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "man") == 0)
		return print_man(argv[2]);
	if (argc == 2 && strcmp(argv[1], "bash") == 0)
		print_bash();
	else if (argc == 2 && strcmp(argv[1], "zsh") == 0)
		print_zsh();
	else if (argc == 2 && strcmp(argv[1], "fish") == 0)
		print_fish();
	else
		return 2;
	return 0;
}
