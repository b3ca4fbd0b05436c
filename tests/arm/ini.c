/* Sections, keys and comments as inih reads them in files that jobq ships: no multi-line
 * values, no inline comments but behind white space and a semicolon. */
#include "ini.h"

#include <ctype.h>
#include <string.h>

enum { LINE_MAX_BYTES = 200, SECTION_MAX = 50 };

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

static void cut_comment(char *text)
{
    for (char *p = text; *p; p++)
        if (*p == ';' && (p == text || isspace((unsigned char)p[-1]))) {
            *p = '\0';
            return;
        }
}

int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user)
{
    char line[LINE_MAX_BYTES], section[SECTION_MAX] = "";
    int error = 0;
    for (int number = 1; reader(line, sizeof line, stream); number++) {
        char *text = trim(line), *end;
        if (!*text || *text == ';' || *text == '#')
            continue;
        if (*text == '[' && (end = strchr(text, ']'))) {
            *end = '\0';
            strncpy(section, text + 1, sizeof section - 1);
            section[sizeof section - 1] = '\0';
            continue;
        }
        char *equals = text + strcspn(text, "=:");
        if (!*equals) {
            error = error ? error : number;
            continue;
        }
        *equals = '\0';
        cut_comment(equals + 1);
        if (!handler(user, section, trim(text), trim(equals + 1)) && !error)
            error = number;
    }
    return error;
}
