#!/usr/bin/env python3
"""Compares `encoder split` byte by byte with $ENCODER_DATA/bench/baselines.py.

Usage: split_parity.py [path of the encoder program]      (default .build/release/encoder)

Runs both on the data sets of $ENCODER_DATA/data (those that are there) and on made-up behaviours with
quoted ids, accents in two normal forms, repeated rows, missing times and unknown items. Needs numpy and
scipy, because baselines.py does. Exit code 0 when all files are the same.
"""
import csv, os, random, subprocess, sys, tempfile

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder"
DATA = os.environ.get("ENCODER_DATA")
if not DATA:
    sys.exit("ENCODER_DATA is not set; point it at the folder with data/ and bench/")
BASELINES = os.path.join(DATA, "bench", "baselines.py")
sys.path.insert(0, os.path.dirname(BASELINES))
sys.dont_write_bytecode = True
import baselines


def made_up(folder):
    """Behaviours with everything that a split can trip over."""
    rng = random.Random(5)
    items = [f"i{n}" for n in range(150)] + ["a,b", 'q"q', " blank ", "\u00e0", "a\u0300", "\U0001F600", "\uFFFD", "Z", "z"]
    users = [f"u{n}" for n in range(60)] + ["x,y", '"', "\u00e9", "e\u0301", "\u4e2d", "10", "9"]
    with open(os.path.join(folder, "items.csv"), "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["item_id", "text"])
        for i in items[:-2]:
            w.writerow([i, f"text, of\n{i}"])
    with open(os.path.join(folder, "behaviors.csv"), "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["user_id", "item_id", "label", "timestamp"])
        for _ in range(4000):
            stamp = rng.choice(["", str(rng.randrange(10**6)), "%.3f" % (rng.random() * 1e6), "1.5e9"])
            label = rng.choice(["0", "1", "2.5", "3.14159265", "12345.65", "1e-5", "0.1234565", "5", "-1", "1234567", ""])
            w.writerow([rng.choice(users), rng.choice(items), label, stamp])


def compare(name, folder, ours, theirs):
    """Runs both programs; returns the number of files that differ."""
    items, behaviors = os.path.join(folder, "items.csv"), os.path.join(folder, "behaviors.csv")
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        subprocess.run([PROGRAM, "split", behaviors, "--items", items, "--output", a, "--quiet", *ours], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([sys.executable, "-B", BASELINES, "split", "--behaviors", behaviors, "--items", items, "--out", b, *theirs],
                       check=True, stdout=subprocess.DEVNULL)
        names = sorted(set(os.listdir(a)) | set(os.listdir(b)))
        read = lambda d, n: open(os.path.join(d, n), "rb").read() if os.path.exists(os.path.join(d, n)) else None
        different = [n for n in names if read(a, n) != read(b, n)]
        rows = sum(read(b, n).count(b"\n") for n in names if n.endswith(".csv"))
        split = baselines.import_split(a)
        assert not {r[1] for r in split["train"]} & set(split["cold_items"])
    print(f"{name:40s} {len(names)} files, {rows} rows: " + ("DIFFERENT " + " ".join(different) if different else "the same"))
    return len(different)


def main():
    share = ["--cold-frac", "0.2", "--cold-val-frac", "0.05"]
    bad = 0
    for name, label in (("online-retail", None), ("anime5k", "8"), ("debian-deps", None)):
        folder = os.path.join(DATA, "data", name)
        if not os.path.isdir(folder):
            print(f"{name:40s} not there")
            continue
        ours = ["--positive-label", label] if label else []
        bad += compare(name, folder, ours, share + (["--pos-label", label] if label else []))
    with tempfile.TemporaryDirectory() as folder:
        made_up(folder)
        for seed in ("1", "-7"):
            bad += compare(f"made up, seed {seed}", folder, ["--seed", seed, "--positive-label", "2.5"],
                           share + ["--seed", seed, "--pos-label", "2.5"])
        bad += compare("made up, no validation", folder, ["--cold-validation", "0", "--positive-label", "1"], ["--cold-frac", "0.2"])
        bad += compare("made up, other shares", folder, ["--cold", "0.37", "--cold-validation", "0.21", "--warm", "0.55", "--positive-label", "0.1234565"],
                       ["--cold-frac", "0.37", "--cold-val-frac", "0.21", "--warm-frac", "0.55", "--pos-label", "0.1234565"])
        bad += compare("made up, --time", folder, ["--time", "--positive-label", "1"], share + ["--cold-by", "first_seen"])
        bad += compare("made up, everything held out", folder, ["--warm", "1", "--positive-label", "1"], share + ["--warm-frac", "1"])
    if os.path.isdir(os.path.join(DATA, "data", "online-retail")):
        bad += compare("online-retail, --time", os.path.join(DATA, "data", "online-retail"), ["--time"], share + ["--cold-by", "first_seen"])
    sys.exit(1 if bad else 0)


main()
