#include "sim/mock/sqs/entry.h"

#include "sim/mock/server/chars.h"
#include "sim/mock/sqs/actions.h"

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
        mock_sqs_fault(
            call, SQS_BATCH_EMPTY,
            mock_format(call, "There should be at least one %s in the request.", query));
        return -1;
    }
    if (list->count > SQS_BATCH_MAX) {
        mock_sqs_fault(
            call, SQS_BATCH_TOO_MANY,
            mock_format(call,
                        "Maximum number of entries per request are 10. You have sent %d.",
                        list->count));
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
                mock_sqs_fault(
                    call, SQS_BATCH_ID_TWICE,
                    mock_format(call, "Id %s repeated.", mock_quote(call, id)));
                return -1;
            }
        out[count++] = (struct mock_entry){.in = one, .id = id};
    }
    return count;
}

void mock_entry_write_failed(struct call *call, int queue, const struct mock_entry *entry,
                             int count)
{
    bool any = false;
    char usual[240];
    for (int i = 0; i < count; i++) {
        if (entry[i].fault == SQS_OK)
            continue;
        const struct sqs_fault_info *info = sqs_fault_info(entry[i].fault);
        const char *said = entry[i].text;
        if (!said)
            said = sqs_entry_text(call->region->sqs, queue, entry[i].fault, usual,
                                  sizeof usual);
        char *shown = mock_format(call, "%s", said);
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
