#include "live/page/screen.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Of xterm and all that follow it: the second screen, the cursor, the rest of a line and of the
 * screen, reverse video. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define REVERSE "\033[7m"
#define NORMAL "\033[0m"

struct screen {
    struct event *keys; /* NULL: standard input is no terminal */
    struct termios before;
    loop_fn *quit;
    void *ctx;
    struct text text, last;
    int scrolled; /* lines */
    bool closed;
};

static void screen_write(const struct text *out)
{
    for (size_t at = 0; at < out->len;) {
        ssize_t wrote = write(STDOUT_FILENO, out->ptr + at, out->len - at);
        if (wrote < 0 && errno != EINTR && errno != EAGAIN)
            return; /* the terminal has gone: a hang-up follows */
        at += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void put_line(struct text *out, struct jobq_str line, int columns)
{
    for (int64_t i = 0; i < line.len && i < columns; i++)
        text_putc(out, line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f ? line.ptr[i] : '?');
    text_puts(out, CLEAR_LINE "\r\n");
}

/* Takes the first line off *rest; its end is no part of it. */
static struct jobq_str next_line(struct jobq_str *rest)
{
    const char *end = memchr(rest->ptr, '\n', (size_t)rest->len);
    struct jobq_str line = {rest->ptr, end ? end - rest->ptr : rest->len};
    int64_t used = line.len + (end != NULL);
    *rest = (struct jobq_str){rest->ptr + used, rest->len - used};
    return line;
}

static int count_lines(struct jobq_str text)
{
    int count = 0;
    while (text.len > 0) {
        next_line(&text);
        count++;
    }
    return count;
}

static void screen_draw(struct screen *screen)
{
    struct winsize size = {0};
    struct text out = {0};
    struct jobq_str rest = text_str(&screen->text);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    int left = size.ws_row - 1;
    text_puts(&out, HOME);
    for (bool head = true; left > 0 && rest.len > 0 && head; left--) {
        struct jobq_str line = next_line(&rest);
        put_line(&out, line, size.ws_col);
        head = line.len > 0;
    }
    int most = count_lines(rest) - left;
    if (screen->scrolled > most)
        screen->scrolled = most > 0 ? most : 0;
    for (int i = 0; i < screen->scrolled; i++)
        next_line(&rest);
    for (; left > 0 && rest.len > 0; left--)
        put_line(&out, next_line(&rest), size.ws_col);
    text_puts(&out, CLEAR_BELOW REVERSE);
    /* No line end behind the last one, which would scroll everything up. */
    for (size_t i = 0; i < screen->last.len && i < size.ws_col; i++)
        text_putc(&out, screen->last.ptr[i]);
    text_puts(&out, NORMAL CLEAR_LINE);
    screen_write(&out);
    text_release(&out);
}

static void on_resize(void *ctx)
{
    struct screen *screen = ctx;
    if (!screen->closed)
        screen_draw(screen);
}

/* Arrows and page keys come as "ESC [ A" and the like, in one read. */
static void on_keys(evutil_socket_t fd, short what, void *ctx)
{
    static const struct {
        const char *keys;
        int by;
    } moves[] = {{"k", -1},        {"\033[A", -1}, {"j", 1},        {"\033[B", 1},
                 {"\033[5~", -10}, {" ", 10},      {"\033[6~", 10}, {"g", -100000}};
    struct screen *screen = ctx;
    char keys[32];
    (void)what;
    ssize_t got = read(fd, keys, sizeof keys - 1);
    if (got <= 0) {
        if (got == 0)
            event_del(screen->keys);
        return;
    }
    keys[got] = '\0';
    if (strcmp(keys, "q") == 0 || strcmp(keys, "Q") == 0) {
        screen->quit(screen->ctx);
        return;
    }
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (strcmp(keys, moves[i].keys) == 0)
            screen->scrolled += moves[i].by;
    if (screen->scrolled < 0)
        screen->scrolled = 0;
    screen_draw(screen);
}

bool screen_is_there(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

struct screen *screen_open(struct loop *loop, loop_fn *quit, void *ctx)
{
    struct screen *screen = xcalloc(1, sizeof *screen);
    screen->quit = quit;
    screen->ctx = ctx;
    if (tcgetattr(STDIN_FILENO, &screen->before) == 0) {
        struct termios now = screen->before;
        now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        now.c_cc[VSUSP] = now.c_cc[VQUIT] = _POSIX_VDISABLE;
        now.c_cc[VMIN] = 1;
        now.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &now);
        screen->keys = event_new(loop_base(loop), STDIN_FILENO, EV_READ | EV_PERSIST,
                                 on_keys, screen);
        event_add(screen->keys, NULL);
    }
    loop_on_signal(loop, SIGWINCH, on_resize, screen);
    struct text out = {0};
    text_puts(&out, ENTER);
    screen_write(&out);
    text_release(&out);
    return screen;
}

void screen_close(struct screen *screen)
{
    struct text out = {0};
    if (!screen || screen->closed)
        return;
    screen->closed = true; /* the struct stays: a resize may still be told */
    text_puts(&out, LEAVE);
    screen_write(&out);
    text_release(&out);
    if (screen->keys) {
        event_free(screen->keys);
        tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
    }
    text_release(&screen->text);
    text_release(&screen->last);
}

void screen_show(struct screen *screen, struct jobq_str text, const char *last)
{
    if (screen->closed)
        return;
    text_clear(&screen->text);
    text_put_str(&screen->text, text);
    text_clear(&screen->last);
    text_put_escaped(&screen->last, last, strlen(last));
    screen_draw(screen);
}
