#!/bin/bash
# Fails on an include that breaks a floor: who may name whom is DESIGN's table, written
# out below; programs (cmd/) may see more than their room. Also: a .c includes its own header
# first, no folder holds more than 24 files of C, and every file opens with a comment that
# says what it is.
set -u
root=${1:-.}
cd "$root" || exit 2
bad=0
complain() { echo "$1"; bad=1; }

allowed() { # room -> rooms that it may include
    case $1 in
    jobq) echo "jobq" ;;
    base) echo "jobq base" ;;
    fiber) echo "jobq base fiber" ;;
    wire) echo "jobq base wire" ;;
    net) echo "jobq base fiber net" ;;
    models) echo "jobq base models" ;;
    pricing) echo "jobq base pricing" ;;
    fleet) echo "jobq base fiber wire fleet" ;;
    scenario) echo "jobq base fleet scenario" ;;
    cost) echo "jobq base wire pricing cost scenario" ;;
    sim) echo "jobq base fiber wire fleet models pricing cost scenario sim" ;;
    mock) echo "jobq base fiber wire net models pricing cost scenario sim/mock" ;;
    live) echo "jobq base fiber wire net fleet pricing cost scenario live" ;;
    esac
}
room_of() {
    case $1 in
    include/jobq/*) echo jobq ;;
    src/*/*) r=${1#src/}; echo "${r%%/*}" ;;
    sim/mock/*) echo mock ;;
    models/* | pricing/* | sim/* | live/*) echo "${1%%/*}" ;;
    esac
}

files=$(find include src models pricing sim live -name '*.[ch]' 2>/dev/null | sort)
for file in $files; do
    room=$(room_of "$file")
    may=" $(allowed "$room") "
    case $file in */cmd/*) may="$may jobq base fiber wire net fleet models pricing cost scenario " ;; esac
    while IFS= read -r name; do
        case $name in
        sim/mock/*) target=sim/mock ;;
        */*) target=${name%%/*} ;;
        *) complain "$file: include \"$name\" does not name its room"; continue ;;
        esac
        case $may in
        *" $target "*) ;;
        *) complain "$file: a file of '$room' may not include \"$name\"" ;;
        esac
    done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file")
    case $room in
    fleet | cost | models | pricing | base | fiber | wire)
        while IFS= read -r name; do
            case $room/$name in
            */curl/* | */event2/* | */pthread.h | */sys/socket.h | */netinet/*)
                complain "$file: a file of '$room' may not include <$name>" ;;
            esac
        done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$file") ;;
    esac
    own=${file%.c}.h
    if [ "$own" != "$file" ] && [ -f "$own" ]; then
        first=$(grep -m1 '^#include' "$file" | sed 's/.*["<]\(.*\)[">].*/\1/')
        [ "$first" = "${own#src/}" ] ||
            complain "$file: its own header is not its first include"
    fi
    head -c 2 "$file" | grep -q '/\*' || [ -f "$own" ] && [ "$own" != "$file" ] ||
        head -c 2 "$file" | grep -q '/\*' ||
        complain "$file: does not open with what it answers"
done
while read -r count folder; do
    [ "$count" -le 24 ] || complain "$folder: $count files of C; a folder holds one idea"
done < <(echo "$files" | sed 's|/[^/]*$||' | uniq -c)
exit $bad
