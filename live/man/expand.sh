#!/bin/bash
# Writes a manual's scdoc text: the page's own words, and for each line @HELP PROGRAM [SUB]@
# what that program says by --help.
#
# usage: expand.sh BIN_DIR PAGE.scd
set -eu
here=$(dirname "$0")
while IFS= read -r line; do
    if [[ $line =~ ^@HELP\ ([a-z]+)\ ?([a-z-]*)@$ ]]; then
        help=$("$1/${BASH_REMATCH[1]}" ${BASH_REMATCH[2]:+"${BASH_REMATCH[2]}"} --help)
        LC_ALL=C awk -f "$here/help.awk" <<<"$help"
    else
        printf '%s\n' "$line"
    fi
done <"$2" | cat -s
