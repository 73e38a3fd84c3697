#!/usr/bin/env python3
"""Writes unicode_data.cpp: the character properties and case mappings that Python's str methods use, read off Python
itself character by character, so that templates render as they do under jinja2. Run it with the Python whose Unicode
version is wanted: python3 make_unicode_data.py > unicode_data.cpp
"""
import sys
import unicodedata

LAST = 0x110000


def chars():
    for cp in range(LAST):
        if not 0xD800 <= cp <= 0xDFFF:
            yield cp, chr(cp)


def ranges(predicate):
    out = []
    for cp, c in chars():
        if predicate(c):
            if out and out[-1][1] == cp - 1:
                out[-1][1] = cp
            else:
                out.append([cp, cp])
    return out


def cased(c):
    return ("A\u03a3" + c).lower()[1] == "\u03c3"


def ignorable(c):
    return not cased(c) and ("A\u03a3" + c + "A").lower()[1] == "\u03c3"


def runs(mapping):
    """Characters mapped to one other character: (first, last, stride, delta); the rest go to a table of strings."""
    simple, special = [], []
    for cp, c in chars():
        m = mapping(c)
        if m == c:
            continue
        if len(m) > 1:
            special.append((cp, m))
            continue
        delta = ord(m) - cp
        if simple and simple[-1][3] == delta:
            first, last, stride, _ = simple[-1]
            gap = cp - last
            if (stride == 0 and gap in (1, 2)) or stride == gap:
                simple[-1] = [first, cp, gap, delta]
                continue
        simple.append([cp, cp, 0, delta])
    return [[f, l, s or 1, d] for f, l, s, d in simple], special


def emit_ranges(name, predicate):
    rows = ["{0x%X, 0x%X}" % tuple(r) for r in ranges(predicate)]
    emit("const Range k_%s[]" % name, rows)
    print("const std::size_t k_%s_count = %d;\n" % (name, len(rows)))


def emit_case(name, mapping):
    simple, special = runs(mapping)
    emit("const CaseRun k_%s[]" % name, ["{0x%X, 0x%X, %d, %d}" % tuple(r) for r in simple])
    print("const std::size_t k_%s_count = %d;" % (name, len(simple)))
    rows = ['{0x%X, "%s"}' % (cp, "".join("\\x%02x" % b for b in m.encode())) for cp, m in special]
    emit("const CaseSpecial k_%s_special[]" % name, rows)
    print("const std::size_t k_%s_special_count = %d;\n" % (name, len(rows)))


def emit(head, rows):
    print(head + " = {")
    line = "   "
    for row in rows:
        if len(line) + len(row) + 2 > 119:
            print(line)
            line = "   "
        line += " " + row + ","
    print(line)
    print("};")


print("// Character properties and case mappings of Python's str (Unicode %s). Made by make_unicode_data.py."
      % unicodedata.unidata_version)
print("// clang-format off")
print('#include "src/text/template/unicode_data.h"\n')
print("namespace jackdaw::text::jinja {\n")
emit_ranges("printable", str.isprintable)
emit_ranges("alpha", str.isalpha)
emit_ranges("decimal", str.isdecimal)
emit_ranges("digit", str.isdigit)
emit_ranges("numeric", str.isnumeric)
emit_ranges("upper", str.isupper)
emit_ranges("lower", str.islower)
emit_ranges("title", lambda c: unicodedata.category(c) == "Lt")
emit_ranges("cased", cased)
emit_ranges("ignorable", ignorable)
emit_ranges("identifier_start", str.isidentifier)
emit_ranges("identifier_part", lambda c: ("a" + c).isidentifier())
emit_case("to_upper", str.upper)
emit_case("to_lower", str.lower)
emit_case("to_title", str.title)
print("}  // namespace jackdaw::text::jinja")
sys.stdout.flush()
