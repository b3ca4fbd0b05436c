#!/bin/bash
# The lint must be able to fail: plants one violation of each kind in a copy of the tree
# and demands that the script finds it, and that the tree as it stands passes.
set -u
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
bad=0
plant() { # name, file, text, script...
    local name=$1 file=$2 text=$3
    shift 3
    mkdir -p "$copy/tree"
    rm -rf "${copy:?}/tree"
    mkdir -p "$copy/tree/$(dirname "$file")" "$copy/tree/"{include,src,models,pricing,sim,live}
    printf '%b' "$text" >"$copy/tree/$file"
    if "$@" >"$copy/log" 2>&1; then
        echo "not found: $name"
        bad=1
    fi
}
plant "product includes sim" src/fleet/x.c '/* x */\n#include "sim/kernel/kernel.h"\n' \
    "$here/floors.sh" "$copy/tree"
plant "models include the product" models/x.c '/* x */\n#include "fleet/job.h"\n' \
    "$here/floors.sh" "$copy/tree"
plant "live includes a model" live/x.c '/* x */\n#include "models/sqs/sqs.h"\n' \
    "$here/floors.sh" "$copy/tree"
plant "product includes curl" src/fleet/x.c '/* x */\n#include <curl/curl.h>\n' \
    "$here/floors.sh" "$copy/tree"
plant "an include without a room" src/fleet/x.c '/* x */\n#include "job.h"\n' \
    "$here/floors.sh" "$copy/tree"
plant "the product asks for memory ahead" src/fleet/x.c \
    'void f(char *p);\nvoid f(char *p) { __builtin_prefetch(p); }\n' "$here/words.sh" "$copy/tree"
plant "the product names a store" src/fleet/x.c '/* x.c - which domain? */\n' "$here/words.sh" "$copy/tree"
plant "a contract speaks of caches" include/x.h '/* x.h - fits a line of the cache. */\n' \
    "$here/words.sh" "$copy/tree"

many=$(seq -f src/fleet/x/f%g.c 25)
rm -rf "${copy:?}/tree"
mkdir -p "$copy/tree/src/fleet/x" "$copy/tree/"{include,models,pricing,sim,live}
for file in $many; do echo '/* x */' >"$copy/tree/$file"; done
"$here/floors.sh" "$copy/tree" >/dev/null 2>&1 && { echo "not found: a folder too full"; bad=1; }

compile() { # source text: builds one object of src/fleet and runs purity
    mkdir -p "$copy/build/src/fleet"
    printf '%b' "$1" >"$copy/x.c"
    ${CC:-cc} -O1 -c -o "$copy/build/src/fleet/x.o" "$copy/x.c" || exit 2
    "$here/purity.sh" "$copy/build"
}
must_find() {
    if compile "$2" >/dev/null 2>&1; then
        echo "not found: $1"
        bad=1
    fi
}
must_find "a clock call" '#include <time.h>\nlong f(void);\nlong f(void) { return time(0); }\n'
must_find "a random call" '#include <stdlib.h>\nint f(void);\nint f(void) { return rand(); }\n'
must_find "a writable global" 'int counter = 1;\n'
must_find "a writable static" 'static int n;\nint f(void);\nint f(void) { return ++n; }\n'
compile 'extern int g;\nint *const table[1] = {&g};\n' >/dev/null ||
    { echo "a const table of addresses was taken for writable"; bad=1; }
exit $bad
