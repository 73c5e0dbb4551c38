#!/usr/bin/env python3
"""Reads the event files of pretrain and finetune with TensorBoard, and the model cards with huggingface_hub.

Usage: tensorboard_events.py [path of the encoder program]                     (default .build/release/encoder)

Runs both commands on made-up texts, pretrain also interrupted and resumed, loads the folders with TensorBoard's
EventAccumulator, and compares every scalar with training.jsonl beside it; TensorBoard checks the checksums of all records
itself. The README.md files must parse as model cards with their results. Needs tensorboard (without its dependencies but
protobuf, numpy, packaging, absl-py) and huggingface_hub. Exit code 0 when all is well.
"""
import argparse, json, math, os, random, signal, subprocess, sys, tempfile, time

import numpy as np
from huggingface_hub import ModelCard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SMALL = ["--preset", "tiny", "--threads", "1", "--batch-tokens", "256", "--max-length", "32", "--vocab-size", "300", "--quiet"]
NAME = "events.out.tfevents.encoder"
EVAL = {"unigram_entropy", "majority_accuracy"}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def lines(folder):
    with open(os.path.join(folder, "training.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def tag(name):
    if name.startswith("validation_"):
        return "eval/" + name[len("validation_"):]
    return ("eval/" if name in EVAL else "train/") + name


def compare(folder, expected, begun):
    """Every (tag, step, seconds, value) of the log must be in the events, and nothing else."""
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    found = {}
    for name in events.Tags()["scalars"]:
        for event in events.Scalars(name):
            found[name, event.step] = (event.wall_time, event.value)
    assert set(found) == {(name, step) for name, step, _, _ in expected}, set(found) ^ {e[:2] for e in expected}
    start = events.FirstEventTimestamp()
    assert begun - 2 <= start <= time.time(), (begun, start)
    for name, step, seconds, value in expected:
        wall, seen = found[name, step]
        assert abs(wall - start - seconds) < 1e-3, (name, step, wall - start, seconds)
        assert seen == float(np.float32(value)) or (math.isnan(seen) and math.isnan(value)), (name, step, seen, value)
    return len(expected)


def from_steps(folder):
    return [(tag(k), r["step"], r["seconds"], v) for r in lines(folder) for k, v in r.items() if k not in ("step", "seconds")]


def from_epochs(folder):
    return [(f"{r['stage']}/{k}", r["epoch"], r["seconds"], r[k]) for r in lines(folder) for k in ("loss", "validation")]


def make_data(folder):
    rng = random.Random(5)
    topics = ["sea", "hill", "town"]
    texts = [" ".join(f"{topics[n % 3]}{rng.randrange(12)}" for _ in range(6)) for n in range(120)]
    with open(os.path.join(folder, "items.csv"), "w", encoding="utf-8") as file:
        file.write("item_id,text,kind\n" + "".join(f"i{n},{t},{topics[n % 3]}\n" for n, t in enumerate(texts)))
    with open(os.path.join(folder, 'behaviors "1": x.csv'), "w", encoding="utf-8") as file:
        file.write("user_id,item_id\n")
        for user in range(60):
            for item in range(user % 3, 120, 3):
                if rng.random() < 0.5:
                    file.write(f"u{user},i{item}\n")


def check_card(folder, *metrics):
    card = ModelCard.load(os.path.join(folder, "README.md"))
    results = card.data.eval_results
    assert results and {r.metric_type for r in results} == set(metrics), results
    assert all(math.isfinite(r.metric_value) for r in results)
    for heading in ("## Use", "## Training", "## Evaluation", "## Limits"):
        assert heading in card.text, heading
    return card


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default=".build/release/encoder")
    program = os.path.abspath(parser.parse_args().program)
    with tempfile.TemporaryDirectory() as folder:
        make_data(folder)
        items, encoder, model = (os.path.join(folder, n) for n in ("items.csv", "encoder", "model"))
        begun = time.time()
        command = [program, "pretrain", items, "--steps", "60", "--output", encoder, "--save-every", "2"]
        process = subprocess.Popen(command + SMALL)
        limit = time.time() + 60
        while not os.path.exists(os.path.join(encoder, NAME)) and time.time() < limit:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        code = process.wait()
        assert code in (0, 143), code
        count = compare(encoder, from_steps(encoder), begun)
        print(f"pretrain, stopped: {count} scalars as in the log")
        run(program, "pretrain", items, "--output", encoder, "--resume", "--quiet")
        assert lines(encoder)[-1]["step"] == 60
        print(f"pretrain, resumed: {compare(encoder, from_steps(encoder), begun)} scalars as in the log")
        check_card(encoder, "loss")
        begun = time.time()
        behaviors = os.path.join(folder, 'behaviors "1": x.csv')
        run(program, "finetune", behaviors, "--items", items, "--from", encoder, "--output", model, "--epochs", "4", "--quiet")
        print(f"finetune: {compare(model, from_epochs(model), begun)} scalars as in the log")
        card = check_card(model, "ndcg", "recall")
        assert card.data.eval_results[0].dataset_name == 'behaviors "1": x.csv', card.data.eval_results[0]
        assert card.data.library_name == "encoder"
        print("the model cards and their results parse")


main()
