/* wide.h - 128-bit integers, which gcc and clang have and ISO C does not.
 *
 * Room:     src/base, a tool.
 * Callers:  anyone. */
#ifndef JOBQ_BASE_WIDE_H
#define JOBQ_BASE_WIDE_H

__extension__ typedef unsigned __int128 wide_u128;
__extension__ typedef __int128 wide_i128;

#endif
