"""Writes tests/golden/cnn.safetensors: what PyTorch's image layers compute, and their gradients.

usage: python make_cnn.py      (in this folder)

A case is a layer as Selenite's Lua makes it, PyTorch's layer, and the shape of its input. The layers
run in f64; stored in f32 are input, parameters (under PyTorch's names), output, the weights of the
output's sum whose gradients are taken, and these gradients. The metadata hold the Lua of each case.
"""
import torch
from safetensors.torch import save_file
from torch import nn

generator = torch.Generator().manual_seed(7)


def random(*shape):
    return torch.randn(*shape, generator=generator).double()


CASES = [
    # stride, padding, dilation, groups, odd sizes, one image, no images
    ("nn.conv1d(2, 3, 3)", nn.Conv1d(2, 3, 3), (2, 2, 7)),
    ("nn.conv1d(4, 6, 2, {stride = 2, padding = 1, dilation = 2, groups = 2})",
     nn.Conv1d(4, 6, 2, 2, 1, 2, 2), (3, 4, 8)),
    ("nn.conv1d(2, 2, 4, {padding = \"same\", bias = false})",
     nn.Conv1d(2, 2, 4, padding="same", bias=False), (1, 2, 6)),
    ("nn.conv1d(2, 2, 3, {padding = 2, padding_mode = \"circular\"})",
     nn.Conv1d(2, 2, 3, padding=2, padding_mode="circular"), (2, 2, 5)),
    ("nn.conv1d(3, 2, 2)", nn.Conv1d(3, 2, 2), (3, 4)),
    ("nn.conv2d(3, 4, 3)", nn.Conv2d(3, 4, 3), (2, 3, 7, 5)),
    ("nn.conv2d(3, 4, {3, 2}, {stride = {2, 1}, padding = {0, 1}})",
     nn.Conv2d(3, 4, (3, 2), (2, 1), (0, 1)), (1, 3, 8, 5)),
    ("nn.conv2d(2, 3, 3, 1, 1, 2)", nn.Conv2d(2, 3, 3, 1, 1, 2), (2, 2, 6, 7)),
    ("nn.conv2d(4, 4, 3, {groups = 4, padding = 1})", nn.Conv2d(4, 4, 3, groups=4, padding=1),
     (2, 4, 5, 6)),
    ("nn.conv2d(3, 6, 3, {groups = 3, stride = 2, padding = 1, dilation = {1, 2}})",
     nn.Conv2d(3, 6, 3, 2, 1, (1, 2), 3), (2, 3, 7, 8)),
    ("nn.conv2d(4, 6, 3, {groups = 2, padding = 1})", nn.Conv2d(4, 6, 3, groups=2, padding=1),
     (2, 4, 5, 5)),
    ("nn.conv2d(5, 3, 1)", nn.Conv2d(5, 3, 1), (2, 5, 4, 3)),
    ("nn.conv2d(4, 2, 1, {stride = 2})", nn.Conv2d(4, 2, 1, 2), (1, 4, 5, 5)),
    ("nn.conv2d(1, 8, 5, {padding = 2})", nn.Conv2d(1, 8, 5, padding=2), (2, 1, 6, 6)),
    ("nn.conv2d(2, 3, {4, 3}, {padding = \"same\"})", nn.Conv2d(2, 3, (4, 3), padding="same"),
     (2, 2, 5, 4)),
    ("nn.conv2d(2, 3, 2, {padding = \"same\", padding_mode = \"replicate\", dilation = 3})",
     nn.Conv2d(2, 3, 2, padding="same", padding_mode="replicate", dilation=3), (1, 2, 5, 6)),
    ("nn.conv2d(2, 3, 3, {padding = \"valid\"})", nn.Conv2d(2, 3, 3, padding="valid"),
     (1, 2, 3, 3)),
    ("nn.conv2d(2, 3, 3, {padding = {1, 2}, padding_mode = \"reflect\"})",
     nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode="reflect"), (2, 2, 4, 4)),
    ("nn.conv2d(2, 3, 3, {padding = 1})", nn.Conv2d(2, 3, 3, padding=1), (0, 2, 4, 4)),
    ("nn.conv2d(2, 3, 3, {padding = 1})", nn.Conv2d(2, 3, 3, padding=1), (2, 4, 4)),
    ("nn.conv2d(20, 40, 3, {padding = 1})", nn.Conv2d(20, 40, 3, padding=1), (1, 20, 6, 6)),
    ("nn.conv3d(2, 3, 2)", nn.Conv3d(2, 3, 2), (2, 2, 3, 4, 3)),
    ("nn.conv3d(2, 4, {1, 3, 2}, {stride = {1, 2, 1}, padding = {1, 1, 0}, groups = 2})",
     nn.Conv3d(2, 4, (1, 3, 2), (1, 2, 1), (1, 1, 0), groups=2), (1, 2, 3, 4, 4)),
    ("nn.conv3d(1, 2, 3, {padding = \"same\"})", nn.Conv3d(1, 2, 3, padding="same"),
     (1, 1, 3, 4, 3)),
    ("nn.conv_transpose1d(2, 3, 3)", nn.ConvTranspose1d(2, 3, 3), (2, 2, 5)),
    ("nn.conv_transpose1d(4, 2, 4, {stride = 3, padding = 1, output_padding = 2, groups = 2})",
     nn.ConvTranspose1d(4, 2, 4, 3, 1, 2, 2), (1, 4, 4)),
    ("nn.conv_transpose2d(3, 2, 4, 2, 1)", nn.ConvTranspose2d(3, 2, 4, 2, 1), (2, 3, 3, 4)),
    ("nn.conv_transpose2d(2, 3, {3, 2}, {stride = {2, 1}, output_padding = {1, 0}, bias = false})",
     nn.ConvTranspose2d(2, 3, (3, 2), (2, 1), output_padding=(1, 0), bias=False), (1, 2, 3, 3)),
    ("nn.conv_transpose2d(2, 4, 3, {dilation = 2, groups = 2, padding = 2})",
     nn.ConvTranspose2d(2, 4, 3, dilation=2, groups=2, padding=2), (2, 2, 4, 4)),
    ("nn.conv_transpose2d(2, 1, 1)", nn.ConvTranspose2d(2, 1, 1), (2, 3, 3)),
    ("nn.conv_transpose2d(2, 3, 2, 2)", nn.ConvTranspose2d(2, 3, 2, 2), (0, 2, 3, 3)),
    ("nn.conv_transpose3d(2, 2, 2, 2)", nn.ConvTranspose3d(2, 2, 2, 2), (1, 2, 2, 2, 3)),

    ("nn.max_pool1d(2)", nn.MaxPool1d(2), (2, 3, 7)),
    ("nn.max_pool1d(3, 1, 1, 2)", nn.MaxPool1d(3, 1, 1, 2), (2, 7)),
    ("nn.max_pool2d(2)", nn.MaxPool2d(2), (2, 2, 6, 8)),
    ("nn.max_pool2d(3, 2, 1)", nn.MaxPool2d(3, 2, 1), (2, 2, 7, 9)),
    ("nn.max_pool2d({2, 3}, {1, 2}, {1, 0}, {1, 2}, {ceil_mode = true})",
     nn.MaxPool2d((2, 3), (1, 2), (1, 0), (1, 2), ceil_mode=True), (1, 2, 5, 8)),
    ("nn.max_pool2d(3, {ceil_mode = true, stride = 2})", nn.MaxPool2d(3, 2, ceil_mode=True),
     (1, 1, 6, 6)),
    ("nn.max_pool2d(2)", nn.MaxPool2d(2), (0, 2, 4, 4)),
    ("nn.max_pool2d(5, 3)", nn.MaxPool2d(5, 3), (1, 1, 12, 70)),
    ("nn.max_pool3d(2, 1)", nn.MaxPool3d(2, 1), (1, 2, 3, 3, 4)),
    ("nn.avg_pool1d(2)", nn.AvgPool1d(2), (2, 3, 7)),
    ("nn.avg_pool1d(3, 2, 1, {count_include_pad = false})",
     nn.AvgPool1d(3, 2, 1, count_include_pad=False), (2, 3, 7)),
    ("nn.avg_pool2d(2)", nn.AvgPool2d(2), (2, 2, 5, 6)),
    ("nn.avg_pool2d(3, 2, 1, {ceil_mode = true})", nn.AvgPool2d(3, 2, 1, ceil_mode=True),
     (1, 2, 6, 7)),
    ("nn.avg_pool2d({3, 2}, {2, 1}, {1, 0}, {ceil_mode = true, count_include_pad = false})",
     nn.AvgPool2d((3, 2), (2, 1), (1, 0), True, False), (1, 2, 6, 5)),
    ("nn.avg_pool2d(2, {divisor_override = 3})", nn.AvgPool2d(2, divisor_override=3),
     (1, 2, 4, 4)),
    ("nn.avg_pool3d(2, 1, 1)", nn.AvgPool3d(2, 1, 1), (1, 1, 3, 2, 3)),
    ("nn.adaptive_avg_pool1d(3)", nn.AdaptiveAvgPool1d(3), (2, 2, 7)),
    ("nn.adaptive_avg_pool2d(1)", nn.AdaptiveAvgPool2d(1), (2, 3, 5, 4)),
    ("nn.adaptive_avg_pool2d({3, 4})", nn.AdaptiveAvgPool2d((3, 4)), (2, 2, 7, 6)),
    ("nn.adaptive_avg_pool2d({5, 6})", nn.AdaptiveAvgPool2d((5, 6)), (1, 2, 3, 4)),
    ("nn.adaptive_max_pool1d(4)", nn.AdaptiveMaxPool1d(4), (2, 2, 7)),
    ("nn.adaptive_max_pool2d({2, 3})", nn.AdaptiveMaxPool2d((2, 3)), (2, 2, 5, 7)),
    ("nn.adaptive_max_pool2d(1)", nn.AdaptiveMaxPool2d(1), (2, 3, 3)),
    ("nn.adaptive_avg_pool3d(2)", nn.AdaptiveAvgPool3d(2), (1, 2, 3, 4, 5)),
    ("nn.adaptive_max_pool3d({2, 1, 3})", nn.AdaptiveMaxPool3d((2, 1, 3)), (1, 1, 3, 4, 5)),

    ("nn.upsample{scale_factor = 2}", nn.Upsample(scale_factor=2), (2, 2, 3, 4)),
    ("nn.upsample{scale_factor = 2.5}", nn.Upsample(scale_factor=2.5), (2, 2, 5)),
    ("nn.upsample{size = 4}", nn.Upsample(4), (1, 2, 7, 3)),
    ("nn.upsample{size = {5, 7}, mode = \"bilinear\"}", nn.Upsample((5, 7), mode="bilinear"),
     (2, 2, 3, 4)),
    ("nn.upsample{scale_factor = 2, mode = \"bilinear\", align_corners = true}",
     nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (1, 2, 4, 3)),
    ("nn.upsample{scale_factor = 1.7, mode = \"bilinear\"}",
     nn.Upsample(scale_factor=1.7, mode="bilinear"), (1, 2, 4, 5)),
    ("nn.upsample{scale_factor = 0.6, mode = \"linear\"}",
     nn.Upsample(scale_factor=0.6, mode="linear"), (2, 2, 9)),
    ("nn.upsample{size = {3, 4, 2}, mode = \"trilinear\"}",
     nn.Upsample((3, 4, 2), mode="trilinear"), (1, 1, 2, 3, 3)),
    ("nn.pixel_shuffle(2)", nn.PixelShuffle(2), (2, 8, 2, 3)),
    ("nn.pixel_unshuffle(3)", nn.PixelUnshuffle(3), (1, 2, 3, 6)),

    ("nn.zero_pad1d({1, 2})", nn.ZeroPad1d((1, 2)), (2, 2, 3)),
    ("nn.zero_pad2d(1)", nn.ZeroPad2d(1), (1, 2, 3, 4)),
    ("nn.zero_pad2d({1, -1, 0, 2})", nn.ZeroPad2d((1, -1, 0, 2)), (1, 2, 3, 4)),
    ("nn.zero_pad3d(1)", nn.ZeroPad3d(1), (1, 1, 2, 2, 2)),
    ("nn.constant_pad1d(2, 0.5)", nn.ConstantPad1d(2, 0.5), (2, 2, 3)),
    ("nn.constant_pad2d({1, 0, 2, 3}, -1.5)", nn.ConstantPad2d((1, 0, 2, 3), -1.5), (1, 2, 3, 2)),
    ("nn.constant_pad3d(1, 2)", nn.ConstantPad3d(1, 2), (1, 1, 1, 2, 2)),
    ("nn.reflection_pad1d({2, 1})", nn.ReflectionPad1d((2, 1)), (2, 2, 4)),
    ("nn.reflection_pad2d({1, 2, 3, 0})", nn.ReflectionPad2d((1, 2, 3, 0)), (2, 2, 4, 3)),
    ("nn.reflection_pad3d(1)", nn.ReflectionPad3d(1), (1, 1, 2, 3, 2)),
    ("nn.replication_pad1d(3)", nn.ReplicationPad1d(3), (2, 2, 2)),
    ("nn.replication_pad2d({1, 2, 3, 0})", nn.ReplicationPad2d((1, 2, 3, 0)), (2, 2, 2, 3)),
    ("nn.replication_pad3d(1)", nn.ReplicationPad3d(1), (1, 1, 2, 2, 2)),
    ("nn.circular_pad1d({2, 1})", nn.CircularPad1d((2, 1)), (2, 2, 3)),
    ("nn.circular_pad2d({1, 2, 3, 0})", nn.CircularPad2d((1, 2, 3, 0)), (2, 2, 3, 2)),
    ("nn.circular_pad3d(1)", nn.CircularPad3d(1), (1, 1, 2, 2, 2)),
]

tensors, metadata = {}, {}
for i, (lua, layer, shape) in enumerate(CASES):
    layer = layer.double()
    kept = {"input": random(*shape).requires_grad_()}
    for name, p in layer.named_parameters():
        p.data = random(*p.shape) / 2
        kept["parameter." + name] = p
    output = layer(kept["input"])
    weights = random(*output.shape)
    (output * weights).sum().backward()
    kept |= {"output": output, "weights": weights, "grad.input": kept["input"].grad}
    kept |= {"grad." + name: p.grad for name, p in layer.named_parameters()}
    metadata[str(i + 1)] = lua
    for name, t in kept.items():
        if t.numel() == 0:
            t = torch.zeros(1)  # files hold no empty tensors: the shape is in the metadata
        tensors["%d.%s" % (i + 1, name)] = t.detach().float().contiguous()
    metadata["%d.input" % (i + 1)] = ",".join(str(n) for n in shape)
metadata["count"] = str(len(CASES))
save_file(tensors, "cnn.safetensors", metadata)
