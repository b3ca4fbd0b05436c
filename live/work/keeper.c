/* keeper.c - see keeper.h.
 *
 * Room: live, the network world.
 *
 * The keeper is forked off a process that may have threads, so it makes system calls and
 * touches its own memory, but allocates nothing and takes no lock. */
#include "live/work/keeper.h"

#include "jobq/units.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* As many as a drainer has slots at most (DRAINER_SLOTS_MAX), and some. */
enum { COMMANDS_MAX = 1 << 17, ENV_MAX = 4096 };
#define LAST_REAP_NS (2 * JOBQ_NS_PER_S)

enum request_what { REQUEST_START, REQUEST_SIGNAL };
struct request {
    enum request_what what;
    int signal_number;
    struct keeper_start start; /* SIGNAL: its key alone */
};

struct kept {
    uint64_t key;
    pid_t pid; /* and process group */
};

struct state {
    const struct keeper_rules *rules;
    int fd, signals;
    pid_t pid;
    struct kept *kept; /* of COMMANDS_MAX; the system gives pages as they are used */
    int count;
    char *env[ENV_MAX + 6]; /* of the one that is being started */
};

/* ---- children ------------------------------------------------------------------------- */

/* Calls each(ctx, pid) for the children of this process's first thread, by the kernel's own
 * list. */
static void children_each(void (*each)(void *ctx, pid_t pid), void *ctx)
{
    char path[64], bytes[4096];
    pid_t pid = 0;
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got; fd >= 0 && (got = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] >= '0' && bytes[i] <= '9') {
                pid = pid * 10 + (bytes[i] - '0');
            } else if (pid) {
                each(ctx, pid);
                pid = 0;
            }
        }
    if (fd >= 0)
        close(fd);
}

static struct kept *kept_by_pid(struct state *s, pid_t pid)
{
    for (int i = 0; i < s->count; i++)
        if (s->kept[i].pid == pid)
            return &s->kept[i];
    return NULL;
}

static void kill_left_over(void *ctx, pid_t pid)
{
    if (!kept_by_pid(ctx, pid))
        kill(pid, SIGKILL);
}

static void kill_any(void *ctx, pid_t pid)
{
    (void)ctx;
    kill(-pid, SIGKILL); /* its group, if it leads one */
    kill(pid, SIGKILL);
}

/* A killed process hands its own children to us, so look again until none is left. */
static _Noreturn void end_everything(void)
{
    do
        children_each(kill_any, NULL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
    _exit(0);
}

/* ---- starts --------------------------------------------------------------------------- */

/* What a command does not inherit: ways to the drainer's credentials, what its service manager
 * gave to the drainer alone, and the drainer's own settings. One that ends in '=' is a whole
 * name, the others are how names begin. The manual (jobq-drain(8)) has the same list. */
static const char *const kept_back[] = {"AWS_ACCESS_KEY_ID=",
                                        "AWS_SECRET_ACCESS_KEY=",
                                        "AWS_SESSION_TOKEN=",
                                        "AWS_SECURITY_TOKEN=",
                                        "AWS_CREDENTIAL_",
                                        "AWS_PROFILE=",
                                        "AWS_DEFAULT_PROFILE=",
                                        "AWS_SHARED_CREDENTIALS_FILE=",
                                        "AWS_CONFIG_FILE=",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE=",
                                        "AWS_ROLE_",
                                        "AWS_SSO_",
                                        "AWS_LOGIN_",
                                        "AWS_CONTAINER_",
                                        "BOTO_CONFIG=",
                                        "NOTIFY_SOCKET=",
                                        "WATCHDOG_",
                                        "LISTEN_",
                                        "CREDENTIALS_DIRECTORY=",
                                        "JOBQ_"};

static bool env_is_passed(const char *list, const char *entry)
{
    size_t len = strcspn(entry, "=");
    for (const char *name = list; name && *name; name += strspn(name, ", ")) {
        size_t name_len = strcspn(name, ", ");
        if (name_len == len && strncmp(name, entry, len) == 0)
            return true;
        name += name_len;
    }
    return false;
}

static bool env_is_kept_back(const char *entry, const char *pass)
{
    for (size_t i = 0; i < sizeof kept_back / sizeof *kept_back; i++)
        if (strncmp(entry, kept_back[i], strlen(kept_back[i])) == 0)
            return !env_is_passed(pass, entry);
    return false;
}

/* What the child does between vfork and exec, on the keeper's memory: system calls only. */
struct launch {
    const struct keeper_rules *rules;
    char **env;
    int in, out;
    pid_t parent;
    volatile int error; /* out: errno of what failed */
};

static void limit(__rlimit_resource_t what, int64_t value)
{
    struct rlimit both = {(rlim_t)value, (rlim_t)value};
    if (value > 0)
        setrlimit(what, &both);
}

static _Noreturn void become(struct launch *l)
{
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        sigaction(s, &normal, NULL);
    setsid();
    prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0L, 0L, 0L);
    if (getppid() != l->parent)
        _exit(127);
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    limit(RLIMIT_AS, l->rules->memory_bytes);
    limit(RLIMIT_CPU, (l->rules->cpu_ns + JOBQ_NS_PER_S - 1) / JOBQ_NS_PER_S);
    if (dup2(l->in, 0) < 0 || dup2(l->out, 1) < 0 || dup2(l->out, 2) < 0 ||
        close_range(3, ~0u, 0) < 0) {
        l->error = errno;
        _exit(127);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvpe(l->rules->word[0], l->rules->word, l->env);
    l->error = errno;
    _exit(127);
}

/* vfork: a fork would copy page tables, for each job. All signals are blocked. */
static __attribute__((noinline)) pid_t launch(struct launch *l)
{
    pid_t pid = vfork();
    if (pid == 0)
        become(l);
    return pid;
}

static void start(struct state *s, const struct keeper_start *start, int in, int out)
{
    char id[KEEPER_ID_MAX + 16], queue[KEEPER_QUEUE_MAX + 16], attempt[40], state[40],
        code[40];
    char **env = s->env;
    int count = 0;
    for (char **entry = environ; *entry && count < ENV_MAX; entry++)
        if (!env_is_kept_back(*entry, s->rules->pass_env))
            env[count++] = *entry;
    snprintf(id, sizeof id, "JOBQ_JOB_ID=%s", start->job_id);
    snprintf(queue, sizeof queue, "JOBQ_QUEUE=%s", start->queue);
    snprintf(attempt, sizeof attempt, "JOBQ_ATTEMPT=%lld", (long long)start->attempt);
    env[count++] = id;
    env[count++] = attempt;
    env[count++] = queue;
    snprintf(state, sizeof state, "JOBQ_STATE=%s", start->state);
    snprintf(code, sizeof code, "JOBQ_EXIT=%d", start->exit_code);
    if (start->state[0])
        env[count++] = state;
    if (start->has_exit)
        env[count++] = code;
    env[count] = NULL;
    struct launch l = {
        .rules = s->rules, .env = env, .in = in, .out = out, .parent = s->pid};
    pid_t pid = s->count < COMMANDS_MAX ? launch(&l) : -1;
    struct keeper_reply reply = {.what = KEEPER_STARTED,
                                 .key = start->key,
                                 .error = pid < 0 ? errno : l.error,
                                 .no_process = pid < 0};
    if (pid > 0)
        s->kept[s->count++] = (struct kept){start->key, pid};
    /* Its reader is waiting for it. */
    if (send(s->fd, &reply, sizeof reply, MSG_NOSIGNAL) < 0)
        end_everything();
}

/* ---- the keeper's loop ---------------------------------------------------------------- */

/* Reads one request; its descriptors, if it has any, at in and out, else -1. */
static void serve_request(struct state *s)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct request request;
    struct iovec bytes = {&request, sizeof request};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(s->fd, &message, MSG_CMSG_CLOEXEC);
    if (got != (ssize_t)sizeof request) {
        if (got < 0 && errno == EINTR)
            return;
        end_everything(); /* the drainer is gone */
    }
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (request.what == REQUEST_START && c && c->cmsg_type == SCM_RIGHTS) {
        int fd[2];
        memcpy(fd, CMSG_DATA(c), sizeof fd);
        start(s, &request.start, fd[0], fd[1]);
        close(fd[0]);
        close(fd[1]);
        return;
    }
    for (int i = 0; i < s->count; i++)
        if (s->kept[i].key == request.start.key) {
            kill(-s->kept[i].pid, request.signal_number);
            kill(-s->kept[i].pid, SIGCONT);
        }
}

static int64_t cpu_of(const struct rusage *use)
{
    return (use->ru_utime.tv_sec + use->ru_stime.tv_sec) * JOBQ_NS_PER_S +
           (use->ru_utime.tv_usec + use->ru_stime.tv_usec) * JOBQ_NS_PER_US;
}

static bool has_room(const struct state *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1;
}

/* Reaps one child that has ended. Looks before it reaps: while a command's own process is a
 * zombie its group's number cannot be given to anybody else, and killing the group hits only
 * what the command left behind. Returns false when there is none, or no room for telling. */
static bool reap_one(struct state *s)
{
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return false;
    struct kept *kept = kept_by_pid(s, info.si_pid);
    struct rusage use;
    struct keeper_reply reply = {.what = KEEPER_ENDED};
    if (kept && !has_room(s))
        return false;
    if (kept)
        kill(-info.si_pid, SIGKILL);
    if (wait4(info.si_pid, &reply.status, 0, &use) != info.si_pid)
        return false;
    if (kept) {
        reply.key = kept->key;
        *kept = s->kept[--s->count];
    }
    /* Its orphans have come to us. A job that has ended has left nothing behind. */
    children_each(kill_left_over, s);
    reply.cpu_ns = cpu_of(&use);
    if (kept && send(s->fd, &reply, sizeof reply, MSG_NOSIGNAL) < 0)
        end_everything();
    return true;
}

/* For ps, and so that who kills drainers by their command line leaves their keepers alive. */
static void take_a_name(void)
{
    char bytes[256];
    size_t whole = 0;
    prctl(PR_SET_NAME, "jobq-keeper", 0L, 0L, 0L);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    for (ssize_t got; fd >= 0 && (got = read(fd, bytes, sizeof bytes)) > 0;)
        whole += (size_t)got;
    if (fd >= 0)
        close(fd);
    if (whole < sizeof "jobq-keeper" || !program_invocation_name)
        return;
    memset(program_invocation_name, 0, whole);
    memcpy(program_invocation_name, "jobq-keeper", sizeof "jobq-keeper");
}

static _Noreturn void keep(int fd, const struct keeper_rules *rules)
{
    static struct state s;
    sigset_t all, child;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    take_a_name();
    int null = open("/dev/null", O_RDWR);
    if (dup2(fd, 3) < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        close_range(4, ~0u, 0) < 0)
        _exit(1);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    /* An inherited SIG_IGN would have the kernel reap. */
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    s.rules = rules;
    s.fd = 3;
    s.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    s.pid = getpid();
    s.kept = mmap(NULL, COMMANDS_MAX * sizeof *s.kept, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s.signals < 0 || s.kept == MAP_FAILED)
        _exit(1);
    bool ended = false; /* children that have ended wait for room */
    for (;;) {
        struct pollfd p[2] = {
            {.fd = s.fd, .events = (short)(ended ? POLLIN | POLLOUT : POLLIN)},
            {.fd = s.signals, .events = POLLIN}};
        struct signalfd_siginfo ignored;
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
            serve_request(&s);
        if (p[1].revents)
            while (read(s.signals, &ignored, sizeof ignored) > 0)
                ;
        while (reap_one(&s))
            ;
        siginfo_t info = {.si_pid = 0};
        ended = s.count && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                info.si_pid;
    }
}

/* ---- the drainer's side --------------------------------------------------------------- */

int keeper_new(struct keeper *keeper, const struct keeper_rules *rules,
               struct jobq_error *err)
{
    int fd[2];
    *keeper = (struct keeper){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no socket for commands: %s",
                         strerror(errno));
    /* Without it, what commands leave behind would pass a killed keeper by. */
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    /* No signal may reach the child while it still has our handlers. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        keep(fd[1], rules);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no process for commands: %s",
                         strerror(failed));
    }
    *keeper = (struct keeper){fd[0], pid};
    return JOBQ_OK;
}

/* Of a keeper that was killed: what commands left behind has come to us. One that hangs in the
 * kernel is not waited for. */
static void reap_all(void)
{
    for (int64_t slept_ns = 0; slept_ns < LAST_REAP_NS;) {
        children_each(kill_any, NULL);
        pid_t got = waitpid(-1, NULL, WNOHANG);
        if (got < 0 && errno != EINTR)
            return;
        if (got == 0) {
            poll(NULL, 0, 1);
            slept_ns += JOBQ_NS_PER_MS;
        }
    }
}

void keeper_free(struct keeper *keeper)
{
    if (keeper->fd < 0)
        return;
    close(keeper->fd);
    keeper->fd = -1;
    while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    reap_all();
}

static int gone(struct jobq_error *err)
{
    return jobq_fail(err, JOBQ_UNAVAILABLE, "the keeper of commands was killed");
}

int keeper_start(struct keeper *keeper, const struct keeper_start *start,
                 struct jobq_error *err)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct request request = {.what = REQUEST_START, .start = *start};
    struct iovec bytes = {&request, sizeof request};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(2 * sizeof(int))};
    memcpy(CMSG_DATA(c), (const int[2]){start->in, start->out}, 2 * sizeof(int));
    ssize_t put;
    do
        put = sendmsg(keeper->fd, &message, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put < 0 ? gone(err) : JOBQ_OK;
}

void keeper_signal(struct keeper *keeper, uint64_t key, int signal_number)
{
    struct request request = {
        .what = REQUEST_SIGNAL, .signal_number = signal_number, .start = {.key = key}};
    ssize_t put;
    do
        put = send(keeper->fd, &request, sizeof request, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
}

int keeper_next(struct keeper *keeper, bool wait, struct keeper_reply *out,
                struct jobq_error *err)
{
    ssize_t got;
    do
        got = recv(keeper->fd, out, sizeof *out, wait ? 0 : MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return got == (ssize_t)sizeof *out ? 1 : gone(err);
}
