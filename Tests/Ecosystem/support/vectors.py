"""Vectors of directories as sentence-transformers gives them: python vectors.py FOLDER JOBS.json OUTPUT.npz

JOBS.json holds the texts and a list of [name, prompt's name]; runs in the environments `newest`, `middle` and `old`. Prints
the versions of sentence-transformers and transformers.
"""
import json
import os
import sys

import numpy as np
import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer

torch.set_num_threads(1)
folder, jobs, output = sys.argv[1:]
with open(jobs, encoding="utf-8") as file:
    jobs = json.load(file)
# Half-precision files would else be computed in half precision by the newest versions.
options = {} if sentence_transformers.__version__ < "3" else {"model_kwargs": {"dtype": torch.float32}}
result = {}
for name, prompt in jobs["models"]:
    model = SentenceTransformer(os.path.join(folder, name), device="cpu", **options)
    result[name] = model.encode(jobs["texts"], prompt_name=prompt or None, batch_size=3, show_progress_bar=False)
np.savez(output, **result)
print(sentence_transformers.__version__, transformers.__version__)
