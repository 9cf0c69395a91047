"""Writes tests/plugins/golden_fc.h: what PyTorch's layers compute, and their gradients.

usage: python make_fc.py > ../plugins/golden_fc.h

Each case runs a layer in f64 with given inputs and parameters; the gradients are those of the sum of
its outputs, each weighted by a given number. Inputs of activations include the points where their
formulas change.
"""
import torch
from torch import nn

POINTS = [-25, -7, -6, -3.5, -3, -1.5, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 1.5, 3, 6, 7, 25]
generator = torch.Generator().manual_seed(3)


def random(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def points(*shape):
    return torch.tensor(POINTS, dtype=torch.float64).reshape(*shape)


class Hardsigmoid(nn.Module):
    """nn.Hardsigmoid, whose own gradient takes 1/6 in f32 also for f64."""

    def forward(self, x):
        return nn.functional.relu6(x + 3) / 6


# name, options in Selenite's words (dims count from 1), PyTorch's layer, inputs
CASES = [
    ("linear", "in_features=4, out_features=3", nn.Linear(4, 3), [random(5, 4)]),
    ("linear", "in_features=4, out_features=3, bias=false", nn.Linear(4, 3, bias=False),
     [random(2, 3, 4)]),
    ("linear", "in_features=4, out_features=1", nn.Linear(4, 1), [random(4)]),
    ("bilinear", "in1_features=3, in2_features=2, out_features=4", nn.Bilinear(3, 2, 4),
     [random(5, 3), random(5, 2)]),
    ("bilinear", "in1_features=2, in2_features=2, out_features=1, bias=false",
     nn.Bilinear(2, 2, 1, bias=False), [random(2, 2), random(2, 2)]),
    ("identity", "", nn.Identity(), [points(18)]),
    ("flatten", "", nn.Flatten(), [random(2, 3, 2)]),
    ("flatten", "start_dim=1, end_dim=2", nn.Flatten(0, 1), [random(2, 3, 2)]),
    ("relu", "", nn.ReLU(), [points(18)]),
    ("relu6", "", nn.ReLU6(), [points(18)]),
    ("leaky_relu", "", nn.LeakyReLU(), [points(18)]),
    ("leaky_relu", "negative_slope=0.3", nn.LeakyReLU(0.3), [points(18)]),
    ("prelu", "", nn.PReLU(), [points(3, 6)]),
    ("prelu", "num_parameters=3", nn.PReLU(3), [points(2, 3, 3)]),
    ("elu", "", nn.ELU(), [points(18)]),
    ("elu", "alpha=0.7", nn.ELU(0.7), [points(18)]),
    ("selu", "", nn.SELU(), [points(18)]),
    ("celu", "", nn.CELU(), [points(18)]),
    # PyTorch rounds 1 / alpha to f32 in celu's gradient: an alpha that this doesn't change
    ("celu", "alpha=0.5", nn.CELU(0.5), [points(18)]),
    ("gelu", "", nn.GELU(), [points(18)]),
    ("gelu", "approximate=tanh", nn.GELU("tanh"), [points(18)]),
    ("silu", "", nn.SiLU(), [points(18)]),
    ("mish", "", nn.Mish(), [points(18)]),
    ("softplus", "", nn.Softplus(), [points(18)]),
    ("softplus", "beta=2, threshold=3", nn.Softplus(2, 3), [points(18)]),
    ("softsign", "", nn.Softsign(), [points(18)]),
    ("sigmoid", "", nn.Sigmoid(), [points(18)]),
    ("log_sigmoid", "", nn.LogSigmoid(), [points(18)]),
    ("tanh", "", nn.Tanh(), [points(18)]),
    ("hardtanh", "", nn.Hardtanh(), [points(18)]),
    ("hardtanh", "min_val=-3, max_val=0.5", nn.Hardtanh(-3, 0.5), [points(18)]),
    ("hardsigmoid", "", Hardsigmoid(), [points(18)]),
    ("hardswish", "", nn.Hardswish(), [points(18)]),
    ("hardshrink", "", nn.Hardshrink(), [points(18)]),
    ("hardshrink", "lambd=0.25", nn.Hardshrink(0.25), [points(18)]),
    ("softshrink", "", nn.Softshrink(), [points(18)]),
    ("softshrink", "lambd=0.25", nn.Softshrink(0.25), [points(18)]),
    ("tanhshrink", "", nn.Tanhshrink(), [points(18)]),
    ("softmax", "", nn.Softmax(-1), [random(3, 5)]),
    ("softmax", "dim=1", nn.Softmax(0), [random(3, 5)]),
    ("log_softmax", "", nn.LogSoftmax(-1), [random(3, 5)]),
    ("log_softmax", "dim=2", nn.LogSoftmax(1), [random(2, 3, 2)]),
    ("glu", "", nn.GLU(), [random(3, 4)]),
    ("glu", "dim=1", nn.GLU(0), [random(4, 3)]),
]


def numbers(t):
    return "{" + ", ".join(repr(float(x)) for x in t.detach().flatten()) + "}"


def tensor(t):
    shape = ", ".join(str(n) for n in t.shape)
    return "{%d, {%s}, %s}" % (t.dim(), shape, numbers(t))


def tensors(many):
    return "{" + ",\n    ".join(tensor(t) for t in many) + "}"


print("/* Layers of the fc plugin, from PyTorch %s: made by tests/golden/make_fc.py. */"
      % torch.__version__.split("+")[0])
print("#ifndef GOLDEN_FC_H\n#define GOLDEN_FC_H\n\n/* clang-format off */")
print("typedef struct golden_tensor {\n  int ndim;\n  long long shape[3];\n  double values[24];\n"
      "} golden_tensor;\n")
print("typedef struct golden_layer {\n  const char *name, *options;\n"
      "  int n_inputs, n_parameters;\n"
      "  golden_tensor inputs[2], parameters[2], weights, output;\n"
      "  golden_tensor input_grads[2], parameter_grads[2];\n} golden_layer;\n")
print("static const golden_layer golden_layers[] = {")
for name, options, layer, inputs in CASES:
    layer = layer.double()
    parameters = list(layer.parameters())
    for p in parameters:
        p.data = random(*p.shape)
    inputs = [x.requires_grad_() for x in inputs]
    output = layer(*inputs)
    weights = random(*output.shape)
    (output * weights).sum().backward()
    print('  {"%s", "%s", %d, %d,\n   %s,\n   %s,\n   %s,\n   %s,\n   %s,\n   %s},' % (
        name, options, len(inputs), len(parameters), tensors(inputs),
        tensors(parameters) if parameters else "{{0}}", tensor(weights), tensor(output),
        tensors([x.grad for x in inputs]),
        tensors([p.grad for p in parameters]) if parameters else "{{0}}"))
print("};\n/* clang-format on */\n\n#endif")
