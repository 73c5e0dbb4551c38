"""What the checks of model directories share: texts, `encoder embed`, and comparing."""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from support import environments

TEXTS = ["The red teacup", "", "a small book of tea , and the blue item for the user ! cold starter text",
         "Cafe 日本 zebra café", "the red teacup", "  new\titem  text?", "query : tea",
         "starting " * 30, "[MASK] and [SEP]"]
HERE = os.path.dirname(os.path.abspath(__file__))


def embed(binary, model, *options):
    """Our vectors of TEXTS."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "t.jsonl"), os.path.join(folder, "x.npy")
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
        done = subprocess.run([binary, "embed", "--model", model, source, "--output", target, "--quiet", *options],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: {model}: {done.stderr}")
        return np.load(target)


def job(environment, script, folder, models):
    """Runs one of the scripts beside this file on TEXTS; returns its arrays by name, and what it printed."""
    with tempfile.TemporaryDirectory() as scratch:
        jobs, output = os.path.join(scratch, "jobs.json"), os.path.join(scratch, "x.npz")
        with open(jobs, "w", encoding="utf-8") as file:
            json.dump({"texts": TEXTS, "models": models}, file)
        printed = environments.run(environment, os.path.join(HERE, script), folder, jobs, output)
        with np.load(output) as found:
            return {name: found[name] for name in found.files}, printed.strip().split("\n")[-1]


def theirs(environment, folder, models):
    """sentence-transformers' vectors of TEXTS: name -> array. `models` are pairs of a name and a prompt's name."""
    vectors, printed = job(environment, "vectors.py", folder, models)
    versions, wanted = printed.split(), environments.pins(environment)
    if versions != [wanted["sentence-transformers"], wanted["transformers"]]:
        sys.exit(f"error: {environment} computed with {versions}, wanted were {wanted}")
    print(f"sentence-transformers {versions[0]}, transformers {versions[1]} ({environment}): {len(models)} directories")
    return vectors


def export(binary, source, target, *options):
    done = subprocess.run([binary, "export", source, "--output", target, "--quiet", *options], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: export of {source}: {done.stderr}")


class Report:
    """One line a comparison; the number of those that failed."""

    def __init__(self):
        self.failures = 0

    def close(self, name, ours, expected, tolerance=1e-5):
        scale = max(1.0, float(np.abs(expected).max())) if expected.size else 1.0
        if ours.shape != expected.shape:
            gap, good = f"shapes {ours.shape} and {expected.shape}", False
        else:
            gap = float(np.abs(ours.astype(np.float64) - expected).max()) / scale
            good = gap < tolerance
            gap = f"{gap:.1e}"
        self.line(good, f"{name}: {gap}")

    def line(self, good, text):
        self.failures += not good
        print(("ok    " if good else "FAIL  ") + text, flush=True)

    def finish(self):
        print(f"{self.failures} failures")
        sys.exit(1 if self.failures else 0)
