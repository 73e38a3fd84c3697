"""The requests that are sent to the peers and to jackdaw: one table, from which tests/data/oip/requests.json is written.

A row is `v1(...)`, `v2(...)` or `call(...)`. The fields of a written request:
  name       unique.
  peers      whose dialect it asks: "kserve", "mlserver" or both.
  model      the model it is about, or null.
  method, path, headers
  body       text; or body_base64 for bytes; neither means no body. Content-Length is the length of the body.
  compare    for each peer how strictly jackdaw's answer must equal the recorded one; a row that names none gets it from the answer:
               "bytes"   status, the headers that matter, and every byte of the body;
               "json"    status, the headers that matter and the parsed body, numbers within 1e-12 relative;
               "detail"  status and loc, type and msg of each entry of a 422 body;
               "doubles" like "json" for an answer with raw FP64 values behind its JSON;
               "prefix"  status and the text of {"error"} up to its first ": " (the rest is the JSON parser's own);
               "status"  the status only (texts of pandas, pydantic or numpy that no client reads).
             Both peers answer 500 to many mistakes of the client; where they do, 400 and 422 are as good.
  deviates   for each peer why jackdaw answers otherwise on purpose, with "want_status", the status that it gives instead, and
             perhaps "want_body", its body.
  changes    true when it changes the server (load, unload): later rows see the change. Requests are sent in the order given.
"""
import base64
import gzip
import json
import pathlib
import struct

TABLE = []
BOTH = ["kserve", "mlserver"]
OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "oip" / "requests.json"

ROW = [6.8, 2.8, 4.8, 1.4]
ROWS = [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]
FLAT = [6.8, 2.8, 4.8, 1.4, 6.0, 3.4, 4.5, 1.6]
INTS = [[6, 3, 5, 1], [5, 3, 1, 0]]


def default_compare(peer, answer):
    """How strictly an answer is compared when its row does not say."""
    if answer["status"] == 422:
        return "detail"
    if answer["status"] >= 500 and answer["status"] != 501 and answer["status"] != 503:
        return "status"
    if "Unrecognized request format: " in answer.get("body", ""):
        return "prefix"
    return "bytes" if peer == "kserve" else "json"


def call(name, path, method="GET", headers=None, body=None, model=None, peers=BOTH, compare=None, deviates=None, changes=False):
    row = {"name": name, "peers": peers, "model": model, "method": method, "path": path, "headers": headers or {}}
    if isinstance(body, bytes):
        try:
            row["body"] = body.decode("ascii")
        except UnicodeDecodeError:
            row["body_base64"] = base64.b64encode(body).decode()
    elif isinstance(body, str):
        row["body"] = body
    elif body is not None:
        row["body"] = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    row["compare"] = {peer: compare for peer in peers} if isinstance(compare, str) else (compare or {})
    row["deviates"] = deviates or {}
    row["changes"] = changes
    assert all(row["name"] != other["name"] for other in TABLE), name
    TABLE.append(row)


JSON = {"Content-Type": "application/json"}


def v1(name, model, body, headers=JSON, verb="predict", **more):
    call("v1-" + name, f"/v1/models/{model}:{verb}", "POST", headers, body, model, ["kserve"], **more)


def tensor(data, datatype="FP64", shape=None, name="input-0", parameters=None):
    if shape is None:
        shape = [len(data), len(data[0])] if isinstance(data[0], list) else [len(data)]
    out = {"name": name, "shape": shape, "datatype": datatype}
    if parameters is not None:
        out["parameters"] = parameters
    out["data"] = data
    return out


def infer(*inputs, **rest):
    return {**rest, "inputs": list(inputs)}


def v2(name, model, body, headers=JSON, **more):
    call("v2-" + name, f"/v2/models/{model}/infer", "POST", headers, body, model, **more)


def binary(name, model, head, tail, length=None, headers=None, **more):
    """A request of the binary tensor extension: JSON, then raw tensors."""
    text = json.dumps(head, separators=(",", ":")).encode() if not isinstance(head, bytes) else head
    fields = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))}
    if length is not None:
        fields["Inference-Header-Content-Length"] = str(length)
    fields.update(headers or {})
    fields = {key: value for key, value in fields.items() if value is not None}
    peers = more.pop("peers", ["kserve"])
    call("binary-" + name, f"/v2/models/{model}/infer", "POST", fields, text + tail, model, peers, **more)


def raw(shape, datatype, size, name="input-0"):
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": size}}


def pack(code, values):
    return struct.pack(f"<{len(values)}{code}", *values)


def strings(*values):
    return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)


VERSIONS = {"kserve": {"why": "KServe answers 501 to every version; jackdaw serves version 1 of each model.", "want_status": 200}}
METADATA = {"kserve": {"why": "KServe leaves inputs and outputs empty; jackdaw lists the model's own.", "want_status": 200},
            "mlserver": {"why": "MLServer lists what model-settings.json says, which is nothing; jackdaw lists the model's own.",
                         "want_status": 200}}
UNLABELLED = "KServe cannot put numpy strings (dtype <U) into a V2 answer and fails; jackdaw answers BYTES."


def words_out(*values, status=200):
    text = ",".join(json.dumps(value) for value in values)
    body = ('{"model_name":"spam","model_version":null,"id":"42","parameters":null,"outputs":[{"name":"output-0","shape":[%d],'
            '"datatype":"BYTES","parameters":null,"data":[%s]}]}' % (len(values), text))
    return {"kserve": {"why": UNLABELLED, "want_status": status, "want_body": body}}


INDEX = {"kserve": {"why": "KServe has no repository index; jackdaw answers it.", "want_status": 200}}

# ---- Server and models ------------------------------------------------------------------------------------------------------
call("root", "/", peers=["kserve"])
call("root-head", "/", "HEAD", peers=["kserve"], compare="status",
     deviates={"kserve": {"why": "HEAD of a page that GET serves is answered.", "want_status": 200}})
call("v1-list", "/v1/models", peers=["kserve"])
call("v1-list-slash", "/v1/models/", peers=["kserve"], compare="status")
call("v1-ready", "/v1/models/iris-svc", peers=["kserve"], model="iris-svc")
call("v1-ready-unknown", "/v1/models/nothing", peers=["kserve"])
call("v1-ready-escaped", "/v1/models/no%20thing%C3%A9", peers=["kserve"])
call("v2-server", "/v2", deviates={"kserve": {"why": "The version is jackdaw's.", "want_status": 200},
                                   "mlserver": {"why": "Name and version are jackdaw's.", "want_status": 200}})
call("v2-server-slash", "/v2/", compare="status")
call("v2-live", "/v2/health/live")
call("v2-ready", "/v2/health/ready")
call("v2-live-head", "/v2/health/live", "HEAD", compare="status",
     deviates={peer: {"why": "HEAD is answered like GET.", "want_status": 200} for peer in BOTH})
call("v2-live-options", "/v2/health/live", "OPTIONS", compare="status")
call("v2-live-post", "/v2/health/live", "POST", body="")
call("v2-live-query", "/v2/health/live?verbose=1")
call("metrics", "/metrics", peers=["kserve"], compare="status")
call("v2-list", "/v2/models", peers=["kserve"])
call("v2-model", "/v2/models/iris-svc", model="iris-svc", deviates=METADATA)
call("v2-model-unknown", "/v2/models/nothing")
call("v2-model-version", "/v2/models/iris-svc/versions/1", model="iris-svc",
     deviates={**VERSIONS, "mlserver": {"why": "A version that was never set does not exist in MLServer; jackdaw has version 1.",
                                        "want_status": 200}})
call("v2-model-ready", "/v2/models/iris-svc/ready", model="iris-svc")
call("v2-model-ready-unknown", "/v2/models/nothing/ready")
call("v2-model-ready-version", "/v2/models/iris-svc/versions/1/ready", model="iris-svc",
     deviates={**VERSIONS, "mlserver": {"why": "As v2-model-version.", "want_status": 200}})
call("v2-model-ready-wrong-version", "/v2/models/iris-svc/versions/9/ready", model="iris-svc",
     deviates={"kserve": {"why": "KServe answers 501 to every version; jackdaw says that this one does not exist.",
                          "want_status": 404}})
call("v2-index", "/v2/repository/index", "POST", JSON, "{}", deviates=INDEX)
call("v2-index-ready", "/v2/repository/index", "POST", JSON, '{"ready":true}', deviates=INDEX)
call("v2-index-not-ready", "/v2/repository/index", "POST", JSON, '{"ready":false}', deviates=INDEX)
call("v2-index-get", "/v2/repository/index", "GET", deviates={
    "kserve": {"why": "KServe has no repository index; jackdaw has, and GET is not its method.", "want_status": 405}})
call("unknown-path", "/nothing/here")
call("unknown-path-post", "/v2/models/iris-svc/nothing", "POST", JSON, "{}")
call("infer-get", "/v2/models/iris-svc/infer", "GET", model="iris-svc")
call("infer-put", "/v2/models/iris-svc/infer", "PUT", JSON, "{}", model="iris-svc")
call("infer-options", "/v2/models/iris-svc/infer", "OPTIONS", model="iris-svc", compare="status")
call("predict-get", "/v1/models/iris-svc:predict", "GET", model="iris-svc", peers=["kserve"])
call("predict-delete", "/v1/models/iris-svc:predict", "DELETE", model="iris-svc", peers=["kserve"], compare="status")

# ---- V1 ---------------------------------------------------------------------------------------------------------------------
v1("floats", "iris-svc", {"instances": ROWS})
v1("ints", "iris-svc", {"instances": INTS})
v1("mixed", "iris-svc", {"instances": [[6, 2.8, 4.8, 1], [5, 3, 1.5, 0]]})
v1("inputs", "iris-svc", {"inputs": ROWS})
v1("inputs-and-instances", "iris-svc", {"instances": [[1, 2]], "inputs": ROWS})
v1("extra-keys", "iris-svc", {"signature_name": "serving_default", "instances": ROWS, "parameters": {"a": 1}})
v1("no-content-type", "iris-svc", {"instances": ROWS}, headers={})
v1("content-type-charset", "iris-svc", {"instances": ROWS}, headers={"Content-Type": "application/json; charset=utf-8"},
   deviates={"kserve": {"why": "KServe leaves a JSON body unread when its type carries a charset and fails; jackdaw reads it.",
                        "want_status": 200}})
v1("content-type-text", "iris-svc", {"instances": ROWS}, headers={"Content-Type": "text/plain"}, compare="status",
   deviates={"kserve": {"why": "The body is not read as JSON by KServe and it fails with 500; jackdaw reads it.",
                        "want_status": 200}})
v1("content-type-ld", "iris-svc", {"instances": ROWS}, headers={"Content-Type": "application/ld+json"})
v1("spaces", "iris-svc", ' {\n "instances" : [ [ 6.8, 2.8 ,4.8,1.4] ]\t}\r\n')
# numpy's matrix products and exp differ in the last bits from one CPU to the next: "json" compares numbers to 1e-12.
v1("proba", "iris-proba", {"instances": ROWS}, compare="json")
v1("logreg", "iris-logreg", {"instances": ROWS})
v1("names", "iris-names", {"instances": ROWS})
v1("forest", "diabetes-forest", {"instances": [[0.03, 0.05, 0.06, 0.02], [-0.02, -0.04, -0.05, -0.03]]})
v1("two-targets", "linear-two", {"instances": [[0.03, 0.05, 0.06], [-0.02, -0.04, -0.05]]}, compare="json")
v1("no-predict", "iris-pca", {"instances": ROWS})
v1("text", "spam", {"instances": ["free prize now", "meeting at noon"]})
v1("text-empty-word", "spam", {"instances": ["", "free"]})
v1("text-unicode", "spam", {"instances": ["r\u00e9union \u2713 free \U0001f600 prize"]})
v1("text-escapes", "spam", '{"instances":["free\\u0020prize \\ud83d\\ude00","line\\nbreak meeting"]}')
v1("text-lone-surrogate", "spam", '{"instances":["free \\ud83d prize"]}', compare="status")
v1("rows-as-objects", "passengers", {"instances": [{"age": 29.5, "fare": 71.3, "sex": "female", "port": "C"},
                                                   {"age": 4.0, "fare": 8.05, "sex": "male", "port": "S"}]},
   deviates={"kserve": {"why": "KServe makes a frame of each object without an index, which pandas refuses; jackdaw takes them as "
                               "rows.", "want_status": 200}})
v1("rows-as-one-key-objects", "passengers", {"instances": [[{"age": 29.5}, {"fare": 71.3}, {"sex": "female"}, {"port": "C"}]]})
v1("rows-as-lists-of-objects", "passengers", {"instances": [[{"age": 29.5, "fare": 71.3, "sex": "female", "port": "C"}],
                                                            [{"age": 4.0, "fare": 8.05, "sex": "male", "port": "S"}]]})
v1("columns-as-objects", "passengers", {"instances": [{"age": [29.5, 4.0], "fare": [71.3, 8.05], "sex": ["female", "male"],
                                                       "port": ["C", "S"]}]})
v1("columns-other-order", "passengers", {"instances": [{"port": ["C"], "sex": ["female"], "fare": [71.3], "age": [29.5]}]})
v1("columns-null", "passengers", {"instances": [{"age": [None], "fare": [71.3], "sex": ["male"], "port": ["Q"]}]})
v1("columns-unknown-category", "passengers", {"instances": [{"age": [30], "fare": [10], "sex": ["other"], "port": ["X"]}]})
v1("columns-extra", "passengers", {"instances": [{"age": [30], "fare": [10], "sex": ["male"], "port": ["S"], "deck": ["A"]}]})
v1("columns-missing", "passengers", {"instances": [{"age": [30], "fare": [10], "sex": ["male"]}]})
v1("columns-different-lengths", "passengers", {"instances": [{"age": [30, 31], "fare": [10], "sex": ["male"], "port": ["S"]}]})
v1("frame-model-gets-rows", "passengers", {"instances": [[30, 10, "male", "S"]]}, deviates={
    "kserve": {"why": "A model fitted on named columns takes plain rows in that order; KServe refuses them.", "want_status": 200}})
v1("lgb-rows", "lgb-iris", {"instances": ROWS})
v1("lgb-columns", "lgb-iris", {"inputs": [{"sepal_width_(cm)": {"0": 3.5}, "petal_length_(cm)": {"0": 1.4},
                                           "petal_width_(cm)": {"0": 0.2}, "sepal_length_(cm)": {"0": 5.1}}]})
v1("lgb-columns-lists", "lgb-iris", {"instances": [{"sepal_width_(cm)": [3.5, 3.0], "petal_length_(cm)": [1.4, 5.0],
                                                    "petal_width_(cm)": [0.2, 1.9], "sepal_length_(cm)": [5.1, 6.3]}]})
v1("lgb-one-key-objects", "lgb-iris", {"inputs": [[{"sepal_length_(cm)": 5.1}, {"sepal_width_(cm)": 3.5},
                                                   {"petal_length_(cm)": 1.4}, {"petal_width_(cm)": 0.2}]]})
v1("lgb-rows-as-lists-of-objects", "lgb-iris", {"inputs": [[{"sepal_length_(cm)": 5.1, "sepal_width_(cm)": 3.5,
                                                             "petal_length_(cm)": 1.4, "petal_width_(cm)": 0.2}]]})
v1("lgb-missing-column", "lgb-iris", {"inputs": [{"sepal_width_(cm)": {"0": 3.5}, "petal_length_(cm)": {"0": 1.4},
                                                  "sepal_length_(cm)": {"0": 5.1}}]}, deviates={
    "kserve": {"why": "pandas gives an absent column the type object, which LightGBM refuses; to jackdaw its values are missing.",
               "want_status": 200}})
v1("lgb-null", "lgb-iris", {"instances": [[5.1, None, 1.4, 0.2]]})
v1("lgb-short-row", "lgb-iris", {"instances": [[5.1, 3.5, 1.4]]})
v1("xgb-binary", "xgb-binary", {"instances": [[17.99, 10.38, 122.8, 1001.0, 0.1184], [13.08, 15.71, 85.63, 520.0, 0.1075]]})
v1("xgb-ints", "xgb-binary", {"instances": [[18, 10, 122, 1001, 0], [13, 16, 86, 520, 1]]})
v1("xgb-null", "xgb-binary", {"instances": [[17.99, None, 122.8, 1001.0, 0.1184]]})
v1("xgb-softprob", "xgb-softprob", {"instances": ROWS})
v1("xgb-softmax", "xgb-softmax", {"instances": ROWS})
v1("xgb-short-row", "xgb-binary", {"instances": [[17.99, 10.38, 122.8]]})
v1("xgb-long-row", "xgb-binary", {"instances": [[17.99, 10.38, 122.8, 1001.0, 0.1184, 7]]})
v1("xgb-columns", "xgb-binary", {"instances": [{"a": [1.0], "b": [2.0], "c": [3.0], "d": [4.0], "e": [5.0]}]})
v1("short-row", "iris-svc", {"instances": [[6.8, 2.8, 4.8]]}, compare="bytes")
v1("long-row", "iris-svc", {"instances": [[6.8, 2.8, 4.8, 1.4, 1.0]]}, compare="bytes")
v1("flat", "iris-svc", {"instances": ROW})
v1("scalar-instances", "iris-svc", {"instances": 1.0})
v1("string-instances", "iris-svc", {"instances": "free"})
v1("null-instances", "iris-svc", {"instances": None})
v1("object-instances", "iris-svc", {"instances": {"a": 1}})
v1("nested-deeper", "iris-svc", {"instances": [[[6.8], [2.8], [4.8], [1.4]]]})
v1("ragged", "iris-svc", {"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4]]})
v1("empty-instances", "iris-svc", {"instances": []})
v1("empty-row", "iris-svc", {"instances": [[]]})
v1("empty-object", "iris-svc", {})
v1("missing-key", "iris-svc", {"rows": ROWS})
v1("null-cell", "iris-svc", {"instances": [[6.8, None, 4.8, 1.4]]})
v1("word-cell", "iris-svc", {"instances": [[6.8, "wide", 4.8, 1.4]]})
v1("number-word-cell", "iris-svc", {"instances": [[6.8, "2.8", 4.8, 1.4]]})
v1("bool-cells", "iris-svc", {"instances": [[True, False, True, False]]})
v1("bool-and-float", "iris-svc", {"instances": [[True, 2.5, 1, 0]]})
v1("nan-token", "iris-svc", '{"instances":[[NaN,2.8,4.8,1.4]]}')
v1("infinity-token", "iris-svc", '{"instances":[[Infinity,2.8,4.8,1.4]]}')
v1("huge-float", "iris-svc", '{"instances":[[1e400,2.8,4.8,1.4]]}')
v1("huge-int", "iris-svc", '{"instances":[[18446744073709551615,2,4,1]]}')
v1("beyond-uint64", "iris-svc", '{"instances":[[123456789012345678901234567890,2,4,1]]}')
v1("int64-limits", "iris-svc", '{"instances":[[9223372036854775807,-9223372036854775808,4,1]]}')
v1("tiny-float", "iris-svc", '{"instances":[[1e-320,-0.0,4.8,1.4]]}')
v1("leading-zero", "iris-svc", '{"instances":[[06.8,2.8,4.8,1.4]]}')
v1("trailing-comma", "iris-svc", '{"instances":[[6.8,2.8,4.8,1.4,]]}')
v1("trailing-garbage", "iris-svc", '{"instances":[[6.8,2.8,4.8,1.4]]} x')
v1("duplicate-keys", "iris-svc", '{"instances":[[1,2]],"instances":[[6.8,2.8,4.8,1.4]]}')
v1("bad-json", "iris-svc", '{"instances":[[6.8,2.8')
v1("empty-body", "iris-svc", "")
v1("not-an-object", "iris-svc", "[[6.8,2.8,4.8,1.4]]", compare="status")
v1("a-number", "iris-svc", "7", compare="status")
v1("invalid-utf8", "iris-svc", b'{"instances":["\xff\xfe"]}')
v1("bom", "iris-svc", b'\xef\xbb\xbf{"instances":[[6.8,2.8,4.8,1.4]]}')
v1("unknown-model", "nothing", {"instances": ROWS})
# KServe: "Could not find explainer_host."; jackdaw explains models of trees and says for which others it does not.
v1("explain", "iris-svc", {"instances": ROWS}, verb="explain", compare="status")
v1("gzip", "iris-svc", gzip.compress(json.dumps({"instances": ROWS}).encode(), mtime=0),
   headers={**JSON, "Content-Encoding": "gzip"}, compare="status",
   deviates={"kserve": {"why": "KServe does not unpack bodies; jackdaw does.", "want_status": 200}})
v1("expect", "iris-svc", {"instances": ROWS}, headers={**JSON, "Expect": "100-continue"})
v1("request-id", "iris-svc", {"instances": ROWS}, headers={
    **JSON, "X-Request-Id": "abc-123", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
CE = {"ce-id": "36077800-0c23-4f38-a0b4-01f4369f670a", "ce-source": "https://example.com/event-producer", "ce-specversion": "1.0",
      "ce-type": "com.example.sampletype1"}
v1("cloudevent-binary", "iris-svc", {"instances": ROWS}, headers={**JSON, **CE})
v1("cloudevent-binary-numbers", "echo", {"instances": [[0.00001, 0], [1e16, 0], [0.1, 0], [1e22, 0], [3, 0]]}, headers={**JSON, **CE})
v1("cloudevent-binary-names", "iris-names", {"instances": ROWS}, headers={**JSON, **CE})
v1("cloudevent-half", "iris-svc", {"instances": ROWS}, headers={**JSON, "ce-id": "1", "ce-source": "here"}, compare="status")
v1("cloudevent-binary-bad", "iris-svc", '{"instances":', headers={**JSON, **CE})
v1("cloudevent-structured", "iris-svc", {
    "specversion": "1.0", "id": "36077800-0c23-4f38-a0b4-01f4369f670a", "source": "https://example.com/event-producer",
    "type": "com.example.sampletype1", "time": "2021-01-28T21:04:43.144141+00:00", "data": {"instances": ROWS}},
   headers={"Content-Type": "application/cloudevents+json"})

CLOUD = {"Content-Type": "application/cloudevents+json"}


def typed_event(data, structured=False):
    """KServe's answer to a V2 event, but for one header."""
    head = ('{"specversion": "1.0", "id": "00000000-0000-0000-0000-000000000000", "source": "io.kserve.inference.iris-svc", '
            '"type": "io.kserve.inference.response", "time": "2000-01-01T00:00:00.000000+00:00", "data": ')
    return {"kserve": {"why": "KServe sends V2 events without their content type; jackdaw sends it, as both do with V1's.",
                       "want_status": 200, "want_body": head + data + "}" if structured else data}}


def event_data(model, shape, datatype, data):
    return ('{"id": "42", "model_name": "%s", "model_version": null, "outputs": [{"name": "output-0", "shape": [%s], "datatype": '
            '"%s", "data": [%s]}]}' % (model, shape, datatype, data))


v2("cloudevent-binary", "iris-svc", infer(tensor(ROWS, "FP32"), id="42"), headers={**JSON, **CE}, peers=["kserve"],
   deviates=typed_event(event_data("iris-svc", 2, "INT64", "1, 1")))
v2("cloudevent-binary-numbers", "echo", infer(tensor([[0.00001, 0], [1e16, 0], [0.1, 0], [1e22, 0], [3, 0]]), id="42"),
   headers={**JSON, **CE}, peers=["kserve"],
   deviates=typed_event(event_data("echo", 5, "FP64", "1e-05, 1e+16, 0.1, 1e+22, 3.0")))
v2("cloudevent-binary-names", "iris-names", infer(tensor(ROWS), id="42"), headers={**JSON, **CE}, peers=["kserve"],
   deviates=typed_event(event_data("iris-names", 2, "BYTES", '"versicolor", "versicolor"')))
v2("cloudevent-plain-body", "iris-svc", infer(tensor(ROWS), id="42"), headers=CLOUD, peers=["kserve"],
   deviates=typed_event(event_data("iris-svc", 2, "INT64", "1, 1"), structured=True))
v2("cloudevent-structured", "iris-svc", {
    "specversion": "1.0", "id": "1", "source": "https://example.com/event-producer", "type": "com.example.sampletype1",
    "data": infer(tensor(ROWS), id="42")}, headers=CLOUD, peers=["kserve"],
   deviates={"kserve": {"why": "KServe takes a V2 event for a V2 body and misses its inputs; jackdaw opens it, as both do V1's.",
                        "want_status": 200}})

# ---- V2, JSON ---------------------------------------------------------------------------------------------------------------
v2("fp64", "iris-svc", infer(tensor(ROWS)))
v2("fp64-flat", "iris-svc", infer(tensor(FLAT, shape=[2, 4])))
v2("fp32", "iris-svc", infer(tensor(ROWS, "FP32"), id="42"))
v2("fp16", "iris-svc", infer(tensor(ROWS, "FP16"), id="42"))
v2("bf16", "iris-svc", infer(tensor(ROWS, "BF16"), id="42"))
for kind in ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"):
    v2(kind.lower(), "iris-svc", infer(tensor(INTS, kind), id="42"))
v2("bool", "iris-svc", infer(tensor([[True, False, True, True], [False, False, False, True]], "BOOL"), id="42"))
v2("bool-from-ints", "iris-svc", infer(tensor([[1, 0, 1, 1]], "BOOL"), id="42"))
v2("lower-case-datatype", "iris-svc", infer(tensor(ROWS, "fp64"), id="42"))
v2("unknown-datatype", "iris-svc", infer(tensor(ROWS, "FP128"), id="42"))
v2("ints-as-fp32", "iris-svc", infer(tensor(INTS, "FP32"), id="42"))
v2("floats-as-int32", "iris-svc", infer(tensor(ROWS, "INT32"), id="42"))
v2("int8-overflow", "iris-svc", infer(tensor([[300, 2, 4, 1]], "INT8"), id="42"), deviates={
    "mlserver": {"why": "An older numpy wraps the number around; jackdaw refuses it.", "want_status": 400}})
v2("uint8-negative", "iris-svc", infer(tensor([[-1, 2, 4, 1]], "UINT8"), id="42"), deviates={
    "mlserver": {"why": "An older numpy wraps the number around; jackdaw refuses it.", "want_status": 400}})
v2("words-as-fp32", "iris-svc", infer(tensor([["6.8", "2.8", "4.8", "1.4"]], "FP32"), id="42"))
v2("word-as-fp32", "iris-svc", infer(tensor([["wide", 2.8, 4.8, 1.4]], "FP32"), id="42"))
v2("null-in-data", "iris-svc", infer(tensor([[None, 2.8, 4.8, 1.4]], "FP32"), id="42"))
v2("huge-float", "iris-svc", '{"id":"42","inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[1e400,2,3,4]}]}')
v2("nan-token", "iris-svc", '{"id":"42","inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[NaN,2,3,4]}]}')
v2("fp32-overflow", "iris-svc", infer(tensor([[1e39, 2, 3, 4]], "FP32"), id="42"))
v2("no-id", "iris-svc", infer(tensor(ROWS)))
v2("empty-id", "iris-svc", infer(tensor(ROWS), id=""))
v2("null-id", "iris-svc", infer(tensor(ROWS), id=None))
v2("number-id", "iris-svc", infer(tensor(ROWS), id=7))
v2("long-id", "iris-svc", infer(tensor(ROWS), id="r\u00e9q \"1\" \\ \n \u2713 \u007f </x>"), deviates={
    "mlserver": {"why": "The id goes into a header there and fails; jackdaw leaves such an id out of the headers.",
                 "want_status": 200}})
v2("parameters", "iris-svc", infer(tensor(ROWS, parameters={"a": 1, "b": True}), id="42",
                                   parameters={"s": "t", "n": 1, "f": 1.5, "b": False}))
v2("parameters-nested", "iris-svc", infer(tensor(ROWS), id="42", parameters={"deep": {"a": 1}}), compare="status")
v2("parameters-null", "iris-svc", infer(tensor(ROWS), id="42", parameters=None))
v2("extra-keys", "iris-svc", {**infer(tensor(ROWS), id="42"), "model_name": "other", "more": [1]})
v2("unknown-model", "nothing", infer(tensor(ROWS), id="42"))
v2("unknown-model-bad-body", "nothing", "{}")
v2("version", "iris-svc/versions/1", infer(tensor(ROWS), id="42"), deviates={
    **VERSIONS, "mlserver": {"why": "As v2-model-version.", "want_status": 200}})
v2("wrong-version", "iris-svc/versions/9", infer(tensor(ROWS), id="42"), deviates={
    "kserve": {"why": "As v2-model-ready-wrong-version.", "want_status": 404}})
v2("two-inputs", "iris-svc", infer(tensor(ROWS, name="a"), tensor(INTS, "INT64", name="b"), id="42"))
v2("same-name-twice", "iris-svc", infer(tensor(ROWS, name="a"), tensor(INTS, "INT64", name="a"), id="42"), compare="status")
v2("no-inputs", "iris-svc", infer(id="42"))
v2("inputs-missing", "iris-svc", {"id": "42"})
v2("inputs-null", "iris-svc", {"id": "42", "inputs": None})
v2("inputs-object", "iris-svc", {"id": "42", "inputs": tensor(ROWS)})
v2("name-missing", "iris-svc", {"id": "42", "inputs": [{"shape": [2, 4], "datatype": "FP64", "data": FLAT}]})
v2("shape-missing", "iris-svc", {"id": "42", "inputs": [{"name": "x", "datatype": "FP64", "data": FLAT}]})
v2("datatype-missing", "iris-svc", {"id": "42", "inputs": [{"name": "x", "shape": [2, 4], "data": FLAT}]})
v2("data-missing", "iris-svc", {"id": "42", "inputs": [{"name": "x", "shape": [2, 4], "datatype": "FP64"}]})
v2("all-missing", "iris-svc", {"inputs": [{}]})
v2("name-number", "iris-svc", infer(tensor(ROWS, name=7), id="42"))
v2("shape-words", "iris-svc", infer(tensor(ROWS, shape=["two", 4]), id="42"))
v2("shape-number-words", "iris-svc", infer(tensor(ROWS, shape=["2", 4]), id="42"))
v2("shape-floats", "iris-svc", infer(tensor(ROWS, shape=[2.0, 4.0]), id="42"))
v2("shape-fraction", "iris-svc", infer(tensor(ROWS, shape=[2.5, 4]), id="42"))
v2("shape-number", "iris-svc", infer(tensor(ROWS, shape=8), id="42"))
v2("shape-too-big", "iris-svc", infer(tensor(FLAT, shape=[3, 4]), id="42"), compare={"kserve": "bytes"})
v2("shape-too-small", "iris-svc", infer(tensor(FLAT, shape=[1, 4]), id="42"), compare={"kserve": "bytes"})
v2("shape-minus-one", "iris-svc", infer(tensor(FLAT, shape=[-1, 4]), id="42"))
v2("shape-negative", "iris-svc", infer(tensor(FLAT, shape=[-2, 4]), id="42"))
v2("shape-empty", "iris-svc", infer(tensor(FLAT, shape=[]), id="42"))
v2("shape-huge", "iris-svc", infer(tensor(FLAT, shape=[4611686018427387904, 4]), id="42"))
v2("shape-beyond-int64", "iris-svc",
   '{"id":"42","inputs":[{"name":"x","shape":[18446744073709551616,4],"datatype":"FP64","data":[1,2,3,4]}]}', compare="status")
v2("shape-flat", "iris-svc", infer(tensor(FLAT, shape=[8]), id="42"))
v2("shape-one-row", "iris-svc", infer(tensor(ROW, shape=[4]), id="42"))
v2("shape-three", "iris-svc", infer(tensor(FLAT, shape=[2, 2, 2]), id="42"))
v2("shape-other-way", "iris-svc", infer(tensor(FLAT, shape=[4, 2]), id="42"), compare={"kserve": "bytes"})
v2("zero-rows", "iris-svc", infer(tensor([], shape=[0, 4]), id="42"))
v2("data-object", "iris-svc", infer({"name": "x", "shape": [1, 4], "datatype": "FP64", "data": {"a": 1}}, id="42"))
v2("data-number", "iris-svc", infer({"name": "x", "shape": [1], "datatype": "FP64", "data": 7}, id="42"))
v2("data-ragged", "iris-svc", infer(tensor([[1, 2, 3, 4], [5, 6]], shape=[2, 4]), id="42"))
v2("data-nested-deeper", "iris-svc", infer(tensor([[[6.8, 2.8], [4.8, 1.4]]], shape=[1, 4]), id="42"))
v2("bytes-to-numbers-model", "iris-svc", infer(tensor(["a", "b"], "BYTES", shape=[2]), id="42"))
v2("bad-json", "iris-svc", '{"inputs":[')
v2("empty-body", "iris-svc", "")
v2("array-body", "iris-svc", "[]")
v2("invalid-utf8", "iris-svc", b'{"id":"\xff","inputs":[]}', compare="status")
v2("duplicate-keys", "iris-svc", '{"id":"1","id":"2","inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[6.8,2.8,4.8,1.4]}]}')
v2("no-content-type", "iris-svc", infer(tensor(ROWS), id="42"), headers={})
v2("content-type-charset", "iris-svc", infer(tensor(ROWS), id="42"), headers={"Content-Type": "application/json; charset=utf-8"})
v2("content-type-plus-json", "iris-svc", infer(tensor(ROWS), id="42"), headers={"Content-Type": "application/vnd.x+json"})
v2("content-type-form", "iris-svc", infer(tensor(ROWS), id="42"), headers={"Content-Type": "application/x-www-form-urlencoded"})
v2("content-type-text", "iris-svc", infer(tensor(ROWS), id="42"), headers={"Content-Type": "text/plain"}, compare="status")
v2("content-type-octet-json", "iris-svc", infer(tensor(ROWS), id="42"), headers={"Content-Type": "application/octet-stream"})
v2("gzip", "iris-svc", gzip.compress(json.dumps(infer(tensor(ROWS), id="42")).encode(), mtime=0),
   headers={**JSON, "Content-Encoding": "gzip"}, compare={"kserve": "status"},
   deviates={"kserve": {"why": "KServe does not unpack bodies; jackdaw does.", "want_status": 200}})
v2("gzip-broken", "iris-svc", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc", headers={**JSON, "Content-Encoding": "gzip"},
   compare="status", deviates={peer: {"why": "A body that cannot be unpacked is the client's mistake.", "want_status": 400}
                               for peer in BOTH})
v2("expect", "iris-svc", infer(tensor(ROWS), id="42"), headers={**JSON, "Expect": "100-continue"})
v2("request-id", "iris-svc", infer(tensor(ROWS), id="42"), headers={
    **JSON, "X-Request-Id": "abc-123", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
v2("request-id-no-id", "iris-svc", infer(tensor(ROWS)), headers={**JSON, "X-Request-Id": "abc-123"})
v2("accept-encoding", "iris-svc", infer(tensor(ROWS), id="42"), headers={**JSON, "Accept-Encoding": "gzip"})

# Models and what they give back.
v2("proba-server", "iris-proba", infer(tensor(ROWS), id="42"), peers=["kserve"], compare="json")
v2("logreg", "iris-logreg", infer(tensor(ROWS), id="42"))
v2("names", "iris-names", infer(tensor(ROWS), id="42"))
NUMBERS = [0.1, 1.0, 100.0, 123456.789, 1e15, 1e16, 1e17, 123456789012345680.0, 1e21, 1e22, 1.5e300, 1.7976931348623157e308, 0.001,
           0.0001, 0.00001, 0.000012345, 1e-7, 2.5e-10, 5e-324, -0.5, -1e-9, -1e20, 0.30000000000000004, 1 / 3]
SMALL = [0.1, 1.0, 100.0, 16777216.0, 1e10, 1e15, 1e16, 1e17, 3e38, 0.001, 0.0001, 0.00001, 1e-7, 1.1754944e-38, 1e-45, -0.5, 6.8]
v1("numbers", "echo", {"instances": [[value, 0] for value in NUMBERS]})
v2("numbers", "echo", infer(tensor([[value, 0] for value in NUMBERS]), id="42"))
v2("numbers-fp32", "echo32", infer(tensor([[value, 0] for value in SMALL], "FP32"), id="42"))
v2("numbers-fp32-to-fp64", "echo", infer(tensor([[value, 0] for value in SMALL], "FP32"), id="42"))
v2("numbers-ints", "echo", infer(tensor([[9007199254740993, 0], [-9223372036854775808, 0]], "INT64"), id="42"))
v1("infinite-result", "echo", {"instances": [[0, 1e308]]})
v2("infinite-result", "echo", infer(tensor([[0, 1e308]]), id="42"))
v2("infinite-result-binary", "echo", infer(tensor([[0, 1e308]]), id="42", parameters={"binary_data_output": True}), peers=["kserve"])
v2("forest", "diabetes-forest", infer(tensor([[0.03, 0.05, 0.06, 0.02], [-0.02, -0.04, -0.05, -0.03]]), id="42"))
v2("forest-fp32", "diabetes-forest", infer(tensor([[0.03, 0.05, 0.06, 0.02]], "FP32"), id="42"))
v2("two-targets", "linear-two", infer(tensor([[0.03, 0.05, 0.06], [-0.02, -0.04, -0.05]]), id="42"), compare="json")
v2("two-targets-fp32", "linear-two", infer(tensor([[0.03, 0.05, 0.06], [-0.02, -0.04, -0.05]], "FP32"), id="42"))
v2("proba-fp32", "iris-proba", infer(tensor(ROWS, "FP32"), id="42"), peers=["kserve"], compare="json")
v2("no-predict", "iris-pca", infer(tensor(ROWS), id="42"), compare={"mlserver": "status"})
v2("short-row", "iris-logreg", infer(tensor([[1, 2, 3]], "FP64"), id="42"), compare={"kserve": "bytes"})
v2("text", "spam", infer(tensor(["free prize now", "meeting at noon"], "BYTES", shape=[2]), id="42"),
   deviates=words_out("spam", "ham"))
v2("text-str", "spam", infer(tensor(["free prize now", "meeting at noon"], "BYTES", shape=[2], parameters={"content_type": "str"}),
                             id="42"), deviates=words_out("spam", "ham"))
v2("text-str-request", "spam", infer(tensor(["free prize now"], "BYTES", shape=[1]), id="42", parameters={"content_type": "str"}),
   deviates=words_out("spam"))
v2("text-column", "spam", infer(tensor([["free prize now"], ["meeting at noon"]], "BYTES", shape=[2, 1]), id="42"),
   compare={"mlserver": "status"})
v2("text-unicode", "spam", infer(tensor(["r\u00e9union \u2713 free \U0001f600 prize"], "BYTES", shape=[1],
                                        parameters={"content_type": "str"}), id="42"), deviates=words_out("spam"))
FRAME = [tensor([29.5, 4.0], "FP64", [2], "age"), tensor([71.3, 8.05], "FP64", [2], "fare"),
         tensor(["female", "male"], "BYTES", [2], "sex", {"content_type": "str"}),
         tensor(["C", "S"], "BYTES", [2], "port", {"content_type": "str"})]
v2("pd", "passengers", infer(*FRAME, id="42", parameters={"content_type": "pd"}))
v2("pd-other-order", "passengers", infer(*reversed(FRAME), id="42", parameters={"content_type": "pd"}))
v2("pd-missing-column", "passengers", infer(*FRAME[:3], id="42", parameters={"content_type": "pd"}), compare={"mlserver": "status"})
v2("pd-different-lengths", "passengers", infer(FRAME[0], tensor([71.3], "FP64", [1], "fare"), *FRAME[2:], id="42",
                                               parameters={"content_type": "pd"}), compare={"mlserver": "status"})
v2("pd-columns", "passengers", infer(*[{**column, "shape": [2, 1]} for column in FRAME], id="42",
                                     parameters={"content_type": "pd"}))
v2("pd-ints", "passengers", infer(tensor([29, 4], "INT32", [2], "age"), tensor([71, 8], "INT64", [2], "fare"), *FRAME[2:], id="42",
                                  parameters={"content_type": "pd"}))
v2("pd-absent", "passengers", infer(*FRAME, id="42"), compare={"mlserver": "status"})
v2("np", "iris-svc", infer(tensor(ROWS), id="42", parameters={"content_type": "np"}))
v2("np-input", "iris-svc", infer(tensor(ROWS, parameters={"content_type": "np"}), id="42"))
v2("pd-numbers", "iris-svc", infer(*[tensor([row[i] for row in ROWS], "FP64", [2], f"f{i}") for i in range(4)], id="42",
                                   parameters={"content_type": "pd"}))
v2("content-type-unknown", "iris-svc", infer(tensor(ROWS), id="42", parameters={"content_type": "nothing"}))
v2("lgb", "lgb-iris", infer(tensor(ROWS), id="42"))
v2("lgb-fp32", "lgb-iris", infer(tensor(ROWS, "FP32"), id="42"))
v2("lgb-ints", "lgb-iris", infer(tensor(INTS, "INT32"), id="42"))
v2("lgb-short-row", "lgb-iris", infer(tensor([[1, 2, 3]], "FP64"), id="42"), compare={"mlserver": "status"})
v2("xgb-binary", "xgb-binary", infer(tensor([[17.99, 10.38, 122.8, 1001.0, 0.1184], [13.08, 15.71, 85.63, 520.0, 0.1075]], "FP32"),
                                     id="42"))
v2("xgb-binary-fp64", "xgb-binary", infer(tensor([[17.99, 10.38, 122.8, 1001.0, 0.1184]], "FP64"), id="42"))
v2("xgb-null", "xgb-binary", infer(tensor([[17.99, None, 122.8, 1001.0, 0.1184]], "FP32"), id="42"))
v2("xgb-softprob", "xgb-softprob", infer(tensor(ROWS, "FP32"), id="42"))
v2("xgb-softmax", "xgb-softmax", infer(tensor(ROWS, "FP32"), id="42"))
v2("xgb-short-row", "xgb-binary", infer(tensor([[1, 2, 3]], "FP32"), id="42"))
v2("xgb-nan-token", "xgb-binary",
   '{"id":"42","inputs":[{"name":"x","shape":[1,5],"datatype":"FP32","data":[17.99,NaN,122.8,1001.0,0.1184]}]}')
v2("xgb-infinity-token", "xgb-binary",
   '{"id":"42","inputs":[{"name":"x","shape":[1,5],"datatype":"FP32","data":[17.99,Infinity,122.8,-Infinity,0.1184]}]}')

# Choosing outputs.
v2("outputs-kserve", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "output-0"}]))
v2("outputs-predict", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "predict"}]))
v2("outputs-proba", "iris-logreg", infer(tensor(ROWS), id="42", outputs=[{"name": "predict_proba"}]))
v2("outputs-both", "iris-logreg", infer(tensor(ROWS), id="42", outputs=[{"name": "predict"}, {"name": "predict_proba"}]))
v2("outputs-proba-svc", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "predict_proba"}]))
v2("outputs-proba-regressor", "diabetes-forest", infer(tensor([[0.03, 0.05, 0.06, 0.02]]), id="42",
                                                       outputs=[{"name": "predict_proba"}]))
v2("outputs-transform", "iris-pca", infer(tensor(ROWS), id="42", outputs=[{"name": "transform"}]))
v2("outputs-transform-classifier", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "transform"}]),
   compare={"mlserver": "status"})
v2("outputs-decision", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "decision_function"}]))
v2("outputs-unknown", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "nothing"}]))
v2("outputs-empty", "iris-svc", infer(tensor(ROWS), id="42", outputs=[]))
v2("outputs-null", "iris-svc", infer(tensor(ROWS), id="42", outputs=None))
v2("outputs-no-name", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{}]))
v2("outputs-twice", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "output-0"}, {"name": "output-0"}]))
v2("outputs-predict-twice", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "predict"}, {"name": "predict"}]),
   peers=["mlserver"])
v2("outputs-xgb-proba", "xgb-softprob", infer(tensor(ROWS, "FP32"), id="42", outputs=[{"name": "predict_proba"}]))
v2("outputs-xgb-proba-regressor", "xgb-binary", infer(tensor([[1, 2, 3, 4, 5]], "FP32"), id="42", outputs=[{"name": "predict_proba"}]))
v2("outputs-xgb-unknown", "xgb-softprob", infer(tensor(ROWS, "FP32"), id="42", outputs=[{"name": "transform"}]))
v2("outputs-lgb-unknown", "lgb-iris", infer(tensor(ROWS, "FP32"), id="42", outputs=[{"name": "nothing"}]))
v2("outputs-text-proba", "spam", infer(tensor(["free prize now"], "BYTES", shape=[1], parameters={"content_type": "str"}), id="42",
                                       outputs=[{"name": "predict_proba"}]), deviates={
    "kserve": {"why": UNLABELLED, "want_status": 400,
               "want_body": '{"error":"Unexpected inference output \'predict_proba\' for model \'spam\'"}'}})
v2("outputs-pd", "passengers", infer(*FRAME, id="42", parameters={"content_type": "pd"}, outputs=[
    {"name": "predict"}, {"name": "predict_proba"}]))
v2("outputs-content-type", "iris-svc", infer(tensor(ROWS), id="42", outputs=[
    {"name": "predict", "parameters": {"content_type": "np"}}]))
v2("outputs-content-type-pd", "iris-svc", infer(tensor(ROWS), id="42", outputs=[
    {"name": "predict", "parameters": {"content_type": "pd"}}]))
v2("outputs-names-str", "iris-names", infer(tensor(ROWS), id="42", outputs=[
    {"name": "predict", "parameters": {"content_type": "str"}}]))
v2("generate", "iris-svc/../iris-svc", infer(tensor(ROWS), id="42"), compare="status")

# ---- V2, binary tensor extension ---------------------------------------------------------------------------------------------
binary("fp32", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT))
binary("fp64", "iris-svc", infer(raw([2, 4], "FP64", 64), id="42"), pack("d", FLAT))
binary("fp16", "iris-svc", infer(raw([2, 4], "FP16", 16), id="42"), pack("e", FLAT))
binary("int8", "iris-svc", infer(raw([2, 4], "INT8", 8), id="42"), pack("b", [6, 3, 5, 1, 5, 3, 1, 0]))
binary("int64", "iris-svc", infer(raw([2, 4], "INT64", 64), id="42"), pack("q", [6, 3, 5, 1, 5, 3, 1, 0]))
binary("uint16", "iris-svc", infer(raw([2, 4], "UINT16", 16), id="42"), pack("H", [6, 3, 5, 1, 5, 3, 1, 0]))
binary("uint64", "iris-svc", infer(raw([2, 4], "UINT64", 64), id="42"), pack("Q", [6, 3, 5, 1, 5, 3, 1, 0]))
binary("bool", "iris-svc", infer(raw([2, 4], "BOOL", 8), id="42"), bytes([1, 0, 1, 1, 0, 0, 0, 1]))
binary("bf16", "iris-svc", infer(raw([1, 4], "BF16", 8), id="42"), pack("H", [0x40DA, 0x4033, 0x409A, 0x3FB3]),
       deviates={"kserve": {"why": "KServe does not know BF16; jackdaw does.", "want_status": 200}})
binary("text", "spam", infer(raw([2], "BYTES", len(strings("free prize", "meeting"))), id="42"), strings("free prize", "meeting"),
       deviates=words_out("spam", "ham"))
binary("text-not-utf8", "spam", infer(raw([1], "BYTES", 6), id="42"), b"\x02\0\0\0\xff\xfe")
binary("text-truncated", "spam", infer(raw([1], "BYTES", 6), id="42"), b"\x09\0\0\0ab")
binary("json-data", "iris-svc", infer(tensor(ROWS, "FP32"), id="42"), b"")
binary("json-data-fp16", "iris-svc", infer(tensor(ROWS, "FP16"), id="42"), b"")
binary("no-id", "iris-svc", infer(raw([2, 4], "FP32", 32)), pack("f", FLAT))
binary("all-out", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42", parameters={"binary_data_output": True}), pack("f", FLAT))
binary("all-out-no-id", "iris-svc", infer(raw([2, 4], "FP32", 32), parameters={"binary_data_output": True}), pack("f", FLAT))
binary("all-out-false", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42", parameters={"binary_data_output": False}),
       pack("f", FLAT))
binary("proba-out", "iris-proba", infer(raw([2, 4], "FP64", 64), id="42", parameters={"binary_data_output": True}), pack("d", FLAT),
       compare="doubles")
binary("names-out", "iris-names", infer(raw([2, 4], "FP64", 64), id="42", parameters={"binary_data_output": True}), pack("d", FLAT))
binary("xgb-out", "xgb-softprob", infer(raw([2, 4], "FP32", 32), id="42", parameters={"binary_data_output": True}), pack("f", FLAT))
binary("one-out", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42", outputs=[
    {"name": "output-0", "parameters": {"binary_data": True}}]), pack("f", FLAT))
binary("one-out-false-wins", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42", parameters={"binary_data_output": True}, outputs=[
    {"name": "output-0", "parameters": {"binary_data": False}}]), pack("f", FLAT))
binary("named-out-no-flag", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42", parameters={"binary_data_output": True}, outputs=[
    {"name": "output-0"}]), pack("f", FLAT))
binary("unknown-out", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42", outputs=[
    {"name": "nothing", "parameters": {"binary_data": True}}]), pack("f", FLAT))
v2("binary-out", "iris-svc", infer(tensor(ROWS), id="42", parameters={"binary_data_output": True}))
v2("binary-one-out", "iris-svc", infer(tensor(ROWS), id="42", outputs=[{"name": "output-0", "parameters": {"binary_data": True}}]),
   peers=["kserve"])
v2("binary-out-names", "iris-names", infer(tensor(ROWS), id="42", parameters={"binary_data_output": True}), peers=["kserve"])
v2("binary-out-word", "iris-svc", infer(tensor(ROWS), id="42", parameters={"binary_data_output": "false"}), peers=["kserve"],
   compare="status")
binary("two-inputs", "iris-svc", infer(raw([2, 4], "FP32", 32, "a"), raw([2, 4], "INT8", 8, "b"), id="42"),
       pack("f", FLAT) + bytes(8))
binary("pd", "passengers", infer(raw([2], "FP64", 16, "age"), raw([2], "FP32", 8, "fare"), raw([2], "BYTES", 18, "sex"),
                                 raw([2], "BYTES", 10, "port"), id="42", parameters={"content_type": "pd"}),
       pack("d", [29.5, 4.0]) + pack("f", [71.3, 8.05]) + strings("female", "male") + strings("C", "S"))
binary("mixed-json-and-raw", "passengers", infer(raw([2], "FP64", 16, "age"), *FRAME[1:], id="42",
                                                 parameters={"content_type": "pd"}), pack("d", [29.5, 4.0]))
binary("header-missing", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT),
       headers={"Inference-Header-Content-Length": None})
binary("header-zero", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), length=0)
binary("header-word", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), length="many")
binary("header-negative", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), length=-5)
binary("header-too-long", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), length=99999)
binary("header-too-short", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), length=20)
binary("size-too-big", "iris-svc", infer(raw([2, 4], "FP32", 64), id="42"), pack("f", FLAT), deviates={
    "kserve": {"why": "A size beyond the body is a lie that KServe cuts short; jackdaw refuses it.", "want_status": 400}})
binary("size-too-small", "iris-svc", infer(raw([2, 4], "FP32", 16), id="42"), pack("f", FLAT))
binary("size-odd", "iris-svc", infer(raw([2, 4], "FP32", 31), id="42"), pack("f", FLAT))
binary("size-negative", "iris-svc", infer(raw([2, 4], "FP32", -1), id="42"), pack("f", FLAT))
binary("size-word", "iris-svc", infer(raw([2, 4], "FP32", "32"), id="42"), pack("f", FLAT))
binary("size-null", "iris-svc", infer(raw([2, 4], "FP32", None), id="42"), pack("f", FLAT))
binary("size-absent", "iris-svc", infer({"name": "input-0", "shape": [2, 4], "datatype": "FP32"}, id="42"), pack("f", FLAT))
binary("bytes-left-over", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT) + b"rest")
binary("body-cut", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT[:6]))
binary("nan", "iris-svc", infer(raw([1, 4], "FP32", 16), id="42"), pack("f", [float("nan"), 1, 2, 3]))
binary("xgb-nan", "xgb-binary", infer(raw([1, 5], "FP32", 20), id="42"), pack("f", [17.99, float("nan"), 122.8, 1001.0, 0.1184]))
binary("json-content-type", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT),
       headers={"Content-Type": "application/json"}, compare="status")
binary("no-content-type", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), headers={"Content-Type": None})
binary("inputs-missing", "iris-svc", {"id": "42"}, b"")
binary("name-missing", "iris-svc", {"inputs": [{"shape": [1], "datatype": "FP32", "data": [1]}]}, b"")
binary("mlserver", "iris-svc", infer(raw([2, 4], "FP32", 32), id="42"), pack("f", FLAT), peers=["mlserver"],
       compare="status", deviates={"mlserver": {"why": "MLServer has no binary extension over REST; jackdaw takes it everywhere.",
                                                "want_status": 200}})

# ---- Model repository: these change the server ------------------------------------------------------------------------------
REPOSITORY = "/v2/repository/models/"
call("load-loaded", REPOSITORY + "unloaded/load", "POST", model="unloaded", changes=True)
call("load-unknown", REPOSITORY + "nothing/load", "POST")
call("unload-unknown", REPOSITORY + "nothing/unload", "POST")
call("load-get", REPOSITORY + "unloaded/load", "GET", model="unloaded")
call("unload", REPOSITORY + "unloaded/unload", "POST", model="unloaded", changes=True)
call("unload-again", REPOSITORY + "unloaded/unload", "POST", model="unloaded", changes=True)
call("ready-after-unload", "/v2/models/unloaded/ready", model="unloaded")
call("v1-ready-after-unload", "/v1/models/unloaded", model="unloaded", peers=["kserve"])
call("infer-after-unload", "/v2/models/unloaded/infer", "POST", JSON, infer(tensor(ROWS), id="42"), model="unloaded")
call("list-after-unload", "/v2/models", peers=["kserve"])
call("index-after-unload", "/v2/repository/index", "POST", JSON, "{}", deviates=INDEX)
call("load-again", REPOSITORY + "unloaded/load", "POST", model="unloaded", changes=True, deviates={
    "kserve": {"why": "KServe cannot load what it has unloaded and answers 503; jackdaw loads it.", "want_status": 200}})
call("infer-after-load", "/v2/models/unloaded/infer", "POST", JSON, infer(tensor(ROWS), id="42"), model="unloaded", deviates={
    "kserve": {"why": "As load-again.", "want_status": 200}})


def write():
    lines = ",\n".join(" " + json.dumps(row, ensure_ascii=True) for row in TABLE)
    OUT.write_text("[\n" + lines + "\n]\n")
    return TABLE


if __name__ == "__main__":
    print(len(TABLE), "requests; record.py writes them to", OUT)
