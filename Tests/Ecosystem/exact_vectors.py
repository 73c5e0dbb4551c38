#!/usr/bin/env python3
"""The same text gives the same bytes with `embed --exact`, whatever stands beside it, under several kernels of OpenBLAS.

Usage: exact_vectors.py [path of the encoder program]     (default .build/release/encoder)

Texts of debian-deps go through the starter and through a recommender made here: all at once, in another order, alone,
with one thread and with two. Without --exact vectors may differ in their last bits under the kernels for AVX2; the
largest difference is printed and must be rounding. Needs numpy and ENCODER_DATA. Exit code 0 when all is well.
"""
import csv, os, subprocess, sys, tempfile

import numpy as np

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder")
STARTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "checkpoints", "starter")
KERNELS = ("", "Haswell", "Zen", "SkylakeX", "Prescott")
failures = []


def vectors(folder, model, texts, kernels, *flags):
    source, target = os.path.join(folder, "in.txt"), os.path.join(folder, "out.npy")
    with open(source, "w", encoding="utf-8") as f:
        f.write("".join(t + "\n" for t in texts))
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    if kernels:
        environment["OPENBLAS_CORETYPE"] = kernels
    subprocess.run([PROGRAM, "embed", "--model", model, source, "--output", target, "--quiet", *flags],
                   check=True, env=environment)
    return np.load(target)


def recommender(folder, items):
    """A small model of made-up behaviours on real texts."""
    with open(os.path.join(folder, "items.csv"), "w", newline="", encoding="utf-8") as f:
        rows = csv.writer(f)
        rows.writerow(["item_id", "text"])
        rows.writerows([f"i{n}", text] for n, text in enumerate(items))
    with open(os.path.join(folder, "behaviors.csv"), "w", encoding="utf-8") as f:
        f.write("user_id,item_id\n" + "".join(
            f"u{user},i{(user * 7 + step * step) % len(items)}\n" for user in range(60) for step in range(12)))
    model = os.path.join(folder, "model")
    subprocess.run([PROGRAM, "finetune", os.path.join(folder, "behaviors.csv"), "--from", STARTER, "--output", model,
                    "--epochs", "1", "--adapter", "none", "--quiet"], check=True)
    return model


def main():
    with open(os.path.join(os.environ["ENCODER_DATA"], "data", "debian-deps", "items.csv"), newline="", encoding="utf-8") as f:
        texts = [" ".join(row["text"].split()) for _, row in zip(range(120), csv.DictReader(f))]
    with tempfile.TemporaryDirectory() as folder:
        for name, model in (("starter", STARTER), ("recommender", recommender(folder, texts))):
            for kernels in KERNELS:
                whole = vectors(folder, model, texts, kernels, "--exact")
                same = all((
                    np.array_equal(whole[::-1], vectors(folder, model, texts[::-1], kernels, "--exact")),
                    np.array_equal(whole, vectors(folder, model, texts, kernels, "--exact", "--threads", "1")),
                    all(np.array_equal(whole[n:n + 1], vectors(folder, model, [texts[n]], kernels, "--exact"))
                        for n in (0, 50, 119))))
                usual = vectors(folder, model, texts, kernels)
                turned = vectors(folder, model, texts[::-1], kernels)[::-1]
                difference = max(float(np.abs(usual - turned).max()), float(np.abs(usual - whole).max()))
                holds = same and difference < 1e-6
                print(f"{'ok  ' if holds else 'FAIL'} {name}, {kernels or 'own'} kernels: "
                      f"{'the same bytes' if same else 'DIFFERENT bytes'} with --exact; else at most {difference:.1e}")
                if not holds:
                    failures.append(name)
    sys.exit(1 if failures else 0)


main()
