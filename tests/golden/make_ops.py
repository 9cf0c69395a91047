#!/usr/bin/env python3
"""Writes ops.safetensors beside itself: what PyTorch's functions return, and their gradients.

usage: python make_ops.py            (torch, numpy and safetensors; the tests only need the file)

A case is named function.number, function being the one of Selenite without sel_, and holds
  args    f64 vector: the numbers that tests/core/golden.c hands to the function, in its order
  in0...  inputs, f64 or of the dtype they are about
  out0... results
  grad0.. gradients of the f64 inputs for the output gradient w[i] = (i % 7 + 1) / 4 in C order
All f64 inputs are numbers that f32 holds, so that the test runs each case in both. Losses have a file
of their own (make_losses.py). The file's metadata names the version of PyTorch.
"""
import math
import os
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

INF, NAN = math.inf, math.nan
generator = torch.Generator().manual_seed(17)
tensors, numbers = {}, {}


def f64(values):
    return torch.as_tensor(values, dtype=torch.float64)


def random(*shape, low=-2.0, high=2.0):
    t = torch.rand(*shape, generator=generator, dtype=torch.float64) * (high - low) + low
    return t.float().double()


def ints(high, *shape, low=0, dtype=torch.int64):
    return torch.randint(low, high, shape, generator=generator).to(dtype)


def weights_like(t):
    return ((torch.arange(t.numel()) % 7 + 1) / 4).reshape(t.shape).double()


def case(name, function, inputs, args=(), grad=True):
    key = "%s.%d" % (name, numbers.setdefault(name, 0))
    numbers[name] += 1
    leaves = [t.clone().requires_grad_(grad) if t.dtype == torch.float64 else t for t in inputs]
    out = function(*leaves)
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    tensors[key + "/args"] = f64([float(a) for a in args])
    for i, t in enumerate(inputs):
        tensors["%s/in%d" % (key, i)] = t.contiguous().clone()
    for i, t in enumerate(outs):
        tensors["%s/out%d" % (key, i)] = t.detach().contiguous().clone()
    if outs[0].dtype != torch.float64 or not outs[0].requires_grad:
        return
    (outs[0] * weights_like(outs[0])).sum().backward()
    for i, t in enumerate(leaves):
        if t.dtype == torch.float64:
            grads = torch.zeros_like(t) if t.grad is None else t.grad
            tensors["%s/grad%d" % (key, i)] = grads.contiguous().clone()


# ---- pointwise: at points where formulas change, elsewhere, and at the ends of the range ----

POINTS = f64([-25, -6.5, -3, -2.75, -1.5, -1, -0.75, -0.5, -0.25, -1e-4, 0, 1e-4, 0.25, 0.5, 0.75, 1,
              1.5, 2.75, 3, 6.5, 25]).float().double()
POSITIVE = f64([1e-30, 1e-4, 0.25, 0.5, 0.9, 1, 1.1, 2, 10, 1e4, 1e30]).float().double()
INSIDE = f64([-0.95, -0.5, -0.25, -1e-4, 0, 1e-4, 0.25, 0.5, 0.95]).float().double()
ENDS = f64([INF, -INF, NAN, 0.0, -0.0])


def unary(name, function, points=POINTS, args=(), ends=True, smooth=True):
    case(name, lambda x: function(x, *args), [points], args, smooth)
    some = random(3, 1, 4) if points is POINTS else points[:6].reshape(2, 3)
    case(name, lambda x: function(x, *args), [some], args)
    if ends:
        case(name, lambda x: function(x, *args), [ENDS], args, grad=False)


for name in ("neg abs sign square exp expm1 sin cos tan atan sinh cosh tanh erf floor ceil round "
             "trunc").split():
    unary(name, getattr(torch, name))
for name in "reciprocal sqrt rsqrt log log2 log10".split():
    unary(name, getattr(torch, name), POSITIVE)
unary("reciprocal", torch.reciprocal, -POSITIVE)
unary("log1p", torch.log1p, f64([-0.75, -1e-4, 0, 1e-4, 0.5, 3, 100]).float().double())
unary("asin", torch.asin, INSIDE)
unary("acos", torch.acos, INSIDE)
unary("isnan", torch.isnan)
unary("isinf", torch.isinf)
unary("isfinite", torch.isfinite)
unary("logical_not", torch.logical_not)
case("logical_not", torch.logical_not, [torch.tensor([True, False])])
unary("clamp", torch.clamp, args=(-1, 0.75))
unary("clamp", lambda x, low, high: torch.clamp(x, max=high), args=(-INF, 0.75))
unary("relu", F.relu)
unary("leaky_relu", F.leaky_relu, args=(0.25,))
unary("elu", F.elu, args=(0.5,))
unary("celu", F.celu, args=(0.5,))
unary("selu", F.selu)
unary("sigmoid", torch.sigmoid)
unary("log_sigmoid", F.logsigmoid)
unary("softplus", F.softplus, args=(2, 1.5))
unary("softplus", F.softplus, args=(1, 20))
unary("softsign", F.softsign, ends=False)
unary("gelu", F.gelu, ends=False)
unary("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), ends=False)
unary("silu", F.silu, ends=False)
unary("mish", F.mish, ends=False)
unary("hardsigmoid", lambda x: F.relu6(x + 3) / 6)  # F.hardsigmoid's gradient rounds 1/6 to f32
unary("hardswish", F.hardswish, ends=False)  # of -infinity it is NaN there
unary("hardshrink", F.hardshrink, args=(0.5,))
unary("softshrink", F.softshrink, args=(0.5,))


def binary(name, function, low=-2.0, high=2.0, low_b=-2.0, high_b=2.0, args=(), grad=True):
    def run(a, b):
        return function(a, b, *args)

    case(name, run, [random(2, 3, low=low, high=high), random(2, 3, low=low_b, high=high_b)], args, grad)
    case(name, run, [random(2, 1, 3, low=low, high=high), random(4, 1, low=low_b, high=high_b)], args, grad)
    case(name, run, [random(1, low=low, high=high)[0], random(3, low=low_b, high=high_b)], args, grad)


EDGES = [f64([0, 0, -0.0, 1, -1, INF, INF, -INF, NAN, 1, NAN, 0, INF, 2]),
         f64([0, -0.0, 1, 0, 0, INF, -INF, 2, 1, NAN, NAN, INF, 0, INF])]
for name, function in [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul),
                       ("maximum", torch.maximum), ("minimum", torch.minimum),
                       ("atan2", torch.atan2), ("eq", torch.eq), ("ne", torch.ne), ("lt", torch.lt),
                       ("le", torch.le), ("gt", torch.gt), ("ge", torch.ge),
                       ("logical_and", torch.logical_and), ("logical_or", torch.logical_or),
                       ("logical_xor", torch.logical_xor)]:
    binary(name, function)
    case(name, function, EDGES, grad=False)
    if name not in ("atan2", "add", "sub", "mul"):
        case(name, function, [f64([1, 2, 2, 0]), f64([2, 1, 2, 0])])  # ties
binary("div", torch.div, low_b=0.5)
case("div", torch.div, EDGES, grad=False)
# PyTorch's floor_divide and remainder of whole numbers raise by zero: those are Selenite's own
binary("floor_divide", torch.floor_divide, low=-9, high=9, low_b=0.5, grad=False)
binary("remainder", torch.remainder, low=-9, high=9, low_b=0.5)
binary("remainder", torch.remainder, low=-9, high=9, low_b=-2, high_b=-0.5)
for dtype in (torch.int64, torch.int32):
    pair = [ints(20, 12, low=-20, dtype=dtype), ints(5, 12, low=1, dtype=dtype)]
    for name, function in [("floor_divide", torch.floor_divide), ("remainder", torch.remainder),
                           ("add", torch.add), ("mul", torch.mul), ("maximum", torch.maximum),
                           ("lt", torch.lt)]:
        case(name, function, pair)
        case(name, function, [pair[0], -pair[1]])
case("add", torch.add, [ints(256, 8, dtype=torch.uint8), ints(256, 8, dtype=torch.uint8)])
binary("pow", torch.pow, low=0.25, high=3)
case("pow", torch.pow, [f64([-2, -2, -1.5, 0, 0, 3, 0]), f64([2, 3, -1, 0, 2, 0, 1])])
case("pow", torch.pow, EDGES, grad=False)

case("where", torch.where, [ints(2, 2, 3).bool(), random(3), random(2, 1)])
case("where", torch.where, [ints(2, 4).bool(), ints(9, 4), ints(9, 4)])
case("lerp", torch.lerp, [random(2, 3), random(3), random(2, 1, low=0, high=1)])
case("addcmul", lambda a, b, c: torch.addcmul(a, b, c, value=0.75),
     [random(2, 3), random(3), random(2, 1)], (0.75,))
case("addcdiv", lambda a, b, c: torch.addcdiv(a, b, c, value=-1.5),
     [random(2, 3), random(3), random(2, 1, low=0.5)], (-1.5,))


def each(function, **options):  # PyTorch's losses want equal shapes
    return lambda a, b, *_: function(*torch.broadcast_tensors(a, b), reduction="none", **options)


binary("smooth_l1_each", each(F.smooth_l1_loss, beta=0.75), args=(0.75,))
binary("huber_each", each(F.huber_loss, delta=0.75), args=(0.75,))
binary("bce_with_logits_each", each(F.binary_cross_entropy_with_logits), low=-9, high=9, low_b=0, high_b=1)
binary("kl_div_each", each(F.kl_div), low=-5, high=0, low_b=0, high_b=1)
# target must not ask for a gradient in PyTorch's bce: the formula of its documentation
binary("bce_each", lambda a, b: -(b * a.log() + (1 - b) * (1 - a).log()), low=0.05, high=0.95, low_b=0, high_b=1)
case("bce_each", lambda a, b: F.binary_cross_entropy(a, b, reduction="none"),
     [f64([0, 1, 0, 1, 0.5]), f64([0, 1, 1, 0, 0])], grad=False)

# ---- reductions: args are the function's own, then keepdim, then the dims ----

CUBE = (3, 4, 2)


def reduction(name, function, args=(), inputs=None, grad=True):
    for dims, keep in [((0,), False), ((1,), True), ((-1,), False), ((0, 2), True), ((0, 1), False)]:
        x = random(*CUBE) if inputs is None else inputs()
        case(name, lambda t: function(t, dims, keep), [x], (*args, keep, *dims), grad)
    everything = tuple(range(len(CUBE)))
    x = random(*CUBE) if inputs is None else inputs()
    case(name, lambda t: function(t, everything, False), [x], (*args, False), grad)


def over(function):  # functions that take one dim: several, one after the other
    def run(t, dims, keep):
        for d in sorted((d % t.dim() for d in dims), reverse=True):
            t = function(t, d, True)
        if not keep:
            for d in sorted((d % len(CUBE) for d in dims), reverse=True):
                t = t.squeeze(d)
        return t
    return run


reduction("sum", lambda t, d, k: t.sum(d, k))
reduction("mean", lambda t, d, k: t.mean(d, k))
reduction("prod", over(torch.prod))
reduction("prod", over(torch.prod), inputs=lambda: ints(3, *CUBE).double())
reduction("amax", lambda t, d, k: t.amax(d, k))
reduction("amin", lambda t, d, k: t.amin(d, k))
reduction("amax", lambda t, d, k: t.amax(d, k), inputs=lambda: ints(3, *CUBE).double())
reduction("any", over(torch.any), inputs=lambda: ints(2, *CUBE).bool())
reduction("all", over(torch.all), inputs=lambda: ints(2, *CUBE).bool())
for correction in (1, 0):
    reduction("var", lambda t, d, k: t.var(d, correction=correction, keepdim=k), (correction,))
    reduction("std", lambda t, d, k: t.std(d, correction=correction, keepdim=k), (correction,))
for p in (1, 2, 3, 0.5, INF, -INF, 0):
    reduction("norm", lambda t, d, k: torch.linalg.vector_norm(t, p, d, k), (p,))
reduction("logsumexp", lambda t, d, k: torch.logsumexp(t, d, k))
case("logsumexp", lambda t: torch.logsumexp(t, (0,)), [f64([-INF, -INF])], (0, 0), grad=False)
case("logsumexp", lambda t: torch.logsumexp(t, (0,)), [f64([1000, 1001, -5])], (0, 0))
reduction("sum", lambda t, d, k: t.sum(d, k), inputs=lambda: ints(9, *CUBE, low=-9))
for name in ("argmax", "argmin", "max", "min"):
    for dim, keep in [(0, False), (1, True), (-1, False)]:
        case(name, lambda t: getattr(torch, name)(t, dim, keep), [random(*CUBE)], (dim, keep))
        case(name, lambda t: getattr(torch, name)(t, dim, keep), [ints(90, *CUBE, low=-90)], (dim, keep))
for dim in (0, 1, -1):
    case("cumsum", lambda t: torch.cumsum(t, dim), [random(*CUBE)], (dim,))
    case("cumsum", lambda t: torch.cumsum(t, dim), [ints(9, *CUBE)], (dim,))
    case("softmax", lambda t: torch.softmax(t, dim), [random(*CUBE)], (dim,))
    case("log_softmax", lambda t: torch.log_softmax(t, dim), [random(*CUBE)], (dim,))
for extreme in ([1000, 1000, -1000], [-INF, 0, 1], [1e30, 1, 1]):
    x = f64(extreme).float().double()
    case("softmax", lambda t: torch.softmax(t, 0), [x], (0,))
    case("log_softmax", lambda t: torch.log_softmax(t, 0), [x], (0,), grad=False)

# ---- products ----

for a, b in [((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 4)),
             ((2, 3), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 2, 3), (3,)), ((3,), (2, 3, 2)),
             ((1, 1), (1, 1)), ((2, 0), (0, 3)), ((7, 9), (9, 5))]:
    case("matmul", torch.matmul, [random(*a), random(*b)])
for shape in ((4, 3), (3,), (2, 2, 3), (0, 3)):
    case("linear", F.linear, [random(*shape), random(5, 3), random(5)])
    case("linear", F.linear, [random(*shape), random(5, 3)])
for shape in ((4,), (2, 2), (3, 1, 2)):
    case("bilinear", F.bilinear, [random(*shape[:-1], 2), random(*shape[:-1], 3), random(4, 2, 3), random(4)])
case("bilinear", F.bilinear, [random(3, 2), random(3, 3), random(4, 2, 3)])

# ---- shape ----

CUBE_3 = (2, 3, 4)
case("permute", lambda t: t.permute(2, 0, 1), [random(*CUBE_3)], (2, 0, 1))
case("transpose", lambda t: t.transpose(0, -1), [random(*CUBE_3)], (0, -1))
case("reshape", lambda t: t.reshape(4, -1), [random(*CUBE_3)], (4, -1))
case("flatten", lambda t: t.flatten(1, -1), [random(*CUBE_3)], (1, -1))
case("expand", lambda t: t.expand(2, -1, 3), [random(4, 1)], (2, -1, 3))
case("squeeze", lambda t: t.squeeze(1), [random(2, 1, 3)], (1,))
case("unsqueeze", lambda t: t.unsqueeze(-1), [random(2, 3)], (-1,))
case("narrow", lambda t: t.narrow(1, 1, 2), [random(*CUBE_3)], (1, 1, 2))
case("select", lambda t: t.select(-1, -2), [random(*CUBE_3)], (-1, -2))
case("slice", lambda t: t[:, :, 1:4:2], [random(*CUBE_3)], (2, 1, 4, 2))
for pads in ((1, 2), (0, 1, 2, 0), (-1, 1, 1, -1), (1, 1, 0, 0, 2, 0), ()):
    case("pad", lambda t: F.pad(t, pads, value=1.5) if pads else t * 1, [random(*CUBE_3)], (1.5, *pads))
for dims in ((0,), (-1,), (0, 2), ()):
    case("flip", lambda t: t.flip(dims), [random(*CUBE_3)], dims)
for shift, dim in ((1, 0), (-1, 1), (5, 2), (0, 0)):
    case("roll", lambda t: t.roll(shift, dim), [random(*CUBE_3)], (shift, dim))
for times in ((2, 1, 3), (1, 1, 1), (2, 2, 1, 1), (0, 1, 1)):
    case("repeat", lambda t: t.repeat(times), [random(2, 3, 1)], times)
for diagonal in (0, 1, -2, 9):
    case("tril", lambda t: t.tril(diagonal), [random(2, 3, 4)], (diagonal,))
    case("triu", lambda t: t.triu(diagonal), [random(4, 3)], (diagonal,))
for dim in (0, 1, -1):
    case("cat", lambda *t: torch.cat(t, dim), [random(2, 2, 2), random(2, 2, 2)], (dim,))
    case("stack", lambda *t: torch.stack(t, dim), [random(2, 3), random(2, 3), random(2, 3)], (dim,))
case("cat", lambda *t: torch.cat(t, 1), [ints(9, 2, 1), ints(9, 2, 3), ints(9, 2, 0)], (1,))

# ---- indexing: the dim is the argument ----

for dim in (0, 1, -1):
    extent = CUBE_3[dim]
    case("index_select", lambda t, i: t.index_select(dim, i), [random(*CUBE_3), ints(extent, 5)], (dim,))
    shape = list(CUBE_3)
    shape[dim] = 5
    case("index_add", lambda t, i, s: t.index_add(dim, i, s),
         [random(*CUBE_3), ints(extent, 5), random(*shape)], (dim,))
    case("gather", lambda t, i: t.gather(dim, i), [random(*CUBE_3), ints(extent, *shape)], (dim,))
    case("scatter_add", lambda t, i, s: t.scatter_add(dim, i, s),
         [random(*CUBE_3), ints(extent, *shape), random(*shape)], (dim,))
    # scatter in PyTorch is undefined for indices that occur twice
    order = torch.argsort(random(*CUBE_3), dim)
    case("scatter", lambda t, i, s: t.scatter(dim, i, s), [random(*CUBE_3), order, random(*CUBE_3)], (dim,))
small = ints(2, 1, 2, 3)
case("gather", lambda t, i: t.gather(1, i), [random(*CUBE_3), small], (1,))
case("scatter_add", lambda t, i, s: t.scatter_add(0, i, s), [random(*CUBE_3), small, random(2, 2, 4)], (0,),
     grad=False)  # PyTorch has no gradient for an index smaller than the source
case("index_select", lambda t, i: t.index_select(0, i), [random(4), ints(4, 3, dtype=torch.int32)], (0,))
case("embedding", lambda w, i: F.embedding(i, w), [random(5, 3), ints(5, 2, 4)])
case("embedding", lambda w, i: F.embedding(i, w), [random(5, 3), ints(5, 6, dtype=torch.int32)])
case("one_hot", lambda i: F.one_hot(i, 6), [ints(6, 2, 3)], (6,))
case("masked_fill", lambda t, m: t.masked_fill(m, -1.5), [random(2, 3), ints(2, 3).bool()], (-1.5,))
case("masked_select", lambda t, m: t.masked_select(m), [random(2, 3), ints(2, 2, 3).bool()])
case("masked_select", lambda t, m: t.masked_select(m), [random(2, 1), ints(2, 3).bool()])
case("nonzero", lambda t: t.nonzero(), [ints(2, 3, 4)])
case("nonzero", lambda t: t.nonzero(), [ints(2, 5).double()])

# ---- order: dim, then descending / largest; all values differ, or the sort is stable ----

for dim in (0, 1, -1):
    for down in (False, True):
        case("sort", lambda t: torch.sort(t, dim=dim, descending=down, stable=True),
             [random(*CUBE_3)], (dim, down))
        case("sort", lambda t: torch.sort(t, dim=dim, descending=down, stable=True),
             [ints(3, *CUBE_3)], (dim, down))
        case("argsort", lambda t: torch.argsort(t, dim=dim, descending=down, stable=True),
             [random(*CUBE_3)], (dim, down))
        case("topk", lambda t: torch.topk(t, 2, dim, down), [random(*CUBE_3)], (2, dim, down))
odd = f64([3, NAN, -INF, INF, 0, NAN, -1])
case("sort", lambda t: torch.sort(t, stable=True), [odd], (0, False), grad=False)
case("sort", lambda t: torch.sort(t, descending=True, stable=True), [odd], (0, True), grad=False)
case("topk", lambda t: torch.topk(t, 1), [odd], (1, 0, True), grad=False)

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.safetensors")
save_file(tensors, path, metadata={"torch": torch.__version__.split("+")[0]})
print("%d cases of %d functions, %d bytes" % (sum(numbers.values()), len(numbers), os.path.getsize(path)),
      file=sys.stderr)
