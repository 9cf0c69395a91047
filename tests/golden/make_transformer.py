"""Writes layers/multihead_attention.safetensors and layers/transformer.safetensors: what PyTorch's
attention and transformer layers compute; and state_dicts/transformer*.safetensors: state_dicts as
PyTorch saves them, beside the inputs and outputs (NAME_run.safetensors).

usage: python make_transformer.py

What PyTorch has no layer for (grouped queries, rotary positions, swiglu, RMS norms) is put together
here from its functions, on parameters of the same names. The seed is one whose cases are well
conditioned: rounding in f32 stays four times below the tolerance of the comparison.
"""
import os
import torch
from torch import nn
from torch.nn import functional as F
from safetensors.torch import save_file
from layer_cases import Cases

here = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEADS, INNER = 6, 2, 5
PADDING = torch.tensor([[False, False, False, True, True], [False, True, False, False, False]])
PADDING3 = torch.tensor([[False, False, True], [False, False, False]])


def words(**options):
    text = lambda v: str(v).lower() if isinstance(v, bool) else '"%s"' % v if isinstance(v, str) else "%g" % v
    return ", ".join("%s = %s" % (k, text(v)) for k, v in options.items())


def upper(n):
    return torch.triu(torch.ones(n, n), 1).bool()


def float_of(mask):
    """The same as a mask to be added."""
    return torch.zeros(mask.shape, dtype=torch.float64).masked_fill(mask, -torch.inf)


# ---- attention ----

cases = Cases(23)


def attention(inputs, training=True, constant=(), **options):
    """Inputs: query, key, value, key_padding_mask, attn_mask; fewer will do."""
    layer = nn.MultiheadAttention(WIDTH, HEADS, **options)

    def run(layer, q, k=None, v=None, padding=None, mask=None):
        k = q if k is None else k
        v = k if v is None else v
        return [layer(q, k, v, key_padding_mask=padding, attn_mask=mask, need_weights=False)[0]]
    cases.add("multihead_attention", words(embed_dim=WIDTH, num_heads=HEADS, **options), layer, inputs,
              run, training, constant)


class Rotary(nn.Module):
    """Causal, with one key and value head, and pairs of features (j, j + size / 2) turned."""

    def __init__(self, heads, base):
        super().__init__()
        self.heads, self.size, self.base = heads, WIDTH // heads, base
        self.in_proj_weight = nn.Parameter(torch.empty(WIDTH + 2 * self.size, WIDTH))
        self.in_proj_bias = nn.Parameter(torch.empty(WIDTH + 2 * self.size))
        self.out_proj = nn.Linear(WIDTH, WIDTH)

    def turned(self, x):
        half = self.size // 2
        frequency = self.base ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.arange(x.shape[-2], dtype=torch.float64)[:, None] * frequency
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)

    def forward(self, x):
        q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).split([WIDTH, self.size, self.size], -1)
        q = q.unflatten(-1, (self.heads, self.size)).transpose(1, 2)
        q, k, v = self.turned(q), self.turned(k[:, None]), v[:, None]
        k, v = (t.expand(-1, self.heads, -1, -1) for t in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))


r = cases.random
attention([r(5, 2, WIDTH)])
attention([r(5, 2, WIDTH)], training=False)
attention([r(2, 5, WIDTH)], batch_first=True)
attention([r(3, 1, WIDTH)], bias=False)
attention([r(3, 2, WIDTH), r(5, 2, WIDTH)])
attention([r(3, 2, WIDTH), r(5, 2, WIDTH), r(5, 2, WIDTH)])
attention([r(3, 2, WIDTH), r(5, 2, 4), r(5, 2, 3)], kdim=4, vdim=3)
attention([r(5, 2, WIDTH), None, None, PADDING])
attention([r(5, 2, WIDTH), None, None, None, upper(5)])
attention([r(2, 5, WIDTH), None, None, PADDING, r(4, 5, 5) > 0.6], batch_first=True)
attention([r(5, 2, WIDTH), None, None, float_of(PADDING), r(5, 5)], constant=(3, 4))
attention([r(5, 0, WIDTH)])
cases.add("multihead_attention", words(embed_dim=WIDTH, num_heads=3, num_kv_heads=1, causal=True, rotary_base=100,
          batch_first=True), Rotary(3, 100), [r(2, 4, WIDTH)])


def dot_product(inputs, constant=(), training=True, **options):
    names = {"causal": "is_causal", "scale": "scale", "dropout": "dropout_p"}

    def run(layer, q, k, v, mask=None):
        given = {names[key]: value for key, value in options.items()}
        if not training:
            given.pop("dropout_p", None)
        return [F.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True, **given)]
    cases.add("scaled_dot_product_attention", words(**options), nn.Module(), inputs, run, training, constant)


dot_product([r(2, 4, 5, 3), r(2, 4, 7, 3), r(2, 4, 7, 2)])
dot_product([r(1, 4, 5, 3), r(1, 2, 5, 3), r(1, 2, 5, 3)], causal=True)
dot_product([r(2, 2, 3, 4), r(2, 1, 5, 4), r(2, 1, 5, 4), ~PADDING[:, None, None]], scale=0.3)
dot_product([r(2, 2, 3, 4), r(2, 2, 5, 4), r(2, 2, 5, 4), r(3, 5)], constant=(3,), dropout=0.5, training=False)
cases.write(os.path.join(here, "layers", "multihead_attention.safetensors"))

# ---- encoder and decoder layers, stacks, transformer ----

cases, WIDTH, INNER = Cases(23), 4, 3
r = cases.random


def activation_of(name):
    gated = lambda x: x.chunk(2, -1)[0] * F.silu(x.chunk(2, -1)[1])
    return gated if name == "swiglu" else name


def changed(layer, options):
    """The layer with what PyTorch has no option for."""
    width, bias = layer.linear2.out_features, layer.linear2.bias is not None
    if options.get("activation") == "swiglu":
        layer.linear1 = nn.Linear(width, 2 * layer.linear2.in_features, bias=bias)
    if options.get("norm") == "rms":
        for name in [name for name, _ in layer.named_children() if name.startswith("norm")]:
            setattr(layer, name, nn.RMSNorm(width, eps=options.get("layer_norm_eps", 1e-5)))
    return layer


def make(kind, options):
    known = {k: v for k, v in options.items() if k not in ("norm", "causal", "activation")}
    return changed(kind(WIDTH, HEADS, dim_feedforward=INNER, dropout=0,
                        activation=activation_of(options.get("activation", "relu")), **known), options)


BLOCK = dict(d_model=WIDTH, nhead=HEADS, dim_feedforward=INNER, dropout=0)


def encoder_layer(inputs, training=True, constant=(), **options):
    mask = upper(inputs[0].shape[1 if options.get("batch_first") else 0]) if options.get("causal") else None

    def run(layer, src, src_mask=None, padding=None):
        return [layer(src, mask if src_mask is None else src_mask, padding)]
    cases.add("transformer_encoder_layer", words(**BLOCK, **options), make(nn.TransformerEncoderLayer, options),
              inputs, run, training, constant)


encoder_layer([r(5, 2, WIDTH)])
encoder_layer([r(5, 2, WIDTH)], training=False, norm_first=True, activation="gelu")
encoder_layer([r(2, 5, WIDTH), None, PADDING], batch_first=True, activation="gelu")
encoder_layer([r(2, 5, WIDTH), upper(5), PADDING], training=False, batch_first=True, norm_first=True)
encoder_layer([r(5, 2, WIDTH), r(4, 5, 5), float_of(PADDING)], constant=(1, 2), norm_first=True, bias=False)
encoder_layer([r(5, 1, WIDTH)], causal=True, layer_norm_eps=0.1)
encoder_layer([r(2, 3, WIDTH)], causal=True, batch_first=True, norm_first=True, activation="swiglu", norm="rms")
encoder_layer([r(3, 2, WIDTH)], activation="swiglu", bias=False)
encoder_layer([r(3, 2, WIDTH)], norm="rms", layer_norm_eps=0.01)
encoder_layer([r(0, 5, WIDTH)], batch_first=True)


def decoder_layer(inputs, training=True, constant=(), **options):
    """Inputs in Selenite's order, which is PyTorch's."""
    mask = upper(inputs[0].shape[1 if options.get("batch_first") else 0]) if options.get("causal") else None

    def run(layer, tgt, memory, tgt_mask=None, *rest):
        return [layer(tgt, memory, mask if tgt_mask is None else tgt_mask, *rest)]
    cases.add("transformer_decoder_layer", words(**BLOCK, **options), make(nn.TransformerDecoderLayer, options),
              inputs, run, training, constant)


decoder_layer([r(3, 2, WIDTH), r(5, 2, WIDTH)])
decoder_layer([r(2, 3, WIDTH), r(2, 5, WIDTH), upper(3), None, PADDING3, PADDING], training=False, batch_first=True,
              norm_first=True, activation="gelu")
decoder_layer([r(3, 2, WIDTH), r(5, 2, WIDTH), r(3, 3), r(3, 5), None, float_of(PADDING)], constant=(2, 3, 5),
              activation="gelu", bias=False)
decoder_layer([r(3, 1, WIDTH), r(2, 1, WIDTH)], causal=True, norm_first=True)
decoder_layer([r(2, 3, WIDTH), r(2, 5, WIDTH), None, r(4, 3, 5) > 0.8], batch_first=True, causal=True,
              activation="swiglu", norm="rms")
decoder_layer([r(3, 0, WIDTH), r(5, 0, WIDTH)])


def stack(kind, inputs, layers, training=True, final_norm=False, **options):
    encoder = kind == "transformer_encoder"
    layer = make(nn.TransformerEncoderLayer if encoder else nn.TransformerDecoderLayer, options)
    norm = nn.LayerNorm(WIDTH) if final_norm else None
    more = dict(enable_nested_tensor=False) if encoder else {}
    whole = (nn.TransformerEncoder if encoder else nn.TransformerDecoder)(layer, layers, norm, **more)
    cases.add(kind, words(num_layers=layers, final_norm=final_norm, **BLOCK, **options), whole, inputs,
              lambda layer, *given: [layer(*given)], training)


stack("transformer_encoder", [r(5, 2, WIDTH), upper(5), PADDING], 2)
stack("transformer_encoder", [r(2, 5, WIDTH), None, PADDING], 2, batch_first=True, norm_first=True,
      final_norm=True, training=False)
stack("transformer_decoder", [r(3, 2, WIDTH), r(5, 2, WIDTH), upper(3), None, PADDING3, PADDING], 2)
stack("transformer_decoder", [r(2, 3, WIDTH), r(2, 5, WIDTH)], 2, batch_first=True, norm_first=True,
      final_norm=True, activation="gelu")


def transformer(inputs, training=True, **options):
    """Inputs in Selenite's order, which is PyTorch's."""
    layer = nn.Transformer(WIDTH, HEADS, 1, 2, INNER, 0, **options)
    cases.add("transformer", words(num_encoder_layers=1, num_decoder_layers=2, **BLOCK, **options), layer, inputs,
              lambda layer, *given: [layer(*given)], training)


transformer([r(5, 2, WIDTH), r(3, 2, WIDTH), None, upper(3)])
transformer([r(2, 5, WIDTH), r(2, 3, WIDTH), upper(5), upper(3), r(3, 5) > 0.8, PADDING, PADDING3, PADDING],
            batch_first=True, norm_first=True, activation="gelu", training=False)
cases.write(os.path.join(here, "layers", "transformer.safetensors"))

# ---- state_dicts ----


def saved(name, layer, *inputs):
    layer = layer.eval()
    path = os.path.join(here, "state_dicts", name)
    save_file(layer.state_dict(), path + ".safetensors")
    tensors = {"in.%d" % i: x for i, x in enumerate(inputs)}
    save_file({**tensors, "out": layer(*inputs).detach()}, path + "_run.safetensors")


os.makedirs(os.path.join(here, "state_dicts"), exist_ok=True)
torch.manual_seed(8)
layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
saved("transformer_encoder", nn.TransformerEncoder(layer, 3, nn.LayerNorm(8), enable_nested_tensor=False),
      torch.randn(2, 5, 8))
saved("transformer", nn.Transformer(8, 2, 2, 2, 12), torch.randn(5, 2, 8), torch.randn(3, 2, 8))
