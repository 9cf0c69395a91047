"""Writes layers/norm.safetensors: what PyTorch's normalisation layers compute.

usage: python make_norm.py
"""
import os
import torch
from torch import nn
from layer_cases import Cases

cases = Cases(12)
r = cases.random

for training in (True, False):
    both = {"training": training}
    cases.add("batch_norm1d", "num_features = 3", nn.BatchNorm1d(3), [r(5, 3)], **both)
    cases.add("batch_norm1d", "num_features = 3", nn.BatchNorm1d(3), [r(2, 3, 7)], **both)
    cases.add("batch_norm2d", "num_features = 2", nn.BatchNorm2d(2), [r(3, 2, 5, 3)], **both)
    cases.add("batch_norm2d", "num_features = 2", nn.BatchNorm2d(2), [r(1, 2, 7, 9)], **both)
    cases.add("batch_norm2d", "num_features = 3, eps = 0.01, momentum = 0.3, affine = false",
              nn.BatchNorm2d(3, eps=0.01, momentum=0.3, affine=False), [r(2, 3, 3, 1)], **both)
    cases.add("batch_norm2d", "num_features = 2, track_running_stats = false",
              nn.BatchNorm2d(2, track_running_stats=False), [r(2, 2, 3, 3)], **both)
    cases.add("batch_norm2d", "num_features = 2, cumulative = true", nn.BatchNorm2d(2, momentum=None),
              [r(2, 2, 3, 3)], **both)
    cases.add("batch_norm3d", "num_features = 2", nn.BatchNorm3d(2), [r(2, 2, 2, 3, 1)], **both)
    cases.add("instance_norm1d", "num_features = 3", nn.InstanceNorm1d(3), [r(2, 3, 5)], **both)
    cases.add("instance_norm1d", "num_features = 3", nn.InstanceNorm1d(3), [r(3, 5)], **both)
    cases.add("instance_norm2d", "num_features = 2, affine = true",
              nn.InstanceNorm2d(2, affine=True), [r(3, 2, 3, 5)], **both)
    cases.add("instance_norm2d", "num_features = 2, affine = true, track_running_stats = true",
              nn.InstanceNorm2d(2, affine=True, track_running_stats=True), [r(3, 2, 3, 5)], **both)
    cases.add("instance_norm2d", "num_features = 2, track_running_stats = true, momentum = 0.4",
              nn.InstanceNorm2d(2, track_running_stats=True, momentum=0.4), [r(2, 2, 3)], **both)

cases.add("instance_norm3d", "num_features = 2", nn.InstanceNorm3d(2), [r(2, 2, 2, 3, 2)])

cases.add("group_norm", "num_groups = 2, num_channels = 4", nn.GroupNorm(2, 4), [r(3, 4, 5)])
cases.add("group_norm", "num_groups = 3, num_channels = 3, affine = false",
          nn.GroupNorm(3, 3, affine=False), [r(1, 3, 3, 3)])
cases.add("group_norm", "num_groups = 1, num_channels = 6, eps = 0.1", nn.GroupNorm(1, 6, eps=0.1),
          [r(3, 6)])
cases.add("layer_norm", "normalized_shape = 5", nn.LayerNorm(5), [r(3, 5)])
cases.add("layer_norm", "normalized_shape = 5", nn.LayerNorm(5), [r(5)])
cases.add("layer_norm", "normalized_shape = {3, 2}", nn.LayerNorm([3, 2]), [r(2, 2, 3, 2)])
cases.add("layer_norm", "normalized_shape = 5, bias = false, eps = 0.1",
          nn.LayerNorm(5, bias=False, eps=0.1), [r(1, 7, 5)])
cases.add("layer_norm", "normalized_shape = 4, elementwise_affine = false",
          nn.LayerNorm(4, elementwise_affine=False), [r(3, 4)])
cases.add("rms_norm", "normalized_shape = 5", nn.RMSNorm(5), [r(3, 5)])
cases.add("rms_norm", "normalized_shape = {3, 2}, eps = 0.01", nn.RMSNorm([3, 2], eps=0.01),
          [r(2, 3, 2)])
cases.add("rms_norm", "normalized_shape = 4, elementwise_affine = false",
          nn.RMSNorm(4, elementwise_affine=False), [r(1, 2, 4)])

cases.write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers/norm.safetensors"))
