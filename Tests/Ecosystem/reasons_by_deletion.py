#!/usr/bin/env python3
"""Checks what `encoder recommend --explain` says about words by deleting them, through the program alone.

Usage: reasons_by_deletion.py [path of the encoder program] [--model DIR]     (default .build/release/encoder)

Without --model, an encoder and a recommender are trained for a minute on part of ENCODER_DATA/data/online-retail.
For some users the best items are explained. Each of their texts then comes back as new items, once for every word
left out, and is explained again: the tower's score that it has now, against the one it had, is what the word did.
Deleting the word with the highest attribution must cost at least 1.3 times what a word costs on average (the texts have four
words on average, of which it is one), and more than the average word in most texts, which is no accident (sign test,
p < 0.01); attributions and effects must go together (Spearman above 0.3; above 0.1 with --model, whose texts may be so
long that most words do next to nothing); an
`effect` that the program gives must be the difference found here. Python's standard library only. Exit code 0
when all is well.
"""
import argparse, collections, csv, json, os, statistics, subprocess, sys, tempfile

failures = 0


def check(fact, what):
    global failures
    print(("ok    " if fact else "FAIL  ") + what, flush=True)
    failures += 0 if fact else 1


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def train(program, folder):
    data = os.path.join(os.environ["ENCODER_DATA"], "data", "online-retail")
    with open(f"{data}/behaviors.csv") as source, open(f"{folder}/behaviors.csv", "w") as target:
        for number, line in enumerate(source):
            if number > 60000:
                break
            target.write(line)
    run(program, "pretrain", f"{data}/items.csv", "--preset", "tiny", "--steps", "150", "--output",
        f"{folder}/encoder", "--quiet")
    run(program, "finetune", f"{folder}/behaviors.csv", "--items", f"{data}/items.csv", "--from", f"{folder}/encoder",
        "--epochs", "4", "--output", f"{folder}/model", "--quiet")
    return f"{folder}/model"


def explain(program, model, user, top, *more):
    out = run(program, "recommend", "--model", model, "--user", user, "--top", str(top), "--explain", "--quiet", *more)
    return [json.loads(line) for line in out.splitlines()]


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: values[i])
    result = [0.0] * len(values)
    for place, index in enumerate(order):
        result[index] = place
    return result


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", nargs="?", default=".build/release/encoder")
    arguments.add_argument("--model")
    arguments.add_argument("--users", type=int, default=24)
    arguments = arguments.parse_args()
    program = os.path.abspath(arguments.program)
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or train(program, folder)
        with open(f"{model}/users.csv") as f:
            users = [row["user_id"] for row in csv.DictReader(f)][::97][:arguments.users]
        # What comes back must have the columns of the item that it is a part of.
        with open(f"{model}/items.csv", newline="") as f:
            known = {row.pop("item_id"): row for row in csv.DictReader(f)}
        columns = [c for c in next(iter(known.values())) if c != "text"]
        highest, random, wins, attributions, effects, worst = [], [], 0, [], [], 0.0
        for user in users:
            items = [i for i in explain(program, model, user, 4) if len(i["words"]) > 2]
            if not items:
                continue
            with open(f"{folder}/new.csv", "w", newline="") as f:
                rows = csv.writer(f)
                rows.writerow(["item_id", "text", *columns])
                for n, item in enumerate(items):
                    words = [w["word"] for w in item["words"]]
                    for left in range(len(words)):
                        rows.writerow([f"without {n} {left}", " ".join(words[:left] + words[left + 1:]),
                                       *(known[item["item_id"]][c] for c in columns)])
            with open(f"{folder}/ids.txt", "w") as f:
                for n, item in enumerate(items):
                    f.writelines(f"without {n} {left}\n" for left in range(len(item["words"])))
            found = explain(program, model, user, 1000, "--new-items", f"{folder}/new.csv", "--candidates",
                            f"{folder}/ids.txt")
            scores = {i["item_id"]: i["tower_score"] for i in found}
            for n, item in enumerate(items):
                cost = [item["tower_score"] - scores[f"without {n} {left}"] for left in range(len(item["words"]))]
                given = [w["attribution"] for w in item["words"]]
                best = given.index(max(given))
                highest.append(cost[best])
                random.append(statistics.mean(cost))
                wins += cost[best] > random[-1]
                a, e = ranks(given), ranks(cost)
                attributions.extend(x - statistics.mean(a) for x in a)
                effects.extend(x - statistics.mean(e) for x in e)
                for word, one in zip(item["words"], cost):
                    if word.get("effect") is not None:
                        worst = max(worst, abs(word["effect"] - one))
        count = len(highest)
        check(count >= 1.6 * arguments.users, f"{count} texts of {len(users)} users")
        a, b = statistics.mean(highest), statistics.mean(random)
        check(a > 1.3 * max(b, 0), f"the highest word costs {a:.4f}, one on average {b:.4f}")
        check((wins - 0.5 * count) / (0.25 * count) ** 0.5 > 2.33, f"more than the average word in {wins} of {count} texts")
        products = sum(x * y for x, y in zip(attributions, effects))
        norm = (sum(x * x for x in attributions) * sum(y * y for y in effects)) ** 0.5
        check(products / norm > (0.1 if arguments.model else 0.3),
              f"attributions and effects go together: Spearman {products / norm:.3f}")
        check(worst < 2e-3, f"the program's own effects are these, within {worst:.1e}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
