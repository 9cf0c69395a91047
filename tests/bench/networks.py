"""The networks of the workloads as PyTorch has them; networks.lua has the same with Selenite.

Every entry of `networks` makes a model from a workload's settings (a dict of words). Parameters have
the names that Selenite's have, so a state_dict goes from there to here.
"""
import torch
from torch import nn
from torch.nn import functional as F


def mlp(spec):
    sizes = [int(size) for size in spec["sizes"].split()]
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[spec["activation"]]
    layers = []
    for i in range(1, len(sizes)):
        if i > 1:
            layers.append(activation())
        layers.append(nn.Linear(sizes[i - 1], sizes[i]))
    return nn.Sequential(*layers)


def cnn(spec):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10))


class Block(nn.Module):
    """torchvision's BasicBlock."""

    def __init__(self, inplanes, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, spec):
        super().__init__()
        depth, width = int(spec["depth"]), int(spec["width"])
        self.stages, blocks = (4, 2) if depth == 18 else (3, (depth - 2) // 6)
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        inplanes = width
        for stage in range(self.stages):
            planes = width << stage
            layers = []
            for block in range(blocks):
                layers.append(Block(inplanes, planes, 2 if stage > 0 and block == 0 else 1))
                inplanes = planes
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inplanes, 10)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class LSTM(nn.Module):
    def __init__(self, spec):
        super().__init__()
        vocabulary, hidden = int(spec["vocabulary"]), int(spec["hidden"])
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.lstm = nn.LSTM(hidden, hidden, int(spec["layers"]))
        self.head = nn.Linear(hidden, vocabulary)

    def forward(self, ids):
        return self.head(self.lstm(self.embedding(ids))[0])


class GRU(nn.Module):
    def __init__(self, spec):
        super().__init__()
        hidden = int(spec["hidden"])
        self.gru = nn.GRU(int(spec["features"]), hidden)
        self.head = nn.Linear(hidden, int(spec["classes"]))

    def forward(self, x):
        return self.head(self.gru(x)[0][-1])


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x, past):
        n, t, width = x.shape
        q, k, v = (part.view(n, t, self.heads, -1).transpose(1, 2)
                   for part in self.c_attn(x).split(width, dim=2))
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        return self.c_proj(y.transpose(1, 2).reshape(n, t, width)), (k, v)


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class GPTBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, x, past):
        y, present = self.attn(self.ln_1(x), past)
        x = x + y
        return x + self.mlp(self.ln_2(x)), present


class GPT(nn.Module):
    """GPT-2 with linear layers; their weights are the files' transposed. The cache is a list of keys
    and values, one pair a layer. A call with a past has one new token."""

    def __init__(self, spec):
        super().__init__()
        vocabulary, width = int(spec["vocabulary"]), int(spec["width"])
        heads = int(spec["heads"])
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(vocabulary, width),
            "wpe": nn.Embedding(int(spec["length"]), width),
            "h": nn.ModuleList(GPTBlock(width, heads) for _ in range(int(spec["layers"]))),
            "ln_f": nn.LayerNorm(width)})
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def load_state_dict(self, state):
        files_transposed = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        super().load_state_dict({name: value.t() if name.endswith(files_transposed) else value
                                 for name, value in state.items()})

    def step(self, ids, past):
        """Logits and the cache for what follows."""
        parts = self.transformer
        start = past[0][0].shape[2] if past else 0
        positions = torch.arange(start, start + ids.shape[1])
        x, present = parts.wte(ids) + parts.wpe(positions), []
        for i, block in enumerate(parts.h):
            x, pair = block(x, past[i] if past else None)
            present.append(pair)
        return self.lm_head(parts.ln_f(x)), present

    def forward(self, ids):
        return self.step(ids, None)[0]


def encoder(spec):
    return nn.TransformerEncoderLayer(int(spec["width"]), int(spec["heads"]), int(spec["inner"]),
                                      dropout=0, batch_first=True)


networks = {"mlp": mlp, "cnn": cnn, "resnet": ResNet, "lstm": LSTM, "gru": GRU, "gpt": GPT,
            "encoder": encoder}
