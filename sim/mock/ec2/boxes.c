#include "sim/mock/ec2/boxes.h"

#include "models/ec2/ec2.h"
#include "sim/mock/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_NS (10 * JOBQ_NS_PER_S)

/* One box that is up, or was: a group of processes, whose first one stands for the box. When
 * it ends, so does the box, and the others are asked to, as on a machine that shuts down. */
struct box_process {
    struct mock_region *region;
    int32_t instance;
    pid_t pid;           /* of the first, and the group's; 0: not started, or all over */
    int64_t start_at_ns; /* of the models; JOBQ_FOREVER: started */
    int64_t kill_at_ns;  /* of the loop; JOBQ_FOREVER: not asked to end */
    bool again;          /* a reboot: it starts again once all have ended */
};

struct mock_boxes {
    struct mock *mock;
    struct box_process *at;
    int count, cap;
    struct loop_timer *killer;
};

/* ---- starting ---------------------------------------------------------------------- */

/* A file that holds the user data, at its start; -1: none to be had. */
static int open_user_data(struct jobq_str data)
{
    int fd = memfd_create("user-data", MFD_CLOEXEC);
    int64_t put = 0;
    while (fd >= 0 && put < data.len) {
        ssize_t wrote = write(fd, data.ptr + put, (size_t)(data.len - put));
        if (wrote <= 0)
            break;
        put += wrote;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static void set_environment(const struct mock *mock, const struct mock_region *region,
                            const char *id)
{
    char metadata[300];
    snprintf(metadata, sizeof metadata, "%s/_jobq/box/%s", mock->url, id);
    setenv("AWS_ENDPOINT_URL", mock->url, 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata, 1);
    setenv("AWS_REGION", region->name, 1);
    setenv("AWS_DEFAULT_REGION", region->name, 1);
    setenv("JOBQ_INSTANCE_ID", id, 1);
}

static void start_box(struct mock *mock, struct box_process *box)
{
    const struct ec2_instance *instance =
        ec2_instance_at(box->region->ec2, box->instance);
    box->start_at_ns = JOBQ_FOREVER;
    if (instance->state != EC2_RUNNING)
        return;
    int data = open_user_data(instance->user_data);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        setpgid(0, 0);
        if (data >= 0)
            dup2(data, STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        set_environment(mock, box->region, instance->id);
        execl("/bin/sh", "sh", "-c", mock->options->boxes, (char *)NULL);
        _exit(127);
    }
    if (data >= 0)
        close(data);
    if (pid < 0) {
        fprintf(stderr, "jobqmock: cannot start a process for '%s'\n", instance->id);
        ec2_guest_shutdown(box->region->ec2, mock_now_ns(mock), mock_u(mock),
                           box->instance);
        return;
    }
    setpgid(pid, pid); /* parent or child, the first does it */
    box->pid = pid;
}

/* ---- ending ------------------------------------------------------------------------- */

static void set_killer(struct mock_boxes *boxes)
{
    int64_t next_ns = JOBQ_FOREVER;
    for (int i = 0; i < boxes->count; i++)
        if (boxes->at[i].pid > 0 && boxes->at[i].kill_at_ns < next_ns)
            next_ns = boxes->at[i].kill_at_ns;
    loop_timer_set(boxes->killer, next_ns);
}

static void kill_due(void *ctx)
{
    struct mock_boxes *boxes = ctx;
    int64_t now_ns = loop_now_ns();
    for (int i = 0; i < boxes->count; i++) {
        struct box_process *box = &boxes->at[i];
        if (box->pid <= 0 || box->kill_at_ns > now_ns)
            continue;
        kill(-box->pid, SIGKILL);
        box->kill_at_ns = now_ns + GRACE_NS;
    }
    set_killer(boxes);
}

static void end_box(struct mock_boxes *boxes, struct box_process *box)
{
    box->start_at_ns = JOBQ_FOREVER;
    if (box->pid <= 0 || box->kill_at_ns != JOBQ_FOREVER)
        return; /* a second TERM would mean "at once" */
    kill(-box->pid, SIGTERM);
    box->kill_at_ns = loop_now_ns() + GRACE_NS;
    set_killer(boxes);
}

/* Takes what ended of the group. *first: its first process did. False: nobody is left; a
 * group's number is not given again before that. */
static bool wait_group(pid_t group, bool *first)
{
    pid_t pid;
    while ((pid = waitpid(-group, NULL, WNOHANG)) > 0)
        *first = *first || pid == group;
    return pid == 0;
}

static void reap(void *ctx)
{
    struct mock_boxes *boxes = ctx;
    struct mock *mock = boxes->mock;
    for (int i = 0; i < boxes->count; i++) {
        struct box_process *box = &boxes->at[i];
        bool first = false;
        if (box->pid <= 0)
            continue;
        bool asked = box->kill_at_ns != JOBQ_FOREVER; /* it does not end by itself */
        bool left = wait_group(box->pid, &first);
        if (first && left && box->kill_at_ns == JOBQ_FOREVER)
            end_box(boxes, box);
        if (!left)
            box->pid = 0;
        if (box->again && box->region) {
            if (!left) {
                box->again = false;
                box->kill_at_ns = JOBQ_FOREVER;
                start_box(mock, box);
            }
            continue;
        }
        if (!first || !box->region || asked)
            continue;
        ec2_guest_shutdown(box->region->ec2, mock_now_ns(mock), mock_u(mock),
                           box->instance);
        boxes_follow(mock, box->region);
    }
}

/* ---- following ---------------------------------------------------------------------- */

struct mock_boxes *boxes_new(struct mock *mock)
{
    struct mock_boxes *boxes = xcalloc(1, sizeof *boxes);
    boxes->mock = mock;
    /* Those whose parent is gone become ours, so that a group can be waited for. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    boxes->killer = loop_timer_new(mock->loop, kill_due, boxes);
    loop_on_signal(mock->loop, SIGCHLD, reap, boxes);
    return boxes;
}

static bool any_alive(struct mock_boxes *boxes)
{
    bool any = false;
    for (int i = 0; i < boxes->count; i++) {
        struct box_process *box = &boxes->at[i];
        bool first = false;
        if (box->pid > 0 && wait_group(box->pid, &first))
            any = true;
        else
            box->pid = 0;
    }
    return any;
}

void boxes_free(struct mock_boxes *boxes)
{
    if (!boxes)
        return;
    const struct timespec pause = {.tv_nsec = 20 * JOBQ_NS_PER_MS};
    for (int i = 0; i < boxes->count; i++)
        if (boxes->at[i].pid > 0)
            kill(-boxes->at[i].pid, SIGTERM);
    for (int i = 0; i < 100 && any_alive(boxes); i++)
        nanosleep(&pause, NULL);
    for (int i = 0; i < boxes->count; i++)
        if (boxes->at[i].pid > 0)
            kill(-boxes->at[i].pid, SIGKILL);
    loop_timer_free(boxes->killer);
    free(boxes->at);
    free(boxes);
}

static struct box_process *boxes_find_box(struct mock_boxes *boxes,
                                          const struct mock_region *region,
                                          int32_t instance)
{
    for (int i = 0; i < boxes->count; i++)
        if (boxes->at[i].region == region && boxes->at[i].instance == instance &&
            (boxes->at[i].pid > 0 || boxes->at[i].start_at_ns != JOBQ_FOREVER) &&
            boxes->at[i].kill_at_ns == JOBQ_FOREVER)
            return &boxes->at[i];
    return NULL;
}

void boxes_reboot(struct mock *mock, const struct mock_region *region, int32_t instance)
{
    struct box_process *box =
        mock->boxes ? boxes_find_box(mock->boxes, region, instance) : NULL;
    if (!box || box->pid <= 0 || box->kill_at_ns != JOBQ_FOREVER)
        return;
    box->again = true;
    end_box(mock->boxes, box);
}

static void came_up(struct mock_boxes *boxes, struct mock_region *region,
                    int32_t instance)
{
    int i = 0;
    while (i < boxes->count &&
           (boxes->at[i].pid > 0 || boxes->at[i].start_at_ns != JOBQ_FOREVER))
        i++;
    if (i == boxes->cap) {
        boxes->cap = boxes->cap ? 2 * boxes->cap : 16;
        boxes->at = xrealloc(boxes->at, (size_t)boxes->cap * sizeof *boxes->at);
    }
    if (i == boxes->count)
        boxes->count++;
    boxes->at[i] =
        (struct box_process){.region = region,
                             .instance = instance,
                             .start_at_ns = ec2_ready_at(region->ec2, instance),
                             .kill_at_ns = JOBQ_FOREVER};
}

void boxes_follow(struct mock *mock, struct mock_region *region)
{
    struct mock_boxes *boxes = mock->boxes;
    struct ec2_change change[16];
    int64_t now_ns = mock_now_ns(mock);
    int count;
    do {
        count = ec2_advance(region->ec2, now_ns, change, 16);
        for (int i = 0; i < count; i++)
            state_box(mock->state, region, change[i].instance);
        for (int i = 0; boxes && i < count; i++) {
            if (change[i].kind == EC2_CAME_UP) {
                came_up(boxes, region, change[i].instance);
                continue;
            }
            struct box_process *box = boxes_find_box(boxes, region, change[i].instance);
            if (box && change[i].kind == EC2_WENT_DOWN)
                end_box(boxes, box);
        }
    } while (count == 16);
    for (int i = 0; boxes && i < boxes->count; i++)
        if (boxes->at[i].region == region && boxes->at[i].start_at_ns <= now_ns)
            start_box(mock, &boxes->at[i]);
}

int64_t boxes_next_at(const struct mock *mock, const struct mock_region *region)
{
    int64_t next_ns = ec2_next_at(region->ec2);
    const struct mock_boxes *boxes = mock->boxes;
    for (int i = 0; boxes && i < boxes->count; i++)
        if (boxes->at[i].region == region && boxes->at[i].start_at_ns < next_ns)
            next_ns = boxes->at[i].start_at_ns;
    return next_ns;
}

void boxes_drop(struct mock *mock, const struct mock_region *region)
{
    struct mock_boxes *boxes = mock->boxes;
    for (int i = 0; boxes && i < boxes->count; i++) {
        struct box_process *box = &boxes->at[i];
        if (box->region != region)
            continue;
        if (box->pid > 0)
            kill(-box->pid, SIGKILL);
        box->region = NULL;
        box->start_at_ns = JOBQ_FOREVER;
    }
}
