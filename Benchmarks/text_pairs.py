"""Finds the second half of a text by its first half, with an encoder and with controls that know less.

    text_pairs.py ENCODER_PROGRAM TEXTS --model DIR [--model DIR ...] [--controls FOLDER] [--count 2000] [--seed 1]

TEXTS has one text a line; those of 30 words or more are cut in the middle, COUNT of them are drawn. Prints a Markdown table: mean
reciprocal rank of the right second half among all of them, by cosine of the vectors as they are, and of whitened ones
(whitening fitted on the halves, without pairs). Controls: TF-IDF and LSA (256 dimensions) of scikit-learn fitted on all of TEXTS;
of the first model its embeddings alone (no layers) and its shape with random weights. --controls keeps those two,
so that they can be fine-tuned like the model. Needs numpy, scikit-learn and safetensors.
"""

import argparse
import json
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer


def make_controls(model, folder):
    """Checkpoints of the model's embeddings alone, and of its shape with random weights (deviation 0.02)."""
    tensors = load_file(model / "model.safetensors")
    config = json.loads((model / "config.json").read_text())
    generator = np.random.default_rng(0)

    def drawn(name, value):
        if name.endswith("LayerNorm.weight"):
            return np.ones_like(value)
        if name.endswith("bias"):
            return np.zeros_like(value)
        return (generator.standard_normal(value.shape) * 0.02).astype(value.dtype)

    kinds = {
        "embeddings alone": (0, {n: v for n, v in tensors.items() if ".layer." not in n}),
        "random weights": (config["num_hidden_layers"], {n: drawn(n, v) for n, v in tensors.items()}),
    }
    for name, (layers, values) in kinds.items():
        target = folder / name.replace(" ", "-")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(model, target)
        (target / "config.json").write_text(json.dumps({**config, "num_hidden_layers": layers}))
        save_file(values, target / "model.safetensors", metadata={"format": "pt"})
        yield name, target


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def whitened(x):
    x = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    kept = values > 1e-6 * values.max()
    return x @ vectors[:, kept] / np.sqrt(values[kept])


def reciprocal_rank(x):
    """Of row n + i among the second half of rows, for row i."""
    n = len(x) // 2
    x = unit(x)
    scores = x[:n] @ x[n:].T
    right = scores.diagonal()[:, None]
    return float((1 / (1 + (scores > right).sum(axis=1))).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--model", type=Path, action="append", required=True)
    parser.add_argument("--controls", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    texts = [line for line in options.texts.read_text(encoding="utf-8").split("\n") if line.strip()]
    words = [t.split() for t in texts]
    long = [w for w in words if len(w) >= 30]
    chosen = random.Random(options.seed).sample(long, min(options.count, len(long)))
    halves = [" ".join(w[: len(w) // 2]) for w in chosen] + [" ".join(w[len(w) // 2:]) for w in chosen]
    print(f"{len(chosen)} texts of {options.texts.name}\n\n| vectors | as they are | whitened |\n|---|---|---|")

    def row(name, x, whitens=True):
        white = f"{reciprocal_rank(whitened(x)):.3f}" if whitens else ""
        print(f"| {name} | {reciprocal_rank(x):.3f} | {white} |", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        controls = options.controls or Path(scratch) / "controls"
        controls.mkdir(parents=True, exist_ok=True)
        (Path(scratch) / "halves.txt").write_text("\n".join(halves) + "\n", encoding="utf-8")
        models = [(m.name, m) for m in options.model] + list(make_controls(options.model[0], controls))
        for name, folder in models:
            output = Path(scratch) / "vectors.npy"
            subprocess.run(
                [options.program, "embed", "--model", folder, Path(scratch) / "halves.txt", "--output", output,
                 "--quiet"], check=True, stdout=subprocess.DEVNULL)
            row(name, np.load(output).astype(np.float64))
    analyser = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit(texts)
    sparse = analyser.transform(halves)
    n = len(chosen)
    scores = (sparse[:n] @ sparse[n:].T).toarray()
    ranks = 1 + (scores > scores.diagonal()[:, None]).sum(axis=1)
    print(f"| TF-IDF | {float((1 / ranks).mean()):.3f} | |")
    lsa = TruncatedSVD(256, random_state=0).fit(analyser.transform(texts))
    row("LSA, 256 dimensions", lsa.transform(sparse))


main()
