#!/usr/bin/env python3
"""Graphs that `encoder export --onnx` writes, in ONNX Runtime: vectors equal to `encoder embed`.

    python Tests/Ecosystem/onnx_export.py .build/release/encoder

Every way of pooling, activations, dense layers, half precision, the real all-MiniLM-L6-v2, and adapters, folded
into the weights or part of the graph. Makes the environments it needs, see support/environments.py.
"""
import os
import sys
import tempfile

import numpy as np

from support import environments, models
from export_roundtrip import link_minilm

FORMS = ["bare", "relu", "tanh_gelu", "distilbert", "electra", "cased", "pooling_cls", "pooling_max", "pooling_mean",
         "pooling_mean_sqrt_len_tokens", "pooling_weightedmean", "pooling_lasttoken", "pooling_all", "dense_tanh",
         "dense_twice", "length_file", "version6_pooling_all", "minilm"]


def main():
    binary = os.path.abspath(sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__))
    report = models.Report()
    with tempfile.TemporaryDirectory() as folder:
        environments.run("newest", os.path.join(models.HERE, "variants.py"), folder)
        link_minilm(folder)
        ours = {}
        for name in FORMS:
            for dtype in ("f32", "f16", "bf16"):
                target = f"{dtype}_{name}"
                models.export(binary, os.path.join(folder, name), os.path.join(folder, target), "--dtype", dtype, "--onnx")
                ours[target] = models.embed(binary, os.path.join(folder, target))
        base = os.path.join(folder, "pooling_mean")
        plain = models.embed(binary, base)
        for kind in ("bottleneck", "houlsby", "parallel", "lora"):
            adapter, target = os.path.join(folder, "adapters", kind), f"merged_{kind}"
            models.export(binary, base, os.path.join(folder, target), "--adapter", adapter, "--merge", "--onnx")
            ours[target] = models.embed(binary, base, "--adapter", adapter)
            report.line(np.abs(ours[target] - plain).max() > 0.01, f"the adapter changes vectors: {kind}")
            if kind == "lora":
                report.close("LoRA folded into the weights", models.embed(binary, os.path.join(folder, target)), ours[target])
            else:
                weights = os.path.join(folder, target, "model.safetensors")
                report.line(not os.path.exists(weights), f"no weights beside a graph that holds more: {kind}")
        vectors, version = models.job("onnx", "inference.py", folder, list(ours))
        print(f"ONNX Runtime {version}: {len(ours)} graphs")
        for name, expected in ours.items():
            report.close(f"ONNX Runtime: {name}", vectors[name], expected)
    report.finish()


if __name__ == "__main__":
    main()
