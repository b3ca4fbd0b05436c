/* failure.c - shows a torture run that fails. See failure.h.
 *
 * Room:     sim/cmd, a program. */
#include "sim/cmd/failure.h"

#include "base/text.h"
#include "sim/torture/shrink.h"
#include "sim/torture/timeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES_SHOWN = 40 };

static void failure_progress(void *ctx, const struct torture_run *run, int64_t plays)
{
    struct text faults = {0};
    (void)ctx;
    torture_faults_put(run->faults, &faults);
    fprintf(stderr, "\r\033[K%lld runs: %lld jobs, %.50s", (long long)plays,
            (long long)run->jobs, faults.ptr ? faults.ptr : "");
    fflush(stderr);
    text_release(&faults);
}

static int failure_shrink(struct torture *torture, struct torture_run *run,
                          struct jobq_error *err)
{
    struct torture_run smallest;
    struct torture_result result;
    struct text command = {0};
    bool terminal = isatty(STDERR_FILENO);
    struct shrink_options options = {.progress = terminal ? failure_progress : NULL};
    int64_t plays = shrink(torture, run, &options, &smallest, &result, err);
    if (terminal)
        fprintf(stderr, "\r\033[K");
    if (plays < 0)
        return (int)plays;
    *run = smallest;
    torture_command(run, &command);
    printf("shrunk in %lld runs: %s: %s\n  %s\n", (long long)plays, result.check,
           result.finding, command.ptr);
    text_release(&command);
    return JOBQ_OK;
}

static int failure_write(const char *file, const struct text *text,
                         struct jobq_error *err)
{
    FILE *out = fopen(file, "we");
    if (!out)
        return jobq_fail(err, JOBQ_DENIED, "'%s': %s", file, strerror(errno));
    fwrite(text->ptr, 1, text->len, out);
    bool bad = ferror(out);
    if (fclose(out) != 0 || bad)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "'%s' could not be written", file);
    printf("  wrote %s\n", file);
    return JOBQ_OK;
}

static int failure_draw(const struct failure_options *options, struct torture *torture,
                        const struct torture_run *run, struct jobq_error *err)
{
    struct timeline *timeline = timeline_new();
    struct torture_hooks hooks = timeline_hooks(timeline);
    struct torture_result result;
    struct text command = {0}, drawn = {0};
    int code = torture_play(torture, run, &hooks, &result, err);
    size_t len = options->file ? strlen(options->file) : 0;
    torture_command(run, &command);
    if (code == JOBQ_OK && len > 4 && strcmp(options->file + len - 4, ".svg") == 0)
        timeline_svg(timeline, command.ptr, result.finding, ENTRIES_SHOWN, &drawn);
    else if (code == JOBQ_OK)
        timeline_text(timeline, result.finding, ENTRIES_SHOWN, &drawn);
    if (code == JOBQ_OK && options->file)
        code = failure_write(options->file, &drawn, err);
    else if (code == JOBQ_OK)
        fputs(drawn.ptr, stdout);
    text_release(&command);
    text_release(&drawn);
    timeline_free(timeline);
    return code;
}

int failure_show(const struct failure_options *options, const struct torture_run *run,
                 struct jobq_error *err)
{
    struct torture *torture = torture_new();
    struct torture_run shown = *run;
    int code = options->shrink ? failure_shrink(torture, &shown, err) : JOBQ_OK;
    if (code == JOBQ_OK)
        code = failure_draw(options, torture, &shown, err);
    torture_free(torture);
    return code;
}
