#include "base/completion.h"

#include "base/text.h"

#include <string.h>

struct completion {
    const char *program;
    const struct completion_command *command;
    int count;
    FILE *out;
};

/* "one|other" as words, separated by blanks; nothing if it is a value of one's own. */
static bool completion_has_words(const char *arg)
{
    return arg && arg[0] >= 'a' && arg[0] <= 'z' && memchr(arg, '|', strcspn(arg, " "));
}

static void completion_words(const struct completion *c, const char *arg)
{
    size_t len = completion_has_words(arg) ? strcspn(arg, " ") : 0;
    for (size_t i = 0; i < len; i++)
        fputc(arg[i] == '|' ? ' ' : arg[i], c->out);
}

static bool completion_has_subcommands(const struct completion *c)
{
    return c->command[0].name != NULL;
}

static void completion_subcommands(const struct completion *c)
{
    for (int i = 0; i < c->count; i++)
        fprintf(c->out, "%s%s", i ? " " : "", c->command[i].name);
}

/* In '...' of zsh and fish; help texts hold no backslash. */
static void completion_quoted(const struct completion *c, const char *text, bool brackets)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", c->out);
        else if (brackets && (*text == '[' || *text == ']'))
            fprintf(c->out, "\\%c", *text);
        else
            fputc(*text, c->out);
}

/* ---- bash ------------------------------------------------------------------------------- */

static void bash_command(const struct completion *c, const struct completion_command *one)
{
    fprintf(c->out, "    %s) first=\"", one->name ? one->name : "*");
    completion_words(c, one->first);
    fputs("\" words=\"", c->out);
    for (int i = 0; i < one->count; i++)
        fprintf(c->out, "%s--%s", i ? " " : "", one->def[i].name);
    fputs("\" ;;\n", c->out);
}

static void bash_values(const struct completion *c)
{
    bool named = completion_has_subcommands(c);
    fprintf(c->out, "  case \"%s$prev\" in\n", named ? "${COMP_WORDS[1]} " : "");
    for (int i = 0; i < c->count; i++)
        for (int k = 0; k < c->command[i].count; k++) {
            const struct option_def *o = &c->command[i].def[k];
            if (!completion_has_words(o->arg))
                continue;
            fprintf(c->out, "    \"%s%s--%s\") words=\"", named ? c->command[i].name : "",
                    named ? " " : "", o->name);
            completion_words(c, o->arg);
            fputs("\"; cur=\"${cur:--}\" ;;\n", c->out);
        }
    fputs("  esac\n", c->out);
}

static void completion_bash(const struct completion *c)
{
    fprintf(c->out,
            "# bash completion of %s\n_%s() {\n"
            "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" "
            "prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
            "  local words=\"\" first=\"\"\n  COMPREPLY=()\n"
            "  [ \"$cur\" = = ] && cur=\"\"\n"
            "  [ \"$prev\" = = ] && prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n",
            c->program, c->program);
    bash_values(c);
    fputs("  if [ -n \"$words\" ]; then\n    cur=\"${cur#-}\"\n", c->out);
    if (completion_has_subcommands(c)) {
        fputs("  elif [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"help version ",
              c->out);
        completion_subcommands(c);
        fputs("\"\n", c->out);
    }
    fputs("  else\n    case \"${COMP_WORDS[1]}\" in\n", c->out);
    if (completion_has_subcommands(c)) {
        fputs("    help) first=\"", c->out);
        completion_subcommands(c);
        fputs("\" ;;\n", c->out);
    }
    for (int i = 0; i < c->count; i++)
        bash_command(c, &c->command[i]);
    fprintf(c->out,
            "    esac\n    case \"$cur\" in -*) ;; *) words=\"\" ;; esac\n"
            "    [ \"$COMP_CWORD\" -eq 2 ] && words=\"${words:-$first}\"\n  fi\n"
            "  if [ -n \"$words\" ]; then\n"
            "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
            "  else\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n  fi\n}\n"
            "complete -o filenames -F _%s %s\n",
            c->program, c->program);
}

/* ---- zsh -------------------------------------------------------------------------------- */

static void zsh_options(const struct completion *c, const struct completion_command *one)
{
    for (int i = 0; i < one->count; i++) {
        const struct option_def *o = &one->def[i];
        fprintf(c->out, " '--%s%s[", o->name, o->arg ? "=" : "");
        completion_quoted(c, o->help, true);
        fputs("]", c->out);
        if (completion_has_words(o->arg)) {
            fputs(":value:(", c->out);
            completion_words(c, o->arg);
            fputs(")", c->out);
        } else if (o->arg) {
            fputs(":value:_files", c->out);
        }
        fputs("'", c->out);
    }
}

static void completion_zsh(const struct completion *c)
{
    fprintf(c->out, "#compdef %s\n_%s() {\n", c->program, c->program);
    if (!completion_has_subcommands(c)) {
        fputs("  _arguments", c->out);
        zsh_options(c, &c->command[0]);
        fprintf(c->out, "\n}\n_%s \"$@\"\n", c->program);
        return;
    }
    fputs("  local -a commands\n  commands=(\n", c->out);
    for (int i = 0; i < c->count; i++) {
        fprintf(c->out, "    '%s:", c->command[i].name);
        completion_quoted(c, c->command[i].summary, false);
        fputs("'\n", c->out);
    }
    fputs(
        "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n"
        "  fi\n  case $words[2] in\n    help) _describe command commands ;;\n",
        c->out);
    for (int i = 0; i < c->count; i++) {
        fprintf(c->out, "    %s) _arguments '1: :' '2:word:{compadd -- ",
                c->command[i].name);
        completion_words(c, c->command[i].first);
        fputs("; _files}' '*:file:_files'", c->out);
        zsh_options(c, &c->command[i]);
        fputs(" ;;\n", c->out);
    }
    fprintf(c->out, "  esac\n}\n_%s \"$@\"\n", c->program);
}

/* ---- fish ------------------------------------------------------------------------------- */

static void fish_options(const struct completion *c, const struct completion_command *one)
{
    for (int i = 0; i < one->count; i++) {
        const struct option_def *o = &one->def[i];
        fprintf(c->out, "complete -c %s ", c->program);
        if (one->name)
            fprintf(c->out, "-n '__fish_seen_subcommand_from %s' ", one->name);
        fprintf(c->out, "-l %s ", o->name);
        if (o->letter)
            fprintf(c->out, "-s %c ", o->letter);
        if (completion_has_words(o->arg)) {
            fputs("-x -a '", c->out);
            completion_words(c, o->arg);
            fputs("' ", c->out);
        } else if (o->arg) {
            fputs("-r ", c->out);
        }
        fputs("-d '", c->out);
        completion_quoted(c, o->help, false);
        fputs("'\n", c->out);
    }
}

static void completion_fish(const struct completion *c)
{
    fprintf(c->out, "# fish completion of %s\n", c->program);
    if (completion_has_subcommands(c)) {
        fprintf(c->out, "complete -c %s -n '__fish_seen_subcommand_from help' -a '",
                c->program);
        completion_subcommands(c);
        fprintf(c->out,
                "'\ncomplete -c %s -f -n __fish_use_subcommand -a 'help version'\n",
                c->program);
    }
    for (int i = 0; i < c->count; i++) {
        const struct completion_command *one = &c->command[i];
        if (one->name) {
            fprintf(c->out, "complete -c %s -n __fish_use_subcommand -a %s -d '",
                    c->program, one->name);
            completion_quoted(c, one->summary, false);
            fprintf(c->out, "'\ncomplete -c %s -n '__fish_seen_subcommand_from %s' -a '",
                    c->program, one->name);
            completion_words(c, one->first);
            fputs("'\n", c->out);
        }
        fish_options(c, one);
    }
}

int completion_write(const char *shell, const char *program,
                     const struct completion_command *command, int count, FILE *out,
                     struct jobq_error *err)
{
    static const struct {
        const char *name;
        void (*write)(const struct completion *c);
    } shells[] = {
        {"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    struct completion c = {program, command, count, out};
    for (int i = 0; i < 3; i++)
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].write(&c);
            return JOBQ_OK;
        }
    return jobq_fail(err, JOBQ_INVALID, "want bash, zsh or fish");
}
