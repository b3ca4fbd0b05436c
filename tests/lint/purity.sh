#!/bin/bash
# Fails where an object of the product, the models, the prices or the money asks the
# operating system for time, chance, locale, threads or the environment, or holds a
# writable global. Reads the object files, so that no macro can hide a call.
# Argument: the build folder. Programs (cmd/) may do I/O.
set -u
build=${1:?build folder}
shift
bad=0
calls='time|clock_gettime|clock|gettimeofday|localtime|localtime_r|gmtime|strftime|rand|srand|random|srandom|rand_r|drand48|getrandom|getentropy|getenv|secure_getenv|setlocale|nl_langinfo|pthread_.*|sleep|usleep|nanosleep|errno_is_not_ours'
for room in src/fleet src/cost models pricing; do
    objects=$(find "$build/$room" -name '*.o' -not -path '*/cmd/*' 2>/dev/null)
    [ -n "$objects" ] || continue
    found=$(nm -A -u $objects | sed 's/@.*//' | grep -E ": +[Uuvw] ($calls)$")
    [ -n "$found" ] && { echo "calls of the operating system:"; echo "$found"; bad=1; }
    # A const table that holds addresses is relocated and then read-only.
    found=$(nm -A -f sysv $objects | tr -d ' ' | awk -F'|' '
        $3 ~ /^[bBdDC]$/ && $7 !~ /^\.data\.rel\.ro/ {
            at = match($1, /:[^:]*$/)
            name = substr($1, at + 1)
            if (name !~ /^(__|\.|DW\.ref)/)
                print substr($1, 1, at - 1) ": writable global: " name
        }')
    [ -n "$found" ] && { echo "$found"; bad=1; }
done
exit $bad
