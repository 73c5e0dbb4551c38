#!/usr/bin/env python3
"""Writes the golden files beside it: implicit, scikit-learn and numpy on small synthetic data.

Versions that wrote the files: Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, implicit 0.7.3.
Run: OPENBLAS_NUM_THREADS=1 python generate.py
"""
import json
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

HERE = os.path.dirname(os.path.abspath(__file__))


def number(x):
    return float(f"{float(x):.9g}")


def plain(o):
    if isinstance(o, dict):
        return {k: plain(v) for k, v in o.items()}
    if sp.issparse(o):
        m = o.tocsr()
        m.sort_indices()
        return dict(rows=m.shape[0], columns=m.shape[1], offsets=m.indptr.tolist(), indices=m.indices.tolist(),
                    values=[number(v) for v in m.data])
    if isinstance(o, np.ndarray):
        if o.ndim == 2:
            return dict(rows=o.shape[0], columns=o.shape[1], values=[number(v) for v in o.ravel()])
        return [plain(v) for v in o.tolist()]
    if isinstance(o, (list, tuple)):
        return [plain(v) for v in o]
    return number(o) if isinstance(o, (float, np.floating)) else o


def write(name, data):
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(plain(data), f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def histories(rng, users=60, items=40):
    """Popular items at the front, a user with nearly everything, an empty user, an item without users."""
    p = 1.2 / (2 + np.arange(items))
    m = (rng.random((users, items)) < 0.05 + p).astype(np.float32)
    m[3, :36] = 1
    m[7] = 0
    m[:, 39] = 0
    return sp.csr_matrix(m)


def l2(X):
    return X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)


# ---------------------------------------------------------------- factors and item-item weights
def als(rng, H):
    def case(m, alpha, regularization, iterations):
        u0 = (rng.random((m.shape[0], 8)) * 0.01).astype(np.float32)
        v0 = (rng.random((m.shape[1], 8)) * 0.01).astype(np.float32)
        a = AlternatingLeastSquares(factors=8, alpha=alpha, regularization=regularization, iterations=iterations, use_cg=False,
                                    num_threads=1)
        a.user_factors, a.item_factors = u0.copy(), v0.copy()
        a.fit(m, show_progress=False)
        return a, dict(histories=m, alpha=alpha, regularization=regularization, iterations=iterations, users0=u0, items0=v0,
                       users=a.user_factors, items=a.item_factors)
    model, plain_case = case(H, 10.0, 0.05, 4)
    counts = H.copy()
    counts.data = rng.integers(1, 6, len(counts.data)).astype(np.float32)
    counts.data[::9] *= -1                                   # a dislike
    _, small_case = case(counts, 0.5, 0.1, 3)                # confidences below, at and above 1
    new = sp.csr_matrix((rng.random((5, 40)) < 0.15).astype(np.float32))
    new_items = sp.csr_matrix((rng.random((4, 60)) < 0.2).astype(np.float32))
    write("als", dict(cases=[plain_case, small_case], new_users=new, new_items=new_items,
                      new_user_factors=model.recalculate_user(np.arange(5), new),
                      new_item_factors=model.recalculate_item(np.arange(4), new_items)))


def ease_weights(H, lam):
    G = np.asarray((H.T @ H).todense(), dtype=np.float64)
    G[np.diag_indices_from(G)] += lam
    P = np.linalg.inv(G)
    B = P / -np.diag(P)[None, :]
    B[np.diag_indices_from(B)] = 0
    return B


# ---------------------------------------------------------------- texts
WORDS = ("red blue mug ceramic garden set vintage holder light heart wooden box lunch bag retro spot party bunting metal sign "
         "the of and with for very un_der 42 3d x1 日本 語 ÜBER straße").split()


def texts(rng, n):
    p = 1 / (3 + np.arange(len(WORDS)))
    p /= p.sum()
    out = [" ".join(rng.choice(WORDS, rng.integers(2, 9), p=p)) for _ in range(n)]
    out[1] = "Red MUG red mug, RED! don't a I"
    out[2] = "  "
    out[4] = "ΟΔΟΣ ΣΑΣ Σ ΟΔΟΣ. İstanbul ÀÉ A\u0301B e\u0301t\u00e9 \u00b2\u00bd Ⅷ ٣٤ हिन्दी"
    out[5] = "ΟΔΟΣ ΣΑΣ İstanbul àé été \u00b2\u00bd ⅷ ٣٤ हिन्दी tab\there\r\nnext\u3000wide\u00a0space"
    out[6] = "魔法少女 小圆 魔法 剧场版"
    return out


def tfidf(rng):
    T, new = texts(rng, 60), ["red  mug of Unknown words", "", "ΟΔΟΣ 魔法 été", "blue blue lunch"]
    few = T[:12]
    cases = []

    def case(name, source, **kw):
        v = TfidfVectorizer(sublinear_tf=kw.pop("sublinear_tf", True), **kw)
        X = v.fit_transform(source)
        cases.append(dict(name=name, texts=source, terms=v.get_feature_names_out().tolist(), idf=v.idf_, vectors=X.tocsr(),
                          new=v.transform(new).tocsr()))
    case("words", T, min_df=2, max_df=0.5, max_features=50000, stop_words="english")
    case("few", few, min_df=1, max_df=0.5, max_features=50000, stop_words="english")
    case("all words", T, min_df=2, max_df=1.0, max_features=50000, sublinear_tf=False)
    case("characters", few, min_df=2, max_df=0.9, analyzer="char_wb", ngram_range=(3, 5))
    case("short characters", few, min_df=1, max_df=0.9, analyzer="char_wb", ngram_range=(1, 3))
    write("tfidf", dict(stop_words=sorted(ENGLISH_STOP_WORDS), new_texts=new, cases=cases))
    return T


# ---------------------------------------------------------------- neighbours and scorers, in dense numpy
def neighbours(X, queries, candidates, k):
    S = l2(X) @ l2(X).T
    N = np.zeros((len(X), len(X)))                           # (neighbour, query)
    for q in queries:
        c = [i for i in candidates if i != q and S[q, i] > 0]
        c.sort(key=lambda i: (-S[q, i], i))
        for i in c[:min(k, len(candidates) - 1)]:
            N[i, q] = S[q, i]
    return N


def scorers(rng, H, T):
    X = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.5, stop_words="english", dtype=np.float32).fit_transform(T)
    X = sp.csr_matrix(X[:40])
    D = rng.standard_normal((40, 6)).astype(np.float32)
    R = np.asarray(H.todense())
    cold = np.array([5, 11, 17, 23, 39])
    R[:, cold] = 0
    warm = np.setdiff1d(np.arange(40), cold)
    train = sp.csr_matrix(R)
    B = np.zeros((40, 40))
    B[np.ix_(warm, warm)] = ease_weights(train[:, warm], 5.0)
    E = R @ B
    out = dict(train=train, vectors=X, dense_vectors=D, cold=cold, warm=warm, ease=B, ease_scores=E)
    for name, V in (("sparse", np.asarray(X.todense())), ("dense_space", D)):
        N = neighbours(V, range(40), warm, 6)
        M = neighbours(V, cold, warm, 4)[:, cold]
        M = M / np.maximum(M.sum(0), 1e-9)
        spread = E.copy()
        spread[:, cold] = (E + R) @ M
        out[name] = dict(neighbours=N, knn=R @ N, profile=l2(R @ l2(V)) @ l2(V).T, spread=spread)
    write("scorers", out)


def lsa(T):
    X = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.5, stop_words="english").fit_transform(T).tocsr()
    U, s, _ = np.linalg.svd(np.asarray(X.todense()), full_matrices=False)
    V = l2(U[:, :7] * s[:7])
    write("lsa", dict(vectors=X, singular_values=s[:7], cosines=V @ V.T))


def whiten(rng):
    X = (rng.standard_normal((48, 10)) @ rng.standard_normal((10, 10)) + rng.standard_normal(10)).astype(np.float32)
    fit = np.arange(0, 48, 2)
    def run(fit, k):
        mu = X[fit].mean(0)
        u, s, _ = np.linalg.svd(np.cov((X[fit] - mu).T).astype(np.float64))
        Z = l2((X - mu) @ (u[:, :k] / np.sqrt(s[:k] + 1e-6)))
        return Z @ Z.T
    write("whitening", dict(vectors=X, fit=fit, cosines=run(fit, 8), cosines3=run(fit, 3)))


def ridge(rng):
    n, d, f = 50, 6, 4
    X = rng.standard_normal((n, d)).astype(np.float32)
    Y = (X @ rng.standard_normal((d, f)) + 0.5 * rng.standard_normal((n, f)) + 1).astype(np.float32)
    U = rng.standard_normal((30, f)).astype(np.float32)
    S = U @ Y.T
    H = (S > np.quantile(S, 0.85, axis=1, keepdims=True)).astype(np.float32)
    H[:, :5] = 0                                             # five items without behaviours weigh 0.001
    held = np.arange(n) % 5 == 1

    def fit(X, Y, w, alpha):
        X, Y, w = X.astype(np.float64), Y.astype(np.float64), w.astype(np.float64)
        mx, my = np.average(X, 0, w), np.average(Y, 0, w)
        A = ((X - mx) * w[:, None]).T @ (X - mx)
        A[np.diag_indices_from(A)] += alpha * w.mean()
        B = np.linalg.solve(A, ((X - mx) * w[:, None]).T @ (Y - my))
        return lambda Z: (Z - mx) @ B + my
    w = np.log1p(H.sum(0)) + 1e-3
    tried = []
    for alpha in (0.1, 1.0, 10.0, 100.0, 1000.0):
        S = U @ fit(X[~held], Y[~held], w[~held], alpha)(X[held]).T
        nd = []
        for u in range(30):
            rel = np.where(H[u, held] > 0)[0]
            if len(rel):
                order = np.argsort(-S[u], kind="stable")
                gain = [1 / np.log2(r + 2) for r, i in enumerate(order[:20]) if i in rel]
                nd.append(sum(gain) / sum(1 / np.log2(r + 2) for r in range(min(20, len(rel)))))
        tried.append((float(np.mean(nd)), alpha))
    nd, alpha = max(tried)
    write("ridge", dict(inputs=X, outputs=Y, users=U, histories=sp.csr_matrix(H), held=[bool(b) for b in held], weights=w,
                        predicted=fit(X, Y, w, 2.5)(X), penalty=alpha, ndcg=nd, chosen=fit(X, Y, w, alpha)(X)))


def main():
    rng = np.random.default_rng(11)
    H = histories(rng)
    als(rng, H)
    G = np.asarray((H.T @ H).todense())
    write("ease", dict(histories=H, gram=G, penalty=5.0, weights=ease_weights(H, 5.0), wide=ease_weights(H, 200.0)))
    T = tfidf(rng)
    scorers(rng, H, T)
    lsa(T)
    whiten(rng)
    ridge(rng)


if __name__ == "__main__":
    main()
