# help.awk - a program's --help as a section of a manual, in scdoc.
#
# Room:     live/man. Callers: expand.sh.
#
# Options with their descriptions become a list, indented lines stay as they are, all else
# is text. So no manual can disagree with its program about which options there are.
function escaped(s) {
    gsub(/\\/, "\\\\", s); gsub(/[_*`]/, "\\\\&", s)
    if (s ~ /^[-#.|\[\]~<>]/) s = "\\" s
    return s
}
function literal(on) {
    if (on != in_literal) { if (on && was_text) print ""; print "```"; if (!on) print "" }
    in_literal = on
}
BEGIN { was_text = 0 }
NR == 1 && skip_first { next }
/^$/ { literal(0); in_option = 0; print ""; was_text = 0; next }
{
    match($0, /^ */); indent = RLENGTH; body = substr($0, indent + 1)
    is_option = body ~ /^(-[A-Za-z], )?--?[a-zA-Z]/
    if (in_literal && (indent >= 2 || is_option)) { print; next }
    literal(0)
    if (in_option && indent >= 10 && !(is_option && body ~ /   /)) {
        print "\t" (body ~ /^default / ? "(" escaped(body) ")" : escaped(body))
        next
    }
    if (is_option) {
        gap = match(body, /   */)
        print ""
        if (gap) {
            print "*" escaped_option(substr(body, 1, gap - 1)) "*"
            sub(/^ */, "", body); print "\t" escaped(substr(body, RSTART + RLENGTH))
        } else print "*" escaped_option(body) "*"
        in_option = 1; was_text = 0; next
    }
    if (in_option) print ""
    in_option = 0
    if (body ~ /^[Uu]sage: /) { print "*Usage:* " escaped(substr(body, 8)); print ""; next }
    if (indent >= 2 || body ~ /^[a-z]+    *[^ ]/) { literal(1); print; next }
    if (body ~ /^[A-Z][A-Za-z ]*:$/) { print "*" body "*"; print ""; was_text = 0; next }
    print escaped(body); was_text = 1
}
function escaped_option(s) { s = escaped(s); sub(/^\\-/, "-", s); return s }
END { literal(0) }
