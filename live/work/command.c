#include "live/work/command.h"

#include "base/arena.h"
#include "base/text.h"
#include "jobq/units.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { BUCKETS = 1024, WORDS_MAX = 64, READ_BYTES = 4 << 10, READS_A_TURN = 64 };

struct command {
    struct command_host *host;
    pid_t pid; /* and process group; 0: it never was */
    int out_fd;
    struct event *readable;
    struct loop_timer *killer;
    int64_t kill_at_ns, started_ns;
    struct command_end end;
    loop_fn *ended;
    void *ctx;
    char tail[JOBQ_OUTPUT_TAIL]; /* a ring */
    int64_t written;             /* bytes of output in all */
    struct command_lines lines;
    struct command *next; /* in its bucket */
};

struct command_host {
    struct loop *loop;
    char *command, *pass_env, *word[WORDS_MAX + 1];
    int64_t memory_bytes, cpu_ns;
    struct command *bucket[BUCKETS];
    int running;
};

/* ---- output ---------------------------------------------------------------------------- */

int command_lines_feed(struct command_lines *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c != '\n' && c != '\r') {
            if (s->len == (int)sizeof s->line - 1)
                s->skip = true;
            else
                s->line[s->len++] = c;
            continue;
        }
        s->line[s->len] = '\0';
        int percent, used = 0;
        if (!s->skip && sscanf(s->line, "progress %3d%%%n", &percent, &used) == 1 &&
            used == s->len && percent >= 0 && percent <= 100)
            s->percent = percent + 1;
        s->len = 0;
        s->skip = false;
    }
    return s->percent - 1;
}

static void keep_output(struct command *p, const char *bytes, size_t len)
{
    command_lines_feed(&p->lines, bytes, len);
    for (size_t i = len > JOBQ_OUTPUT_TAIL ? len - JOBQ_OUTPUT_TAIL : 0; i < len; i++)
        p->tail[(p->written + (int64_t)i) % JOBQ_OUTPUT_TAIL] = bytes[i];
    p->written += (int64_t)len;
}

static void close_output(struct command *p)
{
    if (p->readable)
        event_free(p->readable);
    p->readable = NULL;
    if (p->out_fd >= 0)
        close(p->out_fd);
    p->out_fd = -1;
}

/* A bounded number of reads, so that a command that prints without end does not keep the
 * loop. */
static void read_output(struct command *p)
{
    char bytes[READ_BYTES];
    for (int i = 0; i < READS_A_TURN && p->out_fd >= 0; i++) {
        ssize_t got = read(p->out_fd, bytes, sizeof bytes);
        if (got > 0)
            keep_output(p, bytes, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close_output(p);
        else
            break;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_output(arg);
}

int command_tail(const struct command *p, char *out)
{
    int64_t len = p->written < JOBQ_OUTPUT_TAIL ? p->written : JOBQ_OUTPUT_TAIL;
    for (int64_t i = 0; i < len; i++)
        out[i] = p->tail[(p->written - len + i) % JOBQ_OUTPUT_TAIL];
    return (int)len;
}

int command_percent(const struct command *p)
{
    return p->lines.percent - 1;
}

/* ---- ends ------------------------------------------------------------------------------- */

static struct command **slot_of(struct command_host *host, pid_t pid)
{
    struct command **at = &host->bucket[(unsigned)pid % BUCKETS];
    while (*at && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

static int64_t cpu_of(const struct rusage *use)
{
    return (use->ru_utime.tv_sec + use->ru_stime.tv_sec) * JOBQ_NS_PER_S +
           (use->ru_utime.tv_usec + use->ru_stime.tv_usec) * JOBQ_NS_PER_US;
}

static void finish(struct command *p, int status, const struct rusage *use)
{
    struct command **at = slot_of(p->host, p->pid);
    *at = p->next;
    p->host->running--;
    read_output(p);
    close_output(p);
    loop_timer_free(p->killer);
    p->killer = NULL;
    p->end.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    p->end.cpu_ns = cpu_of(use);
    p->end.wall_ns = loop_now_ns() - p->started_ns;
    p->ended(p->ctx);
}

/* Looks before it reaps: while the dead leader is a zombie its group's number cannot be
 * given to anybody else, and killing the group hits only what the job left behind. */
static void on_child(void *ctx)
{
    struct command_host *host = ctx;
    siginfo_t info;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        pid_t pid = info.si_pid;
        struct command *p = *slot_of(host, pid);
        int status = 0;
        struct rusage use = {0};
        if (p)
            kill(-pid, SIGKILL);
        if (wait4(pid, &status, WNOHANG, &use) != pid)
            return;
        if (p)
            finish(p, status, &use);
    }
}

void command_result(const struct command *p, struct command_end *out)
{
    *out = p->end;
}

void command_free(struct command *p)
{
    close_output(p);
    loop_timer_free(p->killer);
    free(p);
}

static void kill_now(void *ctx)
{
    struct command *p = ctx;
    kill(-p->pid, SIGKILL);
}

void command_stop(struct command *p, int64_t grace_ns)
{
    if (!p->pid)
        return;
    int64_t at_ns = loop_now_ns() + grace_ns;
    if (!p->killer) {
        kill(-p->pid, SIGTERM);
        kill(-p->pid, SIGCONT); /* a stopped job must see it */
        p->killer = loop_timer_new(p->host->loop, kill_now, p);
        p->kill_at_ns = JOBQ_FOREVER;
    }
    if (at_ns < p->kill_at_ns) {
        p->kill_at_ns = at_ns;
        loop_timer_set(p->killer, at_ns);
    }
}

int command_running(const struct command_host *host)
{
    return host->running;
}

/* ---- starts ------------------------------------------------------------------------------- */

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

struct child_env {
    char **entry;
    struct text id, attempt, queue;
};

static void env_make(struct child_env *env, const struct jobq_work *work,
                     const char *pass)
{
    size_t count = 0;
    while (environ[count])
        count++;
    *env = (struct child_env){.entry = xmalloc((count + 4) * sizeof *env->entry)};
    text_puts(&env->id, "JOBQ_JOB_ID=");
    text_put_str(&env->id, work->job_id);
    text_puts(&env->attempt, "JOBQ_ATTEMPT=");
    text_put_int(&env->attempt, work->attempt);
    text_puts(&env->queue, "JOBQ_QUEUE=");
    text_put_str(&env->queue, work->queue_name);
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        if (!env_is_kept_back(environ[i], pass))
            env->entry[at++] = environ[i];
    env->entry[at++] = env->id.ptr;
    env->entry[at++] = env->attempt.ptr;
    env->entry[at++] = env->queue.ptr;
    env->entry[at] = NULL;
}

static void env_release(struct child_env *env)
{
    free(env->entry);
    text_release(&env->id);
    text_release(&env->attempt);
    text_release(&env->queue);
}

static int open_payload(struct jobq_str payload)
{
    if (payload.len == 0)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("jobq-payload", MFD_CLOEXEC);
    struct text whole = {0};
    if (!payload.ptr) {
        text_put_str(&whole, payload);
        payload = text_str(&whole);
    }
    for (int64_t at = 0; fd >= 0 && at < payload.len;) {
        ssize_t put = write(fd, payload.ptr + at, (size_t)(payload.len - at));
        if (put <= 0) {
            close(fd);
            fd = -1;
        }
        at += put;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    text_release(&whole);
    return fd;
}

/* What the child does between vfork and exec, on the parent's memory: system calls only. */
struct launch {
    char **word, **env;
    int in, out;
    int64_t memory_bytes, cpu_ns;
    pid_t parent;
    int error; /* out: errno of what failed */
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
    /* A drainer that is killed outright takes its commands with it: their messages come
     * back to others, and nothing may run twice at once for longer than that takes. */
    prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0L, 0L, 0L);
    if (getppid() != l->parent)
        _exit(127);
    limit(RLIMIT_AS, l->memory_bytes);
    limit(RLIMIT_CPU, (l->cpu_ns + JOBQ_NS_PER_S - 1) / JOBQ_NS_PER_S);
    if (dup2(l->in, 0) < 0 || dup2(l->out, 1) < 0 || dup2(l->out, 2) < 0 ||
        close_range(3, ~0u, 0) < 0) {
        l->error = errno;
        _exit(127);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvpe(l->word[0], l->word, l->env);
    l->error = errno;
    _exit(127);
}

/* vfork: a fork would copy the page tables of everything that the drainer holds, for each
 * job. Signals stay blocked until the child has reset them, so that none of the parent's
 * handlers runs in the child. */
static __attribute__((noinline)) pid_t spawn(struct launch *l)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0)
        become(l);
    int failed = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        l->error = failed;
    return pid;
}

/* It ends with 127 as a shell would have it; the output says why. */
static void cannot_execute(struct command *p, int error)
{
    char text[200];
    int len = snprintf(text, sizeof text, "jobq: the command cannot be executed: %s\n",
                       strerror(error));
    keep_output(p, text, (size_t)len);
}

int command_start(struct command_host *host, const struct jobq_work *work, loop_fn *ended,
                  void *ctx, struct command **out, struct jobq_error *err)
{
    int in = open_payload(work->payload), pipe_fd[2] = {-1, -1};
    if (in < 0 || pipe2(pipe_fd, O_CLOEXEC) < 0) {
        if (in >= 0)
            close(in);
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no descriptor for a command: %s",
                         strerror(errno));
    }
    fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
    struct child_env env;
    env_make(&env, work, host->pass_env);
    struct launch l = {.word = host->word,
                       .env = env.entry,
                       .in = in,
                       .out = pipe_fd[1],
                       .memory_bytes = host->memory_bytes,
                       .cpu_ns = host->cpu_ns,
                       .parent = getpid()};
    pid_t pid = spawn(&l);
    env_release(&env);
    close(in);
    close(pipe_fd[1]);
    if (pid < 0) {
        close(pipe_fd[0]);
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no process to be had: %s",
                         strerror(l.error));
    }
    struct command *p = xcalloc(1, sizeof *p);
    p->host = host;
    p->ended = ended;
    p->ctx = ctx;
    p->out_fd = pipe_fd[0];
    p->started_ns = loop_now_ns();
    *out = p;
    p->pid = pid;
    struct command **at = slot_of(host, pid);
    *at = p;
    host->running++;
    p->readable =
        event_new(loop_base(host->loop), p->out_fd, EV_READ | EV_PERSIST, on_readable, p);
    event_add(p->readable, NULL);
    if (l.error)
        cannot_execute(p, l.error);
    return JOBQ_OK;
}

/* ---- the host ---------------------------------------------------------------------------- */

static bool plain_words(const char *command)
{
    for (const char *c = command; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
              (*c >= '0' && *c <= '9') || strchr(" _./:,@%+-", *c)))
            return false;
    return true;
}

static void cut_command(struct command_host *host)
{
    int count = 0;
    if (!plain_words(host->command)) {
        static char sh[] = "/bin/sh", c[] = "-c";
        host->word[0] = sh;
        host->word[1] = c;
        host->word[2] = host->command;
        return;
    }
    char *rest = NULL;
    for (char *word = strtok_r(host->command, " ", &rest); word && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        host->word[count++] = word;
}

struct command_host *command_host_new(struct loop *loop,
                                      const struct command_options *options)
{
    struct command_host *host = xcalloc(1, sizeof *host);
    host->loop = loop;
    host->command = xstrdup(options->command ? options->command : "");
    host->pass_env = options->pass_env ? xstrdup(options->pass_env) : NULL;
    host->memory_bytes = options->memory_bytes;
    host->cpu_ns = options->cpu_ns;
    cut_command(host);
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    loop_on_signal(loop, SIGCHLD, on_child, host);
    return host;
}

/* Children that left their group, by the kernel's own list. */
static void kill_children(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *file = fopen(path, "re");
    long pid;
    while (file && fscanf(file, "%ld", &pid) == 1)
        kill((pid_t)pid, SIGKILL);
    if (file)
        fclose(file);
}

void command_host_free(struct command_host *host)
{
    for (int i = 0; i < BUCKETS; i++)
        for (struct command *p = host->bucket[i], *next; p; p = next) {
            next = p->next;
            kill(-p->pid, SIGKILL);
            command_free(p);
        }
    /* A killed process may hand us its own children, so look again until none is left. */
    do
        kill_children();
    while (waitpid(-1, NULL, 0) > 0);
    free(host->command);
    free(host->pass_env);
    free(host);
}
