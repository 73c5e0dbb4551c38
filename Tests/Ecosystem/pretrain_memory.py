#!/usr/bin/env python3
"""Memory of pretraining: what Documentation/Performance.md's formula says, and a corpus that is larger than memory.

Usage: pretrain_memory.py [path of the encoder program]     (default .build/release/encoder)

The limit is on what a process has for itself (RLIMIT_DATA); files that it maps don't count, as they can be dropped and
read again. Needs Python's standard library and Linux. Exit code 0 when all is well.
"""
import json, os, random, re, resource, subprocess, sys, tempfile, threading, time

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder")
WORDS = [f"{a}{b}" for a in "lamp chair table shelf glass frame light mug box stand".split() for b in range(200)]
failures = []


def check(name, holds):
    print(f"{'ok   ' if holds else 'FAIL '} {name}", flush=True)
    if not holds:
        failures.append(name)


def corpus(path, megabytes, words=WORDS):
    """Texts of some twenty words; a block of them again and again, each line with a number of its own."""
    chance = random.Random(1)
    block = [" ".join(chance.choices(words, k=20)) + "\n" for _ in range(20_000)]
    written = n = 0
    with open(path, "w", encoding="utf-8") as file:
        while written < megabytes * 1e6:
            text = "".join(f"{n} {line}" for line in block)
            file.write(text)
            written += len(text)
            n += 1
    return path


def pretrain(text, output, *arguments, limit=None):
    """Exit code, what it said, and the most memory of its own that the program had, in MB."""
    def confine():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    process = subprocess.Popen([PROGRAM, "pretrain", text, "--output", output, *arguments], text=True,
                               stderr=subprocess.PIPE, preexec_fn=confine if limit else None)
    said = []
    threading.Thread(target=lambda: said.extend(process.stderr), daemon=True).start()
    peak = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                found = re.search(r"RssAnon:\s+(\d+)", file.read())
            peak = max(peak, int(found.group(1)) / 1024 if found else 0)
        except OSError:
            pass
        time.sleep(0.01)
    return process.returncode, "".join(said), peak


def tokens_of(said):
    found = re.search(r"(\d+) tokens for training", said)
    return int(found.group(1)) if found else 0


def formula(layers, width, vocabulary, parameters, tokens, threads):
    """MB of its own, a corpus of few sequences; as Documentation/Performance.md has it."""
    return 50 + 1e-6 * (parameters * (16 + 4 * threads) + tokens * (64 * layers * width + 1.2 * vocabulary))


def parameters(folder):
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    count = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            size = 1
            for n in tensor["shape"]:
                size *= n
            count += size
    return count


with tempfile.TemporaryDirectory() as scratch:
    small = corpus(f"{scratch}/small.txt", 2)
    # Training a vocabulary leaves memory behind that the C library keeps: it is made before.
    words = f"{scratch}/words.txt"
    subprocess.run([PROGRAM, "vocab", small, "--size", "4000", "--output", words, "--quiet"], check=True)
    for preset, layers, width, tokens, threads in [
        ("tiny", 2, 128, 2048, 1), ("tiny", 2, 128, 8192, 2), ("mini", 4, 256, 2048, 2), ("mini", 4, 256, 4096, 1),
        ("small", 4, 512, 2048, 2),
    ]:
        output = f"{scratch}/{preset}-{tokens}"
        code, line, peak = pretrain(small, output, "--preset", preset, "--steps", "40", "--batch-tokens", str(tokens),
                                    "--threads", str(threads), "--vocab", words)
        with open(f"{output}/config.json", encoding="utf-8") as file:
            vocabulary = json.load(file)["vocab_size"]
        stated = formula(layers, width, vocabulary, parameters(output), tokens, threads)
        # The formula's constant is an upper estimate: the smallest model takes some 25 MB less.
        check(f"{preset}, {tokens} tokens a step, {threads} threads: {peak:.0f} MB where the formula says {stated:.0f}",
              code == 0 and abs(peak - stated) < 0.1 * stated + 30)

    # Its ids alone are larger than what the process may have.
    limit = 900
    large = corpus(f"{scratch}/large.txt", 350, [f"{n * 7919 + 10**11}" for n in range(5000)])
    code, line, peak = pretrain(large, f"{scratch}/large", "--preset", "mini", "--steps", "10", "--vocab", words,
                                "--threads", "2", limit=limit << 20)
    ids = 4e-6 * tokens_of(line)
    check(f"a corpus of {ids:.0f} MB of ids within {limit} MB: {peak:.0f} MB used, exit code {code}",
          code == 0 and ids > limit and os.path.exists(f"{scratch}/large/model.safetensors"))

sys.exit(1 if failures else 0)
