#!/bin/bash
# Runs checks one after the other and sums up. Arguments: programs (with a /) or make
# targets. A check passes by exit 0; exit 77 means it was skipped, and its last line says
# why. The whole output of a failed check is shown.
set -u
passed=0 failed=0 skipped=0 losers=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for check in "$@"; do
    start=$(date +%s)
    case $check in
    */*) "$check" >"$log" 2>&1 </dev/null ;;
    *) ${MAKE:-make} --no-print-directory -s "$check" >"$log" 2>&1 </dev/null ;;
    esac
    code=$?
    took=$(($(date +%s) - start))
    # make reports a recipe's 77 as its own 2 and names it.
    if [ $code = 2 ] && grep -q 'Error 77$' "$log"; then code=77; fi
    case $code in
    0) passed=$((passed + 1)); printf 'ok    %4ds  %s\n' $took "${check##*/}"
       grep -a '^SKIP' "$log" | sed 's/^/               /' ;;
    77) skipped=$((skipped + 1))
        printf 'SKIP  %4ds  %s: %s\n' $took "${check##*/}" \
            "$(grep -av 'Error 77' "$log" | tail -1)" ;;
    *) failed=$((failed + 1)); losers="$losers ${check##*/}"
       printf 'FAIL  %4ds  %s (exit %d)\n' $took "${check##*/}" $code
       tail -100 "$log" | sed 's/^/    | /' ;;
    esac
done
[ -n "$losers" ] && echo "failed:$losers"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
