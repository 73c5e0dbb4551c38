"""Runs exported graphs in ONNX Runtime: python inference.py FOLDER JOBS.json OUTPUT.npz

JOBS.json: texts and names. Each graph is checked by the package onnx, then run on one padded batch.
"""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
from tokenizers import Tokenizer

folder, jobs, output = sys.argv[1:]
with open(jobs, encoding="utf-8") as file:
    jobs = json.load(file)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
arrays = {}
for name in jobs["models"]:
    path = os.path.join(folder, name)
    graph = os.path.join(path, "onnx/model.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert onnx.load(graph).opset_import[0].version >= 14
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    words = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
    with open(os.path.join(path, "sentence_bert_config.json")) as file:
        words.enable_truncation(json.load(file)["max_seq_length"])
    words.enable_padding(pad_id=0, pad_token="[PAD]")
    rows = words.encode_batch(jobs["texts"])
    feed = {"input_ids": [r.ids for r in rows], "attention_mask": [r.attention_mask for r in rows],
            "token_type_ids": [r.type_ids for r in rows]}
    feed = {key: np.asarray(value, dtype=np.int64) for key, value in feed.items()}
    states, vectors = session.run(["last_hidden_state", "sentence_embedding"], feed)
    assert states.shape[:2] == feed["input_ids"].shape
    arrays[name] = vectors
np.savez(output, **arrays)
print(onnxruntime.__version__)
