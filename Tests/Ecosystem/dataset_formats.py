#!/usr/bin/env python3
"""Writes one set of behaviours and items in every layout that is recognised, and checks that `encoder split` makes the same split
of each: MovieLens csv, 1M .dat and 100k, RecBole, MIND, Amazon JSON lines (.gz), Microsoft recommenders, folders, named columns.

Usage: dataset_formats.py [path of the encoder program]      (default .build/release/encoder)

Needs nothing but Python. Exit code 0 when all splits are the same.
"""
import csv, datetime, gzip, json, os, random, subprocess, sys, tempfile

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder"
rng = random.Random(3)
ITEMS = [(str(n), f"The Film {n}, caf\u00e9 ({1950 + n % 60})", rng.sample(["Drama", "Comedy", "War"], 2)) for n in range(1, 121)]
ROWS = sorted({(str(rng.randrange(1, 61)), str(rng.randrange(1, 121))) for _ in range(2500)}, key=lambda r: (int(r[0]), int(r[1])))
ROWS = [(u, i, rng.randrange(1, 6), 1573430400 + rng.randrange(10**6)) for u, i in ROWS]
FLAGS = ["unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir",
         "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"]


def table(path, header, rows, delimiter=","):
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, delimiter=delimiter)
        w.writerows(([header] if header else []) + list(rows))


def text(path, rows, separator, encoding="utf-8"):
    with open(path, "w", newline="", encoding=encoding) as f:
        f.writelines(separator.join(map(str, r)) + "\n" for r in rows)


def objects(path, rows):
    with (gzip.open if path.endswith(".gz") else open)(path, "wt", encoding="utf-8") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows)


def split(folder, name, *arguments):
    """The files of the split, and what the program said."""
    target = os.path.join(folder, "split-" + name)
    done = subprocess.run([PROGRAM, "split", *arguments, "--output", target], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {name}: {done.stderr}")
    files = {n: open(os.path.join(target, n), "rb").read() for n in sorted(os.listdir(target))}
    return files, done.stderr


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        def at(*names):
            path = os.path.join(folder, *names)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return path

        table(at("plain/behaviors.csv"), ["user_id", "item_id", "label", "timestamp"], ROWS)
        table(at("plain/items.csv"), ["item_id", "text"], [(i, t) for i, t, _ in ITEMS])
        expected, _ = split(folder, "plain", at("plain/behaviors.csv"), "--items", at("plain/items.csv"))

        table(at("ml/ratings.csv"), ["userId", "movieId", "rating", "timestamp"], [(u, i, f"{r:.1f}", t) for u, i, r, t in ROWS])
        table(at("ml/movies.csv"), ["movieId", "title", "genres"], [(i, t, "|".join(g)) for i, t, g in ITEMS])
        text(at("ml-1m/ratings.dat"), ROWS, "::")
        text(at("ml-1m/movies.dat"), [(i, t, "|".join(g)) for i, t, g in ITEMS], "::", "latin-1")
        text(at("ml-100k/u.data"), ROWS, "\t")
        text(at("ml-100k/u.item"), [(i, t, "01-Jan-1995", "", "http://x", *(int(f in g) for f in FLAGS)) for i, t, g in ITEMS], "|",
             "latin-1")
        table(at("recbole/films.inter"), ["user_id:token", "item_id:token", "rating:float", "timestamp:float"], ROWS, "\t")
        table(at("recbole/films.item"), ["item_id:token", "movie_title:token_seq"], [(i, t) for i, t, _ in ITEMS], "\t")
        table(at("microsoft/r.csv"), ["userID", "itemID", "rating", "timestamp"], ROWS)
        objects(at("amazon14/reviews.json.gz"), [dict(reviewerID=u, asin=i, helpful=[0, 0], reviewText="x", overall=float(r),
                                                      summary="y", unixReviewTime=t) for u, i, r, t in ROWS])
        objects(at("amazon14/meta.json.gz"), [dict(asin=i, title=t, description="d", categories=[g]) for i, t, g in ITEMS])
        objects(at("amazon23/reviews.jsonl"), [dict(rating=float(r), title="a", text="b", images=[], asin="B" + i, parent_asin=i,
                                                    user_id=u, timestamp=t, verified_purchase=True) for u, i, r, t in ROWS])
        objects(at("amazon23/meta.jsonl"), [dict(main_category="M", title=t, features=[], description=["d", "e"], price=None,
                                                 images=[{"large": "x"}], categories=g, details={"a": 1}, parent_asin=i)
                                            for i, t, g in ITEMS])
        table(at("bare/ratings_Films.csv"), None, [(i, u, r, t) for u, i, r, t in ROWS])
        items = ["--items", at("plain/items.csv")]
        cases = [
            ("MovieLens csv", "MovieLens", [at("ml/ratings.csv"), "--items", at("ml/movies.csv")]),
            ("MovieLens 1M", "ratings.dat", [at("ml-1m"), "--items", at("ml-1m")]),
            ("MovieLens 100k", "u.data", [at("ml-100k"), "--items", at("ml-100k")]),
            ("RecBole", "RecBole", [at("recbole"), "--items", at("recbole")]),
            ("Microsoft recommenders", "Microsoft", [at("microsoft/r.csv"), *items]),
            ("Amazon 2014, .gz", "Amazon", [at("amazon14/reviews.json.gz"), "--items", at("amazon14/meta.json.gz")]),
            ("Amazon 2023", "Amazon", [at("amazon23"), "--items", at("amazon23")]),
            ("no header", "CSV", [at("bare/ratings_Films.csv"), *items, "--columns", "item_id,user_id,rating,timestamp"]),
        ]
        for name, title, arguments in cases:
            got, said = split(folder, name.replace(" ", "-").replace(",", ""), *arguments)
            same = got == expected and title in said
            bad += not same
            print(f"{name:24s} " + ("the same split" if same else f"DIFFERENT: {[n for n in expected if got.get(n) != expected[n]]} {said}"))
        bad += not mind(folder, at)
    sys.exit(1 if bad else 0)


def mind(folder, at):
    """MIND's impressions against the same rows as CSV: the history counts once a user, clicks 1, the rest 0."""
    shown, plain = [], {}
    for number in range(1, 400):
        user = f"U{rng.randrange(60)}"
        history = sorted(random.Random(user).sample([f"N{n}" for n in range(1, 121)], 5))
        row = [(f"N{rng.randrange(1, 121)}", rng.randrange(2)) for _ in range(4)]
        moment = datetime.datetime(2019, 11, 15, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=number * 61)
        shown.append((number, user, f"{moment.month}/{moment.day}/{moment.year} {moment.strftime('%I:%M:%S %p').lstrip('0')}",
                      " ".join(history), " ".join(f"{i}-{c}" for i, c in row)))
        for i in history:
            plain[user, i] = (1, "")
        for i, c in row:
            old = plain.get((user, i))
            # As everywhere: the highest label, then the earliest time; a missing time is the earliest.
            if old is None or c > old[0]:
                plain[user, i] = (c, int(moment.timestamp()))
    text(at("mind/behaviors.tsv"), shown, "\t")
    text(at("mind/news.tsv"), [(f"N{i}", "a", "b", t, "abstract", "https://x", "[]", "[]") for i, t, _ in ITEMS], "\t")
    table(at("mind-csv/behaviors.csv"), ["user_id", "item_id", "label", "timestamp"], [(u, i, *v) for (u, i), v in plain.items()])
    table(at("mind-csv/items.csv"), ["item_id", "text"], [(f"N{i}", t) for i, t, _ in ITEMS])
    got, said = split(folder, "mind", at("mind"), "--items", at("mind"))
    expected, _ = split(folder, "mind-csv", at("mind-csv/behaviors.csv"), "--items", at("mind-csv/items.csv"))
    same = got == expected and "MIND" in said
    print(f"{'MIND':24s} " + ("the same split" if same else f"DIFFERENT: {[n for n in expected if got.get(n) != expected[n]]} {said}"))
    return same


main()
