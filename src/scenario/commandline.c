#include "scenario/commandline.h"

#include "base/arena.h"
#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>

static const char SCENARIO_FILE[] = "scenario", SHOW[] = "show-scenario", HELP[] = "help";

/* "long poll of a receive; 0s to 20s (20s)" */
static char *commandline_help_text(const struct setting *st)
{
    struct text text = {0};
    text_puts(&text, st->help);
    /* A choice's words stand beside its name already. */
    if (st->low || (st->words && st->kind != SETTING_CHOICE)) {
        text_puts(&text, "; ");
        for (const char *p = st->words ? st->words : ""; *p; p++)
            if (*p == '|')
                text_puts(&text, ", ");
            else
                text_putc(&text, *p);
        if (st->words)
            text_puts(&text, " or ");
        text_printf(&text, "%s to %s", st->low, st->high);
    }
    if (st->kind != SETTING_FLAG && strcmp(st->value, "none") != 0)
        text_printf(&text, " (%s)", st->value);
    return text.ptr;
}

static bool commandline_has(const struct option_def *def, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(def[i].name, name) == 0)
            return true;
    return false;
}

static bool commandline_why_not(const struct options_spec *spec, const char *name,
                                struct jobq_error *err)
{
    const char *right = setting_renamed(name);
    if (right && options_find(spec, right) >= 0) {
        jobq_fail(err, JOBQ_INVALID, "unknown option '--%s'; did you mean '--%s'?", name,
                  right);
        return true;
    }
    if (setting_find(name) < 0)
        return false;
    char who[60];
    snprintf(who, sizeof who, "%s%s%s", spec->program, spec->command ? " " : "",
             spec->command ? spec->command : "");
    setting_refuse(name, "--", spec->takes, who, err);
    return true;
}

void commandline_init(struct commandline *out, const char *program, const char *command,
                      const struct option_def *own, uint32_t takers)
{
    int count = 0, settings = setting_count();
    *out = (struct commandline){0};
    while (own[count].name)
        count++;
    out->own = count;
    out->def = xcalloc((size_t)(count + settings + 3), sizeof *out->def);
    out->text = xcalloc((size_t)settings, sizeof *out->text);
    memcpy(out->def, own, (size_t)count * sizeof *own);
    for (int i = 0; i < settings; i++) {
        const struct setting *st = setting_at(i);
        if (!(st->takers & takers) || commandline_has(own, out->own, st->name))
            continue;
        char *help = out->text[out->texts++] = commandline_help_text(st);
        out->def[count++] = (struct option_def){st->name, st->letter, st->arg, help};
    }
    if (takers) {
        out->def[count++] = (struct option_def){SCENARIO_FILE, 0, "FILE",
                                                "read settings from an INI file first"};
        out->def[count++] = (struct option_def){
            SHOW, 0, NULL, "print the settings as such a file, and end"};
    }
    if (!commandline_has(own, out->own, HELP))
        out->def[count++] = (struct option_def){HELP, 'h', NULL, "this text"};
    out->spec = (struct options_spec){.program = program,
                                      .command = command,
                                      .def = out->def,
                                      .count = count,
                                      .why_not = commandline_why_not,
                                      .takes = takers};
}

void commandline_release(struct commandline *command)
{
    for (int i = 0; i < command->texts; i++)
        free(command->text[i]);
    free(command->text);
    free(command->def);
    *command = (struct commandline){0};
}

static int commandline_apply(const struct options *read, enum options_source source,
                             struct scenario *out, struct jobq_error *err)
{
    for (int i = 0; i < read->items; i++) {
        const struct options_item *item = &read->item[i];
        const struct option_def *def = &read->spec->def[item->option];
        int index = setting_find(def->name);
        /* An own option of a setting's name is the command's; what is overridden is not read. */
        if (item->source != source || index < 0 ||
            options_item(read, item->option)->source != source ||
            setting_at(index)->arg != def->arg ||
            !(setting_at(index)->takers & read->spec->takes))
            continue;
        if (scenario_set(out, def->name, item->text, err) != JOBQ_OK)
            return options_blame(read, item, err);
    }
    return JOBQ_OK;
}

int commandline_scenario(const struct options *read, struct scenario *out,
                         struct jobq_error *err)
{
    return commandline_scenario_of(read, NULL, out, err);
}

int commandline_scenario_of(const struct options *read, const char *argument,
                            struct scenario *out, struct jobq_error *err)
{
    int file = options_find(read->spec, SCENARIO_FILE);
    const char *path = file < 0 ? NULL : options_text(read, file);
    int code = commandline_apply(read, OPTIONS_FILE, out, err);
    if (code == JOBQ_OK && argument)
        code = scenario_read_file(out, argument, err);
    if (code == JOBQ_OK && path)
        code = scenario_read_file(out, path, err);
    if (code == JOBQ_OK)
        code = commandline_apply(read, OPTIONS_ENVIRONMENT, out, err);
    if (code == JOBQ_OK)
        code = commandline_apply(read, OPTIONS_COMMAND_LINE, out, err);
    return code;
}

static bool commandline_flag(const struct options *read, const char *name)
{
    int option = options_find(read->spec, name);
    return option >= 0 && options_item(read, option);
}

bool commandline_wants_help(const struct options *read)
{
    return commandline_flag(read, HELP);
}

bool commandline_wants_scenario(const struct options *read)
{
    return commandline_flag(read, SHOW);
}

void commandline_show_scenario(const struct options *read,
                               const struct scenario *scenario, FILE *out)
{
    struct text text = {0};
    scenario_put_file(scenario, read->spec->takes, &text);
    fwrite(text.ptr, 1, text.len, out);
    text_release(&text);
}
