#include "live/page/peers.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"
#include "jobq/units.h"

#include <event2/event.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ASK_NS (5 * JOBQ_NS_PER_S)
#define PEER_KEPT_NS (3 * ASK_NS)
#define ANSWER_NS JOBQ_NS_PER_S /* a later answer is not waited for */
enum { ANSWER_MAX = STATUS_ROW_MAX + 32, ORDER_MAX = 200, LIST_LINES_MAX = 20000 };

struct peer {
    struct status_drainer drainer;
    int64_t at_ns;
};

struct peers {
    struct loop *loop;
    char prefix[JOBQ_QUEUE_NAME_MAX + 24]; /* "jobq/QUEUE/", before a pid */
    int answer_fd, ask_fd;
    struct event *asked, *answered;
    struct loop_timer *again;
    void (*fill)(void *ctx, struct status_drainer *out);
    void *ctx;
    peers_told_fn *told;
    void *told_ctx;
    struct peer peer[PEERS_LISTED_MAX];
    int count;
    int64_t asked_at_ns; /* first; 0: not yet */
    int unanswered;      /* of the first questions: later, the last answers still hold */
};

/* ---- sockets ----------------------------------------------------------------------------- */

/* An abstract name begins with a NUL byte and needs no other end than its length. */
static socklen_t address(struct sockaddr_un *out, const char *name)
{
    size_t len = strlen(name);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len > sizeof out->sun_path - 1)
        len = sizeof out->sun_path - 1;
    memcpy(out->sun_path + 1, name, len);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

/* name NULL: any free one. Returns the descriptor; -1: none. */
static int open_named(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t len = name ? address(&at, name) : (socklen_t)sizeof at.sun_family;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, len) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Has the kernel say with each datagram who sent it. */
static bool peers_want_senders(int fd)
{
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
}

/* Receives one datagram; *trusted: it is of root's or of our own user. Returns its length, which
 * may be more than cap (it was cut); < 0: none. */
static ssize_t peers_receive(int fd, char *out, size_t cap, struct sockaddr_un *from,
                             socklen_t *from_len, bool *trusted)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct iovec bytes = {out, cap};
    struct msghdr message = {.msg_name = from,
                             .msg_namelen = from ? *from_len : 0,
                             .msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t len = recvmsg(fd, &message, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    *trusted = false;
    if (len < 0)
        return len;
    if (from_len)
        *from_len = message.msg_namelen;
    for (const struct cmsghdr *c = CMSG_FIRSTHDR(&message); c;
         c = CMSG_NXTHDR(&message, (struct cmsghdr *)(uintptr_t)c)) {
        struct ucred sender;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
            continue;
        memcpy(&sender, CMSG_DATA(c), sizeof sender);
        *trusted = sender.uid == 0 || sender.uid == geteuid();
    }
    return len;
}

static void my_name(const struct peers *p, char *out, size_t cap)
{
    snprintf(out, cap, "%s%ld", p->prefix, (long)getpid());
}

/* ---- answering --------------------------------------------------------------------------- */

/* "WORD NUMBER JOB_ID", the last perhaps empty. */
static void peers_do(struct peers *p, char *order)
{
    char *number = strchr(order, ' '), *id = number ? strchr(number + 1, ' ') : NULL;
    int64_t word, value;
    if (!id)
        return;
    *number++ = '\0';
    *id++ = '\0';
    if (str_to_int(str_of(order), &word) && word >= 0 && word < 100 &&
        str_to_int(str_of(number), &value))
        p->told(p->told_ctx, (int)word, value, id);
}

static void on_question(evutil_socket_t fd, short what, void *arg)
{
    struct peers *p = arg;
    struct sockaddr_un from;
    socklen_t from_len = sizeof from;
    struct status_drainer me;
    char question[ORDER_MAX], answer[ANSWER_MAX];
    bool trusted;
    (void)what;
    /* One a turn, so that nobody keeps the loop. */
    ssize_t got =
        peers_receive(fd, question, sizeof question - 1, &from, &from_len, &trusted);
    if (got < 0)
        return;
    if (got > 0 && question[0] == '!') {
        if (trusted && p->told && got < (ssize_t)sizeof question - 1) {
            question[got] = '\0';
            peers_do(p, question + 1);
        }
        return;
    }
    p->fill(p->ctx, &me);
    int len = snprintf(answer, sizeof answer, "%s ", me.id);
    len += status_drainer_write(&me, answer + len);
    sendto(fd, answer, (size_t)len, MSG_NOSIGNAL, (const struct sockaddr *)&from,
           from_len);
}

void peers_answer(struct peers *p, void (*fill)(void *ctx, struct status_drainer *out),
                  void *ctx)
{
    char name[sizeof p->prefix + 24];
    my_name(p, name, sizeof name);
    p->fill = fill;
    p->ctx = ctx;
    p->answer_fd = open_named(name);
    if (p->answer_fd < 0)
        return;
    /* Without it no order is obeyed; questions are for everybody. */
    peers_want_senders(p->answer_fd);
    p->asked =
        event_new(loop_base(p->loop), p->answer_fd, EV_READ | EV_PERSIST, on_question, p);
    event_add(p->asked, NULL);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void forget_old(struct peers *p)
{
    int kept = 0;
    for (int i = 0; i < p->count; i++)
        if (loop_now_ns() - p->peer[i].at_ns < PEER_KEPT_NS)
            p->peer[kept++] = p->peer[i];
    p->count = kept;
}

static void keep(struct peers *p, const struct status_drainer *drainer)
{
    int at = 0;
    while (at < p->count && strcmp(p->peer[at].drainer.id, drainer->id) != 0)
        at++;
    if (at == PEERS_LISTED_MAX)
        return;
    p->peer[at] = (struct peer){*drainer, loop_now_ns()};
    p->count += at == p->count;
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    char text[ANSWER_MAX];
    struct status_drainer drainer;
    (void)what;
    struct peers *p = arg;
    bool trusted;
    ssize_t len = peers_receive(fd, text, sizeof text, NULL, NULL, &trusted);
    if (!trusted)
        return;
    p->unanswered -= p->unanswered > 0;
    const char *blank =
        len > 0 && len < (ssize_t)sizeof text ? memchr(text, ' ', (size_t)len) : NULL;
    if (!blank || blank == text)
        return;
    struct jobq_str id = {text, blank - text};
    if (status_drainer_read(id, (struct jobq_str){blank + 1, text + len - blank - 1},
                            &drainer))
        keep(p, &drainer);
}

/* Sends bytes to each name of the list that is a drainer's of our queue, but our own; only
 * counts them if bytes.ptr is NULL. Returns how many. */
static int peers_send(struct peers *p, struct jobq_str bytes)
{
    char line[512], mine[sizeof p->prefix + 24];
    my_name(p, mine, sizeof mine);
    FILE *list = fopen("/proc/net/unix", "re");
    int count = 0;
    for (int i = 0; list && i < LIST_LINES_MAX && fgets(line, sizeof line, list); i++) {
        char *name = strstr(line, " @");
        struct sockaddr_un to;
        if (!name || strncmp(name + 2, p->prefix, strlen(p->prefix)) != 0)
            continue;
        name[strcspn(name, "\n")] = '\0';
        if (strcmp(name + 2, mine) == 0)
            continue;
        socklen_t len = address(&to, name + 2);
        count +=
            !bytes.ptr || sendto(p->ask_fd, bytes.ptr, (size_t)bytes.len, MSG_NOSIGNAL,
                                 (const struct sockaddr *)&to, len) == bytes.len;
    }
    if (list)
        fclose(list);
    return count;
}

static void ask_all(struct peers *p)
{
    bool first = p->asked_at_ns == 0;
    int sent = peers_send(p, STR("?"));
    if (!first)
        return;
    p->unanswered += sent;
    p->asked_at_ns = loop_now_ns();
}

void peers_obey(struct peers *p, peers_told_fn *told, void *ctx)
{
    p->told = told;
    p->told_ctx = ctx;
}

int peers_tell(struct peers *p, int word, int64_t number, struct jobq_str job_id)
{
    char order[ORDER_MAX];
    if (p->ask_fd < 0)
        p->ask_fd = open_named(NULL);
    int len = snprintf(order, sizeof order, "!%d %lld %.*s", word, (long long)number,
                       (int)job_id.len, job_id.ptr);
    if (p->ask_fd < 0 || len >= ORDER_MAX - 1)
        return 0;
    return peers_send(p, (struct jobq_str){order, len});
}

int peers_left(struct peers *p)
{
    return peers_send(p, (struct jobq_str){NULL, 0});
}

static void on_time(void *ctx)
{
    struct peers *p = ctx;
    forget_old(p);
    ask_all(p);
    loop_timer_set(p->again, loop_now_ns() + ASK_NS);
}

void peers_ask(struct peers *p)
{
    p->ask_fd = open_named(NULL);
    if (p->ask_fd < 0 || !peers_want_senders(p->ask_fd))
        return;
    p->answered =
        event_new(loop_base(p->loop), p->ask_fd, EV_READ | EV_PERSIST, on_answer, p);
    event_add(p->answered, NULL);
    p->again = loop_timer_new(p->loop, on_time, p);
    on_time(p);
}

int peers_list(void *where, struct status_drainer *out, int cap, bool *waiting)
{
    struct peers *p = *(struct peers **)where;
    int count = 0;
    *waiting = false;
    if (!p)
        return 0;
    *waiting = p->unanswered > 0 && loop_now_ns() - p->asked_at_ns < ANSWER_NS;
    forget_old(p);
    for (; count < p->count && count < cap; count++)
        out[count] = p->peer[count].drainer;
    return count;
}

/* ---- outside ----------------------------------------------------------------------------- */

struct peers *peers_new(struct loop *loop, const char *queue, const char *box)
{
    struct peers *p = xcalloc(1, sizeof *p);
    p->loop = loop;
    p->answer_fd = p->ask_fd = -1;
    /* The hash keeps the name within the 107 bytes of an address. */
    if (box[0])
        snprintf(p->prefix, sizeof p->prefix, "jobq/%s@%08x/", queue,
                 (unsigned)hash_add(HASH_START, box, strlen(box)));
    else
        snprintf(p->prefix, sizeof p->prefix, "jobq/%s/", queue);
    return p;
}

void peers_free(struct peers *p)
{
    if (!p)
        return;
    loop_timer_free(p->again);
    if (p->asked)
        event_free(p->asked);
    if (p->answered)
        event_free(p->answered);
    if (p->answer_fd >= 0)
        close(p->answer_fd);
    if (p->ask_fd >= 0)
        close(p->ask_fd);
    free(p);
}
