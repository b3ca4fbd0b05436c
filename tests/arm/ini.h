/* ini.h - stands in for inih's, for VARIANT=arm alone; see cmocka.h beside it. */
#ifndef JOBQ_ARM_INI_H
#define JOBQ_ARM_INI_H

typedef int (*ini_handler)(void *user, const char *section, const char *name,
                           const char *value);
typedef char *(*ini_reader)(char *str, int num, void *stream);

/* Returns 0, or the number of the first bad line. */
int ini_parse_stream(ini_reader reader, void *stream, ini_handler handler, void *user);

#endif
