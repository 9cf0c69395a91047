"""Reads a safetensors file: 8 bytes with the length of the header (little-endian), the header (JSON,
name -> dtype, shape, place), the numbers."""
import json

import torch

DTYPES = {"F32": torch.float32, "I64": torch.int64}


def load(path):
    """Returns a dict of tensors and the metadata, a dict of words."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    body = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:body])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(data, dtype=DTYPES[entry["dtype"]], offset=body + begin,
                                   count=(end - begin) // DTYPES[entry["dtype"]].itemsize)
        tensors[name] = numbers.reshape(entry["shape"]).clone()
    return tensors, metadata
