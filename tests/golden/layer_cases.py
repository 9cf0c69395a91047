"""What make_norm.py, make_rnn.py and make_transformer.py share: cases of layers as one safetensors file.

The metadata has a line a case, "type {options} mode" with Selenite's names. Tensors of case 007 are
007.state.NAME (before), 007.in.I, 007.weight.O (the gradient given to output O), 007.out.O,
007.grad_in.I, 007.grad.NAME, 007.after.NAME (buffers afterwards). All floats are f64.
"""
import torch
from safetensors.torch import save_file


class Cases:
    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.tensors, self.metadata = {}, {}

    def random(self, *shape):
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def add(self, kind, options, layer, inputs, run=None, training=True, constant=()):
        """run(layer, *inputs) gives a list of outputs; inputs may be None, or integers. constant:
        positions of floats without gradient."""
        key = "%03d" % len(self.metadata)
        self.metadata[key] = "%s {%s} %s" % (kind, options, "train" if training else "eval")
        put = lambda name, t: self.tensors.__setitem__(key + "." + name, t.detach().clone().contiguous())
        layer = layer.double().train(training)
        for p in layer.parameters():
            p.data = 0.5 * self.random(*p.shape)
        for name, b in layer.named_buffers():
            if b.is_floating_point():
                b.data = self.random(*b.shape).abs() + 0.5
        for name, t in layer.state_dict().items():
            put("state." + name, t)
        for i, x in enumerate(inputs):
            if x is not None:
                put("in.%d" % i, x)
                if x.is_floating_point() and i not in constant:
                    x.requires_grad_()
        outputs = run(layer, *inputs) if run else [layer(*inputs)]
        total = 0
        for o, y in enumerate(outputs):
            weight = self.random(*y.shape)
            put("weight.%d" % o, weight)
            put("out.%d" % o, y)
            total = total + (y * weight).sum()
        total.backward()
        for i, x in enumerate(inputs):
            if x is not None and x.requires_grad:
                put("grad_in.%d" % i, x.grad)
        for name, p in layer.named_parameters():
            put("grad." + name, p.grad)
        for name, b in layer.named_buffers():
            put("after." + name, b)

    def write(self, path):
        save_file(self.tensors, path, self.metadata)
        print("%d cases in %s" % (len(self.metadata), path))
