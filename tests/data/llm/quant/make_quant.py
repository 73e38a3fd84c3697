#!/usr/bin/env python3
"""Random blocks of every encoding and what gguf.quants decodes them to: blocks.bin beside this script.

Needs the packages gguf and numpy. For each type, in the order below: u32 ggml type, u32 block bytes, u32 elements, the
blocks, the values as float32. Little-endian.
"""
import pathlib
import struct

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

ELEMENTS = 512
# Where a block has f16 scales, which must be finite: byte offsets.
HALVES = {
    T.F16: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0],
}
TYPES = [T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K, T.IQ4_NL,
         T.IQ4_XS, T.MXFP4]


def blocks_of(rng, kind):
    per_block, size = GGML_QUANT_SIZES[kind]
    count = ELEMENTS // per_block
    raw = rng.integers(0, 256, (count, size), dtype=np.uint8)
    if kind == T.BF16:
        values = rng.standard_normal(count).astype(np.float32)
        return (values.view(np.uint32) >> 16).astype("<u2").view(np.uint8)
    for at in HALVES.get(kind, []):
        values = (rng.standard_normal(count) * 10.0 ** rng.integers(-6, 2, count)).astype("<f2")
        raw[:, at:at + 2] = values.view(np.uint8).reshape(count, 2)
    if kind == T.MXFP4:
        raw[:, 0] = rng.integers(0, 200, count)
        raw[:3, 0] = [0, 1, 2]  # the subnormal scales
    return raw.reshape(-1)


def main():
    rng = np.random.default_rng(4)
    out = bytearray()
    for kind in TYPES:
        raw = np.ascontiguousarray(blocks_of(rng, kind))
        values = dequantize(raw, kind).astype("<f4").reshape(-1)
        assert values.size == ELEMENTS and np.isfinite(values).all(), kind
        out += struct.pack("<III", kind, GGML_QUANT_SIZES[kind][1], ELEMENTS) + raw.tobytes() + values.tobytes()
    pathlib.Path(__file__).with_name("blocks.bin").write_bytes(out)


main()
