#include "base/options.h"

#include "base/arena.h"
#include "base/nearest.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int options_find(const struct options_spec *spec, const char *name)
{
    for (int i = 0; i < spec->count; i++)
        if (strcmp(spec->def[i].name, name) == 0)
            return i;
    return -1;
}

static struct options_item *options_add(struct options *o, int option,
                                        enum options_source source, const char *text)
{
    o->item = xrealloc(o->item, (size_t)(o->items + 1) * sizeof *o->item);
    o->item[o->items] =
        (struct options_item){.option = option, .source = source, .text = text};
    return &o->item[o->items++];
}

/* ---- the command line ----------------------------------------------------------------- */

static int options_unknown(const struct options_spec *spec, const char *name,
                           const char *dashes, struct jobq_error *err)
{
    struct nearest best = {0};
    char shown[60];
    if (spec->why_not && spec->why_not(spec, name, err))
        return err->code;
    for (int i = 0; i < spec->count && dashes[1]; i++)
        nearest_try(&best, name, spec->def[i].name);
    text_escape(name, (int64_t)strlen(name), shown, sizeof shown);
    if (best.word)
        return jobq_fail(err, JOBQ_INVALID, "unknown option '%s%s'; did you mean '--%s'?",
                         dashes, shown, best.word);
    return jobq_fail(err, JOBQ_INVALID, "unknown option '%s%s'; see %s%s%s --help",
                     dashes, shown, spec->program, spec->command ? " " : "",
                     spec->command ? spec->command : "");
}

static int options_missing(const char *dashes, const char *name, struct jobq_error *err)
{
    return jobq_fail(err, JOBQ_INVALID, "option '%s%s' needs a value", dashes, name);
}

/* --name, --name=VALUE, or --name and the next word. */
static int options_long(struct options *o, int argc, char **argv, int *at,
                        struct jobq_error *err)
{
    char name[40];
    const char *word = argv[*at] + 2, *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    size_t kept = len < sizeof name - 1 ? len : sizeof name - 1;
    memcpy(name, word, kept);
    name[kept] = '\0';
    int option = len == kept ? options_find(o->spec, name) : -1;
    if (option < 0)
        return options_unknown(o->spec, name, "--", err);
    const char *value = equals ? equals + 1 : NULL;
    if (!o->spec->def[option].arg) {
        bool yes;
        if (value && options_yes(value, &yes, err) < 0)
            return jobq_wrap(err, "--%s", name);
        value = value ? value : "yes";
    } else if (!value) {
        if (*at + 1 >= argc)
            return options_missing("--", name, err);
        value = argv[++*at];
    }
    options_add(o, option, OPTIONS_COMMAND_LINE, value);
    return JOBQ_OK;
}

/* -x, -xVALUE, -x and the next word; flags may be joined. */
static int options_letters(struct options *o, int argc, char **argv, int *at,
                           struct jobq_error *err)
{
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        char name[2] = {*letter, '\0'};
        int option = 0;
        while (option < o->spec->count && o->spec->def[option].letter != *letter)
            option++;
        if (option == o->spec->count)
            return options_unknown(o->spec, name, "-", err);
        if (!o->spec->def[option].arg) {
            options_add(o, option, OPTIONS_COMMAND_LINE, "yes");
            continue;
        }
        const char *value = letter[1] ? letter + 1 : NULL;
        if (!value && *at + 1 >= argc)
            return options_missing("-", name, err);
        options_add(o, option, OPTIONS_COMMAND_LINE, value ? value : argv[++*at]);
        return JOBQ_OK;
    }
    return JOBQ_OK;
}

int options_read(struct options *o, const struct options_spec *spec, int argc,
                 char **argv, struct jobq_error *err)
{
    *o = (struct options){.spec = spec};
    o->arg = xcalloc((size_t)argc + 1, sizeof *o->arg);
    bool ended = false;
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        int code = JOBQ_OK;
        if (ended || word[0] != '-' || word[1] == '\0') {
            o->arg[o->args++] = argv[at];
            ended = ended || spec->verbatim;
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else {
            code = word[1] == '-' ? options_long(o, argc, argv, &at, err)
                                  : options_letters(o, argc, argv, &at, err);
        }
        if (code != JOBQ_OK)
            return code;
    }
    return JOBQ_OK;
}

/* ---- elsewhere -------------------------------------------------------------------------- */

void options_environment(struct options *o, const char *prefix)
{
    for (int i = 0; i < o->spec->count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_%s", prefix, o->spec->def[i].name);
        for (char *c = name; *c; c++)
            *c = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 32 : *c);
        const char *value = getenv(name);
        if (value && *value)
            options_add(o, i, OPTIONS_ENVIRONMENT, value)->origin = xstrdup(name);
    }
}

bool options_file_value(struct options *o, const char *name, const char *value,
                        const char *file, int line)
{
    int option = options_find(o->spec, name);
    if (option < 0)
        return false;
    for (int i = 0; i < o->items; i++)
        if (o->item[i].option == option && o->item[i].source == OPTIONS_FILE)
            return true;
    struct options_item *item = options_add(o, option, OPTIONS_FILE, NULL);
    struct text origin = {0};
    item->text = item->owned = xstrdup(value);
    text_printf(&origin, "%s:%d: %s", file, line, name);
    item->origin = origin.ptr;
    return true;
}

void options_release(struct options *o)
{
    for (int i = 0; i < o->items; i++) {
        free(o->item[i].owned);
        free(o->item[i].origin);
    }
    free(o->item);
    free(o->arg);
    *o = (struct options){0};
}

/* ---- values ----------------------------------------------------------------------------- */

const struct options_item *options_item(const struct options *o, int option)
{
    const struct options_item *best = NULL;
    for (int i = 0; i < o->items; i++)
        if (o->item[i].option == option && (!best || o->item[i].source >= best->source))
            best = &o->item[i];
    return best;
}

const char *options_text(const struct options *o, int option)
{
    const struct options_item *item = options_item(o, option);
    return item ? item->text : NULL;
}

int options_yes(const char *text, bool *out, struct jobq_error *err)
{
    static const char *const words[] = {"yes", "true",  "on",  "1",
                                        "no",  "false", "off", "0"};
    char shown[60];
    for (int i = 0; i < 8; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i < 4;
            return JOBQ_OK;
        }
    text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
    return jobq_fail(err, JOBQ_INVALID, "'%s' is neither yes nor no", shown);
}

int options_blame(const struct options *o, const struct options_item *item,
                  struct jobq_error *err)
{
    if (item->origin)
        return jobq_wrap(err, "%s", item->origin);
    return jobq_wrap(err, "--%s", o->spec->def[item->option].name);
}

/* ---- help ------------------------------------------------------------------------------- */

void options_help_line(const struct option_def *def, FILE *out)
{
    enum { LEFT = 22, COLUMN = 29, WIDTH = 79 };
    char left[80];
    snprintf(left, sizeof left, "--%s%s%s", def->name, def->arg ? " " : "",
             def->arg ? def->arg : "");
    if (def->letter)
        fprintf(out, "  -%c, ", def->letter);
    else
        fputs("      ", out);
    /* A name that is too long has a line of its own. */
    if (strlen(left) > LEFT)
        fprintf(out, "%s\n%*s", left, COLUMN, "");
    else
        fprintf(out, "%-*s ", LEFT, left);
    int at = COLUMN;
    for (const char *word = def->help; *word;) {
        int len = (int)strcspn(word, " ");
        if (at > COLUMN && at + 1 + len > WIDTH)
            at = (fprintf(out, "\n%*s", COLUMN, ""), COLUMN);
        at += fprintf(out, "%s%.*s", at > COLUMN ? " " : "", len, word);
        word += len;
        word += strspn(word, " ");
    }
    fputc('\n', out);
}

void options_help(const struct option_def *def, int count, FILE *out)
{
    for (int i = 0; i < count; i++)
        options_help_line(&def[i], out);
}
