"""Writes tests/core/golden_losses.h: losses and their gradients as PyTorch computes them, in f64.

usage: python make_losses.py > ../core/golden_losses.h

The gradient is that of sum_i (i + 1) / 2 * loss_i, loss_i being one number or, without a reduction,
one for each target.
"""
import itertools
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(11)
logits = (torch.randn(24, generator=generator) * 2).float().double()
probabilities = torch.rand(24, generator=generator).float().double()
class_weight = torch.tensor([0.5, 2.0, 1.25, 0.75])
ids = torch.tensor([3, 0, 2, 2, 1, 0])
SHAPES = [(6, 4), (2, 4, 3), (1, 4, 3, 2), (4,)]
REDUCTIONS = ["mean", "sum", "none"]  # in the order of sel_reduction


def numbers(values):
    return "{" + ", ".join("%.16g" % v for v in values) + "}"


def gradient(loss, x):
    weights = torch.arange(1, loss.numel() + 1).double() / 2
    (loss.reshape(-1) * weights).sum().backward()
    return x.grad.reshape(-1)


def on_ids():
    print("""/* dims are in `shape`; ids, class weights and logits are the first ones of the tables. */
typedef struct golden_ids {
  bool nll, weighted, probabilities;
  int64_t ignore_index;
  double label_smoothing;
  int reduction, ndim;
  int64_t shape[4];
  double loss[6], gradient[24];
} golden_ids;

static const golden_ids golden_id_losses[] = {""")
    cases = itertools.product(SHAPES, [False, True], ["ids", "probabilities", "nll"], [-100, 2],
                              [0.0, 0.2], REDUCTIONS)
    for shape, weighted, kind, ignore, smoothing, reduction in cases:
        if (kind == "nll" and smoothing) or (kind == "probabilities" and ignore >= 0):
            continue
        if shape == (4,) and kind == "ids" and ignore >= 0:
            continue
        n = torch.tensor(shape).prod().item()
        x = logits[:n].reshape(shape).clone().requires_grad_()
        classes = 1 if len(shape) > 1 else 0
        target_shape = shape[:classes] + shape[classes + 1:]
        target = ids[:n // 4].reshape(target_shape)
        weight = class_weight if weighted else None
        if kind == "nll":
            loss = F.nll_loss(x, target, weight, ignore_index=ignore, reduction=reduction)
        else:
            if kind == "probabilities":
                target = probabilities[:n].reshape(shape)
            loss = F.cross_entropy(x, target, weight, ignore_index=ignore,
                                   label_smoothing=smoothing, reduction=reduction)
        grad = gradient(loss, x)
        print("  {%s, %s, %s, %d, %g, %d, %d, {%s},\n   %s,\n   %s}," % (
            str(kind == "nll").lower(), str(weighted).lower(),
            str(kind == "probabilities").lower(), ignore, smoothing, REDUCTIONS.index(reduction),
            len(shape), ", ".join(map(str, shape)), numbers(loss.detach().reshape(-1)),
            numbers(grad)))
    print("};\n")


def pairs():
    print("""/* x: the first 6 logits, or for bce the first 6 probabilities, as [2, 3]; target: the last 6
 * probabilities. */
typedef struct golden_pair {
  const char *loss;
  double parameter;
  int reduction;
  double value[6], gradient[6];
} golden_pair;

static const golden_pair golden_pairs[] = {""")
    pos_weight = class_weight[:3]
    losses = [
        ("mse", 0, lambda x, t, r: F.mse_loss(x, t, reduction=r)),
        ("l1", 0, lambda x, t, r: F.l1_loss(x, t, reduction=r)),
        ("smooth_l1", 0.7, lambda x, t, r: F.smooth_l1_loss(x, t, beta=0.7, reduction=r)),
        ("smooth_l1", 0, lambda x, t, r: F.smooth_l1_loss(x, t, beta=0.0, reduction=r)),
        ("huber", 0.7, lambda x, t, r: F.huber_loss(x, t, delta=0.7, reduction=r)),
        ("bce", 0, lambda x, t, r: F.binary_cross_entropy(x, t, reduction=r)),
        ("bce_with_logits", 0, lambda x, t, r: F.binary_cross_entropy_with_logits(x, t, reduction=r)),
        ("bce_pos_weight", 0, lambda x, t, r: F.binary_cross_entropy_with_logits(
            x, t, pos_weight=pos_weight, reduction=r)),
        ("kl_div", 0, lambda x, t, r: F.kl_div(x, t, reduction=r)),
    ]
    for (name, parameter, loss_of), reduction in itertools.product(losses, REDUCTIONS + ["batchmean"]):
        if reduction == "batchmean" and name != "kl_div":
            continue
        x = (probabilities if name == "bce" else logits)[:6].reshape(2, 3).clone().requires_grad_()
        target = probabilities[-6:].reshape(2, 3)
        loss = loss_of(x, target, reduction)
        grad = gradient(loss, x)
        number = (REDUCTIONS + ["batchmean"]).index(reduction)
        print('  {"%s", %g, %d, %s,\n   %s},' % (name, parameter, number,
                                                numbers(loss.detach().reshape(-1)), numbers(grad)))
    print("};\n")


print("/* Losses and their gradients, from PyTorch %s: made by tests/golden/make_losses.py. */" %
      torch.__version__.split("+")[0])
print("#ifndef GOLDEN_LOSSES_H\n#define GOLDEN_LOSSES_H\n\n/* clang-format off */")
print("static const double golden_logits[24] = %s;" % numbers(logits))
print("static const double golden_probabilities[24] = %s;" % numbers(probabilities))
print("static const double golden_class_weight[4] = %s;" % numbers(class_weight))
print("static const double golden_ids_of[6] = %s;\n" % numbers(ids))
on_ids()
pairs()
print("/* clang-format on */\n\n#endif")
