#!/usr/bin/env python3
"""Random template snippets, rendered by jinja2 and by our engine: the bytes must be equal, or both must refuse.

usage: tests/e2e/template_differential.py [TEST_BINARY] [--count N] [--seed S]

TEST_BINARY is test_text. The seed is printed. Needs the Python package jinja2.
"""
import argparse
import json
import random
import re
import sys
import time
import warnings

import templates

VALUES = ["s", "u", "n", "f", "t", "no", "nil", "l", "ls", "nested", "d", "users", "mixed", "undef", "empty", "el", "ws", "lines", "messages",
          "0", "1", "-2", "3", "2.5", "1e3", "'a'", "'Hello'", "''", "'a,b'", "' x '", "'é🐦'", "[]", "[1, 2]", "['x', 'Y']", "{}",
          "{'a': 1, 'b': [2]}", "(1, 2)", "none", "true", "false", "range(3)", "'<b>'|safe", "'%s'"]
FILTERS = ["upper", "lower", "title", "capitalize", "length", "trim", "string", "list", "first", "last", "join", "join('-')", "sort", "unique|list",
           "reverse", "reverse|list", "int", "float", "abs", "round", "sum", "min", "max", "default('x')", "default('x', true)", "tojson",
           "tojson(indent=2)", "items|list", "map('string')|list", "map('upper')|list", "select|list", "select('defined')|list", "reject('none')|list",
           "map(attribute='name')|list", "selectattr('age')|list|length", "replace('a', 'b')", "indent(2)", "escape", "e", "batch(2)|list", "slice(2)|list",
           "wordcount", "center(9)", "dictsort", "groupby('age')|length", "urlencode", "truncate(5)", "truncate(6, true, '..')", "safe", "attr('x')",
           "round(1)", "string|length", "map('length')|list", "sort(reverse=true)", "sort(attribute='age')", "map('int')|sum", "format(1)", "striptags"]
METHODS = [".upper()", ".lower()", ".strip()", ".split()", ".split(',')", ".title()", ".keys()|list", ".items()|list", ".values()|list", ".get('a')",
           ".get('zz', 5)", ".startswith('H')", ".endswith('o')", ".replace('l', 'L')", ".join(['a', 'b'])", ".count('l')", ".find('l')", ".index(1)",
           ".copy()", "[0]", "[-1]", "[1:]", "[::-1]", "[:2]", "['a']", "['name']", ".name", ".a", ".x.y", "[0:5:2]", "[-3:]", ".0", ".isdigit()",
           ".splitlines()", ".rstrip('o')", ".zfill(8)", ".format(1)", ".append(1)", ".capitalize()", ".swapcase()", ".rsplit(' ', 1)", ".islower()"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "mapping", "sequence", "iterable", "boolean", "true", "false", "odd",
         "even", "divisibleby 2", "lower", "upper", "callable", "eq 1", "in [1, 2]", "sameas none", "gt 1", "ne 'a'", "escaped"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]


class Writer:
    def __init__(self, rng):
        self.rng = rng

    def expression(self, depth):
        r = self.rng
        if depth <= 0:
            return r.choice(VALUES + ["x", "y"])
        kind = r.randrange(12)
        inner = self.expression(depth - 1)
        if kind < 3:
            return "(%s)|%s" % (inner, r.choice(FILTERS))
        if kind < 5:
            return "(%s)%s" % (inner, r.choice(METHODS))
        if kind < 8:
            return "(%s %s %s)" % (inner, r.choice(BINARY), self.expression(depth - 1))
        if kind == 8:
            return "(%s is %s%s)" % (inner, r.choice(["", "not "]), r.choice(TESTS))
        if kind == 9:
            return "(%s if %s%s)" % (inner, self.expression(depth - 1), r.choice(["", " else " + self.expression(depth - 1)]))
        if kind == 10:
            return r.choice(["[%s, %s]", "(%s, %s)", "{'k': %s, 'j': %s}", "[%s] + [%s]", "(%s ~ %s)"]) % (inner, self.expression(depth - 1))
        return r.choice(["not %s", "-%s", "(%s)|string|length"]) % inner

    def template(self, depth):
        r = self.rng
        kind = r.randrange(10)
        e = lambda: self.expression(r.randrange(3))
        body = (lambda: self.template(depth - 1)) if depth > 0 else (lambda: r.choice(["a", " b\n", "\n  c", "{{ x }}", "{{ y }}"]))
        edge, close = r.choice(["{%", "{%-", "{%+", "{%"]), r.choice(["%}", "-%}", "%}", "%}\n"])
        tag = lambda text: edge + " " + text + " " + close
        if kind < 4:
            return "{{ %s }}%s" % (e(), r.choice(["", "\n", " ", "|"]))
        if kind == 4:
            return tag("if " + e()) + body() + r.choice(["", tag("elif " + e()) + body(), tag("else") + body()]) + tag("endif")
        if kind == 5:
            return tag("for x in %s%s" % (e(), r.choice(["", " if x", " if x is defined"]))) + body() + r.choice(
                ["", "{{ loop.index }}{{ loop.last }}", "{{ loop.nextitem }}", "{{ x }}", tag("break"), "{{ loop.length }}"]) + r.choice(["", tag("else") + body()]) + tag("endfor")
        if kind == 6:
            return tag("set %s = %s" % (r.choice("xy"), e())) + body()
        if kind == 7:
            return tag("set x") + body() + tag("endset") + "{{ x }}"
        if kind == 8:
            return tag("macro m(x, y=%s)" % e()) + body() + tag("endmacro") + "{{ m(%s) }}" % e()
        return tag("filter " + r.choice(["upper", "trim", "indent(1)", "length"])) + body() + tag("endfilter") + tag("set x = 1") + body()


# What we print instead of a Python address, and integers that we end at 64 bits.
ADDRESS = re.compile(r"<[^<>]*( object at 0x|<function |<built-in|bound method|generator object)")


def excused(expected_ok, expected, ok, text):
    if expected_ok and ADDRESS.search(expected):
        return True
    return not ok and any(w in text for w in ("64 bits", "not supported in templates", "than 5000000 steps", "bytes of memory"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("test_binary", nargs="?")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    binary, why = templates.ready(args.test_binary)
    if why is not None:
        print("skipped: " + why)
        return 0
    import jinja_oracle
    import snippets

    warnings.simplefilter("ignore")  # of the Python code that jinja2 makes
    seed = args.seed if args.seed is not None else int(time.time())
    print("seed %d" % seed, flush=True)
    rng = random.Random(seed)
    writer = Writer(rng)
    context = json.dumps(snippets.CONTEXT)
    sources = [writer.template(rng.randrange(3)) if i % 3 == 0 else "{{ %s }}" % writer.expression(rng.randrange(1, 4)) for i in range(args.count)]
    ours = jinja_oracle.engine(binary, [(s, context) for s in sources])
    refused = bad = 0
    for source, (ok, text) in zip(sources, ours):
        expected_ok, expected = jinja_oracle.oracle(source, context)
        refused += not expected_ok
        if (ok == expected_ok and (not ok or text == expected)) or excused(expected_ok, expected, ok, text):
            continue
        bad += 1
        if bad <= 25:
            print("%r\n   jinja2 %s %r\n   ours   %s %r" % (source, expected_ok, expected[:300], ok, text[:300]))
    print("%d snippets, %d refused by jinja2, %d differ (seed %d)" % (len(sources), refused, bad, seed))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
