#!/usr/bin/env python3
"""Kills `encoder pretrain` at random moments, resumes it, and compares with a run that nobody disturbed.

Usage: resume_kill.py [path of the encoder program] [--kills N] [--seed S]     (default .build/release/encoder, 5, 1)

A small corpus is made up. For --steps and for --epochs one run goes through undisturbed; then runs of the same
length get SIGKILL after a random time, before, in and between checkpoints (one every second step), and are resumed
until they are done. After every kill, what has a name must be whole: a safetensors file as long as its header says,
weights never without their configuration. At the end every file must have the same bytes, training.jsonl all
fields but those of the clock, the report and the events, which hold times, must be there, and no .tmp may be left. Needs Python's standard library only. Exit code 0 when all
is well.
"""
import argparse, json, os, random, signal, struct, subprocess, sys, tempfile, time

CLOCK = ("seconds", "tokens_per_second")
TIMED = tuple(os.path.join("checkpoints", "corpus", n) for n in ("report.html", "events.out.tfevents.encoder"))
COMMON = ["--preset", "tiny", "--threads", "1", "--batch-tokens", "256", "--max-length", "32", "--vocab-size", "300",
          "--save-every", "2", "--dropout", "0.1", "--learning-rate", "0.03", "--quiet"]
LENGTHS = (["--steps", "40"], ["--epochs", "1.5"])


def make_corpus(path):
    rng = random.Random(11)
    nouns = "lamp chair table clock mirror basket kettle carpet shelf vase".split()
    with open(path, "w", encoding="utf-8") as f:
        for n in range(300):
            words = [rng.choice(nouns) + rng.choice(["", "s", "let"]) for _ in range(rng.randrange(4, 16))]
            f.write(" ".join(words) + f" {n}\n")


def files(folder):
    """All files below a folder: path -> bytes."""
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = f.read()
    return found


def records(log):
    return [{k: v for k, v in json.loads(line).items() if k not in CLOCK} for line in log.decode().splitlines()]


def check_whole(folder):
    """What a killed run may leave: whole files under their names; anything else must end in .tmp."""
    found = files(folder)
    for path, content in found.items():
        if ".tmp" in path or not path.endswith(".safetensors"):
            continue
        (size,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8:8 + size])
        end = max(t["data_offsets"][1] for name, t in header.items() if name != "__metadata__")
        assert len(content) == 8 + size + end, f"{path} is not whole"
    model = os.path.join("checkpoints", "corpus", "model.safetensors")
    if model in found:
        for name in ("config.json", "tokenizer.json", "encoder.json"):
            assert os.path.join("checkpoints", "corpus", name) in found, f"{model} without {name}"


def command(program, length, folder):
    state = os.path.join(folder, "checkpoints", "corpus", "training_state.safetensors")
    resume = ["--resume"] if os.path.exists(state) else []
    return [program, "pretrain", "corpus.txt", *length, *COMMON, *resume]


def whole_run(program, length, folder):
    """Runs undisturbed; returns the seconds it took."""
    os.makedirs(folder)
    make_corpus(os.path.join(folder, "corpus.txt"))
    start = time.monotonic()
    subprocess.run(command(program, length, folder), cwd=folder, check=True)
    return time.monotonic() - start


def killed_run(program, length, folder, seconds, rng, most):
    """Runs with at most `most` kills; returns how many there were."""
    os.makedirs(folder)
    make_corpus(os.path.join(folder, "corpus.txt"))
    kills = 0
    while True:
        process = subprocess.Popen(command(program, length, folder), cwd=folder)
        try:
            # Half of the kills come early, where the first checkpoint and the loading are.
            limit = seconds * rng.choice([0.3, 0.9]) * rng.random() if kills < most else None
            code = process.wait(timeout=limit)
            assert code == 0, f"exit code {code} after {kills} kills"
            return kills
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            check_whole(folder)


def compare(undisturbed, killed):
    """Returns what differs between two folders."""
    a, b = files(undisturbed), files(killed)
    log = os.path.join("checkpoints", "corpus", "training.jsonl")
    different = sorted(set(a) ^ set(b))
    different += [n for n in sorted(set(a) & set(b)) if n != log and n not in TIMED and a[n] != b[n]]
    if log in a and log in b and records(a[log]) != records(b[log]):
        different.append(log)
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default=".build/release/encoder")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program, rng, bad, done, rounds = os.path.abspath(options.program), random.Random(options.seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as base:
        seconds = {}
        while done < options.kills:
            length = LENGTHS[rounds % len(LENGTHS)]
            undisturbed = os.path.join(base, "whole" + length[0])
            if undisturbed not in seconds:
                seconds[undisturbed] = whole_run(program, length, undisturbed)
                names = files(undisturbed)
                assert not [n for n in names if ".tmp" in n], "an undisturbed run left a .tmp"
                assert os.path.join("vocab", "corpus.txt") in names
            killed = os.path.join(base, f"killed-{rounds}")
            most = min(options.kills - done, 4)
            kills = killed_run(program, length, killed, seconds[undisturbed], rng, most)
            different = compare(undisturbed, killed)
            print(f"{' '.join(length):14s} {kills} kills: " + ("DIFFERENT " + " ".join(different) if different else "the same"), flush=True)
            bad += len(different)
            done += kills
            rounds += 1
            assert rounds < 20 * options.kills + 20, "the program ends before it can be killed"
    print(f"{done} kills in {rounds} runs, {bad} files differ")
    sys.exit(1 if bad else 0)


main()
