"""Golden cases of attention: torch.nn.functional.scaled_dot_product_attention in f32 and f64.

usage: make_attention.py OUT.safetensors
Tensors of a case N: N.q, N.k, N.v, N.g (gradient of the output), N.mask where there is one, N.out,
N.grad_q, N.grad_k, N.grad_v. Metadata N: "causal" or "all".
"""
import sys
import torch
from safetensors.torch import save_file

torch.manual_seed(11)
# batch, heads, kv heads, queries, keys, size, value size, causal, mask
CASES = [
    (2, 3, 3, 5, 7, 4, 6, False, None),
    (1, 4, 2, 17, 17, 8, 8, True, None),
    (2, 2, 2, 9, 13, 5, 5, False, "bool"),
    (2, 2, 1, 3, 4, 8, 3, False, "float"),
    (1, 1, 1, 70, 133, 8, 8, False, "keys"),
]

tensors, meta = {}, {}
for n, (b, h, g, tq, tk, d, dv, causal, mask_kind) in enumerate(CASES):
    q, k, v = torch.randn(b, h, tq, d), torch.randn(b, g, tk, d), torch.randn(b, g, tk, dv)
    grad = torch.randn(b, h, tq, dv)
    mask = None
    if mask_kind == "bool":
        mask = torch.rand(b, 1, tq, tk) < 0.7
        mask[..., 0] = True
    elif mask_kind == "float":
        mask = torch.randn(tq, tk)
    elif mask_kind == "keys":
        mask = torch.arange(tk).view(1, 1, 1, tk) < tk - 20
    for name, t in {"q": q, "k": k, "v": v, "g": grad}.items():
        tensors[f"{n}.{name}"] = t.clone()
    if mask is not None:
        tensors[f"{n}.mask"] = mask.clone()
    q, k, v = (t.double().requires_grad_() for t in (q, k, v))
    if mask is not None and mask.is_floating_point():
        mask = mask.double()
    kk, vv = (t.repeat_interleave(h // g, 1) for t in (k, v))
    out = torch.nn.functional.scaled_dot_product_attention(q, kk, vv, mask, 0.0, causal)
    out.backward(grad.double())
    for name, t in {"out": out, "grad_q": q.grad, "grad_k": k.grad, "grad_v": v.grad}.items():
        tensors[f"{n}.{name}"] = t.detach().clone()
    meta[str(n)] = "causal" if causal else "all"
save_file(tensors, sys.argv[1], meta)
