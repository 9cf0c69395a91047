#!/usr/bin/env python3
"""Learning rates of torch.optim.lr_scheduler, for tests/lua/schedule.lua.

    python3 make_schedules.py > schedules.txt

Each block has a line "# name" and then one line a step: the rates of two parameter groups, and
momentum where the schedule changes it. Made with PyTorch 2.
"""
import warnings

import torch
from torch.optim import lr_scheduler as s

warnings.simplefilter("ignore")
STEPS = 15


def new_optimizer():
    a, b = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    return torch.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)


def show(optimizer, momentum=False):
    values = [g["lr"] for g in optimizer.param_groups]
    if momentum:
        values.append(optimizer.param_groups[0]["momentum"])
    print(" ".join(repr(float(v)) for v in values))


def run(name, make, steps=STEPS, momentum=False):
    print("# " + name)
    optimizer = new_optimizer()
    schedule = make(optimizer)
    show(optimizer, momentum)
    for _ in range(steps - 1):
        schedule.step()
        show(optimizer, momentum)


def run_plateau(name, losses, **options):
    print("# " + name)
    optimizer = new_optimizer()
    schedule = s.ReduceLROnPlateau(optimizer, **options)
    for loss in losses:
        schedule.step(loss)
        show(optimizer)


run("step_lr", lambda o: s.StepLR(o, 3, 0.5))
run("multi_step_lr", lambda o: s.MultiStepLR(o, [2, 5, 5, 9], 0.1))
run("exponential_lr", lambda o: s.ExponentialLR(o, 0.9))
run("linear_lr", lambda o: s.LinearLR(o, 0.25, 1, 4))
run("linear_lr defaults", lambda o: s.LinearLR(o))
run("lambda_lr", lambda o: s.LambdaLR(o, lambda step: 1 / (1 + step)))
run("cosine_annealing_lr", lambda o: s.CosineAnnealingLR(o, 10, 0.01))
run("one_cycle_lr", lambda o: s.OneCycleLR(o, 1, total_steps=20), 20, True)
run("one_cycle_lr linear three phases",
    lambda o: s.OneCycleLR(o, 1, total_steps=20, anneal_strategy="linear", three_phase=True,
                           pct_start=0.4, div_factor=10, final_div_factor=100), 20, True)
run("sequential_lr",
    lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 10)],
                             [5]))

LOSSES = [1, 0.9, 0.95, 0.95, 0.95, 0.89, 0.89, 0.89, 0.89, 0.89, 0.5, 0.6, 0.6, 0.6, 0.6]
run_plateau("reduce_lr_on_plateau", LOSSES, patience=1, factor=0.5)
run_plateau("reduce_lr_on_plateau max abs", LOSSES, mode="max", patience=2, threshold_mode="abs",
            threshold=0.01, cooldown=1, min_lr=0.02)
