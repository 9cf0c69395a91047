"""TensorBoard's own reader sees what Selenite wrote: the golden file, and a new one with an image.

Outside of continuous integration, which has no Python packages:
  python3 -m venv VENV && VENV/bin/pip install tensorboard
  VENV/bin/python tests/golden/tensorboard/read.py build/selenite
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile

import numpy
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import graph_pb2
from tensorboard.plugins.hparams import metadata

HERE = os.path.dirname(os.path.abspath(__file__))


def load(folder):
    accumulator = event_accumulator.EventAccumulator(folder, size_guidance={"tensors": 0})
    accumulator.Reload()
    return accumulator


def check(run):
    tags = run.Tags()
    assert set(tags["scalars"]) == {"loss/train", "loss/test", "score/accuracy"}, tags
    train = run.Scalars("loss/train")
    assert [(e.step, e.value) for e in train] == [(0, 1), (1, 0.5), (2, 0.25), (3, 0.125)], train
    assert [(e.step, e.value) for e in run.Scalars("loss/test")] == [(300, 0.25)]

    weights = run.Histograms("weights")[0]
    assert weights.step == 2
    h = weights.histogram_value
    assert (h.min, h.max, h.num, h.sum, h.sum_squares) == (-1, 3, 5, 3, 11), h
    assert list(h.bucket_limit) == [0, 1, 2, 3] and list(h.bucket) == [1, 2, 1, 1], h
    h = run.Histograms("constant")[0].histogram_value
    assert (h.min, h.max, h.num, h.sum) == (5, 5, 4, 20), h

    text = run.Tensors("note/text_summary")[0]
    assert text.step == 1
    assert text.tensor_proto.string_val[0] == b"# Heading\n\nsecond line"
    assert run.SummaryMetadata("note/text_summary").plugin_data.plugin_name == "text"

    graph = graph_pb2.GraphDef()
    graph.ParseFromString(run.Graph().SerializeToString())
    nodes = {n.name: n for n in graph.node}
    assert list(nodes) == ["layer/weight", "matmul", "relu", "sum"], list(nodes)
    assert list(nodes["matmul"].input) == ["layer/weight"] and nodes["matmul"].op == "matmul"
    shape = nodes["matmul"].attr["_output_shapes"].list.shape[0]
    assert [d.size for d in shape.dim] == [4, 2], shape

    content = run.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    start = metadata.parse_session_start_info_plugin_data(content)
    assert start.hparams["lr"].number_value == 0.1
    assert start.hparams["name"].string_value == "first"
    assert start.hparams["shuffle"].bool_value is True
    content = run.SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(content)
    assert [i.name for i in experiment.hparam_infos] == ["lr", "name", "shuffle"]
    assert [i.name.tag for i in experiment.metric_infos] == ["score/accuracy"]
    content = run.SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data.content
    assert metadata.parse_session_end_info_plugin_data(content).status == 1


def check_image(run):
    event = run.Images("picture")[0]
    assert (event.step, event.width, event.height) == (7, 4, 2), event
    pixels = numpy.array(Image.open(io.BytesIO(event.encoded_image_string)))
    assert (pixels.transpose(2, 0, 1) == numpy.arange(24).reshape(3, 2, 4)).all()


def main():
    with tempfile.TemporaryDirectory() as folder:
        golden = os.path.join(folder, "golden")
        os.mkdir(golden)
        name = os.path.join(golden, "events.out.tfevents.1000000000.golden")
        shutil.copy(os.path.join(HERE, "events"), name)
        check(load(golden))

        with open(name, "r+b") as file:  # a writer that was killed
            file.truncate(os.path.getsize(name) - 3)
        assert len(load(golden).Scalars("loss/train")) == 4

        new = os.path.join(folder, "new")
        subprocess.run([sys.argv[1], os.path.join(HERE, "write.lua"), new], check=True)
        check(load(new))
        check_image(load(new))
    print("TensorBoard reads all of it")


main()
