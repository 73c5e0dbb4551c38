"""Summarises `encoder evaluate --per-user` files of several seeds: means, and paired intervals against the baselines.

    quality.py RUN.csv ...

Prints a Markdown table of NDCG@20 and Recall@20 by set. A user's value is the mean over the seeds; the difference to a
baseline is bootstrapped over users (10,000 draws, seed 0): 95% interval and two-sided p.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

METRICS = ("ndcg@20", "recall@20")


def read(paths):
    """values[set][method][metric][user] -> one value a file."""
    values = defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(list))))
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for metric in METRICS:
                    if row[metric] not in ("", "nan"):
                        values[row["set"]][row["method"]][metric][row["user_id"]].append(float(row[metric]))
    return values


def paired(ours, theirs, draws=10_000):
    users = sorted(set(ours) & set(theirs))
    difference = np.array([np.mean(ours[u]) - np.mean(theirs[u]) for u in users])
    generator = np.random.default_rng(0)
    means = np.empty(draws)
    for n in range(draws):
        means[n] = difference[generator.integers(0, len(difference), len(difference))].mean()
    low, high = np.percentile(means, [2.5, 97.5])
    p = 2 * min((means <= 0).mean(), (means >= 0).mean())
    return difference.mean(), low, high, min(1.0, max(p, 1 / draws))


def main():
    paths = [Path(p) for p in sys.argv[1:]]
    if not paths:
        sys.exit("error: no files: give the CSV files of encoder evaluate --per-user")
    values = read(paths)
    print(f"\n{paths[0].parent.name}, {len(paths)} seeds\n")
    print("| set | metric | encoder (each seed) | best baseline | ratio | difference, 95% interval | p |")
    print("|---|---|---|---|---|---|---|")
    for name in ("cold", "warm", "bal"):
        methods = values.get(name, {})
        ours = methods.get("encoder", {})
        for metric in METRICS:
            if not ours.get(metric):
                continue
            own = ours[metric]
            seeds = np.array([own[u] for u in own]).mean(axis=0)
            means = {
                m: np.mean([np.mean(v) for v in by[metric].values()])
                for m, by in methods.items() if m != "encoder" and by.get(metric)}
            if not means:
                continue
            best = max(means, key=means.get)
            mean, low, high, p = paired(own, methods[best][metric])
            print(
                f"| {name} | {metric} | {seeds.mean():.4f} ({', '.join(f'{s:.4f}' for s in seeds)}) "
                f"| {means[best]:.4f} {best} | {seeds.mean() / means[best]:.3f} "
                f"| {mean:+.4f} [{low:+.4f}, {high:+.4f}] | {p:.4f} |")


main()
