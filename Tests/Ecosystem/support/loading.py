"""Loads exported directories in transformers: python loading.py FOLDER JOBS.json OUTPUT.npz

JOBS.json: texts, and for each name whether it has a masked-token head. Prints a JSON object: name -> what was missing,
unexpected or of another shape; writes hidden states of [CLS] and, with a head, logits.
"""
import json
import os
import sys

import numpy as np
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

torch.set_num_threads(1)
folder, jobs, output = sys.argv[1:]
with open(jobs, encoding="utf-8") as file:
    jobs = json.load(file)
arrays, found = {}, {}
for name, has_head in jobs["models"]:
    path = os.path.join(folder, name)
    if not os.path.exists(os.path.join(path, "config.json")):
        path = os.path.join(path, "0_Transformer")
    kind = AutoModelForMaskedLM if has_head else AutoModel
    model, info = kind.from_pretrained(path, output_loading_info=True)
    model = model.float().eval()
    found[name] = {key: sorted(map(str, info.get(key, ()))) for key in
                   ("missing_keys", "unexpected_keys", "mismatched_keys")}
    words = AutoTokenizer.from_pretrained(path)
    encoded = words(jobs["texts"], padding=True, truncation=True, max_length=40, return_tensors="pt")
    with torch.no_grad():
        out = model(encoded.input_ids, attention_mask=encoded.attention_mask, output_hidden_states=True)
    arrays[f"{name}/ids"] = encoded.input_ids.numpy()
    arrays[f"{name}/cls"] = out.hidden_states[-1][:, 0].numpy()
    if has_head:
        arrays[f"{name}/logits"] = out.logits.numpy()[:, 0]
np.savez(output, **arrays)
print(json.dumps(found))
