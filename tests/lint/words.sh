#!/bin/bash
# Fails where the product names a store, or speaks of the processor: what is done for speed with caches, stack
# frames, inlining or requests for memory ahead belongs in one file of a tool or a model
# (src/fiber, sim/kernel, models), behind a plain interface. Argument: the tree.
set -u
tree=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
words='noinline|always_inline|__builtin_prefetch|__builtin_expect|_Alignas|aligned\(|\(\((hot|cold)|[( ](hot|cold),'
words="$words|caches?\\b|cache line|stack frames?|frames of|cold memory|processor|simd|branch predict|out of line"
found=$(grep -rnEi "$words" "$tree/include" "$tree/src/fleet" --include='*.[ch]')
bad=0
say() { # what was found, what the rule is
    [ -z "$1" ] && return
    echo "$1" | sed "s|^$tree/||"
    echo "$2 (tests/lint/words.sh)"
    bad=1
}
say "$found" "the product does not speak of the processor"
# Nor which store keeps the rows: tables and pages are all that it knows of one.
say "$(grep -rniE 'domain|select|simpledb|dynamo' "$tree/src/fleet" --include='*.[ch]')" \
    "the product names no store"
exit $bad
