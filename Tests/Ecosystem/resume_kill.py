#!/usr/bin/env python3
"""Kills `encoder pretrain` and `encoder finetune` at random moments, resumes them, and compares with undisturbed runs.

Usage: resume_kill.py [path of the encoder program] [--kills N] [--seed S]     (default .build/release/encoder, 12, 1)

N kills each. A small corpus and a small shop are made up. For --steps and for --epochs one run goes through
undisturbed; then runs of the same length get SIGKILL and are resumed until they are done. A third of the kills come at
any moment, the others some time after the run has written a checkpoint of its own (one every second step of
pretraining, every epoch of fine-tuning), so that they land in training and the next start has something to resume.
After every kill, what has a name must be whole: a safetensors file as long as its header says, weights never without
their configuration. At the end every file must have the same bytes, training.jsonl all fields but those of the clock,
the report and the events, which hold times, must be there, and no .tmp may be left. At least a quarter of the starts
after a kill must have resumed. Needs Python's standard library only. Exit code 0 when all is well.
"""
import argparse, json, os, random, signal, struct, subprocess, sys, tempfile, time

CLOCK = ("seconds", "tokens_per_second")
TIMED = ("report.html", "events.out.tfevents.encoder")
COMMON = ["--preset", "tiny", "--threads", "1", "--batch-tokens", "256", "--max-length", "32", "--vocab-size", "300",
          "--save-every", "2", "--dropout", "0.1", "--learning-rate", "0.03", "--quiet"]
PRETRAIN = (["--steps", "40"], ["--epochs", "1.5"])
FINETUNE = (["--epochs", "6"], ["--epochs", "4", "--adapter", "lora", "--loss", "bpr"])


def make_corpus(path):
    rng = random.Random(11)
    nouns = "lamp chair table clock mirror basket kettle carpet shelf vase".split()
    with open(path, "w", encoding="utf-8") as f:
        for n in range(300):
            words = [rng.choice(nouns) + rng.choice(["", "s", "let"]) for _ in range(rng.randrange(4, 16))]
            f.write(" ".join(words) + f" {n}\n")


def make_shop(folder):
    """120 items of 12 kinds, and 150 users who like three kinds each."""
    rng = random.Random(12)
    nouns = "lamp chair table clock mirror basket kettle carpet shelf vase candle frame".split()
    colours = "red blue green white black golden".split()
    with open(os.path.join(folder, "items.csv"), "w", encoding="utf-8") as f:
        f.write("item_id,text\n")
        for n in range(120):
            f.write(f"i{n},{rng.choice(colours)} {nouns[n % 12]} of {rng.choice(colours)} wood {n}\n")
    with open(os.path.join(folder, "behaviors.csv"), "w", encoding="utf-8") as f:
        f.write("user_id,item_id\n")
        for user in range(150):
            kinds = rng.sample(range(12), 3)
            for item in sorted({rng.randrange(10) * 12 + rng.choice(kinds) for _ in range(14)}):
                f.write(f"u{user},i{item}\n")


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


class Pretrain:
    lengths, model = PRETRAIN, os.path.join("checkpoints", "corpus")
    state = os.path.join(model, "training_state.safetensors")

    def __init__(self, program):
        self.program = program

    def prepare(self, folder):
        make_corpus(os.path.join(folder, "corpus.txt"))

    def command(self, length, folder):
        resume = ["--resume"] if os.path.exists(os.path.join(folder, self.state)) else []
        return [self.program, "pretrain", "corpus.txt", *length, *COMMON, *resume]


class Finetune:
    lengths, model = FINETUNE, "shop"
    state = os.path.join(model, "finetune_state.safetensors")

    def __init__(self, program, base):
        """Pretrains what the runs start from, once."""
        self.program, self.encoder = program, os.path.join(base, "encoder")
        corpus = os.path.join(base, "base.txt")
        make_corpus(corpus)
        subprocess.run([program, "pretrain", corpus, "--output", self.encoder, "--steps", "10", *COMMON], check=True)

    def prepare(self, folder):
        make_shop(folder)

    def command(self, length, folder):
        resume = ["--resume"] if os.path.exists(os.path.join(folder, self.state)) else []
        return [self.program, "finetune", "behaviors.csv", "--from", self.encoder, "--output", self.model, *length,
                "--threads", "1", "--save-every", "1", "--quiet", *resume]


def whole_run(job, length, folder):
    """Runs undisturbed; returns the seconds it took."""
    os.makedirs(folder)
    job.prepare(folder)
    start = time.monotonic()
    subprocess.run(job.command(length, folder), cwd=folder, check=True)
    return time.monotonic() - start


def generation(path):
    """Tells a file from the one that replaces it; None where there is none."""
    try:
        status = os.stat(path)
        return status.st_ino, status.st_mtime_ns
    except FileNotFoundError:
        return None


def killed_run(job, length, folder, seconds, rng, most):
    """Runs with at most `most` kills; returns how many there were, and how many of the starts after them resumed."""
    os.makedirs(folder)
    job.prepare(folder)
    state = os.path.join(folder, job.state)
    kills = resumed = 0
    while True:
        command, before = job.command(length, folder), generation(state)
        resumed += "--resume" in command
        process = subprocess.Popen(command, cwd=folder)
        limit = None
        if kills < most:
            limit = seconds * rng.choice([0.3, 0.9]) * rng.random()
            if rng.random() < 2 / 3:
                while process.poll() is None and generation(state) in (None, before):
                    time.sleep(0.002)
                limit = 0.3 * seconds * rng.random()
        try:
            code = process.wait(timeout=limit)
            assert code == 0, f"exit code {code} after {kills} kills"
            return kills, resumed
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            check_whole(folder)


def compare(job, undisturbed, killed):
    """Returns what differs between two folders."""
    a, b = files(undisturbed), files(killed)
    log = os.path.join(job.model, "training.jsonl")
    timed = {os.path.join(job.model, name) for name in TIMED}
    different = sorted(set(a) ^ set(b))
    different += [n for n in sorted(set(a) & set(b)) if n != log and n not in timed and a[n] != b[n]]
    if log in a and log in b and records(a[log]) != records(b[log]):
        different.append(log)
    return different


def check(job, options, base, rng):
    """Kills `options.kills` times; returns how many files differed, and one more where too few starts resumed."""
    name, bad, done, resumed, rounds, seconds = type(job).__name__.lower(), 0, 0, 0, 0, {}
    while done < options.kills:
        length = job.lengths[rounds % len(job.lengths)]
        undisturbed = os.path.join(base, name + str(rounds % len(job.lengths)))
        if undisturbed not in seconds:
            seconds[undisturbed] = whole_run(job, length, undisturbed)
            assert not [n for n in files(undisturbed) if ".tmp" in n], "an undisturbed run left a .tmp"
        killed = os.path.join(base, f"{name}-killed-{rounds}")
        kills, resumptions = killed_run(job, length, killed, seconds[undisturbed], rng, min(options.kills - done, 4))
        different = compare(job, undisturbed, killed)
        print(f"{name} {' '.join(length):14s} {kills} kills, {resumptions} resumed: "
              + ("DIFFERENT " + " ".join(different) if different else "the same"), flush=True)
        bad += len(different)
        done += kills
        resumed += resumptions
        rounds += 1
        assert rounds < 20 * options.kills + 20, "the program ends before it can be killed"
    print(f"{name}: {done} kills in {rounds} runs, {resumed} of {done} starts after them resumed, {bad} files differ")
    if resumed * 4 < done:
        print(f"FAIL {name}: too few starts resumed, so that the kills tried little")
        bad += 1
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default=".build/release/encoder")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program, rng = os.path.abspath(options.program), random.Random(options.seed)
    with tempfile.TemporaryDirectory() as base:
        bad = sum(check(job, options, base, rng) for job in (Pretrain(program), Finetune(program, base)))
    sys.exit(1 if bad else 0)


main()
