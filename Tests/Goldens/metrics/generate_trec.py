#!/usr/bin/env python3
"""Writes trec.json into this folder: users with tied scores and short lists, and what ranx and ir_measures (versions in the
file) give for them.

Usage: generate_trec.py
"""
import json, os

import ir_measures
import numpy as np
import ranx
from importlib.metadata import version
from ir_measures import RR, R, Success, nDCG

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)
users = []
for n in range(60):
    items = int(rng.integers(3, 180))
    scores = rng.integers(0, rng.integers(1, 12), items).astype(float) / 4
    tie = rng.permutation(items)
    candidates = np.flatnonzero(rng.random(items) < 0.9)
    if len(candidates) < 2:
        candidates = np.arange(items)
    relevant = rng.choice(candidates, int(rng.integers(1, min(len(candidates), 40) + 1)), replace=False)
    order = sorted(candidates, key=lambda i: (-scores[i], tie[i]))
    # Both libraries sort by the score again and break ties in their own way: they get the places.
    run = {f"u{n}": {f"i{i}": float(len(order) - place) for place, i in enumerate(order)}}
    qrels = {f"u{n}": {f"i{i}": 1 for i in relevant}}
    wanted = [R @ 20, R @ 100, nDCG @ 10, nDCG @ 20, Success @ 10, RR]
    measures = ir_measures.calc_aggregate(wanted, qrels, run)
    names = ["recall@20", "recall@100", "ndcg@10", "ndcg@20", "hit_rate@10", "mrr"]
    other = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), names, make_comparable=True)
    users.append(dict(scores=scores.tolist(), tieOrder=tie.tolist(), candidates=candidates.tolist(), relevant=relevant.tolist(),
                      ranx=[float(other[k]) for k in names], measures=[float(measures[k]) for k in wanted]))

with open(os.path.join(HERE, "trec.json"), "w") as f:
    json.dump(dict(versions=dict(ranx=version("ranx"), ir_measures=version("ir_measures")), users=users), f)
