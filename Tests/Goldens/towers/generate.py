"""Writes losses.json and platt.json: numpy and scikit-learn as independent sources.

python3 generate.py    (written with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1)
"""
import json
import pathlib

import numpy as np
from scipy.special import expit, log_softmax, logsumexp
from sklearn.linear_model import LogisticRegression

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(11)


def unit(rows, width):
    x = rng.normal(size=(rows, width))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def flat(x):
    return [float(v) for v in np.asarray(x, dtype=np.float64).ravel()]


def ranking():
    users, items, scale = unit(4, 5), unit(7, 5), 7.5
    log_q = np.log(rng.uniform(0.05, 3, size=7))
    targets = np.array([2, 0, 6, 2])
    excluded = [(0, 0), (0, 6), (2, 1), (3, 0), (3, 1), (3, 3), (3, 4), (3, 5)]
    kept = np.ones((4, 7), bool)
    for u, c in excluded:
        kept[u, c] = False
    cosines = users @ items.T
    own = np.zeros((4, 7))
    own[np.arange(4), targets] = 1

    # sampled softmax: logits minus ln of the expected number of draws, other positives left out
    logits = np.where(kept, scale * cosines - log_q, -np.inf)
    logp = log_softmax(logits, axis=1)
    loss = -logp[np.arange(4), targets].sum()
    slope = np.where(kept, np.exp(logp), 0) - own
    softmax = dict(loss=float(loss), users=flat(scale * slope @ items), items=flat(scale * slope.T @ users),
                   log_scale=float(scale * (slope * cosines).sum()))

    # bpr: mean over a user's negatives of -ln sigmoid(target - negative)
    negative = kept & (own == 0)
    margin = scale * (cosines[np.arange(4), targets][:, None] - cosines)
    share = negative / negative.sum(1, keepdims=True)
    loss = (share * np.logaddexp(0, -margin)).sum()
    slope = share * expit(-margin)
    slope = slope - own * slope.sum(1, keepdims=True)
    bpr = dict(loss=float(loss), users=flat(scale * slope @ items), items=flat(scale * slope.T @ users),
               log_scale=float(scale * (slope * cosines).sum()))
    return dict(users=flat(users), items=flat(items), scale=scale, log_q=flat(log_q), targets=targets.tolist(),
                excluded=[u * 7 + c for u, c in excluded], softmax=softmax, bpr=bpr)


def platt(scores, labels, weights):
    """Platt's targets (n+ + 1)/(n+ + 2) and 1/(n- + 2) as weighted rows of both classes."""
    high = (weights[labels].sum() + 1) / (weights[labels].sum() + 2)
    low = 1 / (weights[~labels].sum() + 2)
    target = np.where(labels, high, low)
    x = np.concatenate([scores, scores])[:, None]
    y = np.concatenate([np.ones(len(scores)), np.zeros(len(scores))])
    w = np.concatenate([weights * target, weights * (1 - target)])
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10000, solver="newton-cholesky").fit(x, y, sample_weight=w)
    return dict(scores=flat(scores), labels=labels.tolist(), weights=flat(weights),
                slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0]))


def calibrations():
    scores = rng.normal(size=60) * 2 + 1
    noisy = rng.random(60) < expit(1.3 * scores - 2)
    apart = scores > 0.7  # without the targets the slope would be infinite
    rare = np.zeros(60, bool)
    rare[np.argsort(-scores)[[0, 3, 11]]] = True
    return [platt(scores, noisy, np.ones(60)), platt(scores, apart, np.ones(60)),
            platt(scores, rare, np.where(rare, 1.0, 50.0))]


(HERE / "losses.json").write_text(json.dumps(ranking()) + "\n")
(HERE / "platt.json").write_text(json.dumps(calibrations()) + "\n")
