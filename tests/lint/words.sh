#!/bin/bash
# Fails where the product speaks of the processor: what is done for speed with caches, stack
# frames, inlining or requests for memory ahead belongs in one file of a tool or a model
# (src/fiber, sim/kernel, models), behind a plain interface. Argument: the tree.
set -u
tree=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
words='noinline|always_inline|__builtin_prefetch|__builtin_expect|_Alignas|aligned\(|\(\((hot|cold)|[( ](hot|cold),'
words="$words|caches?\\b|cache line|stack frames?|frames of|cold memory|processor|simd|branch predict|out of line"
found=$(grep -rnEi "$words" "$tree/include" "$tree/src/fleet" --include='*.[ch]')
[ -z "$found" ] && exit 0
echo "$found" | sed "s|^$tree/||"
echo "the product does not speak of the processor (tests/lint/words.sh)"
exit 1
