"""Golden cases of vit (layer_cases.py says in which form): the model in plain torch, with the names of
torchvision's VisionTransformer.

usage: python make_vit.py (writes layers/vit.safetensors)
"""
import os
from collections import OrderedDict
import torch
from torch import nn
from layer_cases import Cases


class Block(nn.Module):
    def __init__(self, heads, features, inner):
        super().__init__()
        self.ln_1 = nn.LayerNorm(features, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(features, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(features, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(features, inner), nn.GELU(), nn.Dropout(0),
                                 nn.Linear(inner, features), nn.Dropout(0))

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.self_attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    def __init__(self, length, layers, heads, features, inner):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, length, features))
        self.layers = nn.Sequential(OrderedDict(
            ("encoder_layer_%d" % i, Block(heads, features, inner)) for i in range(layers)))
        self.ln = nn.LayerNorm(features, eps=1e-6)

    def forward(self, x):
        return self.ln(self.layers(x + self.pos_embedding))


class VisionTransformer(nn.Module):
    def __init__(self, image_size, patch_size, num_layers, num_heads, hidden_dim, mlp_dim,
                 num_classes, in_channels):
        super().__init__()
        self.conv_proj = nn.Conv2d(in_channels, hidden_dim, patch_size, patch_size)
        self.class_token = nn.Parameter(torch.empty(1, 1, hidden_dim))
        self.encoder = Encoder((image_size // patch_size) ** 2 + 1, num_layers, num_heads, hidden_dim,
                               mlp_dim)
        self.heads = nn.Sequential(OrderedDict(head=nn.Linear(hidden_dim, num_classes)))

    def forward(self, x):
        x = self.conv_proj(x).flatten(2).transpose(1, 2)
        x = self.encoder(torch.cat((self.class_token.expand(len(x), -1, -1), x), 1))
        return self.heads(x[:, 0])


def main():
    cases = Cases(12)
    for n, options in ((2, dict(image_size=6, patch_size=2, num_layers=2, num_heads=2, hidden_dim=6,
                                mlp_dim=9, num_classes=5, in_channels=3)),
                       (1, dict(image_size=6, patch_size=3, num_layers=1, num_heads=1, hidden_dim=4,
                                mlp_dim=5, num_classes=3, in_channels=1)),
                       (0, dict(image_size=4, patch_size=4, num_layers=1, num_heads=3, hidden_dim=3,
                                mlp_dim=4, num_classes=2, in_channels=2))):
        text = ", ".join("%s = %d" % item for item in options.items())
        image = cases.random(n, options["in_channels"], options["image_size"], options["image_size"])
        cases.add("vit", text, VisionTransformer(**options), [image])
    cases.write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers/vit.safetensors"))


if __name__ == "__main__":
    main()
