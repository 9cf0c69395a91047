"""Writes layers/resnet.safetensors: what residual blocks and small residual networks compute; and
resnet18.safetensors, resnet50.safetensors: state_dicts as PyTorch saves them, of narrow networks with
torchvision's names, whose outputs resnet_outputs.safetensors has.

The classes are torchvision's (BasicBlock, Bottleneck, ResNet) with a width, a stem for small images
and pre-activation besides.

usage: python make_resnet.py
"""
import os
import torch
from torch import nn
from safetensors.torch import save_file
from layer_cases import Cases


def conv(c_in, c_out, kernel, stride=1, groups=1, dilation=1):
    return nn.Conv2d(c_in, c_out, kernel, stride, dilation * (kernel // 2), dilation, groups, bias=False)


class Block(nn.Module):
    """One of the four blocks; `convs` are the branch's."""

    def __init__(self, convs, inplanes, stride, preact):
        super().__init__()
        self.convs, self.preact, out = len(convs), preact, convs[-1].out_channels
        for i, c in enumerate(convs, 1):
            norm = nn.BatchNorm2d(c.in_channels if preact else c.out_channels)
            for name, layer in [("bn", norm), ("conv", c)][::1 if preact else -1]:
                setattr(self, "%s%d" % (name, i), layer)
        self.downsample = None
        if stride != 1 or inplanes != out:
            projection = [conv(inplanes, out, 1, stride)]
            self.downsample = nn.Sequential(*projection, *[] if preact else [nn.BatchNorm2d(out)])

    def forward(self, x):
        y, shortcut = x, x
        for i in range(1, self.convs + 1):
            norm, c = getattr(self, "bn%d" % i), getattr(self, "conv%d" % i)
            if self.preact:
                y = norm(y).relu()
                if i == 1 and self.downsample is not None:
                    shortcut = y
                y = c(y)
            else:
                y = norm(c(y))
                y = y.relu() if i < self.convs else y
        if self.downsample is not None:
            shortcut = self.downsample(shortcut)
        return y + shortcut if self.preact else (y + shortcut).relu()


def basic(inplanes, planes, stride=1, preact=False):
    return Block([conv(inplanes, planes, 3, stride), conv(planes, planes, 3)], inplanes, stride, preact)


def bottleneck(inplanes, planes, stride=1, preact=False, groups=1, base_width=64, dilation=1):
    width = int(planes * (base_width / 64.0)) * groups
    return Block([conv(inplanes, width, 1), conv(width, width, 3, stride, groups, dilation),
                  conv(width, 4 * planes, 1)], inplanes, stride, preact)


class ResNet(nn.Module):
    def __init__(self, block, expansion, blocks, width, classes, in_channels=3, small=False, preact=False,
                 **options):
        super().__init__()
        self.preact, self.small, self.stages = preact, small, len(blocks)
        self.conv1 = conv(in_channels, width, 3) if small else conv(in_channels, width, 7, 2)
        if not preact:
            self.bn1 = nn.BatchNorm2d(width)
        inplanes = width
        for i, n in enumerate(blocks):
            stage = []
            for j in range(n):
                stride = 2 if i > 0 and j == 0 else 1
                stage.append(block(inplanes, width << i, stride, preact, **options))
                inplanes = expansion * (width << i)
            setattr(self, "layer%d" % (i + 1), nn.Sequential(*stage))
        if preact:
            self.bn = nn.BatchNorm2d(inplanes)
        self.fc = nn.Linear(inplanes, classes)

    def forward(self, x):
        x = self.conv1(x)
        if not self.preact:
            x = self.bn1(x).relu()
        if not self.small:
            x = nn.functional.max_pool2d(x, 3, 2, 1)
        for i in range(self.stages):
            x = getattr(self, "layer%d" % (i + 1))(x)
        if self.preact:
            x = self.bn(x).relu()
        return self.fc(x.mean((2, 3)))


def write_cases(path):
    """No channel may be positive everywhere: a norm behind it takes its bias away, and the bias's gradient
    is a sum that cancels to rounding errors, which nothing can be compared with."""
    cases = Cases(13)
    r = cases.random
    for preact in (False, True):
        kind = "preact_block" if preact else "basic_block"
        cases.add(kind, "inplanes = 2, planes = 2", basic(2, 2, 1, preact), [r(2, 2, 5, 3)])
        cases.add(kind, "inplanes = 2, planes = 3", basic(2, 3, 1, preact), [r(1, 2, 4, 3)])
        for training in (True, False):
            cases.add(kind, "inplanes = 2, planes = 3, stride = 2", basic(2, 3, 2, preact),
                      [r(3, 2, 5, 4)], training=training)
        kind = "preact_bottleneck" if preact else "bottleneck"
        cases.add(kind, "inplanes = 8, planes = 2", bottleneck(8, 2, 1, preact), [r(2, 8, 3, 2)])
        for training in (True, False):
            cases.add(kind, "inplanes = 3, planes = 2, stride = 2", bottleneck(3, 2, 2, preact),
                      [r(2, 3, 5, 7)], training=training)
        cases.add(kind, "inplanes = 3, planes = 3, groups = 2, base_width = 22, dilation = 2, stride = 2",
                  bottleneck(3, 3, 2, preact, groups=2, base_width=22, dilation=2), [r(2, 3, 6, 5)])
        words = ", preact = true" if preact else ""
        cases.add("resnet_cifar", "depth = 8, in_channels = 1, width = 1, num_classes = 3" + words,
                  ResNet(basic, 1, [1] * 3, 1, 3, in_channels=1, small=True, preact=preact),
                  [r(2, 1, 9, 10)])
    for name, t in cases.tensors.items():
        if ".grad." in name:
            assert not ((t != 0) & (t.abs() < 1e-9)).any(), "%s cancels" % name
    cases.write(path)


def state_dicts(folder):
    """Networks that saw some batches, in f32; outputs of the same weights, computed in f64."""
    torch.manual_seed(14)
    outputs = {}
    for name, make in [("resnet18", lambda: ResNet(basic, 1, [2, 2, 2, 2], 3, 5)),
                       ("resnet50", lambda: ResNet(bottleneck, 4, [3, 4, 6, 3], 1, 5))]:
        model = make()
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                nn.init.uniform_(layer.weight, 0.5, 1.5)
                nn.init.uniform_(layer.bias, -0.5, 0.5)
        for _ in range(5):
            model(torch.randn(4, 3, 65, 47))
        model.eval()
        save_file(model.state_dict(), os.path.join(folder, name + ".safetensors"))
        x = torch.randn(2, 3, 39, 33)
        outputs[name + ".input"] = x
        outputs[name + ".output"] = model.double()(x.double()).detach().float()
    save_file(outputs, os.path.join(folder, "resnet_outputs.safetensors"))


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    write_cases(os.path.join(here, "layers/resnet.safetensors"))
    state_dicts(here)
