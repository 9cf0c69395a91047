#!/usr/bin/env python3
"""Makes golden/audio: WAV files as Python's wave module and the format's specification have them, and
spectrograms (torch.stft in f64) and mel filters (the formulas of torchaudio's melscale_fbanks, in numpy).
Needs numpy, torch and safetensors; the tests only need the files."""
import math
import os
import struct
import wave

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audio")
os.makedirs(FOLDER, exist_ok=True)


def path(name):
    return os.path.join(FOLDER, name)


# ---- files: left channel 0, 1/128, 2/128, ...; right channel the same, negative
N = 100
steps = np.arange(N)


def pcm(name, width, channels):
    scale = 1 << (8 * width - 8)
    rows = np.stack([steps * scale, -steps * scale][:channels], -1).reshape(-1)
    with wave.open(path(name), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8000)
        if width == 1:
            file.writeframes((rows + 128).astype("u1").tobytes())
        else:
            file.writeframes(b"".join(int(v).to_bytes(width, "little", signed=True) for v in rows))


for width in [1, 2, 3, 4]:
    pcm("pcm%d.wav" % (8 * width), width, 1)
pcm("stereo.wav", 2, 2)
for name, code, tag in [("float.wav", "<f4", 32), ("double.wav", "<f8", 64)]:
    data = (steps / 128).astype(code).tobytes()
    head = struct.pack("<HHIIHH", 3, 1, 44100, 44100 * tag // 8, tag // 8, tag)
    body = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
    with open(path(name), "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
whole = open(path("pcm16.wav"), "rb").read()
for name, data in [("truncated.wav", whole[:150]), ("empty.wav", b""), ("text.wav", b"this is no sound\n")]:
    with open(path(name), "wb") as file:
        file.write(data)

# ---- spectrograms
torch.manual_seed(1)
t = torch.arange(2, 602, dtype=torch.float64)
samples = torch.stack([torch.sin(t * 0.3) * 0.5 + torch.sin(t * t * 0.001) * 0.3, torch.cos(t * 0.05)])
samples = (samples + 0.01 * torch.randn(2, 600, dtype=torch.float64)).float()
tensors = {"samples": samples}


def stft(name, n_fft, hop, win, center, window):
    w = window(win, periodic=True, dtype=torch.float64) if window else torch.ones(win, dtype=torch.float64)
    result = torch.stft(samples.double(), n_fft, hop, win, w, center=center, pad_mode="reflect",
                        return_complex=True)
    tensors[name] = torch.view_as_real(result).float().contiguous()


stft("default", 400, 200, 400, True, torch.hann_window)
stft("short window", 64, 10, 40, True, torch.hamming_window)
stft("not centred", 128, 50, 128, False, torch.hann_window)
stft("ones", 30, 7, 30, True, None)


# ---- mel filters
def mel_filters(rate, n_fft, n_mels, low, high, scale, norm):
    def to_mel(f):
        if scale == "htk":
            return 2595 * math.log10(1 + f / 700)
        return f / (200 / 3) if f < 1000 else 15 + math.log(f / 1000) / (math.log(6.4) / 27)

    def to_hertz(m):
        if scale == "htk":
            return 700 * (10 ** (m / 2595) - 1)
        return np.where(m < 15, m * 200 / 3, 1000 * np.exp((math.log(6.4) / 27) * (m - 15)))

    freqs = np.linspace(0, rate // 2, n_fft // 2 + 1)
    points = to_hertz(np.linspace(to_mel(low), to_mel(high), n_mels + 2))
    diff = np.diff(points)
    slopes = points[None] - freqs[:, None]
    filters = np.maximum(0, np.minimum(-slopes[:, :-2] / diff[:-1], slopes[:, 2:] / diff[1:]))
    if norm:
        filters *= 2 / (points[2:] - points[:-2])
    return torch.tensor(filters.T.copy())


tensors["htk"] = mel_filters(16000, 400, 20, 0, 8000, "htk", False).float()
tensors["slaney"] = mel_filters(22050, 512, 24, 50, 10000, "slaney", True).float()
filters = mel_filters(8000, 400, 16, 0, 4000, "htk", False)
window = torch.hann_window(400, dtype=torch.float64)
energy = torch.stft(samples.double(), 400, 200, 400, window, return_complex=True).abs() ** 2
tensors["mel"] = (filters @ energy).float()
save_file(tensors, path("spectrograms.safetensors"))
