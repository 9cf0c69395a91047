"""Writes layers/rnn.safetensors: what PyTorch's recurrent layers, cells and embedding compute.

usage: python make_rnn.py
"""
import itertools
import os
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from layer_cases import Cases

cases = Cases(11)
STEPS, N, IN, SIZE = 4, 3, 2, 3


def boolean(x):
    return "true" if x else "false"


def sequence_run(lstm, batch_first):
    def run(layer, x, *rest):
        lengths = rest[-1]
        states = rest[:-1]
        hx = None if states[0] is None else states if lstm else states[0]
        if lengths is not None:
            total = x.shape[1 if batch_first else 0]
            x = pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
        y, final = layer(x, hx)
        if lengths is not None:
            y, _ = pad_packed_sequence(y, batch_first, total_length=total)
        return [y, *final] if lstm else [y, final]
    return run


def sequence(kind, words, make, layers=1, both=False, batch_first=False, lengths=None, state=True,
             steps=STEPS, n=N, bias=True, dropout=0, training=True):
    lstm = kind == "lstm"
    options = ("input_size = %d, hidden_size = %d, num_layers = %d, bidirectional = %s, "
               "batch_first = %s, bias = %s, dropout = %g%s" %
               (IN, SIZE, layers, boolean(both), boolean(batch_first), boolean(bias), dropout, words))
    layer = make(IN, SIZE, num_layers=layers, bidirectional=both, batch_first=batch_first, bias=bias,
                 dropout=dropout)
    single = n is None
    shape = [steps, IN] if single else [n, steps, IN] if batch_first else [steps, n, IN]
    cells = layers * (2 if both else 1)
    h_shape = [cells, SIZE] if single else [cells, n, SIZE]
    states = [cases.random(*h_shape) if state else None for _ in range(2 if lstm else 1)]
    lengths = None if lengths is None else torch.tensor(lengths)
    cases.add(kind, options, layer, [cases.random(*shape), *states, lengths],
              sequence_run(lstm, batch_first), training)


KINDS = [
    ("rnn", "", lambda *a, **k: nn.RNN(*a, **k)),
    ("rnn", ', nonlinearity = "relu"', lambda *a, **k: nn.RNN(*a, nonlinearity="relu", **k)),
    ("lstm", "", nn.LSTM),
    ("gru", "", nn.GRU),
]
for kind in KINDS:
    for layers, both, packed in itertools.product((1, 2), (False, True), (False, True)):
        sequence(*kind, layers, both, batch_first=both != packed,
                 lengths=[2, 4, 1] if packed else None)
    sequence(*kind, bias=False, state=False)
    sequence(*kind, n=1, steps=1, batch_first=True)
    sequence(*kind, n=None, both=True, batch_first=True)
    sequence(*kind, layers=2, dropout=0.5, training=False, lengths=[4, 4, 3])

for kind, words, make in [
    ("rnn_cell", "", nn.RNNCell),
    ("rnn_cell", ', nonlinearity = "relu"', lambda *a, **k: nn.RNNCell(*a, nonlinearity="relu", **k)),
    ("lstm_cell", "", nn.LSTMCell),
    ("gru_cell", "", nn.GRUCell),
]:
    lstm = kind == "lstm_cell"
    for n, state, bias in [(N, True, True), (1, False, False), (None, True, True)]:
        options = "input_size = %d, hidden_size = %d, bias = %s%s" % (IN, SIZE, boolean(bias), words)
        rows = [] if n is None else [n]
        states = [cases.random(*rows, SIZE) if state else None for _ in range(2 if lstm else 1)]

        def run(layer, x, *hx):
            hx = None if hx[0] is None else hx if lstm else hx[0]
            y = layer(x, hx)
            return list(y) if lstm else [y]
        cases.add(kind, options, make(IN, SIZE, bias=bias), [cases.random(*rows, IN), *states], run)

ids = torch.tensor([[3, 1, 4], [1, 0, 3]])
cases.add("embedding", "num_embeddings = 5, embedding_dim = 3", nn.Embedding(5, 3), [ids])
cases.add("embedding", "num_embeddings = 5, embedding_dim = 2, padding_idx = 3",
          nn.Embedding(5, 2, padding_idx=3), [ids])

cases.write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers/rnn.safetensors"))
