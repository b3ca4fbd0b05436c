#!/bin/sh
# embed.sh STRUCT HEADER FILE... - C that holds the files' bytes, for installed programs
# that have no data directory: `const struct STRUCT STRUCTs[]` and `STRUCT_count`.
set -eu
struct=$1
header=$2
shift 2
printf '#include "%s"\n\n' "$header"
n=0
for file in "$@"; do
    printf 'static const unsigned char BYTES_%d[] = {\n' "$n"
    od -An -v -tu1 "$file" | sed 's/  */,/g; s/^,//; s/$/,/'
    printf '};\n'
    n=$((n + 1))
done
[ "$n" -gt 0 ] || printf 'static const unsigned char BYTES_0[] = {0};\n'
printf '\nconst struct %s %ss[] = {\n' "$struct" "$struct"
n=0
for file in "$@"; do
    printf '    {"%s", BYTES_%d, sizeof BYTES_%d},\n' "${file##*/}" "$n" "$n"
    n=$((n + 1))
done
[ "$n" -gt 0 ] || printf '    {"", BYTES_0, 0},\n'
printf '};\nconst int %s_count = %d;\n' "$struct" "$n"
