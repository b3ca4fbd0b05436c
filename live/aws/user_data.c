#include "live/aws/user_data.h"

#include "fleet/job/job.h"
#include "jobq/units.h"

#include <stdio.h>

extern const char user_data_text[];

static bool put_word(const struct user_data *p, struct jobq_str word, struct text *out)
{
    char idle[32] = "365d"; /* never, in practice */
    if (str_is(word, "QUEUE")) {
        text_puts(out, p->queue);
    } else if (str_is(word, "REGION")) {
        text_puts(out, p->region);
    } else if (str_is(word, "SLOTS")) {
        text_put_int(out, p->slots);
    } else if (str_is(word, "IDLE_EXIT")) {
        if (p->idle_exit_ns >= 0)
            jobq_format_duration(p->idle_exit_ns, idle, sizeof idle);
        text_puts(out, idle);
    } else if (str_is(word, "EXEC")) {
        if (p->exec)
            text_printf(out, "JOBQ_EXEC=\"%s\"", p->exec);
    } else {
        return false;
    }
    return true;
}

int user_data_make(const struct user_data *p, struct text *out, struct jobq_error *err)
{
    int rc = job_queue_name_check(p->queue, err);
    if (rc < 0)
        return rc;
    for (const char *c = p->region; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
            return jobq_fail(err, JOBQ_INVALID,
                             "region holds other characters than a-z, 0-9 "
                             "and '-'");
    for (const char *c = p->exec ? p->exec : ""; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f || strchr("\"\\$`", *c))
            return jobq_fail(err, JOBQ_INVALID,
                             "command '%s' holds one of \" \\ $ `, which a box's "
                             "environment file cannot carry; put a script in the image",
                             p->exec);
    for (const char *at = user_data_text; *at;) {
        const char *end = *at == '@' ? strchr(at + 1, '@') : NULL;
        if (end && put_word(p, (struct jobq_str){at + 1, end - at - 1}, out))
            at = end + 1;
        else
            text_putc(out, *at++);
    }
    return JOBQ_OK;
}
