"""jinja2 set up as Hugging Face transformers sets it up for chat templates, and our own engine beside it.

Used by make_goldens.py here and by tests/e2e/templates.py. Needs jinja2 >= 3.1.6.
"""
import datetime
import json
import os
import struct
import subprocess
import tempfile

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = 1_753_000_000  # seconds since the epoch, what strftime_now shows


class Generation(jinja2.ext.Extension):
    """{% generation %}: what is inside is printed."""

    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_support"), [], [], body).set_lineno(lineno)

    @jinja2.pass_eval_context
    def _support(self, context, caller):
        return caller()


class TemplateDict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class TemplateNamespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attrs = dict(*args, **kwargs)
        for name in attrs:
            TemplateNamespace.check(name)
        jinja2.utils.Namespace.__init__(self, attrs)

    def __setitem__(self, name, value):
        TemplateNamespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError("underscore-prefixed attribute " + name)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def strftime_now(format):
    return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None).strftime(format)


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = strftime_now
    env.globals["dict"] = TemplateDict()
    env.globals["namespace"] = TemplateNamespace
    return env


ENV = environment()
CACHE = {}


def oracle(template, context_json):
    """(True, rendered text) or (False, what jinja2 refused)."""
    try:
        if template not in CACHE:
            CACHE[template] = ENV.from_string(template)
        text = CACHE[template].render(**json.loads(context_json))
        text.encode()  # lone surrogates are no text
        return True, text
    except Exception as e:  # any refusal will do, RecursionError too
        return False, "%s: %s" % (type(e).__name__, e)


def engine(test_binary, cases):
    """Renders [(template, context_json)] with the unit test binary: [(ok, text)]."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("cases", "results")]
        with open(paths[0], "wb") as f:
            for case in cases:
                for part in case:
                    data = part.encode()
                    f.write(struct.pack("<I", len(data)) + data)
        env = dict(os.environ, JACKDAW_TEMPLATE_CASES=paths[0], JACKDAW_TEMPLATE_RESULTS=paths[1])
        done = subprocess.run([test_binary, "RendersTheCasesOfAFile"], env=env, capture_output=True, text=True)
        data = open(paths[1], "rb").read() if os.path.exists(paths[1]) else b""
        results, at = [], 0
        while at < len(data):
            ok, size = struct.unpack_from("<BI", data, at)
            results.append((bool(ok), data[at + 5:at + 5 + size].decode(errors="replace")))
            at += 5 + size
        if len(results) != len(cases):
            last = cases[len(results)] if len(results) < len(cases) else None
            raise SystemExit("the engine stopped after %d of %d cases: %s\n%s" % (
                len(results), len(cases), last, done.stdout[-2000:] + done.stderr[-4000:]))
        return results
