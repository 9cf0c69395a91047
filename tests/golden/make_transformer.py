"""Golden cases of the transformer plugin: torch.nn.MultiheadAttention in f64.

usage: make_transformer.py OUT.safetensors
Metadata NAME: the layer's options in Selenite's words. Tensors: NAME/in/PORT, NAME/p/PARAMETER,
NAME/out, NAME/g (its gradient), NAME/grad/PORT, NAME/pgrad/PARAMETER. Ports count from 0.
"""
import sys
import torch
from torch import nn
from safetensors.torch import save_file

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
tensors, meta = {}, {}


def case(name, options, layer, ports, run):
    """ports: {port number: tensor}; run gives the output."""
    for p in layer.parameters():
        nn.init.uniform_(p, -0.7, 0.7)
    for t in ports.values():
        if t.is_floating_point():
            t.requires_grad_()
    out = run(*[ports.get(i) for i in range(5)])
    g = torch.randn_like(out)
    out.backward(g)
    meta[name] = options
    tensors[f"{name}/out"], tensors[f"{name}/g"] = out.detach(), g
    for i, t in ports.items():
        tensors[f"{name}/in/{i}"] = t.detach().clone()
        if t.grad is not None:
            tensors[f"{name}/grad/{i}"] = t.grad
    for key, p in layer.named_parameters():
        tensors[f"{name}/p/{key}"], tensors[f"{name}/pgrad/{key}"] = p.detach().clone(), p.grad


def attention(name, options, ports, **arguments):
    layer = nn.MultiheadAttention(6, 2, **arguments)

    def run(q, k, v, padding, mask):
        k = q if k is None else k
        v = k if v is None else v
        return layer(q, k, v, key_padding_mask=padding, attn_mask=mask, need_weights=False)[0]
    case(name, "embed_dim=6, num_heads=2" + options, layer, ports, run)


padding = torch.tensor([[False, False, False, True, True], [False, True, False, False, False]])
attention("self", "", {0: torch.randn(5, 2, 6)})
attention("self_first", ", batch_first=true", {0: torch.randn(2, 5, 6)}, batch_first=True)
attention("no_bias", ", bias=false", {0: torch.randn(3, 1, 6)}, bias=False)
attention("cross", "", {0: torch.randn(3, 2, 6), 1: torch.randn(5, 2, 6)})
attention("three", "", {0: torch.randn(3, 2, 6), 1: torch.randn(5, 2, 6), 2: torch.randn(5, 2, 6)})
attention("kdim", ", kdim=4, vdim=3", {0: torch.randn(3, 2, 6), 1: torch.randn(5, 2, 4),
          2: torch.randn(5, 2, 3)}, kdim=4, vdim=3)
attention("padding", "", {0: torch.randn(5, 2, 6), 3: padding})
attention("mask", "", {0: torch.randn(5, 2, 6), 4: torch.triu(torch.ones(5, 5), 1).bool()})
attention("both", ", batch_first=true", {0: torch.randn(2, 5, 6), 3: padding,
          4: torch.rand(4, 5, 5) < 0.3}, batch_first=True)
attention("empty", "", {0: torch.randn(5, 0, 6)})
save_file({key: t.contiguous() for key, t in tensors.items()}, sys.argv[1], meta)
