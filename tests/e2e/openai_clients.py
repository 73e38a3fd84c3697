#!/usr/bin/env python3
"""Runs the OpenAI clients people have: openai-python, langchain-openai, llama-index-llms-openai-like, and curl.

usage: tests/e2e/openai_clients.py [BASE_URL MODEL]

BASE_URL ends in /v1; without it a daemon with SmolLM2 is started. The clients are installed from PyPI into
${JACKDAW_CACHE:-~/.cache/jackdaw}/venv-openai; without PyPI the checks are skipped.
"""
import asyncio
import gzip
import http.server
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import openai_venv
from tally import Tally

QUESTION = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "What is the capital of France?"}]
GREEDY = {"temperature": 0, "max_tokens": 12}


def chats(client, model, tally):
    def check(name, ok, detail=""):
        tally.check(f"openai, chat: {name}", ok, detail)

    answer = client.chat.completions.create(model=model, messages=QUESTION, **GREEDY)
    choice, usage = answer.choices[0], answer.usage
    check("answers", choice.message.role == "assistant" and bool(choice.message.content), repr(choice.message.content))
    check("names object, id, model and time", answer.object == "chat.completion" and bool(answer.id) and answer.model == model and answer.created > 1_700_000_000)
    check("finish_reason", choice.finish_reason in ("stop", "length"), choice.finish_reason)
    check("usage adds up", usage.prompt_tokens > 0 and 0 < usage.completion_tokens <= 12
          and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, str(usage))
    again = client.chat.completions.create(model=model, messages=QUESTION, **GREEDY)
    check("a repeated prompt gives the same text", again.choices[0].message.content == choice.message.content)
    check("a repeated prompt is found in the cache", again.usage.prompt_tokens_details is not None
          and (again.usage.prompt_tokens_details.cached_tokens or 0) > 0, str(again.usage))

    short = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_completion_tokens=2)
    check("max_completion_tokens", short.choices[0].finish_reason == "length" and short.usage.completion_tokens == 2, str(short.usage))
    word = choice.message.content.split()[-1][:3]
    cut = client.chat.completions.create(model=model, messages=QUESTION, stop=[word], **GREEDY)
    check("stop ends before the stop string", cut.choices[0].finish_reason == "stop" and word not in cut.choices[0].message.content,
          f"{word!r}: {cut.choices[0].message.content!r}")
    two = client.chat.completions.create(model=model, messages=QUESTION, n=2, temperature=1, seed=5, max_tokens=8)
    check("n=2 gives two choices", [c.index for c in two.choices] == [0, 1])
    same = client.chat.completions.create(model=model, messages=QUESTION, n=2, temperature=1, seed=5, max_tokens=8)
    check("a seed gives the same again", [c.message.content for c in two.choices] == [c.message.content for c in same.choices])
    probable = client.chat.completions.create(model=model, messages=QUESTION, logprobs=True, top_logprobs=3, **GREEDY)
    content = probable.choices[0].logprobs.content
    check("logprobs", len(content) == probable.usage.completion_tokens and all(len(t.top_logprobs) == 3 and t.logprob <= 0 for t in content))
    check("logprobs spell the text", "".join(t.token for t in content).startswith(probable.choices[0].message.content))
    parts = client.chat.completions.create(model=model, messages=[{"role": "user", "content": [{"type": "text", "text": "Say hi."}]}], **GREEDY)
    check("content in parts", bool(parts.choices[0].message.content))
    odd = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Grüße 日本 🐦 \"quotes\" \\ \n<|im_end|>"}], **GREEDY)
    check("any text is taken", odd.usage.prompt_tokens > 10)
    raw = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION, **GREEDY)
    check("raw response", raw.status_code == 200 and raw.headers["content-type"].startswith("application/json")
          and raw.parse().choices[0].message.content == choice.message.content)
    return choice.message.content


def chat_streams(client, model, tally, expected):
    def check(name, ok, detail=""):
        tally.check(f"openai, chat stream: {name}", ok, detail)

    chunks = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}, **GREEDY))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    check("says what the plain answer says", text == expected, repr(text))
    check("the first delta names the role", chunks[0].choices[0].delta.role == "assistant")
    check("one id throughout", len({c.id for c in chunks}) == 1 and {c.object for c in chunks} == {"chat.completion.chunk"})
    check("one finish_reason", sum(1 for c in chunks for choice in c.choices if choice.finish_reason) == 1)
    check("usage comes last, without choices", chunks[-1].usage is not None and not chunks[-1].choices and all(c.usage is None for c in chunks[:-1]))
    check("no usage unless asked", all(c.usage is None for c in client.chat.completions.create(model=model, messages=QUESTION, stream=True, **GREEDY)))
    with client.chat.completions.stream(model=model, messages=QUESTION, **GREEDY) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    check("the stream helper collects it", final.choices[0].message.content == expected and "content.delta" in kinds, str(kinds))
    stream = client.chat.completions.create(model=model, messages=QUESTION, stream=True, temperature=0, max_tokens=400)
    next(iter(stream))
    stream.close()
    check("a stream may be left early", bool(client.models.list().data))
    two = list(client.chat.completions.create(model=model, messages=QUESTION, stream=True, n=2, temperature=1, seed=5, max_tokens=6))
    check("n=2 streams both", {choice.index for c in two for choice in c.choices} == {0, 1})


def completions(client, model, tally):
    def check(name, ok, detail=""):
        tally.check(f"openai, completions: {name}", ok, detail)

    prompt = "The capital of France is"
    answer = client.completions.create(model=model, prompt=prompt, **GREEDY)
    check("answers", answer.object == "text_completion" and bool(answer.choices[0].text), repr(answer.choices[0].text))
    streamed = list(client.completions.create(model=model, prompt=prompt, stream=True, **GREEDY))
    check("a stream says the same", "".join(c.choices[0].text for c in streamed if c.choices) == answer.choices[0].text)
    many = client.completions.create(model=model, prompt=[prompt, "Two and two is"], **GREEDY)
    check("a list of prompts gives a list of choices", [c.index for c in many.choices] == [0, 1] and many.choices[0].text == answer.choices[0].text)
    echo = client.completions.create(model=model, prompt=prompt, echo=True, **GREEDY)
    check("echo repeats the prompt", echo.choices[0].text == prompt + answer.choices[0].text, repr(echo.choices[0].text))
    tokens = client.completions.create(model=model, prompt=[504, 3575, 282], **GREEDY)
    check("a prompt of token ids", tokens.usage.prompt_tokens == 3, str(tokens.usage))
    probable = client.completions.create(model=model, prompt=prompt, logprobs=2, **GREEDY).choices[0].logprobs
    check("logprobs", len(probable.tokens) == len(probable.token_logprobs) == len(probable.top_logprobs))


def unusual(client, model, tally):
    """What the API allows and few send."""
    def check(name, ok, detail=""):
        tally.check(f"openai, unusual: {name}", ok, detail)

    def both_ways(prompt, **more):
        """The text of a completion, plain and streamed."""
        body = {"model": model, "prompt": prompt, "temperature": 0, "max_tokens": 16, **more}
        plain = client.completions.create(**body).choices[0]
        return plain, "".join(c.choices[0].text for c in client.completions.create(**body, stream=True))

    plain, streamed = both_ways("🐦🎉🐦🎉🐦🎉🐦🎉🐦🎉🐦🎉")
    check("characters of several tokens come whole", streamed == plain.text and "🐦" in plain.text, repr(streamed))
    plain, streamed = both_ways("The capital of France is", stop=["aris.\n", "zzz"])
    check("a stop string across tokens", plain.text == streamed == " P" and plain.finish_reason == "stop", repr((plain.text, streamed)))
    plain, streamed = both_ways("The capital of France is", stop=["\n\n", " Paris"])
    check("a stop string at once", plain.text == streamed == "", repr((plain.text, streamed)))
    plain, _ = both_ways("The capital of France is", logit_bias={"7042": -100})
    check("logit_bias forbids a token", "Paris" not in plain.text, repr(plain.text))
    plain, _ = both_ways("The capital of France is", echo=True, logprobs=1, max_tokens=0)
    check("echo without an answer scores the prompt", plain.text == "The capital of France is" and plain.logprobs.token_logprobs[0] is None
          and all(p < 0 for p in plain.logprobs.token_logprobs[1:]) and plain.finish_reason == "length", str(plain.logprobs.token_logprobs))
    several = client.completions.create(model=model, prompt=[[504, 3575, 282], [504]], n=2, temperature=0, max_tokens=2)
    check("lists of token ids, two choices each", [c.index for c in several.choices] == [0, 1, 2, 3] and several.choices[0].text == several.choices[1].text
          and several.usage.prompt_tokens == 4, str(several.usage))
    roles = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi", "name": "ann"},
             {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
             {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "4"}]}, {"role": "user", "content": ""}]
    check("every role, and messages without content", client.chat.completions.create(model=model, messages=roles, **GREEDY).usage.prompt_tokens > 20)
    plain = client.chat.completions.create(model=model, messages=QUESTION, response_format={"type": "text"}, tools=[], user="u", metadata={"a": "b"},
                                           store=True, service_tier="auto", parallel_tool_calls=True, seed=-1, top_p=0, **GREEDY)
    check("parameters that say what is done anyway", plain.choices[0].finish_reason in ("stop", "length"))
    raw = client.chat.completions.with_raw_response.create(model=model, messages=QUESTION, extra_body={"colour": "blue"}, **GREEDY)
    check("unknown parameters are named", raw.headers.get("x-ignored-fields") == "colour", str(dict(raw.headers)))
    mixed = list(client.chat.completions.create(model=model, messages=QUESTION, n=3, stream=True, stream_options={"include_usage": True},
                                                logprobs=True, top_logprobs=1, temperature=1, max_tokens=5))
    ends = [choice.index for c in mixed for choice in c.choices if choice.finish_reason]
    tokens = sum(len(choice.logprobs.content) for c in mixed for choice in c.choices if choice.logprobs and choice.logprobs.content)
    check("three choices in one stream end once each", sorted(ends) == [0, 1, 2] and tokens == mixed[-1].usage.completion_tokens, f"{ends} {tokens}")


def models(client, model, tally):
    listed = [m.id for m in client.models.list()]
    tally.check("openai, models: the list has the model", model in listed, str(listed))
    found = client.models.retrieve(model)
    tally.check("openai, models: retrieve", found.id == model and found.object == "model")


def errors(client, model, tally):
    import openai

    def refused(name, kind, call, *words):
        try:
            call()
        except kind as error:
            said = json.dumps(error.body) if error.body is not None else str(error)
            tally.check(f"openai, errors: {name}", all(w in said for w in words), said)
        except Exception as error:  # noqa: BLE001  The wrong refusal is this check's result.
            tally.check(f"openai, errors: {name}", False, f"{type(error).__name__}: {error}")
        else:
            tally.check(f"openai, errors: {name}", False, "was accepted")

    def chat(**more):
        return lambda: client.chat.completions.create(**{"model": model, "messages": QUESTION, "max_tokens": 4, **more})

    refused("an unknown model is a 404", openai.NotFoundError, chat(model="nobody"), "nobody")
    refused("an unknown model cannot be retrieved", openai.NotFoundError, lambda: client.models.retrieve("nobody"), "nobody")
    refused("a bad temperature is a 400", openai.BadRequestError, chat(temperature=-1), "temperature")
    refused("a bad top_p is a 400", openai.BadRequestError, chat(top_p=7), "top_p")
    refused("max_tokens of none is a 400", openai.BadRequestError, chat(max_tokens=-5), "max_tokens")
    refused("messages must be there", openai.BadRequestError, chat(messages=[]), "messages")
    refused("messages must be a list", openai.BadRequestError, chat(extra_body={"messages": "hello"}), "messages")
    refused("a prompt beyond the context is a 400", openai.BadRequestError, chat(messages=[{"role": "user", "content": "word " * 20000}]), "context")
    refused("more prompts than are ever held are a 400", openai.BadRequestError,
            lambda: client.completions.create(model=model, prompt=["x"] * 1000, max_tokens=1), "1000 prompts")
    refused("more choices than run at once are a 400", openai.BadRequestError, chat(n=100), '"param": "n"')
    refused("suffix is a 400", openai.BadRequestError, lambda: client.completions.create(model=model, prompt="a", suffix="b"), '"param": "suffix"')
    refused("tools are a 400", openai.BadRequestError, chat(tools=[{"type": "function", "function": {"name": "f"}}]), '"param": "tools"')
    refused("a schema is a 400", openai.BadRequestError, chat(response_format={"type": "json_object"}), '"param": "response_format"')
    refused("an image is a 400", openai.BadRequestError,
            chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]), "image_url")
    refused("embeddings are a 400", openai.BadRequestError, lambda: client.embeddings.create(model=model, input="x"), "mbeddings")
    refused("responses are a 404", openai.NotFoundError, lambda: client.responses.create(model=model, input="x"))
    try:
        chat(messages=[], stream=True)()
        tally.check("openai, errors: a stream is refused before it begins", False)
    except openai.BadRequestError:
        tally.check("openai, errors: a stream is refused before it begins", True)


class Unready(http.server.BaseHTTPRequestHandler):
    """Refuses the first call with 503, then passes calls on."""

    protocol_version = "HTTP/1.1"
    target = ""
    seen = 0

    def do_POST(self):
        type(self).seen += 1
        body = self.rfile.read(int(self.headers["content-length"]))
        if type(self).seen == 1:
            return self.answer(503, b'{"error": {"message": "later"}}', {"retry-after-ms": "1"})
        request = urllib.request.Request(self.target + self.path.removeprefix("/v1"), body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                self.answer(reply.status, reply.read(), {})
        except urllib.error.HTTPError as error:
            self.answer(error.code, error.read(), {})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "content-type": "application/json", "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def retries(base_url, model, tally):
    import openai

    Unready.target = base_url
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x", max_retries=2)
        answer = client.chat.completions.create(model=model, messages=QUESTION, **GREEDY)
        tally.check("openai, retries: a call refused with 503 is made again", Unready.seen == 2 and bool(answer.choices[0].message.content))
        server.shutdown()


async def crowd(base_url, model, tally):
    """More clients than one place and a queue of one: openai-python comes back when the server says."""
    import openai

    async with openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=20) as client:
        answers = await asyncio.gather(*(client.chat.completions.with_raw_response.create(
            model=model, messages=QUESTION, temperature=0, max_tokens=60, extra_body={"ignore_eos": True}) for _ in range(5)))
        taken = [answer.retries_taken for answer in answers]
        tally.check("openai, retries: clients that met a full queue come back and are served",
                    sum(taken) > 0 and all(a.parse().usage.completion_tokens == 60 for a in answers), f"retries {taken}")
    async with openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=0) as client:
        answers = await asyncio.gather(*(client.chat.completions.create(model=model, messages=QUESTION, max_tokens=60, stream=i % 2 == 0,
                                                                        extra_body={"ignore_eos": True}) for i in range(6)), return_exceptions=True)
        refused = [a for a in answers if isinstance(a, openai.RateLimitError)]
        tally.check("openai, retries: a full queue is a 429 with Retry-After", 0 < len(refused) < 6
                    and all(int(r.response.headers["retry-after"]) >= 1 and int(r.response.headers["retry-after-ms"]) > 0 for r in refused),
                    f"{len(refused)} of 6 refused: {refused[0] if refused else answers}")


async def asynchronous(base_url, model, tally, expected):
    import openai

    async with openai.AsyncOpenAI(base_url=base_url, api_key="x", max_retries=2) as client:
        answers = await asyncio.gather(*(client.chat.completions.create(model=model, messages=QUESTION, **GREEDY) for _ in range(6)))
        tally.check("openai, async: six at once say the same", {a.choices[0].message.content for a in answers} == {expected})
        text = ""
        async for chunk in await client.chat.completions.create(model=model, messages=QUESTION, stream=True, **GREEDY):
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        tally.check("openai, async: streams", text == expected, repr(text))
        listed = [m.id async for m in client.models.list()]
        tally.check("openai, async: models", model in listed)


def langchain(base_url, model, tally, expected):
    from langchain_openai import OpenAI, ChatOpenAI

    chat = ChatOpenAI(base_url=base_url, api_key="x", model=model, temperature=0, max_tokens=12)
    messages = [("system", QUESTION[0]["content"]), ("human", QUESTION[1]["content"])]
    answer = chat.invoke(messages)
    tally.check("langchain: invoke", answer.content == expected, repr(answer.content))
    tally.check("langchain: usage and finish_reason", answer.usage_metadata["output_tokens"] > 0 and answer.response_metadata["finish_reason"] in ("stop", "length"))
    tally.check("langchain: stream", "".join(c.content for c in chat.stream(messages)) == expected)
    tally.check("langchain: batch", [a.content for a in chat.batch([messages, messages])] == [expected, expected])
    tally.check("langchain: ainvoke", asyncio.run(chat.ainvoke(messages)).content == expected)
    plain = OpenAI(base_url=base_url, api_key="x", model=model, temperature=0, max_tokens=8)
    said = plain.invoke("The capital of France is")
    tally.check("langchain: completions", bool(said) and "".join(plain.stream("The capital of France is")) == said, repr(said))


def llama_index(base_url, model, tally, expected):
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    llm = OpenAILike(api_base=base_url, api_key="x", model=model, is_chat_model=True, temperature=0, max_tokens=12, context_window=2048)
    messages = [ChatMessage(role=m["role"], content=m["content"]) for m in QUESTION]
    tally.check("llama-index: chat", llm.chat(messages).message.content == expected)
    tally.check("llama-index: stream_chat", [r.message.content for r in llm.stream_chat(messages)][-1] == expected)
    tally.check("llama-index: complete on a chat model", bool(llm.complete("Say hi.").text))
    plain = OpenAILike(api_base=base_url, api_key="x", model=model, is_chat_model=False, temperature=0, max_tokens=8, context_window=2048)
    said = plain.complete("The capital of France is").text
    tally.check("llama-index: complete and stream_complete", bool(said) and [r.text for r in plain.stream_complete("The capital of France is")][-1] == said, repr(said))


def curl(base_url, model, tally, expected):
    def run(*arguments):
        # Decoded by hand: text=True would turn the head's CR LF into LF.
        return subprocess.run(["curl", "-sS", "--max-time", "60", *arguments], capture_output=True).stdout.decode()

    def post(path, body, *options):
        return run(*options, "-H", "Content-Type: application/json", "-d", json.dumps(body), base_url + path)

    body = {"model": model, "messages": QUESTION, **GREEDY}
    tally.check("curl: chat", json.loads(post("/chat/completions", body))["choices"][0]["message"]["content"] == expected)
    head, _, events = post("/chat/completions", {**body, "stream": True}, "-N", "-i").partition("\r\n\r\n")
    lines = [line for line in events.split("\n") if line]
    tally.check("curl: a stream is text/event-stream", "content-type: text/event-stream" in head.lower(), head.partition("\r\n")[0])
    tally.check("curl: a stream is data lines up to [DONE]", lines[-1] == "data: [DONE]" and all(line.startswith(("data: ", ":")) for line in lines))
    tally.check("curl: events are one line and a blank one", events.endswith("data: [DONE]\n\n") and all(
        e.startswith(("data: ", ":")) and "\n" not in e for e in events.removesuffix("\n\n").split("\n\n")))
    status = post("/chat/completions", {"model": "nobody", "messages": QUESTION}, "-o", "/dev/null", "-w", "%{http_code}")
    tally.check("curl: an unknown model is a 404", status == "404", status)
    broken = run("-H", "Content-Type: application/json", "-d", "{", "-w", "%{http_code}", base_url + "/chat/completions")
    tally.check("curl: broken JSON is a 400 with an error object", broken.endswith("400") and "message" in json.loads(broken[:-3])["error"], broken)
    tally.check("curl: models", model in [m["id"] for m in json.loads(run(base_url + "/models"))["data"]])
    put = run("-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}", base_url + "/chat/completions")
    tally.check("curl: another method is a 405", put == "405", put)
    tally.check("curl: so is GET", run("-o", "/dev/null", "-w", "%{http_code} %header{allow}", base_url + "/chat/completions") == "405 POST")
    head = run("-I", base_url + "/models")
    tally.check("curl: HEAD of the models", head.startswith("HTTP/1.1 200"), head.partition("\r\n")[0])
    waited = post("/chat/completions", body, "-H", "Expect: 100-continue", "-i")
    tally.check("curl: Expect: 100-continue", waited.startswith("HTTP/1.1 100 Continue") and expected in waited, waited.partition("\r\n")[0])
    zipped = subprocess.run(["curl", "-sS", "-H", "Content-Encoding: gzip", "--data-binary", "@-", base_url + "/chat/completions"],
                            input=gzip.compress(json.dumps(body).encode()), capture_output=True).stdout.decode()
    tally.check("curl: a body in gzip", expected in zipped, zipped[:100])
    tally.check("curl: a chunked body", expected in post("/chat/completions", body, "-H", "Transfer-Encoding: chunked"))
    old = run("--http1.0", "-N", "-i", "-d", json.dumps({**body, "stream": True}), base_url + "/chat/completions")
    tally.check("curl: a stream for HTTP/1.0", old.endswith("data: [DONE]\n\n") and "chunked" not in old)


def addresses(base_url, model, tally, expected):
    """The same calls at KServe's prefix and at the service's own path."""
    import openai

    for path in ("/openai/v1", f"/default/{model}/v1"):
        client = openai.OpenAI(base_url=base_url.removesuffix("/v1") + path, api_key="x", max_retries=0)
        said = client.chat.completions.create(model=model, messages=QUESTION, **GREEDY).choices[0].message.content
        stream = client.chat.completions.create(model=model, messages=QUESTION, stream=True, **GREEDY)
        streamed = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
        tally.check(f"openai, {path}: answers and streams", said == streamed == expected, repr((said, streamed)))
        tally.check(f"openai, {path}: models", [m.id for m in client.models.list()] == [model] and client.models.retrieve(model).id == model)
        try:
            client.models.retrieve("nobody")
            tally.check(f"openai, {path}: an unknown model is a 404", False)
        except openai.NotFoundError as error:
            tally.check(f"openai, {path}: an unknown model is a 404", "nobody" in str(error), str(error))


def every_client(base_url, model, tally):
    import openai

    client = openai.OpenAI(base_url=base_url, api_key="sk-none", max_retries=0, timeout=120)
    expected = tally.run("openai, chat", chats, client, model, tally)
    tally.run("openai, chat stream", chat_streams, client, model, tally, expected)
    tally.run("openai, completions", completions, client, model, tally)
    tally.run("openai, unusual", unusual, client, model, tally)
    tally.run("openai, models", models, client, model, tally)
    tally.run("openai, errors", errors, client, model, tally)
    tally.run("openai, retries", retries, base_url, model, tally)
    tally.run("openai, async", lambda: asyncio.run(asynchronous(base_url, model, tally, expected)))
    if base_url.count("/") == 3:
        tally.run("openai, addresses", addresses, base_url, model, tally, expected)
    tally.run("langchain", langchain, base_url, model, tally, expected)
    tally.run("llama-index", llama_index, base_url, model, tally, expected)
    tally.run("curl", curl, base_url, model, tally, expected)


def main():
    tally = Tally()
    why = openai_venv.install()
    if why is not None:
        tally.skip("OpenAI's clients", why)
        return tally.end()
    openai_venv.run_again()
    if len(sys.argv) == 3:
        every_client(sys.argv[1].rstrip("/"), sys.argv[2], tally)
        return tally.end()
    from llm_service import MODEL, llm_service
    if not MODEL.exists():
        tally.skip("OpenAI's clients", f"{MODEL} is not there (scripts/fetch-smollm2)")
        return tally.end()
    with llm_service(["smollm2"]) as base_url:
        every_client(base_url, "smollm2", tally)
    with llm_service(["smollm2"], 512, max_num_seqs=1, queue_max=1) as base_url:
        tally.run("openai, retries", lambda: asyncio.run(crowd(base_url, "smollm2", tally)))
    tally.end()


if __name__ == "__main__":
    main()
