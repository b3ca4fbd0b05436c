#include "sim/mock/sqs/entry.h"

#include "sim/mock/server/chars.h"
#include "sim/mock/sqs/actions.h"

#include <stdio.h>

static bool id_ok(struct jobq_str id)
{
    if (id.len < 1 || id.len > 80)
        return false;
    for (int64_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

int mock_entry_read(struct call *call, const char *query, struct mock_entry *out)
{
    const struct tree *list = mock_sqs_list(call, "Entries", query);
    int count = 0;
    if (!list || list->count == 0) {
        struct text put = {0};
        text_printf(&put, "There should be at least one %s in the request.", query);
        mock_sqs_fault(call, SQS_BATCH_EMPTY, put.ptr);
        text_release(&put);
        return -1;
    }
    if (list->count > SQS_BATCH_MAX) {
        struct text put = {0};
        text_printf(&put,
                    "Maximum number of entries per request are 10. You have sent %d.",
                    list->count);
        mock_sqs_fault(call, SQS_BATCH_TOO_MANY, put.ptr);
        text_release(&put);
        return -1;
    }
    for (const struct tree *one = list->first; one; one = one->next) {
        struct jobq_str id = tree_text(one, "Id");
        if (!id.ptr) {
            mock_sqs_missing(call, "Id");
            return -1;
        }
        if (!id_ok(id)) {
            mock_sqs_fault(call, SQS_BATCH_ID, NULL);
            return -1;
        }
        for (int i = 0; i < count; i++)
            if (str_eq(out[i].id, id)) {
                struct text put = {0};
                text_puts(&put, "Id ");
                text_put_str(&put, id);
                text_puts(&put, " repeated.");
                mock_sqs_fault(call, SQS_BATCH_ID_TWICE, put.ptr);
                text_release(&put);
                return -1;
            }
        out[count].in = one;
        out[count].id = id;
        out[count].fault = SQS_OK;
        out[count].text[0] = '\0';
        count++;
    }
    return count;
}

void mock_entry_write_failed(struct call *call, int queue, const struct mock_entry *entry,
                             int count)
{
    bool any = false;
    char text[240], shown[MOCK_ENTRY_TEXT];
    for (int i = 0; i < count; i++) {
        if (entry[i].fault == SQS_OK)
            continue;
        const struct sqs_fault_info *info = sqs_fault_info(entry[i].fault);
        const char *said = entry[i].text;
        if (!said[0])
            said = sqs_entry_text(call->region->sqs, queue, entry[i].fault, text,
                                  sizeof text);
        snprintf(shown, sizeof shown, "%s", said);
        mock_chars_mend(shown);
        if (!any)
            emit_list(&call->out, "Failed");
        any = true;
        emit_object(&call->out, NULL, "BatchResultErrorEntry");
        emit_text(&call->out, "Id", entry[i].id);
        emit_bool(&call->out, "SenderFault", info->http_status < 500);
        emit_text(&call->out, "Code", str_of(info->query_code));
        emit_text(&call->out, "Message", str_of(shown));
        emit_object_end(&call->out, "BatchResultErrorEntry");
    }
    if (any)
        emit_list_end(&call->out);
}

void mock_entry_write_ids(struct call *call, const char *xml_name,
                          const struct mock_entry *entry, int count)
{
    bool any = false;
    for (int i = 0; i < count; i++) {
        if (entry[i].fault != SQS_OK)
            continue;
        if (!any)
            emit_list(&call->out, "Successful");
        any = true;
        emit_object(&call->out, NULL, xml_name);
        emit_text(&call->out, "Id", entry[i].id);
        emit_object_end(&call->out, xml_name);
    }
    if (any)
        emit_list_end(&call->out);
}
