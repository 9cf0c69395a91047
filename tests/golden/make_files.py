#!/usr/bin/env python3
"""Makes golden/files: what NumPy and the safetensors library write, and PNG and IDX files written here
from their specifications. Needs numpy, torch and safetensors; the tests only need the files.

Element i of an array named after its dtype is i - 2 (bool: i odd, u8: i)."""
import gzip
import os
import struct
import zlib

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
os.makedirs(FOLDER, exist_ok=True)


def path(name):
    return os.path.join(FOLDER, name)


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data)


def values(dtype, *shape):
    n = int(np.prod(shape, dtype=int))
    i = np.arange(n)
    v = i % 2 if dtype == "b1" else i if dtype == "u1" else i - 2
    return v.astype(dtype).reshape(shape)


# ---- safetensors: names in the order the library lays them out
DTYPES = [("i64", torch.int64), ("f64", torch.float64), ("f32", torch.float32), ("i32", torch.int32),
          ("bf16", torch.bfloat16), ("f16", torch.float16), ("u8", torch.uint8), ("bool", torch.bool)]
tensors = {}
for name, dtype in DTYPES:
    v = torch.arange(6) % 2 if name == "bool" else torch.arange(6) if name == "u8" else torch.arange(6) - 2
    tensors[name] = v.to(dtype).reshape(2, 3)
tensors["scalar"] = torch.tensor(7.5)
tensors["empty"] = torch.zeros(0, 4)
tensors['naïve "名前"\n\\'] = torch.tensor([1.0, 2.0])
save_file(tensors, path("model.safetensors"), metadata={"format": "pt"})
save_file({"w": torch.zeros(3)}, path("plain.safetensors"))
save_file({}, path("none.safetensors"))

# ---- npy
CODES = {"f32": "f4", "f64": "f8", "f16": "f2", "i64": "i8", "i32": "i4", "u8": "u1", "bool": "b1"}
for name, code in CODES.items():
    np.save(path(name + ".npy"), values(code, 2, 3))
np.save(path("scalar.npy"), np.array(7.5, dtype="f4"))
np.save(path("vector.npy"), values("f4", 5))
np.save(path("empty.npy"), np.zeros((0, 4), dtype="f4"))
np.save(path("dims8.npy"), values("i4", 1, 2, 1, 3, 1, 1, 2, 1))
np.save(path("fortran.npy"), np.asfortranarray(values("f4", 2, 3, 4)))
for version in ((2, 0), (3, 0)):
    with open(path("version%d.npy" % version[0]), "wb") as file:
        np.lib.format.write_array(file, values("i8", 2, 3), version=version)
np.save(path("bad_big_endian.npy"), values("f4", 2, 3).astype(">f4"))
np.save(path("bad_complex.npy"), np.zeros(2, dtype="c8"))
np.save(path("bad_u16.npy"), np.zeros(2, dtype="u2"))
np.save(path("bad_structured.npy"), np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
np.save(path("bad_dims9.npy"), np.zeros((1,) * 9, dtype="f4"))

# ---- npz
arrays = {"w": values("f4", 2, 3), "layer.0/b": values("i8", 4), "flag": np.array(True),
          "none": np.zeros((0, 2), dtype="f8"), "名": values("u1", 2, 2)}
np.savez(path("stored.npz"), **arrays)
np.savez_compressed(path("deflated.npz"), **arrays)
np.savez(path("none.npz"))

# ---- IDX
IDX = {"u8": (8, ">u1"), "i8": (9, ">i1"), "i16": (11, ">i2"), "i32": (12, ">i4"), "f32": (13, ">f4"),
       "f64": (14, ">f8")}
for name, (code, dtype) in IDX.items():
    v = values("u1" if name == "u8" else "i4", 2, 3)
    data = struct.pack(">BBBBII", 0, 0, code, 2, 2, 3) + v.astype(dtype).tobytes()
    write(name + ".idx", data)
    if name in ("u8", "f32"):
        with gzip.GzipFile(path(name + ".idx.gz"), "wb", mtime=0) as file:
            file.write(data)

# ---- PNG (https://www.w3.org/TR/png): sample (y, x, channel) of 8 bits is 40 y + 10 x + channel, modulo 256
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def png(name, color, depth, samples, chunks=(), interlaced=False):
    """samples: [height][width] tuples of channels."""
    def pack(row):
        bits = "".join(format(s, "0%db" % depth) for pixel in row for s in pixel)
        bits += "0" * (-len(bits) % 8)
        return b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = len(samples), len(samples[0])
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b""
    for y0, x0, dy, dx in passes:
        for row in samples[y0::dy]:
            if row[x0::dx]:
                raw += pack(row[x0::dx])
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    write(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
          + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def image(channels, height=3, width=5):
    return [[tuple((40 * y + 10 * x + c) % 256 for c in range(channels)) for x in range(width)]
            for y in range(height)]


png("grey.png", 0, 8, image(1))
png("rgb.png", 2, 8, image(3))
png("rgba.png", 6, 8, image(4))
png("grey_alpha.png", 4, 8, image(2))
png("interlaced.png", 2, 8, image(3, 9, 11), interlaced=True)
png("gamma.png", 0, 8, image(1), [(b"gAMA", struct.pack(">I", 100000))])  # must change nothing
png("rgb16.png", 2, 16, [[tuple(257 * s for s in p) for p in row] for row in image(3)])
png("grey1.png", 0, 1, [[((x + y) % 2,) for x in range(5)] for y in range(3)])
png("grey4.png", 0, 4, [[(x + y,) for x in range(5)] for y in range(3)])
palette = bytes(v for i in range(4) for v in (10 * i, 10 * i + 1, 10 * i + 2))
indices = [[((x + y) % 4,) for x in range(5)] for y in range(3)]
png("palette.png", 3, 2, indices, [(b"PLTE", palette)])
png("palette_alpha.png", 3, 2, indices, [(b"PLTE", palette), (b"tRNS", bytes([0, 100]))])
