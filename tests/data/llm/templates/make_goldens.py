#!/usr/bin/env python3
"""Makes goldens.json and chat_goldens.json: what jinja2 (as transformers uses it) renders for snippets.py and for the
chat templates of this folder.

    make_goldens.py                    write both files
    make_goldens.py --compare BINARY   render everything with jinja2 and with test_text instead, and show differences

Run with a Python that has jinja2 >= 3.1.6. A golden is the rendered text, or null where jinja2 refuses.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import chats
import jinja_oracle
import snippets

# Where we refuse what Python does, or differ on purpose; each with its reason.
REFUSED = {
    "{{ l|random }}": "not the same twice",
    "{{ l|pprint }}": "not supported",
    "{{ lipsum() }}": "not the same twice",
    "{{ 'a'.encode() }}": "no bytes",
    "{{ '\\N{DASH}' }}": "no table of names",
    "{{ 9223372036854775807 + 1 }}": "integers end at 64 bits",
    "{{ 9223372036854775808 }}": "integers end at 64 bits",
    "{{ 2 ** 63 }}": "integers end at 64 bits",
    "{{ 3 * 3074457345618258603 }}": "integers end at 64 bits",
    "{{ self }}": "no template inheritance",
}
# Python prints an address here.
ADDRESSES = ("object at 0x", "<function ", "<built-in method", "<bound method", "<method", "<class ", "<generator")


def snippet_cases():
    for text in snippets.EXPRESSIONS:
        yield "{{ " + text + " }}"
    for text in snippets.TEMPLATES:
        yield text


def golden(source, context):
    if source in REFUSED:
        return None
    ok, text = jinja_oracle.oracle(source, context)
    return text if ok else None


def usable(text):
    return text is None or not any(a in text for a in ADDRESSES)


def all_cases():
    """[(template, context, golden)]: the snippets, then every chat template with every conversation."""
    context = json.dumps(snippets.CONTEXT, ensure_ascii=False)
    for source in snippet_cases():
        expected = golden(source, context)
        if usable(expected):
            yield source, context, expected
    for name, source in chats.TEMPLATES.items():
        for _, chat in chats.contexts():
            yield source, chat, golden(source, chat)


def compare(binary):
    cases = list(all_cases())
    ours = jinja_oracle.engine(binary, [c[:2] for c in cases])
    bad = 0
    for (source, context, expected), (ok, text) in zip(cases, ours):
        if (text if ok else None) == expected:
            continue
        bad += 1
        wanted = expected if expected is not None else jinja_oracle.oracle(source, context)
        print("%r\n   jinja2 %r\n   ours   %r%s" % (source[:300], wanted, text, "" if ok else " (refused)"))
    print("%d cases, %d refused, %d differ" % (len(cases), sum(c[2] is None for c in cases), bad))
    return 1 if bad else 0


def write():
    context = json.dumps(snippets.CONTEXT, ensure_ascii=False)
    rows = [[s, g] for s, c, g in all_cases() if c == context]
    save("goldens.json", '{"context": %s,\n"cases": [\n' % context, rows)
    labelled = dict(chats.contexts())
    rows = [[name, label, golden(source, chat)] for name, source in chats.TEMPLATES.items() for label, chat in labelled.items()]
    save("chat_goldens.json", '{"contexts": %s,\n"cases": [\n' % json.dumps(labelled), rows)


def save(name, head, rows):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write(head + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--compare":
        sys.exit(compare(sys.argv[2]))
    write()
