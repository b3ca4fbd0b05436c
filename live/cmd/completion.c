/* completion.c - jobq completion: prints a shell's completion script for jobq.
 *
 * Room:     live, jobq's program. Callers: jobq_main.c. */
#include "live/cmd/cmd.h"

#include "base/arena.h"
#include "base/completion.h"

#include <stdlib.h>

static const struct option_def options[] = {{NULL, 0, NULL, NULL}};

static int completion_run(struct cli *cli)
{
    int count = 0;
    size_t bytes = 0;
    char *script = NULL;
    struct jobq_error err;
    struct text names = {0}, out = {0};
    while (cmd_table[count])
        text_printf(&names, "%s%s", count ? "|" : "", cmd_table[count]->name), count++;
    struct commandline *line = xcalloc((size_t)count, sizeof *line);
    struct completion_command *command = xcalloc((size_t)count, sizeof *command);
    for (int i = 0; i < count; i++) {
        const struct cli_command *c = cmd_table[i];
        cli_line(c, &line[i]);
        command[i] =
            (struct completion_command){.name = c->name,
                                        .summary = c->summary,
                                        /* Behind explain-cost stands a subcommand. */
                                        .first = c->verbatim ? names.ptr : c->synopsis,
                                        .def = line[i].def,
                                        .count = line[i].spec.count};
    }
    FILE *file = open_memstream(&script, &bytes);
    int rc = completion_write(cli->arg[0], "jobq", command, count, file, &err);
    fclose(file);
    if (rc != JOBQ_OK) {
        rc = cli_fail(cli, NULL, &err);
    } else if (cli->json) {
        text_printf(&out,
                    "{\"schema\":\"jobq.completion/1\",\"shell\":\"%s\",\"script\":",
                    cli->arg[0]);
        text_put_json(&out, (struct jobq_str){script, (int64_t)bytes});
        text_puts(&out, "}\n");
    } else {
        text_put(&out, script, bytes);
    }
    cli_flush(cli, &out);
    for (int i = 0; i < count; i++)
        commandline_release(&line[i]);
    text_release(&out);
    text_release(&names);
    free(command);
    free(line);
    free(script);
    return rc;
}

const struct cli_command cmd_completion = {
    .name = "completion",
    .synopsis = "bash|zsh|fish",
    .summary = "writes a shell's completion of jobq",
    .examples = "  eval \"$(jobq completion bash)\"\n",
    .calls = "  none.\n",
    .option = options,
    .run = completion_run,
    .min_args = 1,
    .max_args = 1};
