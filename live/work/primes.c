#include "live/work/primes.h"

#include "base/arena.h"
#include "jobq/units.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, SEGMENT = 1 << 17 };

struct primes_pool {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct primes_task *todo, **todo_last, *finished;
    pthread_t thread[THREADS_MAX];
    int threads, threads_max, idle;
    bool end;
    int wake_fd;
    struct event *woken;
};

/* Odd numbers only: composite[i] stands for low + 2 i + 1. */
static int64_t count_segment(unsigned char *composite, int64_t low, int64_t high,
                             const int32_t *prime, int64_t *next, int prime_count)
{
    memset(composite, 0, SEGMENT / 2);
    for (int i = 0; i < prime_count; i++) {
        int64_t p = prime[i], at = next[i];
        for (; at < high; at += 2 * p)
            composite[(at - low) / 2] = 1;
        next[i] = at;
    }
    int64_t count = 0;
    for (int64_t n = low + 1; n < high; n += 2)
        count += !composite[(n - low) / 2];
    return count;
}

static int small_primes(int64_t root, int32_t **out)
{
    unsigned char *composite = xcalloc((size_t)root + 1, 1);
    int32_t *prime = xmalloc(((size_t)root / 2 + 2) * sizeof *prime);
    int count = 0;
    for (int64_t n = 3; n <= root; n += 2) {
        if (composite[n])
            continue;
        prime[count++] = (int32_t)n;
        for (int64_t m = n * n; m <= root; m += 2 * n)
            composite[m] = 1;
    }
    free(composite);
    *out = prime;
    return count;
}

int64_t primes_count(int64_t below, const atomic_bool *cancel, atomic_int *percent)
{
    if (below <= 2)
        return 0;
    int64_t root = 1;
    while (root * root < below && root < INT32_MAX)
        root += root < 4096 ? 1 : 256;
    int32_t *prime;
    int prime_count = small_primes(root, &prime);
    int64_t *next = xmalloc(((size_t)prime_count + 1) * sizeof *next);
    unsigned char *composite = xmalloc(SEGMENT / 2);
    for (int i = 0; i < prime_count; i++)
        next[i] = (int64_t)prime[i] * prime[i];
    int64_t count = 1; /* of 2; the segment's 1 is taken off below */
    for (int64_t low = 0; low < below; low += SEGMENT) {
        if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) {
            count = -1;
            break;
        }
        int64_t high = low + SEGMENT < below ? low + SEGMENT : below;
        count += count_segment(composite, low, high, prime, next, prime_count);
        count -= low == 0;
        if (percent)
            atomic_store_explicit(percent, (int)(high / (below / 100 + 1)),
                                  memory_order_relaxed);
    }
    free(composite);
    free(next);
    free(prime);
    return count;
}

static int64_t thread_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * JOBQ_NS_PER_S + t.tv_nsec;
}

static void run(struct primes_task *task)
{
    int64_t from_ns = thread_cpu_ns();
    if (task->burn_ns > 0)
        while (!atomic_load(&task->cancel) && thread_cpu_ns() - from_ns < task->burn_ns)
            continue;
    else
        task->count = primes_count(task->below, &task->cancel, &task->percent);
    task->cpu_ns = thread_cpu_ns() - from_ns;
}

static void *worker(void *arg)
{
    struct primes_pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->todo && !pool->end) {
            pool->idle++;
            pthread_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
        }
        if (!pool->todo)
            break;
        struct primes_task *task = pool->todo;
        pool->todo = task->next;
        if (!pool->todo)
            pool->todo_last = &pool->todo;
        pthread_mutex_unlock(&pool->lock);
        run(task);
        pthread_mutex_lock(&pool->lock);
        task->next = pool->finished;
        pool->finished = task;
        eventfd_write(pool->wake_fd, 1);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct primes_pool *pool = arg;
    eventfd_t ignored;
    (void)what;
    eventfd_read(fd, &ignored);
    pthread_mutex_lock(&pool->lock);
    struct primes_task *task = pool->finished;
    pool->finished = NULL;
    pthread_mutex_unlock(&pool->lock);
    while (task) {
        struct primes_task *next = task->next;
        task->done(task);
        task = next;
    }
}

struct primes_pool *primes_pool_new(struct loop *loop)
{
    struct primes_pool *pool = xcalloc(1, sizeof *pool);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pool->loop = loop;
    pool->threads_max = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (int)cores;
    pool->todo_last = &pool->todo;
    pool->wake_fd = -1;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    return pool;
}

void primes_pool_free(struct primes_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->end = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->threads; i++)
        pthread_join(pool->thread[i], NULL);
    if (pool->woken)
        event_free(pool->woken);
    if (pool->wake_fd >= 0)
        close(pool->wake_fd);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static int open_wake(struct primes_pool *pool, struct jobq_error *err)
{
    if (pool->wake_fd >= 0)
        return JOBQ_OK;
    pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->wake_fd < 0)
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no descriptor for the primes' threads");
    pool->woken = event_new(loop_base(pool->loop), pool->wake_fd, EV_READ | EV_PERSIST,
                            on_wake, pool);
    event_add(pool->woken, NULL);
    return JOBQ_OK;
}

/* Signals are the loop's: the threads block them all. */
static int add_thread(struct primes_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&pool->thread[pool->threads], NULL, worker, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool->threads += rc == 0;
    return rc;
}

int primes_start(struct primes_pool *pool, struct primes_task *task,
                 struct jobq_error *err)
{
    int rc = open_wake(pool, err);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&pool->lock);
    if (!pool->idle && pool->threads < pool->threads_max)
        add_thread(pool);
    if (!pool->threads) {
        pthread_mutex_unlock(&pool->lock);
        return jobq_fail(err, JOBQ_UNAVAILABLE, "no thread to count primes on");
    }
    task->next = NULL;
    *pool->todo_last = task;
    pool->todo_last = &task->next;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    return JOBQ_OK;
}
