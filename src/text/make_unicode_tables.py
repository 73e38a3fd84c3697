#!/usr/bin/env python3
"""Writes src/text/character_class_data.cpp and src/text/nfc_data.cpp from Unicode 16.0.

The regex engine of Hugging Face tokenizers (Oniguruma, in tokenizers 0.23) knows Unicode 16.0: over all code points its
\\p{Lu}, \\p{Ll}, \\p{Lt}, \\p{Lm}, \\p{Lo}, \\p{M}, \\p{N}, \\p{P}, \\p{S} and \\s equal these tables. Needs
`pip install unicodedata2==16.0.0`; the result is committed.
"""
import os

import unicodedata2 as unicode

assert unicode.unidata_version == "16.0.0", unicode.unidata_version
HERE = os.path.dirname(os.path.abspath(__file__))
BLOCK = 128
LAST = 0x110000
CLASSES = {"Lu": 2, "Ll": 3, "Lt": 4, "Lm": 5, "Lo": 6}
MAJOR = {"M": 7, "N": 8, "P": 9, "S": 10}
WHITE_SPACE = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
HANGUL = range(0xAC00, 0xD7A4)


def character_class(code):
    if code in WHITE_SPACE:
        return 1
    category = unicode.category(chr(code))
    return CLASSES.get(category) or MAJOR.get(category[0], 0)


def canonical(code):
    """The single-step canonical decomposition, [] when there is none."""
    text = unicode.decomposition(chr(code))
    return [] if not text or text.startswith("<") else [int(part, 16) for part in text.split()]


def surrogate(code):
    return 0xD800 <= code <= 0xDFFF


def compositions():
    pairs = []
    for code in range(LAST):
        parts = canonical(code)
        if len(parts) == 2 and unicode.normalize("NFC", "".join(map(chr, parts))) == chr(code):
            pairs.append((parts[0], parts[1], code))
    return sorted(pairs)


def nfc_needs_care(pairs):
    seconds = {second for _, second, _ in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    care = set()
    for code in range(LAST):
        if surrogate(code):
            continue
        c = chr(code)
        if code in seconds or unicode.combining(c) or unicode.normalize("NFC", c) != c:
            care.add(code)
    return care


def rows(numbers, width=112):
    line = ""
    for number in numbers:
        item = f"{number},"
        if len(line) + len(item) > width:
            yield "    " + line
            line = ""
        line += item
    if line:
        yield "    " + line


def write(name, head, arrays):
    with open(os.path.join(HERE, name), "w", encoding="ascii") as out:
        out.write("// Made by src/text/make_unicode_tables.py from Unicode 16.0. Do not edit.\n// clang-format off\n")
        out.write(head + "\n")
        for declaration, numbers in arrays:
            out.write(f"const {declaration} = {{\n" + "\n".join(rows(numbers)) + "\n};\n")
        out.write("\n}  // namespace jackdaw::text\n")


def write_classes(care):
    blocks, index, flat = {}, [], []
    for base in range(0, LAST, BLOCK):
        block = tuple(character_class(c) | (0x80 if c in care else 0) for c in range(base, base + BLOCK))
        if block not in blocks:
            blocks[block] = len(blocks)
            flat += block
        index.append(blocks[block])
    write("character_class_data.cpp", '#include "character_class.h"\n\nnamespace jackdaw::text {\n',
          [(f"std::uint16_t character_block[{len(index)}]", index), (f"std::uint8_t character_entry[{len(flat)}]", flat)])
    print("blocks", len(blocks), "entries", len(flat))


def write_nfc(pairs):
    entries, pool = [], []
    for code in range(LAST):
        if surrogate(code) or code in HANGUL or not canonical(code):
            continue
        full = [ord(c) for c in unicode.normalize("NFD", chr(code))]
        entries += [code, len(pool), len(full)]
        pool += full
    combining = []
    for code in range(LAST):
        value = 0 if surrogate(code) else unicode.combining(chr(code))
        if not value:
            continue
        if combining and combining[-2] == code - 1 and combining[-1] == value:
            combining[-2] = code
        else:
            combining += [code, code, value]
    flat = [number for pair in pairs for number in pair]
    write("nfc_data.cpp", '#include "nfc_data.h"\n\nnamespace jackdaw::text {\n', [
        (f"std::size_t nfc_decomposition_count = {len(entries) // 3};\nconst std::uint32_t nfc_decomposition[]", entries),
        ("std::uint32_t nfc_decomposition_pool[]", pool),
        (f"std::size_t nfc_combining_count = {len(combining) // 3};\nconst std::uint32_t nfc_combining[]", combining),
        (f"std::size_t nfc_composition_count = {len(flat) // 3};\nconst std::uint32_t nfc_composition[]", flat)])


def main():
    pairs = compositions()
    write_classes(nfc_needs_care(pairs))
    write_nfc(pairs)


if __name__ == "__main__":
    main()
