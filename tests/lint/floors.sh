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

allowed() { # room: sets may to the rooms that it may include
    case $1 in
    jobq) may=" jobq " ;;
    base) may=" jobq base " ;;
    fiber) may=" jobq base fiber " ;;
    wire) may=" jobq base wire " ;;
    net) may=" jobq base fiber net " ;;
    models) may=" jobq base models " ;;
    pricing) may=" jobq base pricing " ;;
    fleet) may=" jobq base fiber wire fleet " ;;
    scenario) may=" jobq base fleet scenario " ;;
    cost) may=" jobq base wire pricing cost scenario " ;;
    sim) may=" jobq base fiber wire fleet models pricing cost scenario sim " ;;
    mock) may=" jobq base fiber wire net models pricing cost scenario sim/mock " ;;
    live) may=" jobq base fiber wire net fleet pricing cost scenario live " ;;
    *) may=" " ;;
    esac
}
room_of() { # file: sets room
    case $1 in
    include/jobq/*) room=jobq ;;
    src/*/*) room=${1#src/} room=${room%%/*} ;;
    sim/mock/*) room=mock ;;
    models/* | pricing/* | sim/* | live/*) room=${1%%/*} ;;
    *) room= ;;
    esac
}

files=$(find include src models pricing sim live -name '*.[ch]' 2>/dev/null | sort)
declare -A first # the first include of each file, as it is written between its marks
quoted='#[[:space:]]*include[[:space:]]*"([^"]*)"' angled='#[[:space:]]*include[[:space:]]*<([^>]*)>'
while IFS= read -r line; do
    file=${line%%:*}
    room_of "$file"
    allowed "$room"
    case $file in */cmd/*) may="$may jobq base fiber wire net fleet models pricing cost scenario " ;; esac
    if [[ $line =~ $quoted ]]; then
        name=${BASH_REMATCH[1]}
        case $name in
        sim/mock/*) target=sim/mock ;;
        */*) target=${name%%/*} ;;
        *) complain "$file: include \"$name\" does not name its room"; target= ;;
        esac
        case $may in
        *" $target "*) ;;
        *) [ -z "$target" ] || complain "$file: a file of '$room' may not include \"$name\"" ;;
        esac
    elif [[ $line =~ $angled ]]; then
        name=${BASH_REMATCH[1]}
        case $room/$name in
        fleet/* | cost/* | models/* | pricing/* | base/* | fiber/* | wire/*)
            case $room/$name in
            */curl/* | */event2/* | */pthread.h | */sys/socket.h | */netinet/*)
                complain "$file: a file of '$room' may not include <$name>" ;;
            esac ;;
        esac
    else
        continue
    fi
    [ -n "${first[$file]-}" ] || first[$file]=$name
done < <(grep -HE '^[[:space:]]*#[[:space:]]*include' $files /dev/null)
for file in $files; do
    own=${file%.c}.h
    if [ "$own" != "$file" ] && [ -f "$own" ]; then
        [ "${first[$file]-}" = "${own#src/}" ] ||
            complain "$file: its own header is not its first include"
        continue
    fi
    IFS= read -r -n 2 start <"$file"
    [ "$start" = '/*' ] || complain "$file: does not open with what it answers"
done
while read -r count folder; do
    [ "$count" -le 24 ] || complain "$folder: $count files of C; a folder holds one idea"
done < <(echo "$files" | sed 's|/[^/]*$||' | uniq -c)
exit $bad
