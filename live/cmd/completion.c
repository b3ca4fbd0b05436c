/* completion.c - jobq completion: what a shell needs to complete jobq's words.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c.
 *
 * Written from the tables of options, so that they cannot disagree. */
#include "live/cmd/cmd.h"

#include <stdlib.h>

static const struct cli_option options[] = {{NULL, 0, NULL, NULL}};

/* "one|other" as words, separated by blanks; nothing if it is a value of one's own. */
static void put_words(FILE *out, const char *names)
{
    size_t len = strcspn(names, " ");
    if (!memchr(names, '|', len) || names[0] < 'a' || names[0] > 'z')
        return;
    for (size_t i = 0; i < len; i++)
        fputc(names[i] == '|' ? ' ' : names[i], out);
}

static bool takes_words(const struct cli_option *o)
{
    return o->arg && strchr(o->arg, '|');
}

static void put_subcommands(FILE *out)
{
    for (int i = 0; cmd_table[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", cmd_table[i]->name);
}

/* What stands behind a subcommand's name: its own verbs, or a subcommand. */
static void put_first_words(FILE *out, const struct cli_command *c)
{
    if (c->verbatim)
        put_subcommands(out);
    else
        put_words(out, c->synopsis);
}

static void bash_command(FILE *out, const struct cli_command *c)
{
    fprintf(out, "    %s) first=\"", c->name);
    put_first_words(out, c);
    fputs("\" words=\"--json --quiet --verbose --no-color --help", out);
    for (const struct cli_option *o = c->option; o->name; o++)
        fprintf(out, " --%s", o->name);
    fputs("\" ;;\n", out);
}

static void bash_values(FILE *out)
{
    fputs("  case \"${COMP_WORDS[1]} $prev\" in\n", out);
    for (int i = 0; cmd_table[i]; i++)
        for (const struct cli_option *o = cmd_table[i]->option; o->name; o++)
            if (takes_words(o)) {
                fprintf(out, "    \"%s --%s\") words=\"", cmd_table[i]->name, o->name);
                put_words(out, o->arg);
                fputs("\"; cur=\"${cur:--}\" ;;\n", out);
            }
    fputs("  esac\n", out);
}

static void bash(FILE *out)
{
    fputs(
        "# bash completion of jobq\n_jobq() {\n"
        "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "  local words=\"\" first=\"\"\n  COMPREPLY=()\n"
        "  [ \"$cur\" = = ] && cur=\"\"\n"
        "  [ \"$prev\" = = ] && prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n",
        out);
    bash_values(out);
    fputs("  if [ -n \"$words\" ]; then\n    cur=\"${cur#-}\"\n"
          "  elif [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"help version ",
          out);
    put_subcommands(out);
    fputs("\"\n  else\n    case \"${COMP_WORDS[1]}\" in\n    help) first=\"", out);
    put_subcommands(out);
    fputs("\" ;;\n", out);
    for (int i = 0; cmd_table[i]; i++)
        bash_command(out, cmd_table[i]);
    fputs("    esac\n    case \"$cur\" in -*) ;; *) words=\"\" ;; esac\n"
          "    [ \"$COMP_CWORD\" -eq 2 ] && words=\"${words:-$first}\"\n  fi\n"
          "  if [ -n \"$words\" ]; then\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "  else\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n  fi\n}\n"
          "complete -o filenames -F _jobq jobq\n",
          out);
}

/* In '...' of zsh and fish; help texts hold no backslash. */
static void quoted(FILE *out, const char *text, bool brackets)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (brackets && (*text == '[' || *text == ']'))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
}

static void zsh_option(FILE *out, const struct cli_option *o)
{
    fprintf(out, " '--%s%s[", o->name, o->arg ? "=" : "");
    quoted(out, o->help, true);
    fputs("]", out);
    if (takes_words(o)) {
        fputs(":value:(", out);
        put_words(out, o->arg);
        fputs(")", out);
    } else if (o->arg) {
        fputs(":value:_files", out);
    }
    fputs("'", out);
}

static void zsh(FILE *out)
{
    fputs("#compdef jobq\n_jobq() {\n  local -a commands\n  commands=(\n", out);
    for (int i = 0; cmd_table[i]; i++) {
        fprintf(out, "    '%s:", cmd_table[i]->name);
        quoted(out, cmd_table[i]->summary, false);
        fputs("'\n", out);
    }
    fputs(
        "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n"
        "  fi\n  case $words[2] in\n    help) _describe command commands ;;\n",
        out);
    for (int i = 0; cmd_table[i]; i++) {
        fprintf(out, "    %s) _arguments '1: :' '2:word:{compadd -- ",
                cmd_table[i]->name);
        put_first_words(out, cmd_table[i]);
        fputs("; _files}' '*:file:_files'", out);
        for (const struct cli_option *o = cmd_table[i]->option; o->name; o++)
            zsh_option(out, o);
        fputs(" --json --quiet --verbose --no-color --help ;;\n", out);
    }
    fputs("  esac\n}\n_jobq \"$@\"\n", out);
}

static void fish_option(FILE *out, const struct cli_command *c,
                        const struct cli_option *o)
{
    fprintf(out, "complete -c jobq -n '__fish_seen_subcommand_from %s' -l %s ", c->name,
            o->name);
    if (o->letter)
        fprintf(out, "-s %c ", o->letter);
    if (takes_words(o)) {
        fputs("-x -a '", out);
        put_words(out, o->arg);
        fputs("' ", out);
    } else if (o->arg) {
        fputs("-r ", out);
    }
    fputs("-d '", out);
    quoted(out, o->help, false);
    fputs("'\n", out);
}

static void fish(FILE *out)
{
    static const char *const common[] = {"json", "quiet", "verbose", "no-color", "help"};
    fputs("# fish completion of jobq\n", out);
    fputs("complete -c jobq -n '__fish_seen_subcommand_from help' -a '", out);
    put_subcommands(out);
    fputs("'\ncomplete -c jobq -f -n __fish_use_subcommand -a 'help version'\n", out);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        fprintf(out, "complete -c jobq -l %s\n", common[i]);
    for (int i = 0; cmd_table[i]; i++) {
        const struct cli_command *c = cmd_table[i];
        fprintf(out, "complete -c jobq -n __fish_use_subcommand -a %s -d '", c->name);
        quoted(out, c->summary, false);
        fprintf(out, "'\ncomplete -c jobq -n '__fish_seen_subcommand_from %s' -a '",
                c->name);
        put_first_words(out, c);
        fputs("'\n", out);
        for (const struct cli_option *o = c->option; o->name; o++)
            fish_option(out, c, o);
    }
}

static int run(struct cli *cli)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } shell[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    size_t at = 0, bytes = 0;
    char *script = NULL;
    while (at < 3 && strcmp(shell[at].name, cli->arg[0]))
        at++;
    FILE *file = at < 3 ? open_memstream(&script, &bytes) : NULL;
    if (!file) {
        cli_complain(cli, "want bash, zsh or fish");
        return CLI_USAGE;
    }
    shell[at].write(file);
    fclose(file);
    struct text out = {0};
    if (cli->json) {
        text_printf(&out,
                    "{\"schema\":\"jobq.completion/1\",\"shell\":\"%s\",\"script\":",
                    shell[at].name);
        text_put_json(&out, (struct jobq_str){script, (int64_t)bytes});
        text_puts(&out, "}\n");
    } else {
        text_put(&out, script, bytes);
    }
    cli_flush(cli, &out);
    text_release(&out);
    free(script);
    return CLI_OK;
}

const struct cli_command cmd_completion = {
    .name = "completion",
    .synopsis = "bash|zsh|fish",
    .summary = "writes a shell's completion of jobq",
    .examples = "  eval \"$(jobq completion bash)\"\n",
    .calls = "  none.\n",
    .option = options,
    .run = run,
    .min_args = 1,
    .max_args = 1};
