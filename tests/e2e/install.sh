#!/bin/bash
# install.sh - what `make install` puts down is whole: C and C++ programs build against it by
# pkg-config, shared and static, Python imports it, every option of every program is in its
# manual, completions and unit are well-formed.
#
# usage: install.sh   (from make, which passes MAKE and CC)
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

"${MAKE:-make}" --no-print-directory -s install DESTDIR="$dir/root" PREFIX=/usr > "$dir/log" 2>&1 ||
    { cat "$dir/log"; fail "make install"; }
usr=$dir/root/usr
for file in bin/jobq bin/jobqsim bin/jobqcost bin/jobqmock lib/libjobq.a lib/libjobq.so \
    lib/pkgconfig/jobq.pc include/jobq/jobq.h include/jobq/error.h \
    lib/python3/dist-packages/jobq.py lib/systemd/system/jobq-drain@.service \
    share/bash-completion/completions/jobq share/zsh/site-functions/_jobq \
    share/fish/vendor_completions.d/jobq.fish; do
    [ -s "$usr/$file" ] || fail "$file is missing or empty"
done

# ---- the library
export PKG_CONFIG_SYSROOT_DIR=$dir/root PKG_CONFIG_PATH=$usr/lib/pkgconfig
version=$(pkg-config --modversion jobq)
readelf -d "$usr/lib/libjobq.so" | grep -q 'SONAME.*libjobq\.so\.[0-9]*\]' || fail "no versioned soname"
nm -D --defined-only "$usr/lib/libjobq.so" | awk '$3 !~ /^jobq_/ && $2 != "A" {print $3; bad = 1} END {exit bad}' ||
    fail "libjobq.so exports the above"
nm -g --defined-only "$usr/lib/libjobq.a" | awk 'NF == 3 && $3 !~ /^jobq_/ {print $3; bad = 1} END {exit bad}' ||
    fail "libjobq.a exports the above"
cat > "$dir/app.c" <<'C'
#include <jobq/jobq.h>
#include <stdio.h>
int main(void)
{
    struct jobq_error err;
    struct jobq_enqueuer *q = jobq_enqueuer_new("no such queue!", 30, &err);
    printf("%s %s\n", jobq_version(), q ? "opened" : jobq_code_name((enum jobq_code)err.code));
    return q != NULL;
}
C
cp "$dir/app.c" "$dir/app.cc"
flags=$(pkg-config --cflags --libs jobq)
# The words of the flags are words.
# shellcheck disable=SC2086
{
    ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -o "$dir/app" "$dir/app.c" $flags
    c++ -std=c++11 -Wall -Wextra -Werror -o "$dir/app++" "$dir/app.cc" $flags
    ${CC:-cc} -std=c11 -o "$dir/app.static" "$dir/app.c" -I"$usr/include" "$usr/lib/libjobq.a" \
        $(pkg-config --libs-only-l --static jobq | sed 's/-ljobq//')
}
for header in "$usr"/include/jobq/*.h; do
    ${CC:-cc} -std=c11 -fsyntax-only -Wall -Werror -I"$usr/include" -x c "$header"
    c++ -std=c++11 -fsyntax-only -Wall -Werror -I"$usr/include" -x c++ "$header"
done
for app in app app++ app.static; do
    said=$(LD_LIBRARY_PATH=$usr/lib "$dir/$app")
    [ "$said" = "$version invalid" ] || fail "$app says '$said', want '$version invalid'"
done
LD_LIBRARY_PATH=$usr/lib PYTHONPATH=$usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -c '
import jobq
try:
    jobq.Enqueuer("no such queue!")
    raise SystemExit("accepted a bad name")
except jobq.Invalid:
    pass'

# ---- completions and unit
for program in jobq jobqsim jobqcost jobqmock; do
    bash -n "$usr/share/bash-completion/completions/$program"
done
grep -q '^ExecStart=/usr/bin/jobq ' "$usr/lib/systemd/system/jobq-drain@.service" || fail "the unit starts another program"

# ---- manuals
if ! command -v scdoc > /dev/null; then
    echo "SKIP manuals: no scdoc"
    exit 0
fi
man=$usr/share/man
for page in man1/jobq.1 man8/jobq-drain.8 man5/jobq.conf.5 man3/libjobq.3 man1/jobqsim.1 man1/jobqcost.1 man1/jobqmock.1; do
    [ -s "$man/$page" ] || fail "no manual $page"
done
# scdoc puts a paragraph mark where mandoc wants none; all else is a finding.
if command -v mandoc > /dev/null; then
    mandoc -T lint -W warning "$man"/man*/* | grep -v 'skipping paragraph macro' > "$dir/lint" || true
    [ ! -s "$dir/lint" ] || { cat "$dir/lint"; fail "mandoc finds fault"; }
else
    echo "SKIP manuals: no mandoc to lint them"
fi
options() { grep -oE -- '(^|[^a-zA-Z0-9-])--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z0-9-]*' | sort -u; }
# in_page PAGE PROGRAM [SUB]: every option that --help tells is in the page.
in_page() {
    local page=$1
    shift
    sed 's/\\f.//g; s/\\//g' "$man/$page" | options > "$dir/page"
    "$usr/bin/$1" ${2:+"$2"} --help | options > "$dir/help"
    comm -23 "$dir/help" "$dir/page" > "$dir/lost"
    [ ! -s "$dir/lost" ] || { cat "$dir/lost"; fail "$page does not tell the above of $*"; }
}
words() { "$usr/bin/$1" --help | sed -n 's/^  \([a-z][a-z-]*\)   *[^ ].*/\1/p' | grep -vE "^(help|version|$1)\$"; }
# completed PROGRAM [SUB]: every option that --help tells is completed in each shell.
completed() {
    local share=$usr/share fish=complete line='_arguments\|^    \*) '
    [ -z "${2:-}" ] || fish="from $2'" line="^    $2) "
    for file in "$share/bash-completion/completions/$1" "$share/zsh/site-functions/_$1" \
        "$share/fish/vendor_completions.d/$1.fish"; do
        case $file in
        *.fish) grep -e "$fish" "$file" | sed -n 's/.* -l \([a-z0-9-]*\) .*/--\1/p' ;;
        *) grep -e "$line" "$file" | options ;;
        esac | sort -u > "$dir/done"
        "$usr/bin/$1" ${2:+"$2"} --help | sed -n 's/^  \(-., \|    \)\(--[a-z0-9-]*\).*/\2/p' | sort -u > "$dir/help"
        comm -23 "$dir/help" "$dir/done" > "$dir/lost"
        [ ! -s "$dir/lost" ] && [ -s "$dir/help" ] || { cat "$dir/lost"; fail "$file does not complete the above of $*"; }
    done
}
count=0
completed jobqmock
for program in jobq jobqsim jobqcost; do
    for sub in $(words $program); do
        [ "$sub" != completion ] || [ $program = jobq ] || continue
        completed $program "$sub"
        in_page man1/$program.1 $program "$sub"
        count=$((count + 1))
    done
done
in_page man8/jobq-drain.8 jobq drain
in_page man1/jobqmock.1 jobqmock
[ $count -ge 26 ] || fail "only $count subcommands were looked at"
for name in $(nm -D --defined-only "$usr/lib/libjobq.so" | awk '$3 ~ /^jobq_/ {sub(/@.*/, "", $3); print $3}'); do
    sed 's/\\f.//g; s/\\//g' "$man/man3/libjobq.3" | grep -q "$name" || fail "libjobq.3 does not tell $name"
done
echo "ok: installed whole; $count subcommands agree with their manuals"
