"""The single operations of the benchmark as PyTorch has them; operations.lua has the same with
Selenite, and says what each is for. Every entry of `operations` takes a workload's settings and gives
a function or module of x and a second input."""
import torch
from torch import nn
from torch.nn import functional as F


class Parameters(nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.weights = nn.ParameterList(
            torch.empty(int(spec["n"])) for _ in range(int(spec["tensors"])))


class First(nn.Module):
    def __init__(self, spec):
        super().__init__()
        features = int(spec["features"])
        self.lstm = nn.LSTM(features, features)

    def forward(self, x):
        return self.lstm(x)[0]


def index_add(spec):
    source = torch.ones(int(spec["ids"]), int(spec["features"]))
    return lambda x, ids: x.index_add(0, ids, source)


def conv(spec, kernel, **options):
    channels = int(spec["channels"])
    return nn.Conv2d(channels, channels, kernel, **options)


def conv_transpose(spec):
    channels = int(spec["channels"])
    return nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1)


def plain(function):
    return lambda spec: function


operations = {
    "add": plain(lambda x, y: x + y),
    "gelu": plain(lambda x: F.gelu(x)),
    "sum": plain(lambda x: x.sum(1)),
    "sum_columns": plain(lambda x: x.sum(0)),
    "cumsum": plain(lambda x: x.cumsum(1)),
    "matmul": plain(lambda x, y: x @ y),
    "batched_matmul": plain(lambda x, y: x @ y),
    "conv2d_3x3": lambda spec: conv(spec, 3, padding=1),
    "conv2d_1x1": lambda spec: conv(spec, 1),
    "conv2d_depthwise": lambda spec: conv(spec, 3, padding=1, groups=int(spec["channels"])),
    "conv_transpose2d": conv_transpose,
    "max_pool2d": lambda spec: nn.MaxPool2d(2),
    "avg_pool2d": lambda spec: nn.AvgPool2d(2),
    "upsample": lambda spec: nn.Upsample(scale_factor=2, mode="bilinear"),
    "batch_norm2d": lambda spec: nn.BatchNorm2d(int(spec["channels"])),
    "layer_norm": lambda spec: nn.LayerNorm(int(spec["columns"])),
    "softmax": plain(lambda x: x.softmax(1)),
    "cross_entropy": plain(F.cross_entropy),
    "attention": plain(lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True)),
    "lstm": First,
    "embedding": lambda spec: nn.Embedding(int(spec["rows"]), int(spec["features"])),
    "index_add": index_add,
    "sort": plain(lambda x: x.sort(1)[0]),
    "topk": plain(lambda x: x.topk(10, 1)[0]),
    "transpose": plain(lambda x: x.t().contiguous()),
    "cat": plain(lambda x: torch.cat((x, x), 1)),
    "cast_f16": plain(lambda x: x.half()),
    "normal": plain(lambda x: torch.randn(x.numel())),
    "dropout": lambda spec: nn.Dropout(0.5),
    "adam": Parameters,
}
