#!/usr/bin/env python3
"""Compares the metrics of `encoder evaluate` with ranx and ir_measures over the qrels and run files it writes (--trec).

Usage: trec_metrics.py [path of the encoder program]      (default .build/release/encoder)

Small made-up catalogues, so that lists end before 20 and 100 places; baselines whose scores tie in crowds (popularity ties all
cold items); users without a held-out positive in a set; ids with blanks. The means must agree to 1e-9. Installs ranx and
ir_measures with what they need when they are missing. Exit code 0 when all agree.
"""
import csv, importlib.util, json, os, random, subprocess, sys, tempfile

NEEDED = ["ranx", "ir_measures", "pytrec_eval-terrier"]
if not all(importlib.util.find_spec(name) for name in ("ranx", "ir_measures", "pytrec_eval")):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run(pip + ["--no-deps"] + NEEDED, check=True)
    subprocess.run(pip + ["numba", "pandas", "tabulate", "rich", "orjson", "lz4", "cbor2", "seaborn", "fastparquet", "ir_datasets"],
                   check=True)
import ir_measures, ranx
from ir_measures import RR, R, Success, nDCG

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder"
OURS = ["recall@20", "recall@100", "ndcg@10", "ndcg@20", "hr@10", "mrr"]
MEASURES = [R @ 20, R @ 100, nDCG @ 10, nDCG @ 20, Success @ 10, RR]
RANX = ["recall@20", "recall@100", "ndcg@10", "ndcg@20", "hit_rate@10", "mrr"]


def made_up(folder, items, users, rows, seed):
    rng = random.Random(seed)
    words = [f"word{n}" for n in range(25)]
    with open(os.path.join(folder, "items.csv"), "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["item_id", "text"])
        for n in range(items):
            w.writerow([f"item {n}", " ".join(rng.choices(words, k=6))])
    with open(os.path.join(folder, "behaviors.csv"), "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["user_id", "item_id"])
        for _ in range(rows):
            w.writerow([f"user\u00e9 {int(users * rng.random() ** 2)}%", f"item {rng.randrange(items)}"])


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split(" ") for line in f]


def compare(folder, seed):
    """The largest difference of a mean, over methods, sets and both libraries."""
    behaviors, items, split = (os.path.join(folder, n) for n in ("behaviors.csv", "items.csv", "split"))
    trec, report = os.path.join(folder, "trec"), os.path.join(folder, "report.json")
    subprocess.run([PROGRAM, "split", behaviors, "--items", items, "--output", split, "--seed", str(seed), "--quiet"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([PROGRAM, "evaluate", "--items", items, "--split", split, "--trec", trec, "--json", report, "--quiet",
                    "--baselines", "random,popularity,tfidf_knn,ease"], check=True, stdout=subprocess.DEVNULL)
    methods = json.load(open(report))["methods"]
    worst, users, ties, short = 0.0, 0, 0, 0
    for method, sets in methods.items():
        for name in ("cold", "warm", "all", "bal"):
            qrels, run = {}, {}
            for user, _, item, label in lines(os.path.join(trec, f"qrels.{name}.txt")):
                assert item not in qrels.setdefault(user, {}), "a pair twice"
                qrels[user][item] = int(label)
            last = {}
            for user, q0, item, rank, score, tag in lines(os.path.join(trec, f"run.{method}.{name}.txt")):
                assert q0 == "Q0" and tag == method and int(rank) == last.get(user, (0, 0))[0] + 1
                assert user not in last or float(score) < last[user][1], "scores don't fall"
                ties += user in last and last[user][1] - float(score) < 1e-6 * abs(last[user][1])
                last[user] = (int(rank), float(score))
                run.setdefault(user, {})[item] = float(score)
            ours = sets[name]
            assert ours["users"] == len(qrels), (ours["users"], len(qrels))
            users += len(qrels)
            short += sum(len(r) < 100 for r in run.values())
            theirs = ir_measures.calc_aggregate(MEASURES, qrels, run)
            other = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), RANX, make_comparable=True)
            for our, measure, alias in zip(OURS, MEASURES, RANX):
                worst = max(worst, abs(ours[our]["mean"] - theirs[measure]), abs(ours[our]["mean"] - other[alias]))
    return worst, users, ties, short


def main():
    worst = 0.0
    for seed, (items, users, rows) in enumerate([(30, 25, 250), (90, 60, 900), (400, 80, 2500)]):
        with tempfile.TemporaryDirectory() as folder:
            made_up(folder, items, users, rows, seed)
            gap, lists, ties, short = compare(folder, seed)
        print(f"{items} items: {lists} lists, {short} shorter than 100, {ties} tied places, largest difference {gap:.1e}")
        assert ties > 100, "no ties were tried"
        worst = max(worst, gap)
    sys.exit(0 if worst <= 1e-9 else 1)


main()
