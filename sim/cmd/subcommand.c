/* subcommand.c - what the subcommands share. See subcommand.h.
 *
 * Room:     programs. */
#include "sim/cmd/subcommand.h"

#include "base/text.h"
#include "jobq/units.h"
#include "sim/sweep/outfile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_fail(const char *command, const struct jobq_error *err)
{
    char safe[3 * sizeof err->text];
    text_escape(err->text, (int64_t)strlen(err->text), safe, sizeof safe);
    fprintf(stderr, "jobqsim %s: %s\n", command, safe);
    switch (err->code) {
    case JOBQ_INVALID:
    case JOBQ_LIMIT:
    case JOBQ_NOT_FOUND:
    case JOBQ_DENIED:
        return CMD_USAGE;
    case JOBQ_OK:
    case JOBQ_TIMEOUT:
    case JOBQ_THROTTLED:
    case JOBQ_UNAVAILABLE:
    case JOBQ_CONFLICT:
    case JOBQ_CORRUPT:
    case JOBQ_CANCELLED:
        break;
    }
    return CMD_FAILURE;
}

static void interrupted(int signal)
{
    static const char said[] = "\njobqsim: interrupted, nothing was written\n";
    (void)signal;
    outfile_unlink_all();
    ssize_t written = write(STDERR_FILENO, said, sizeof said - 1);
    (void)written;
    _exit(130);
}

void cmd_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupted;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int cmd_read(const struct subcommand *sub, int argc, char **argv,
             struct commandline *command, struct options *read, struct scenario *scenario)
{
    struct jobq_error err;
    commandline_init(command, "jobqsim", sub->name, sub->own, sub->takers);
    int code = options_read(read, &command->spec, argc, argv, &err);
    if (code == JOBQ_OK && commandline_wants_help(read)) {
        fputs(sub->head, stdout);
        options_help(command->def, command->spec.count, stdout);
        fputs(sub->tail, stdout);
        return CMD_OK;
    }
    int most = sub->arguments ? read->args : sub->file ? 1 : 0;
    if (code == JOBQ_OK && read->args > most) {
        char safe[80];
        const char *word = read->arg[most];
        text_escape(word, (int64_t)strlen(word), safe, sizeof safe);
        code =
            jobq_fail(&err, JOBQ_INVALID, "unexpected argument '%s', see --help", safe);
    }
    if (code == JOBQ_OK && scenario)
        code = commandline_scenario_of(
            read, sub->file && read->args ? read->arg[0] : NULL, scenario, &err);
    if (code == JOBQ_OK && scenario && commandline_wants_scenario(read)) {
        code = scenario_finish(scenario, &err);
        if (code == JOBQ_OK) {
            commandline_show_scenario(read, scenario, stdout);
            return CMD_OK;
        }
    }
    return code == JOBQ_OK ? -1 : cmd_fail(sub->name, &err);
}

int cmd_count(const struct options *read, int option, int64_t low, int64_t high,
              int64_t *out, struct jobq_error *err)
{
    const struct options_item *item = options_item(read, option);
    if (!item)
        return JOBQ_OK;
    int64_t value;
    int code = jobq_parse_count(item->text, &value, err);
    if (code == JOBQ_OK && (value < low || value > high))
        code = jobq_fail(err, JOBQ_LIMIT, "'%.40s' is out of range, want %lld to %lld",
                         item->text, (long long)low, (long long)high);
    if (code != JOBQ_OK)
        return options_blame(read, item, err);
    *out = value;
    return JOBQ_OK;
}

static bool from_environment(const char *name, int64_t *out)
{
    const char *text = getenv(name);
    return text && str_to_int(str_of(text), out);
}

/* The place of this process in an array job of AWS Batch (from 0) or of Slurm (from the array's
 * least index on, by its step). */
static int shard_of_array(int64_t *shard, int64_t *shards, struct jobq_error *err)
{
    int64_t index, count, low = 0, high = 0;
    if (from_environment("AWS_BATCH_JOB_ARRAY_INDEX", &index)) {
        if (!from_environment("AWS_BATCH_JOB_ARRAY_SIZE", &count))
            return jobq_fail(err, JOBQ_INVALID,
                             "--shard auto: AWS_BATCH_JOB_ARRAY_SIZE is not set");
    } else if (from_environment("SLURM_ARRAY_TASK_ID", &index)) {
        if (!from_environment("SLURM_ARRAY_TASK_COUNT", &count) ||
            !from_environment("SLURM_ARRAY_TASK_MIN", &low) ||
            !from_environment("SLURM_ARRAY_TASK_MAX", &high))
            return jobq_fail(
                err, JOBQ_INVALID,
                "--shard auto: SLURM_ARRAY_TASK_COUNT, _MIN and _MAX are not "
                "all set");
        int64_t step = count > 1 ? (high - low) / (count - 1) : 1;
        if (step < 1 || low + step * (count - 1) != high || (index - low) % step != 0)
            return jobq_fail(err, JOBQ_INVALID,
                             "--shard auto: the array's indices are not evenly spaced, "
                             "give I/N");
        index = (index - low) / step;
    } else {
        return jobq_fail(err, JOBQ_INVALID,
                         "--shard auto: no array job of AWS Batch or Slurm, give I/N");
    }
    if (index < 0 || index >= count || count > 100000)
        return jobq_fail(err, JOBQ_INVALID,
                         "--shard auto: index %lld of %lld is out of range",
                         (long long)index, (long long)count);
    *shard = index;
    *shards = count;
    return JOBQ_OK;
}

int cmd_shard(const char *text, int64_t *shard, int64_t *shards, struct jobq_error *err)
{
    if (strcmp(text, "auto") == 0)
        return shard_of_array(shard, shards, err);
    const char *slash = strchr(text, '/');
    int64_t i = 0, n = 0;
    if (!slash || !str_to_int((struct jobq_str){text, slash - text}, &i) ||
        !str_to_int(str_of(slash + 1), &n) || i < 1 || n < i || n > 100000) {
        char shown[40];
        text_escape(text, (int64_t)strlen(text), shown, sizeof shown);
        return jobq_fail(err, JOBQ_INVALID,
                         "--shard wants I/N with 1 <= I <= N, not '%s'", shown);
    }
    *shard = i - 1;
    *shards = n;
    return JOBQ_OK;
}
