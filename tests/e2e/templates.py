#!/usr/bin/env python3
"""Renders real chat templates with jinja2 and with our engine and compares the bytes.

usage: tests/e2e/templates.py [TEST_BINARY] [--only NAME] [--show]

TEST_BINARY is test_text (build/dev's by default). The templates are those of llama.cpp's checkout and of SmolLM2's GGUF, both in the cache and
never in this repository; without them the test is skipped. Needs the Python packages jinja2 and (for SmolLM2) gguf.
"""
import argparse
import copy
import glob
import json
import os
import sys

from tally import Tally

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "data", "llm", "templates"))

CACHE = os.environ.get("JACKDAW_CACHE") or os.path.expanduser("~/.cache/jackdaw")

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Tells the weather.\nIn two lines, with \"quotes\" and <tags> & 'more'.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "The city"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 18446744073709551616, "default": 1},
            "exact": {"type": "boolean", "default": False},
            "where": {"type": "object", "properties": {"lat": {"type": "number", "default": 1.5e-7}}, "required": ["lat"]},
            "tags": {"type": "array", "items": {"type": "string"}}},
            "required": ["city"]}}},
    {"type": "function", "function": {
        "name": "jetzt", "description": "Größe, 日本語, emoji 🐦‍⬛ and \u0001 control", "parameters": {"type": "object", "properties": {}}}},
]


def ready(binary):
    """(test binary, None), or (None, why nothing can be compared). Goes on in the cache's Python if that one has jinja2."""
    binary = binary or os.path.join(ROOT, "build", "dev", "tests", "unit", "test_text")
    if not os.path.exists(binary):
        return None, "%s is not built" % binary
    try:
        import jinja2  # noqa: F401
    except ImportError as e:
        python = os.path.join(CACHE, "venv-llm", "bin", "python")
        if os.path.exists(python) and sys.executable != python:
            os.execv(python, [python] + sys.argv)
        return None, str(e)
    return binary, None


def call(name, arguments, ident):
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversations():
    user = {"role": "user", "content": "Hello!"}
    system = {"role": "system", "content": "You are a helpful assistant."}
    answer = {"role": "assistant", "content": "Hi, how can I help?"}
    args = {"city": "Köln \"Süd\"", "days": 3, "exact": True, "ratio": 0.1, "none": None, "list": [1, [2.0, "x"]]}
    called = {"role": "assistant", "content": "", "tool_calls": [call("get_weather", args, "call12345")]}
    called_null = {"role": "assistant", "content": None, "tool_calls": [call("get_weather", {"city": "Paris"}, "abcdefghi")]}
    called_text = {"role": "assistant", "content": "Let me look.", "tool_calls": [
        call("get_weather", {"city": "Rom"}, "123456789"), call("jetzt", {}, "987654321")]}
    called_string = {"role": "assistant", "content": "", "tool_calls": [call("get_weather", json.dumps({"city": "Bern"}), "call00001")]}
    bare = {"role": "assistant", "tool_calls": [{"function": {"name": "jetzt", "arguments": {}}}]}
    result = {"role": "tool", "name": "get_weather", "tool_call_id": "call12345", "content": "{\"temp\": 21.5, \"ok\": true}"}
    result2 = {"role": "tool", "name": "jetzt", "tool_call_id": "987654321", "content": "12:00\nsharp"}
    thought = {"role": "assistant", "reasoning_content": "The user greets me.\nI greet back.", "content": "Hi!"}
    inline = {"role": "assistant", "content": "<think>\nhm, let me see\n</think>\n\nThe answer is 4."}
    thinking = {"role": "assistant", "thinking": "I wonder.", "content": "Indeed."}
    parts = {"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "this?"}]}
    image = {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image"}, {"type": "image_url", "image_url": {"url": "data:x"}}]}
    odd = {"role": "user", "content": "  \"quoted\" 'single' \\ back\n\n\ttab\r\nÜnïcödé 日本語 🐦 <|im_end|> {{ x }} {% y %}  "}
    yield "simple", [user]
    yield "system", [system, user]
    yield "multi", [system, user, answer, {"role": "user", "content": "And now?"}, answer, user]
    yield "open", [user, answer]
    yield "unicode", [odd, answer, odd]
    yield "empty content", [{"role": "system", "content": ""}, {"role": "user", "content": ""}]
    yield "no messages", []
    yield "two users", [user, user]
    yield "assistant first", [answer, user]
    yield "developer", [{"role": "developer", "content": "Be brief."}, user]
    yield "unknown role", [user, {"role": "narrator", "content": "Meanwhile"}]
    yield "parts", [system, parts, answer, parts]
    yield "image", [image]
    yield "system parts", [{"role": "system", "content": [{"type": "text", "text": "Sys"}]}, parts]
    yield "tool call", [user, called, result, answer, user]
    yield "tool call null", [system, user, called_null, dict(result, tool_call_id="abcdefghi")]
    yield "tool calls", [user, called_text, dict(result, tool_call_id="123456789"), result2, {"role": "assistant", "content": "Done."}, user]
    yield "tool call string", [user, called_string, dict(result, tool_call_id="call00001")]
    yield "tool call bare", [user, bare, {"role": "tool", "content": "noon"}]
    yield "tool result object", [user, called, dict(result, content={"temp": 21.5, "list": [1, 2]})]
    yield "tool result parts", [user, called, dict(result, content=[{"type": "text", "text": "warm"}])]
    yield "tool last", [user, called]
    yield "reasoning", [system, user, thought, user, thought, {"role": "user", "content": "why?"}]
    yield "reasoning and tool", [user, dict(called, reasoning_content="need a tool"), result, thought]
    yield "inline think", [user, inline, user, inline]
    yield "thinking", [user, thinking, user]
    yield "ipython", [user, called, {"role": "ipython", "content": {"output": "5"}}]
    yield "long", [system] + [m for i in range(10) for m in ({"role": "user", "content": "Question %d" % i}, {"role": "assistant", "content": "Answer %d" % i})]


def contexts():
    base = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
    for name, messages in conversations():
        for variant, extra in (
            ("plain", {}),
            ("no prompt", {"add_generation_prompt": False}),
            ("null tools", {"tools": None, "documents": None}),
            ("tools", {"tools": TOOLS}),
            ("thinking", {"enable_thinking": True, "thinking": True, "reasoning_effort": "high", "tools": TOOLS}),
            ("no thinking", {"enable_thinking": False, "thinking": False, "reasoning_effort": "low"}),
            ("date", {"date_string": "26 Jul 2024", "builtin_tools": ["wolfram_alpha", "code_interpreter"], "tools": TOOLS,
                      "tools_in_user_message": False, "custom_tools": None}),
            ("documents", {"documents": [{"title": "A \"title\"", "text": "Body\ntext", "doc_id": 1}, {"title": "B", "content": "zwei"}],
                           "controls": {"length": "short", "originality": "x"}, "citations": True}),
        ):
            context = dict(base, messages=copy.deepcopy(messages))
            context.update(extra)
            yield name + " / " + variant, json.dumps(context, ensure_ascii=len(name) % 2 == 0)


def templates():
    for path in sorted(glob.glob(os.path.join(CACHE, "peers/llama.cpp/models/templates/*.jinja"))):
        with open(path, encoding="utf-8", newline="") as f:
            yield os.path.basename(path), f.read()
    for path in glob.glob(os.path.join(CACHE, "peers/smollm2/*.gguf")):
        try:
            import gguf
        except ImportError:
            continue
        field = gguf.GGUFReader(path).fields.get("tokenizer.chat_template")
        if field is not None:
            yield os.path.basename(path), bytes(field.parts[field.data[0]]).decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("test_binary", nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true", help="print both texts of the first difference of each template")
    args = parser.parse_args()
    tally = Tally()
    binary, why = ready(args.test_binary)
    if why is not None:
        tally.skip("real chat templates beside jinja2", why)
        tally.end()
    import jinja_oracle

    found = [t for t in templates() if args.only in t[0]]
    if not found:
        tally.skip("real chat templates beside jinja2", "no templates in %s/peers; tests/peers/install llama.cpp fetches them" % CACHE)
        tally.end()
    cases = [(name, label, source, context) for name, source in found for label, context in contexts()]
    ours = jinja_oracle.engine(binary, [(c[2], c[3]) for c in cases])
    bad, shown, refused = {name: [] for name, _ in found}, set(), 0
    for (name, label, source, context), (ok, text) in zip(cases, ours):
        expected_ok, expected = jinja_oracle.oracle(source, context)
        refused += not expected_ok
        if ok == expected_ok and (not ok or text == expected):
            continue
        bad[name].append(label)
        if args.show and name not in shown:
            shown.add(name)
            print("== %s: %s\n-- jinja2 (%s)\n%s\n-- ours (%s)\n%s" % (name, label, expected_ok, expected[-1500:], ok, text[-1500:]))
    for name, labels in bad.items():
        tally.check("%s says what jinja2 says" % name, not labels, "differs in %d contexts: %s" % (len(labels), ", ".join(labels[:4])) if labels else "")
    print("%d templates, %d renderings, %d refused by both" % (len(found), len(cases), refused))
    tally.end()


if __name__ == "__main__":
    main()
