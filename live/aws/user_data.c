#include "live/aws/user_data.h"

#include "fleet/job/job.h"

#include <string.h>

extern const char user_data_text[];

/* As many lines of the block as there are, each as far in as its first. */
static void put_settings(const struct user_data *p, struct text *out)
{
    for (const char *c = p->settings; *c; c++)
        if (*c != '\n')
            text_putc(out, *c);
        else if (c[1] || p->exec)
            text_puts(out, "\n      ");
    if (p->exec)
        text_printf(out, "JOBQ_EXEC=\"%s\"", p->exec);
}

static bool put_word(const struct user_data *p, struct jobq_str word, struct text *out)
{
    if (str_is(word, "QUEUE"))
        text_puts(out, p->queue);
    else if (str_is(word, "REGION"))
        text_puts(out, p->region);
    else if (str_is(word, "SETTINGS"))
        put_settings(p, out);
    else
        return false;
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
