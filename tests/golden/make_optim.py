"""Writes tests/core/golden_optim.h: ten steps of each optimizer as PyTorch takes them.

usage: python make_optim.py > ../core/golden_optim.h

Two parameters, [2, 3] and [2], with given gradients; the second has none in steps 3 and 4, so that
its step count falls behind. Trajectories in f64; the values after the last step also in f32.
"""
import torch

STEPS = 10
START = [0.5, -1.25, 2.0, -0.75, 0.1, -0.03, 1.5, -0.4]

VARIANTS = [
    ("sgd", dict(lr=0.1)),
    ("sgd", dict(lr=0.1, weight_decay=0.05, maximize=True)),
    ("sgd", dict(lr=0.05, momentum=0.9)),
    ("sgd", dict(lr=0.05, momentum=0.9, dampening=0.5, weight_decay=0.1)),
    ("sgd", dict(lr=0.05, momentum=0.9, nesterov=True)),
    ("sgd", dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01, maximize=True)),
    ("adam", dict()),
    ("adam", dict(lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)),
    ("adam", dict(lr=0.02, amsgrad=True)),
    ("adam", dict(lr=0.02, maximize=True)),
    ("adamw", dict()),
    ("adamw", dict(lr=0.02, weight_decay=0.3, amsgrad=True)),
    ("adamw", dict(lr=0.02, betas=(0.5, 0.9), maximize=True)),
    ("rmsprop", dict()),
    ("rmsprop", dict(lr=0.02, alpha=0.9, weight_decay=0.1)),
    ("rmsprop", dict(lr=0.02, momentum=0.9)),
    ("rmsprop", dict(lr=0.02, centered=True)),
    ("rmsprop", dict(lr=0.02, alpha=0.9, momentum=0.7, centered=True, maximize=True)),
    ("adagrad", dict()),
    ("adagrad", dict(lr=0.1, lr_decay=0.3)),
    ("adagrad", dict(lr=0.1, initial_accumulator_value=0.5, weight_decay=0.1, eps=1e-6)),
    ("adagrad", dict(lr=0.1, maximize=True)),
]
KINDS = dict(sgd=torch.optim.SGD, adam=torch.optim.Adam, adamw=torch.optim.AdamW,
             rmsprop=torch.optim.RMSprop, adagrad=torch.optim.Adagrad)


def gradients():
    generator = torch.Generator().manual_seed(7)
    scale = torch.tensor([1, 0.1, 10, 1, 1e-3, 0, 1, 2], dtype=torch.float64)
    g = torch.randn(STEPS, 8, generator=generator, dtype=torch.float64) * scale
    return g.float().double()  # the same numbers in f32 and f64


def run(kind, settings, dtype):
    values = torch.tensor(START, dtype=torch.float64).to(dtype)
    w = values[:6].clone().view(2, 3).requires_grad_()
    b = values[6:].clone().requires_grad_()
    optimizer = KINDS[kind]([w, b], foreach=False, **settings)
    trajectory = []
    for step, g in enumerate(gradients().to(dtype)):
        w.grad = g[:6].view(2, 3).clone()
        b.grad = None if step in (2, 3) else g[6:].clone()
        optimizer.step()
        trajectory.append(torch.cat([w.detach().flatten(), b.detach()]).double())
    return torch.stack(trajectory)


def numbers(row):
    return "{" + ", ".join(repr(float(x)) for x in row) + "}"


def settings_text(settings):
    flat = {}
    for name, value in settings.items():
        if name == "betas":
            flat["beta1"], flat["beta2"] = value
        else:
            flat[name] = float(value)
    return "{" + ", ".join('{"%s", %r}' % item for item in flat.items()) + "}" if flat else "{{0}}"


print("/* Ten steps of each optimizer, from PyTorch %s: made by tests/golden/make_optim.py. */"
      % torch.__version__.split("+")[0])
print("#ifndef GOLDEN_OPTIM_H\n#define GOLDEN_OPTIM_H\n")
print("/* clang-format off */")
print("enum { GOLDEN_STEPS = %d };\n" % STEPS)
print("/* A [2, 3] parameter, then a [2] one that has no gradient in steps 3 and 4. */")
print("static const double golden_start[8] = %s;" % numbers(START))
print("static const double golden_gradients[GOLDEN_STEPS][8] = {")
print(",\n".join("  " + numbers(row) for row in gradients()) + "};\n")
print("typedef struct golden_optimizer {")
print("  const char *kind;")
print("  struct { const char *name; double value; } settings[8];")
print("  double f64[GOLDEN_STEPS][8], f32_end[8];")
print("} golden_optimizer;\n")
print("static const golden_optimizer golden_optimizers[] = {")
for kind, settings in VARIANTS:
    f64, f32 = run(kind, settings, torch.float64), run(kind, settings, torch.float32)
    rows = ",\n    ".join(numbers(row) for row in f64)
    print('  {"%s", %s,\n   {%s},\n   %s},' % (kind, settings_text(settings), rows, numbers(f32[-1])))
print("};\n/* clang-format on */\n\n#endif")
