"""Writes items.csv, split/ and expected.json: bench/baselines.py on its own synthetic data.

python3 generate.py PATH/baselines.py    (Python 3.11.7, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1)
"""
import csv
import importlib.util
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
spec = importlib.util.spec_from_file_location("baselines", sys.argv[1])
b = importlib.util.module_from_spec(spec)
spec.loader.exec_module(b)

items, rows = b.synthetic(n_items=90, n_users=70, topics=5)
rows = [(u, i, label if (len(u) + len(i)) % 7 else 0.0, t) for u, i, label, t in rows]  # some rows aren't positive
ids, texts = [i for i, _ in items], [t for _, t in items]
with open(HERE / "items.csv", "w", newline="", encoding="utf-8") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["item_id", "text"])
    w.writerows(items)
split = b.make_split(rows, ids, cold_frac=0.2, cold_val_frac=0.1)
b.export_split(split, str(HERE / "split"))

expected = {}
for part in ("test", "val"):
    d = b.Data(ids, texts, b.import_split(str(HERE / "split"), part))
    c = dict(memo={}, notes=[], ease_lambda=200.0, ease_max=20000)
    expected[part] = {}
    for name in ("popularity", "tfidf_profile", "tfidf_knn", "ease", "ease_tfidf_spread"):
        result = b.evaluate(d, b.METHODS[name](d, c))
        expected[part][name] = {
            s: dict(users=result[s]["users"], means=[None if m != m else round(m, 9) for m in (result[s][k][0] for k in b.METRICS)])
            for s in ("cold", "warm", "all", "bal")}
        expected[part][name]["share"] = [result["all"]["cold_recall@20"], result["all"]["cold_share@20"]]
(HERE / "expected.json").write_text(json.dumps(expected).replace("NaN", "null") + "\n")
