#!/usr/bin/env python3
"""Writes the golden files of MetricsTests into this folder (NumPy, scikit-learn, baselines.py of the shared data; versions
are in the files).

Usage: ENCODER_DATA=... generate.py
  permutations.json   numpy.random.default_rng(seed).permutation(n)
  labels.json         scikit-learn's label metrics on random predictions with ties
  ranking.json        baselines.evaluate on a random split: scores with ties, every user's metrics and the means
"""
import json, os, sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.environ["ENCODER_DATA"], "bench"))
import baselines
import numpy as np
import sklearn
import sklearn.metrics as m

VERSIONS = dict(numpy=np.__version__, scikit_learn=sklearn.__version__)


def save(name, value):
    with open(os.path.join(HERE, name), "w") as f:
        json.dump(dict(versions=VERSIONS, **value), f)


save("permutations.json", dict(cases=[dict(seed=s, count=n, order=np.random.default_rng(s).permutation(n).tolist())
                                      for s, n in ((7, 1), (7, 2), (7, 50), (7, 301), (0, 33), (123456789, 64))]))

rng = np.random.default_rng(3)
p = np.round(rng.random(400), 2)
y = (rng.random(400) < 0.2 + 0.6 * p).astype(int)
precision, recall, f1, _ = m.precision_recall_fscore_support(y, p >= 0.5, average="binary")
bins = np.minimum((p * 10).astype(int), 9)
ece = sum((bins == b).mean() * abs(y[bins == b].mean() - p[bins == b].mean()) for b in range(10) if (bins == b).any())
stars, guess = rng.integers(1, 6, 300).astype(float), np.round(rng.normal(3, 1, 300), 3)
save("labels.json", dict(
    probabilities=p.tolist(), labels=y.tolist(), accuracy=m.accuracy_score(y, p >= 0.5), precision=precision, recall=recall, f1=f1,
    log_loss=m.log_loss(y, p), brier=m.brier_score_loss(y, p), auc=m.roc_auc_score(y, p), ece=float(ece),
    targets=stars.tolist(), predictions=guess.tolist(), mae=m.mean_absolute_error(stars, guess), mse=m.mean_squared_error(stars, guess)))

items, rows = baselines.synthetic(n_items=150, n_users=30, topics=4, seed=5)
ids = [i for i, _ in items]
s = baselines.make_split(rows, ids, cold_frac=0.25, warm_frac=0.3)
d = baselines.Data(ids, [t for _, t in items], s)
scores = rng.integers(0, 12, (d.nu, d.ni)).astype(np.float32)
scores[:, ::17] = np.nan
scores[3] = 0
per_user = {}
result = baselines.evaluate(d, lambda ub: scores[ub], per_user=per_user)
pairs = lambda a: np.stack(a.nonzero(), 1).tolist()
kept = [[int(u), int(i)] for u, i in pairs(d.t_cold) if baselines.h64(f"bal|{d.users[u]}|{d.items[i]}") < int(0.3 * (1 << 64))]
save("ranking.json", dict(
    users=d.nu, items=d.ni, warm=d.warm.tolist(), cold=d.cold.tolist(), train=pairs(d.train), test_warm=pairs(d.t_warm),
    test_cold=pairs(d.t_cold), balanced_cold=kept, scores=[["nan" if np.isnan(x) else int(x) for x in r] for r in scores],
    per_user={st: {str(u): [None if np.isnan(x) else float(x) for x in v] for u, v in rows.items()} for st, rows in per_user.items()},
    means={st: {k: list(result[st][k]) for k in baselines.METRICS} for st in per_user}, cold_recall20=result["all"]["cold_recall@20"]))
