/* cmd_completion.c - jobq completion: what a shell needs to complete jobq's words.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c.
 *
 * Written from the tables of options, so that they cannot disagree. */
#include "live/cmd.h"

static const struct cli_option options[] = {{NULL, 0, NULL, NULL}};

static void bash_command(FILE *out, const struct cli_command *c)
{
    fprintf(out, "    %s) words=\"--json --quiet --verbose --no-color --help", c->name);
    for (const struct cli_option *o = c->option; o->name; o++)
        fprintf(out, " --%s", o->name);
    fputs("\" ;;\n", out);
}

static void bash(FILE *out)
{
    fputs("# bash completion of jobq\n_jobq() {\n"
          "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"help version",
          out);
    for (int i = 0; cmd_table[i]; i++)
        fprintf(out, " %s", cmd_table[i]->name);
    fputs("\"\n  else\n    case \"${COMP_WORDS[1]}\" in\n", out);
    for (int i = 0; cmd_table[i]; i++)
        bash_command(out, cmd_table[i]);
    fputs("    esac\n    case \"$cur\" in -*) ;; *) words=\"\" ;; esac\n  fi\n"
          "  if [ -n \"$words\" ]; then\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "  else\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n  fi\n}\n"
          "complete -o filenames -F _jobq jobq\n",
          out);
}

/* In '...' of zsh and fish; help texts hold no backslash. */
static void quoted(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (*text == '[' || *text == ']')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
}

static void zsh(FILE *out)
{
    fputs("#compdef jobq\n_jobq() {\n  local -a commands\n  commands=(\n", out);
    for (int i = 0; cmd_table[i]; i++) {
        fprintf(out, "    '%s:", cmd_table[i]->name);
        quoted(out, cmd_table[i]->summary);
        fputs("'\n", out);
    }
    fputs(
        "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n"
        "  fi\n  case $words[2] in\n",
        out);
    for (int i = 0; cmd_table[i]; i++) {
        fprintf(out, "    %s) _arguments '*:file:_files'", cmd_table[i]->name);
        for (const struct cli_option *o = cmd_table[i]->option; o->name; o++) {
            fprintf(out, " '--%s%s[", o->name, o->arg ? "=" : "");
            quoted(out, o->help);
            fprintf(out, "]%s'", o->arg ? ":value:_files" : "");
        }
        fputs(" ;;\n", out);
    }
    fputs("  esac\n}\n_jobq \"$@\"\n", out);
}

static void fish(FILE *out)
{
    fputs("# fish completion of jobq\n", out);
    for (int i = 0; cmd_table[i]; i++) {
        const struct cli_command *c = cmd_table[i];
        fprintf(out, "complete -c jobq -n __fish_use_subcommand -a %s -d '", c->name);
        quoted(out, c->summary);
        fputs("'\n", out);
        for (const struct cli_option *o = c->option; o->name; o++) {
            fprintf(out,
                    "complete -c jobq -n '__fish_seen_subcommand_from %s' -l %s %s-d '",
                    c->name, o->name, o->arg ? "-r " : "");
            quoted(out, o->help);
            fputs("'\n", out);
        }
    }
}

static int run(struct cli *cli)
{
    const char *shell = cli->arg[0];
    if (strcmp(shell, "bash") == 0)
        bash(cli->out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(cli->out);
    else if (strcmp(shell, "fish") == 0)
        fish(cli->out);
    else {
        cli_complain(cli, "want bash, zsh or fish");
        return CLI_USAGE;
    }
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
