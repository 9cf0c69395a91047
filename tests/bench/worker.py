"""The PyTorch side of the benchmark; worker.lua describes the commands and is the same for Selenite.

usage: worker.py THREADS [--fused]    --fused: optimizers with PyTorch's fused kernels
"""
import sys
import time

import torch
from torch.nn import functional as F

from networks import networks
from operations import operations
from read_safetensors import load

FUSED = {"fused": True} if "--fused" in sys.argv else {}
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


def peak_bytes():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def mean_square(t):
    return t.detach().float().square().mean().item()


def train(spec, model, x, target):
    options = {"lr": float(spec["lr"])}
    if "momentum" in spec:
        options["momentum"] = float(spec["momentum"])
    optimizer = OPTIMIZERS[spec["optimizer"]](model.parameters(), **options, **FUSED)
    loss_of = F.mse_loss if spec["loss"] == "mse" else F.cross_entropy
    flat = spec["loss"] == "cross_entropy"

    def step():
        y = model(x)
        if flat and y.dim() == 3:
            y = y.flatten(0, 1)
        loss = loss_of(y, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step, lambda loss: loss.item(), optimizer


def update(spec, model, x, other):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **FUSED)
    for weight in model.weights:
        weight.grad = weight.detach().clone()
    return optimizer.step, lambda _: mean_square(model.weights[0]), optimizer


def forward(spec, model, x, other):
    if other is None or "network" in spec:
        return lambda: model(x), mean_square, None
    return lambda: model(x, other), mean_square, None


def generate(spec, model, x, other):
    ids = x.split(1, dim=1)

    def step():
        past = None
        for each in ids:
            logits, past = model.step(each, past)
        return logits

    return step, mean_square, None


def gradient(spec, model, x, other, direction):
    wants = x.is_floating_point()
    parameters = list(model.parameters()) if isinstance(model, torch.nn.Module) else []
    x.requires_grad_(wants)
    inputs = (x,) if other is None else (x, other)

    def step():
        for p in parameters:
            p.grad = None
        x.grad = None
        y = model(*inputs)
        y.backward(direction)
        return y

    def value(y):
        total = mean_square(y)
        if wants:
            total += mean_square(x.grad)
        return total + sum(mean_square(p.grad) for p in parameters)

    return step, value, None


MODES = {"train": train, "update": update, "forward": forward, "generate": generate,
         "gradient": gradient}


class Workload:
    def __init__(self, path):
        tensors, spec = load(path)
        make = networks[spec["network"]] if "network" in spec else operations[spec["operation"]]
        model = make(spec)
        state = {name[6:]: t for name, t in tensors.items() if name.startswith("model.")}
        if state:
            model.load_state_dict(state)
        if "network" in spec and spec["mode"] != "train":
            model.eval()
        inputs = [tensors["input.x"], tensors.get("input.other")]
        if spec["mode"] == "gradient":
            inputs.append(tensors["input.direction"])
        self.step, self.value, self.optimizer = MODES[spec["mode"]](spec, model, *inputs)
        self.tokens = int(spec.get("tokens", 1))
        self.inference = spec["mode"] in ("forward", "generate")

    def check(self, n):
        with torch.inference_mode(self.inference):
            values = [self.value(self.step()) for _ in range(n)]
        if self.optimizer:
            for group in self.optimizer.param_groups:
                group["lr"] = 0.0
        return " ".join(f"{value:.9g}" for value in values)

    def run(self, n):
        step = self.step
        with torch.inference_mode(self.inference):
            begin = time.perf_counter()
            for _ in range(n):
                step()
            seconds = time.perf_counter() - begin
        return f"{seconds / n / self.tokens:.9g}"


def main():
    torch.set_num_threads(int(sys.argv[1]))
    baseline = peak_bytes()
    current = None
    print(f"PyTorch {torch.__version__}", flush=True)
    for line in sys.stdin:
        command, *rest = line.rstrip("\n").split("\t")
        if command == "quit":
            break
        if command == "load":
            current = None
            current = Workload(rest[1])
            reset_peak()
            print("loaded", flush=True)
        elif command == "memory":
            print(peak_bytes(), baseline, flush=True)
        else:
            print(getattr(current, command)(int(rest[0])), flush=True)


main()
