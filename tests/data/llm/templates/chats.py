"""The chat templates of this folder and the conversations they are rendered with. All of them are our own, in the
manner of formats in use."""
import glob
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPLATES = {}
for _path in sorted(glob.glob(os.path.join(HERE, "*.jinja"))):
    with open(_path, encoding="utf-8", newline="") as _f:
        TEMPLATES[os.path.basename(_path)] = _f.read()

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Tells the weather.\nWith \"quotes\" & <tags>.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "Stadt, z. B. Köln"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": ["integer", "null"], "default": 1},
        "ratio": {"type": "number", "default": 1.5e-7},
        "where": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]},
        "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["city"]}}}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "日本 🐦", "parameters": {"type": "object", "properties": {}}}}


def conversations():
    system = {"role": "system", "content": "You are terse."}
    user = {"role": "user", "content": "Hello, \"world\"!"}
    answer = {"role": "assistant", "content": "  Hi.\nHow are you?  "}
    odd = {"role": "user", "content": "  <|im_end|> {{ x }} \\ 'q'\r\n\tGrößer als 日本 🐦\u2028 "}
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {
        "name": "get_weather", "arguments": {"city": "Köln \"Süd\"", "days": 3, "ratio": 0.1, "ok": True, "none": None, "l": [1, 2.0]}}}]}
    calls = {"role": "assistant", "content": "Let me see.", "tool_calls": call["tool_calls"] + [
        {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": {}}}]}
    text_call = {"role": "assistant", "content": "", "tool_calls": [{"id": "call_3", "type": "function", "function": {
        "name": "clock", "arguments": "{\"zone\": \"UTC\"}"}}]}
    result = {"role": "tool", "name": "get_weather", "tool_call_id": "call_1", "content": "{\"temp\": 21.5}"}
    result2 = {"role": "tool", "name": "clock", "tool_call_id": "call_2", "content": "12:00\n"}
    thought = {"role": "assistant", "reasoning_content": "Two and two.\nFour.", "content": "4"}
    inline = {"role": "assistant", "content": "<think>\nhm\n</think>\n\n4"}
    parts = {"role": "user", "content": [{"type": "text", "text": "What is"}, {"type": "image"}, {"type": "text", "text": " this?"}]}
    yield "simple", [user]
    yield "system", [system, user]
    yield "multi", [system, user, answer, odd, answer, user]
    yield "parts", [system, parts]
    yield "call", [system, user, call, result]
    yield "calls", [user, calls, result, result2, answer, odd]
    yield "text call", [user, text_call, dict(result2, tool_call_id="call_3")]
    yield "thought", [user, thought, user, inline, user]
    yield "open", [user, thought]
    yield "none", []
    yield "two users", [user, user]


def contexts():
    """(label, context as JSON)"""
    for name, messages in conversations():
        base = {"messages": messages, "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
        yield name, json.dumps(base, ensure_ascii=False)
        yield name + ", tools", json.dumps(dict(base, tools=[WEATHER, CLOCK], enable_thinking=False, reasoning_effort="high"))
    yield "documents", json.dumps(dict(base, messages=[{"role": "user", "content": "Sum up."}], add_generation_prompt=False, date_string="1 May 2025", documents=[
        {"title": "A", "text": "one\n\ntwo"}, {"title": "", "content": "zwei"}], controls={"length": "short", "b": 1.0}))
