#!/usr/bin/env python3
"""Writes tests/data/llm/hostile: damaged and lying GGUF and safetensors models, each with the words that refuse it.

Also writes seeds for the fuzz targets gguf, safetensors and model_config. Needs nothing but Python.
"""
import json
import pathlib
import shutil
import struct

root = pathlib.Path(__file__).resolve().parents[3]
out = root / "tests/data/llm/hostile"
corpus = root / "tests/fuzz/corpus"


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def key(name: bytes, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: bytes, ne, kind: int, offset: int) -> bytes:
    return text(name) + struct.pack("<I", len(ne)) + b"".join(struct.pack("<Q", n) for n in ne) + struct.pack(
        "<IQ", kind, offset)


def gguf(keys=(), tensors=(), data=b"", version=3, tensor_count=None, key_count=None, magic=b"GGUF") -> bytes:
    head = magic + struct.pack("<IQQ", version, len(tensors) if tensor_count is None else tensor_count,
                               len(keys) if key_count is None else key_count)
    head += b"".join(keys) + b"".join(tensors)
    return head + b"\0" * (-len(head) % 32) + data


def safetensors(header, data=b"", length=None) -> bytes:
    body = header if isinstance(header, bytes) else json.dumps(header).encode()
    body += b" " * (-len(body) % 8)
    return struct.pack("<Q", len(body) if length is None else length) + body + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


arch = key(b"general.architecture", 8, text(b"llama"))
weight = tensor(b"a.weight", [2, 2], 0, 0)
good = gguf([arch], [weight], b"0123456789abcdef")
deep = struct.pack("<IQ", 0, 0)
for _ in range(200):
    deep = struct.pack("<IQ", 9, 1) + deep

ggufs = {
    "magic": (gguf(magic=b"GGML"), "no GGUF file"),
    "version-1": (gguf(version=1), "version 1"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    "cut-in-key": (good[:60], "incomplete"),
    "cut-in-tensor": (good[:80], "incomplete"),
    "cut-in-data": (good[:-1], "incomplete"),
    "tensor-count": (gguf(tensor_count=1 << 62), "which cannot be"),
    "key-count": (gguf(key_count=(1 << 64) - 1), "which cannot be"),
    "text-length": (gguf([key(b"k", 8, struct.pack("<Q", (1 << 64) - 1))], data=b"x" * 64), "at most"),
    "array-length": (gguf([key(b"k", 9, struct.pack("<IQ", 8, 1 << 61))], data=b"x" * 64), "more than the file has"),
    "array-depth": (gguf([key(b"k", 9, deep)]), "nested deeper"),
    "array-type": (gguf([key(b"k", 9, struct.pack("<IQ", 77, 1))], data=b"x" * 64), "value type 77"),
    "key-twice": (gguf([arch, arch], [weight], b"x" * 16), "comes twice"),
    "tensor-twice": (gguf([arch], [weight, tensor(b"a.weight", [2], 0, 32)], b"x" * 64), "comes twice"),
    "alignment-0": (gguf([key(b"general.alignment", 4, struct.pack("<I", 0))], [weight], b"x" * 16), "power of two"),
    "shape-overflow": (gguf([arch], [tensor(b"a", [1 << 32, 1 << 32], 0, 0)], b"x" * 64), "more elements"),
    "shape-wraps": (gguf([arch], [tensor(b"a", [1 << 62, 4], 0, 0)], b"x" * 64), "more elements"),
    "bytes-overflow": (gguf([arch], [tensor(b"a", [1 << 62], 0, 0)], b"x" * 64), "more bytes"),
    "dimensions": (gguf([arch], [tensor(b"a", [1] * 5, 0, 0)], b"x" * 64), "5 dimensions"),
    "offset-wraps": (gguf([arch], [tensor(b"a", [1], 0, (1 << 64) - 32)], b"x" * 64), "incomplete"),
    "offset-odd": (gguf([arch], [tensor(b"a", [1], 0, 1)], b"x" * 64), "no multiple of the alignment"),
    "overlap": (gguf([arch], [tensor(b"a", [16], 0, 0), tensor(b"b", [4], 0, 32)], b"x" * 64), "share bytes"),
    "type-unknown": (gguf([arch], [tensor(b"a", [4], 1000, 0)], b"x" * 64), "type 1000"),
    "type-codebook": (gguf([arch], [tensor(b"a", [256], 19, 0)], b"x" * 50), "IQ1_S"),
    "blocks": (gguf([arch], [tensor(b"a", [31], 8, 0)], b"x" * 64), "no whole number of Q8_0 blocks"),
    "no-tensors": (gguf([arch]), "no tensors"),
    "split-loop": (gguf([arch, key(b"split.count", 2, struct.pack("<H", 9)), key(b"split.no", 2, b"\0\0")], [weight],
                        b"x" * 16), "must be called"),
}

tensors = {
    "length": (safetensors(b"{}", length=(1 << 64) - 1), "no safetensors file"),
    "length-past-end": (safetensors(b"{}", length=64), "incomplete"),
    "hole": (safetensors({"a": entry("F32", [1], 4, 8)}, b"x" * 8), "holes"),
    "overlap": (safetensors({"a": entry("F32", [2], 0, 8), "b": entry("F32", [1], 4, 8)}, b"x" * 8), "overlap"),
    "rest": (safetensors({"a": entry("F32", [1], 0, 4)}, b"x" * 8), "belong to none"),
    "past-end": (safetensors({"a": entry("F32", [4], 0, 16)}, b"x" * 8), "incomplete"),
    "backwards": (safetensors({"a": entry("F32", [1], 8, 4)}, b"x" * 8), "begin <= end"),
    "size": (safetensors({"a": entry("F32", [3], 0, 8)}, b"x" * 8), "but 8 bytes"),
    "overflow": (safetensors({"a": entry("F32", [1 << 62, 1 << 62], 0, 8)}, b"x" * 8), "can be counted"),
    "twice": (safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{}}', b"x" * 8), "twice"),
    "deep": (safetensors(b'{"a":' + b"[" * 5000, b"x" * 8), ""),
    "float8": (safetensors({"a.weight": entry("F8_E4M3", [8], 0, 8)}, b"x" * 8), "F8_E4M3"),
    "packed": (safetensors({"a.qweight": entry("I32", [2], 0, 8)}, b"x" * 8), "I32"),
}

configs = {
    "small": b'{"architectures":["LlamaForCausalLM"],"hidden_size":8,"rope_scaling":{"factor":8.0},"eos_token_id":[1,2]}',
    "python": b'{"a":NaN,"b":-Infinity,"c":null,"d":[1,2.5],"e":[true],"f":[],"g":[[1]],"h":"\\ud83d\\ude00"}',
    "twice": b'{"a.b":1,"a":{"b":2}}',
}


def write(path: pathlib.Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main() -> None:
    shutil.rmtree(out, ignore_errors=True)
    expected = []
    for name, (data, words) in ggufs.items():
        write(out / f"{name}.gguf", data)
        write(corpus / "gguf" / name, data)
        expected.append(f"{name}.gguf\t{words}")
    for name, (data, words) in tensors.items():
        write(out / name / "model.safetensors", data)
        write(out / name / "config.json", b'{"model_type": "llama"}\n')
        write(corpus / "safetensors" / name, data)
        expected.append(f"{name}\t{words}")
    write(out / "config-deep/model.safetensors", safetensors({"a": entry("F32", [2], 0, 8)}, b"x" * 8))
    write(out / "config-deep/config.json", b'{"a":' * 3000)
    expected.append("config-deep\tnested deeper")
    write(out / "index-escapes/model.safetensors", safetensors({"a": entry("F32", [2], 0, 8)}, b"x" * 8))
    write(out / "index-escapes/config.json", b"{}\n")
    write(out / "index-escapes/model.safetensors.index.json", b'{"weight_map":{"a":"../hole/model.safetensors"}}\n')
    expected.append("index-escapes\tin the same folder")
    write(out / "expected.tsv", ("\n".join(expected) + "\n").encode())
    write(corpus / "gguf" / "good", good)
    write(corpus / "safetensors" / "good", safetensors({"a": entry("BF16", [2, 2], 0, 8)}, b"x" * 8))
    for name, data in configs.items():
        write(corpus / "model_config" / name, data)


if __name__ == "__main__":
    main()
