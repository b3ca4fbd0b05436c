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
    for object in $(find "$build/$room" -name '*.o' -not -path '*/cmd/*' 2>/dev/null); do
        found=$(nm -u "$object" | awk '{print $2}' | sed 's/@.*//' | grep -xE "$calls")
        [ -n "$found" ] && { echo "$object: calls $(echo $found)"; bad=1; }
        found=$(nm "$object" | awk '$2 ~ /^[bBdDC]$/ {print $3}' | grep -vE '^(__|\.|DW\.ref)')
        # A const table that holds addresses is relocated and then read-only.
        real=
        for symbol in $found; do
            section=$(objdump -t "$object" | awk -v s="$symbol" '$NF == s {for (i = 1; i <= NF; i++) if ($i ~ /^\./) {print $i; exit}}')
            case $section in .data.rel.ro*) ;; *) real="$real $symbol" ;; esac
        done
        [ -n "$real" ] && { echo "$object: writable global:$real"; bad=1; }
    done
done
exit $bad
