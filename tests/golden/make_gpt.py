"""Golden cases of gpt and the positional encodings (layer_cases.py says in which form).

usage: python make_gpt.py (writes layers/gpt.safetensors)
The model is GPT-2 in plain torch, with the names of Hugging Face's GPT2LMHeadModel, and the variations
that nn.gpt has.
"""
import math
import os
import torch
from torch import nn
from torch.nn import functional as F
from layer_cases import Cases


def sinusoids(positions, features):
    """Vaswani et al. 2017, section 3.5, element by element."""
    table = torch.zeros(positions, features, dtype=torch.float64)
    for p in range(positions):
        for i in range(features):
            angle = p / 10000 ** (2 * (i // 2) / features)
            table[p, i] = math.sin(angle) if i % 2 == 0 else math.cos(angle)
    return table


def turned(x, offset=0, base=10000.0, interleaved=False):
    """Su et al. 2021: each pair as a complex number, times e^(i angle)."""
    length, size = x.shape[-2:]
    first, second = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, -1)
    angle = torch.outer(torch.arange(offset, offset + length, dtype=torch.float64),
                        base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size))
    product = torch.complex(first, second) * torch.polar(torch.ones_like(angle), angle)
    if interleaved:
        return torch.stack((product.real, product.imag), -1).flatten(-2)
    return torch.cat((product.real, product.imag), -1)


class Conv1D(nn.Module):
    def __init__(self, n_in, n_out, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.empty(n_out)) if bias else None

    def forward(self, x):
        return x @ self.weight + (0 if self.bias is None else self.bias)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, self.size = c, c.n_embd // c.n_head
        self.c_attn = Conv1D(c.n_embd, c.n_embd + 2 * c.n_kv_heads * self.size, c.bias)
        self.c_proj = Conv1D(c.n_embd, c.n_embd, c.bias)

    def forward(self, x):
        n, t, e = x.shape
        kv = self.c.n_kv_heads * self.size
        q, k, v = [part.view(n, t, part.shape[-1] // self.size, self.size).transpose(1, 2)
                   for part in self.c_attn(x).split([e, kv, kv], -1)]
        if self.c.position == "rotary":
            q, k = turned(q), turned(k)
        share = self.c.n_head // self.c.n_kv_heads
        k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.size)
        scores = scores.masked_fill(torch.ones(t, t).triu(1).bool(), -math.inf)
        return self.c_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, e))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        halves = 2 if c.activation == "swiglu" else 1
        self.c_fc = Conv1D(c.n_embd, halves * c.n_inner, c.bias)
        self.c_proj = Conv1D(c.n_inner, c.n_embd, c.bias)

    def forward(self, x):
        x = self.c_fc(x)
        if self.c.activation == "swiglu":
            gate, x = x.chunk(2, -1)
            return self.c_proj(F.silu(gate) * x)
        return self.c_proj({"gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "gelu": F.gelu,
                            "relu": F.relu}[self.c.activation](x))


def norm(c):
    if c.norm == "rms":
        return nn.RMSNorm(c.n_embd, eps=c.layer_norm_epsilon)
    return nn.LayerNorm(c.n_embd, eps=c.layer_norm_epsilon, bias=c.bias)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1, self.attn, self.ln_2, self.mlp = norm(c), Attention(c), norm(c), MLP(c)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Body(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.wte = nn.Embedding(c.vocab_size, c.n_embd)
        if c.position == "learned":
            self.wpe = nn.Embedding(c.n_positions, c.n_embd)
        if c.position == "sinusoidal":
            self.wpe = Sinusoidal(c.n_embd, c.n_positions, True)
        self.h = nn.ModuleList(Block(c) for _ in range(c.n_layer))
        self.ln_f = norm(c)

    def forward(self, ids):
        x = self.wte(ids)
        if self.c.position == "learned":
            x = x + self.wpe(torch.arange(ids.shape[1]))
        if self.c.position == "sinusoidal":
            x = self.wpe(x)
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class Config:
    """nn.gpt's options, here with the values that the cases don't change."""
    vocab_size, n_positions, n_embd, n_layer, n_head, n_inner = 7, 6, 8, 2, 4, 10
    n_kv_heads, activation, position, norm = 4, "gelu_tanh", "learned", "layer"
    layer_norm_epsilon, bias, tie_weights = 1e-5, True, True

    def __init__(self, **changes):
        self.__dict__.update(changes)
        names = [n for n in Config.__dict__ if n[0] != "_"]
        values = {n: getattr(self, n) for n in names}
        lua = {True: "true", False: "false"}
        self.text = ", ".join("%s = %s" % (n, '"%s"' % v if isinstance(v, str) else
                              lua[v] if isinstance(v, bool) else v) for n, v in values.items())


class GPT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = Body(c)
        self.lm_head = nn.Linear(c.n_embd, c.vocab_size, bias=False)
        if c.tie_weights:
            self.lm_head.weight = self.transformer.wte.weight

    def forward(self, ids):
        return self.lm_head(self.transformer(ids))


class Table(nn.Module):
    def __init__(self, batch_first):
        super().__init__()
        self.batch_first = batch_first

    def add(self, x, rows, offset):
        rows = rows[offset:offset + x.shape[1 if self.batch_first else 0]]
        return x + (rows if self.batch_first else rows[:, None])


class Sinusoidal(Table):
    def __init__(self, features, positions, batch_first):
        super().__init__(batch_first)
        self.pe = nn.Buffer(sinusoids(positions, features)[:, None])

    def forward(self, x, offset=torch.tensor(0)):
        return self.add(x, self.pe[:, 0], int(offset))


class Learned(Table):
    def __init__(self, features, positions, batch_first):
        super().__init__(batch_first)
        self.weight = nn.Parameter(torch.empty(positions, features))

    def forward(self, x, offset=torch.tensor(0)):
        return self.add(x, self.weight, int(offset))


class Rotary(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.arguments = arguments

    def forward(self, x, offset=torch.tensor(0)):
        return turned(x, int(offset), **self.arguments)


def main():
    cases = Cases(11)
    ids = torch.tensor([[1, 0, 6, 3, 3], [2, 5, 5, 0, 4]])
    for changes in [{}, {"activation": "relu", "position": "sinusoidal", "n_layer": 1,
                     "layer_norm_epsilon": 0.01},
                    {"activation": "gelu", "position": "none", "bias": False, "n_layer": 1},
                    {"activation": "swiglu", "position": "rotary", "norm": "rms", "bias": False,
                     "n_kv_heads": 2, "tie_weights": False}]:
        config = Config(dropout=0, **changes)
        cases.add("gpt", config.text + ", dropout = 0", GPT(config), [ids])
    config = Config(n_layer=1, n_embd=4, n_head=2, n_kv_heads=2, n_inner=4)
    cases.add("gpt", config.text, GPT(config), [ids[:1, :1]], training=False)
    cases.add("gpt", config.text, GPT(config), [ids[:0]], training=False)

    three = torch.tensor(3)
    for batch_first in (False, True):
        order = ", batch_first = %s" % str(batch_first).lower()
        for kind, make in (("sinusoidal_encoding", Sinusoidal), ("learned_encoding", Learned)):
            options = "d_model = 5, max_len = 9" + order
            cases.add(kind, options, make(5, 9, batch_first), [cases.random(4, 2, 5)])
            cases.add(kind, options, make(5, 9, batch_first), [cases.random(6, 6, 5), three])
            cases.add(kind, options, make(5, 9, batch_first), [cases.random(4, 0, 5)])
    for options, arguments in (("", {}), (", base = 100", {"base": 100.0}),
                               (", interleaved = true", {"interleaved": True})):
        cases.add("rotary_encoding", "size = 6" + options, Rotary(**arguments),
                  [cases.random(2, 3, 4, 6)])
        cases.add("rotary_encoding", "size = 6" + options, Rotary(**arguments),
                  [cases.random(4, 6), three])
    cases.write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers/gpt.safetensors"))


if __name__ == "__main__":
    main()
