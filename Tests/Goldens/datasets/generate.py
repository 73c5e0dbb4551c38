#!/usr/bin/env python3
"""Writes the golden files of DatasetsTests into this folder (Python 3.11.7, NumPy 2, baselines.py of the shared data).

Usage: ENCODER_DATA=... generate.py
  csv.csv, csv.json      what Python's csv module writes, and the fields it was given
  behaviors.csv, items.csv, split/, split_time/, split_last/   a small data set and what baselines.py makes of it
  balanced.json          which cold test rows the balanced set keeps
"""
import csv, json, os, random, sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.environ["ENCODER_DATA"], "bench"))
import baselines

rng = random.Random(11)
ALPHABET = ["a", "b", " ", ",", '"', "\n", "\r\n", "\u00e9", "e\u0301", "\u4e2d", "\U0001F600", "\t", "'", ";"]


def word():
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(7)))


rows = [[f"h{c}" for c in range(4)]] + [[word() for _ in range(4)] for _ in range(60)]
with open(os.path.join(HERE, "csv.csv"), "w", newline="", encoding="utf-8") as f:
    csv.writer(f, lineterminator="\n").writerows(rows)
with open(os.path.join(HERE, "csv.json"), "w") as f:
    json.dump(rows, f)

items = [f"i{n}" for n in range(40)] + ["a,b", 'q"q', "\u00e0", "a\u0300", "Z", "z"]
users = [f"u{n}" for n in range(25)] + ["x,y", "\u00e9", "e\u0301", "10", "9"]
with open(os.path.join(HERE, "items.csv"), "w", newline="", encoding="utf-8") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["item_id", "text"])
    w.writerows([i, f"text of {i}"] for i in items[:-1])
with open(os.path.join(HERE, "behaviors.csv"), "w", newline="", encoding="utf-8") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["user_id", "item_id", "label", "timestamp"])
    for _ in range(700):
        w.writerow([rng.choice(users), rng.choice(items), rng.choice(["0", "1", "2.5", "3.14159265", "12345.65", "5", "-1", ""]),
                    rng.choice(["", str(rng.randrange(10**6)), "%.3f" % (rng.random() * 1e6)])])
ids, _ = baselines.read_items(os.path.join(HERE, "items.csv"))
data = baselines.read_rows(os.path.join(HERE, "behaviors.csv"))
for name, options in (("split", {}), ("split_time", dict(cold_by="first_seen")), ("split_last", dict(warm_by="last", cold_val_frac=0.0))):
    s = baselines.make_split(data, ids, **{**dict(seed=7, cold_frac=0.2, cold_val_frac=0.1, warm_frac=0.3, pos_label=2.5), **options})
    baselines.export_split(s, os.path.join(HERE, name))
    if name == "split":
        keep = [[r[0], r[1], baselines.h64(f"bal|{r[0]}|{r[1]}") < int(0.3 * (1 << 64))] for r in s["test_cold"]]
        with open(os.path.join(HERE, "balanced.json"), "w") as f:
            json.dump(keep, f)
