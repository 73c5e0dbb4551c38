#!/usr/bin/env python3
"""Full disks, read-only folders and vanished inputs: one clear line, the last good checkpoint intact, and on again.

Usage: faults.py [path of the encoder program]     (default .build/release/encoder)

Disks are file systems in memory of a few megabytes where they can be mounted (as root); elsewhere a limit on the
size of files stands in for them. Needs Python's standard library only. Exit code 0 when all is well.
"""
import contextlib, glob, os, resource, shutil, signal, subprocess, sys, tempfile, time

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder")
SIZES = ["--preset", "tiny", "--threads", "1", "--batch-tokens", "256", "--max-length", "32", "--vocab-size", "300",
         "--save-every", "2", "--quiet"]
failures = []


def check(name, holds, detail=""):
    print(f"{'ok   ' if holds else 'FAIL '} {name}" + ("" if holds else f": {detail[-600:]}"), flush=True)
    if not holds:
        failures.append(name)


def one_line(result):
    """A failure with one line on standard error, that of an error."""
    lines = [l for l in result.stderr.splitlines() if l.strip()]
    errors = [l for l in lines if l.startswith("error: ")]
    return result.returncode == 1 and len(errors) == 1 and lines[-1] == errors[0] and "Fatal" not in result.stderr


def run(*arguments, cwd=None, limit=None):
    def confine():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return subprocess.run([PROGRAM, *arguments], cwd=cwd, text=True, capture_output=True, timeout=120,
                          preexec_fn=confine if limit else None, check=False)


@contextlib.contextmanager
def disk(folder, size, read_only=False):
    """A small file system; None where it can't be mounted."""
    os.makedirs(folder, exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def corpus(path, lines=300):
    with open(path, "w", encoding="utf-8") as f:
        for n in range(lines):
            f.write(f"a {['red', 'blue', 'green'][n % 3]} {['lamp', 'chair', 'table', 'shelf'][n % 4]} number {n}\n")


def leftovers(folder):
    return [p for p in glob.glob(folder + "/**", recursive=True) if ".tmp" in os.path.basename(p)]


def full_disk(base):
    text = os.path.join(base, "corpus.txt")
    corpus(text)
    with disk(os.path.join(base, "disk"), "24m") as folder:
        if folder is None:
            print("none  full disks: no file system can be mounted here; a limit on files stands in")
        else:
            model = os.path.join(folder, "model")
            started = [PROGRAM, "pretrain", text, "--output", model, "--steps", "4000", *SIZES]
            process = subprocess.Popen(started, text=True, stderr=subprocess.PIPE)
            state = os.path.join(model, "training_state.safetensors")
            while not os.path.exists(state) and process.poll() is None:
                time.sleep(0.02)
            filler = os.path.join(folder, "filler")
            with open(filler, "wb", buffering=0) as f:
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(1 << 16))
            _, errors = process.communicate(timeout=100)
            result = subprocess.CompletedProcess(started, process.returncode, "", errors)
            check("pretrain on a disk that fills up ends with one line", one_line(result), errors)
            os.remove(filler)
            steps = ["--steps", "6"]
            again = run("pretrain", text, "--output", model, *steps, "--resume", *SIZES)
            saved = "steps" in again.stderr or again.returncode == 0
            check("and its checkpoint is read again", saved, again.stderr)
            check("and nothing half-written is left", not leftovers(folder), str(leftovers(folder)))
            good = run("embed", "--model", model, "--text", "a red lamp")
            check("and its model is whole", good.returncode == 0, good.stderr)
    for name in ("v.npy", "v.safetensors", "v.jsonl", "v.csv", "v.faiss", "v.pgbin"):
        big = os.path.join(base, "many.txt")
        corpus(big, 20_000)
        output = os.path.join(base, name)
        result = run("embed", "--model", os.path.join(base, "whole"), big, "--output", output, limit=200_000)
        check(f"embed into {name} beyond the room there is", one_line(result), result.stderr)
        check(f"and no part of {name} is left", not os.path.exists(output) and not leftovers(base), str(leftovers(base)))


def unwritable(base):
    text = os.path.join(base, "corpus.txt")
    with disk(os.path.join(base, "locked"), "4m") as folder:
        if folder is None:
            folder = "/proc"
        else:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        for name, command in (
                ("pretrain", ["pretrain", text, "--steps", "2", *SIZES, "--output", os.path.join(folder, "m")]),
                ("vocab", ["vocab", text, "--size", "300", "--output", os.path.join(folder, "v.txt")]),
                ("embed", ["embed", "--model", os.path.join(base, "whole"), text, "--output", os.path.join(folder, "v.npy")]),
                ("export", ["export", os.path.join(base, "whole"), "--output", os.path.join(folder, "e")]),
                ("split", ["split", os.path.join(base, "b.csv"), "--output", os.path.join(folder, "s")])):
            result = run(*command)
            check(f"{name} into a folder that can't be written", one_line(result), result.stderr)


def vanished(base):
    text, model = os.path.join(base, "gone.txt"), os.path.join(base, "gone")
    corpus(text)
    started = [PROGRAM, "pretrain", text, "--output", model, "--steps", "100000", *SIZES]
    process = subprocess.Popen(started, text=True, stderr=subprocess.PIPE)
    state = os.path.join(model, "training_state.safetensors")
    while not os.path.exists(state) and process.poll() is None:
        time.sleep(0.02)
    os.remove(text)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    check("SIGTERM saves and ends with 143", process.returncode == 143 and os.path.exists(state), str(process.returncode))
    before = open(state, "rb").read()
    result = run("pretrain", text, "--output", model, "--steps", "100000", "--resume", *SIZES)
    check("resuming without the corpus says so in one line", one_line(result) and "gone.txt" in result.stderr, result.stderr)
    check("and the checkpoint is untouched", open(state, "rb").read() == before)
    for name, command in (("embed", ["embed", "--model", os.path.join(base, "whole"), text]),
                          ("finetune", ["finetune", text, "--from", os.path.join(base, "whole"), "--output", os.path.join(base, "f")]),
                          ("recommend", ["recommend", "--model", os.path.join(base, "nothing"), "--user", "1"])):
        result = run(*command)
        check(f"{name} of a file that isn't there", one_line(result), result.stderr)
    check("and a run that failed at once leaves nothing", not os.path.exists(os.path.join(base, "f")))


def main():
    base = tempfile.mkdtemp()
    try:
        corpus(os.path.join(base, "corpus.txt"))
        with open(os.path.join(base, "b.csv"), "w", encoding="utf-8") as f:
            f.write("user_id,item_id\n" + "".join(f"u{n % 9},i{n % 23}\n" for n in range(400)))
        made = run("pretrain", os.path.join(base, "corpus.txt"), "--output", os.path.join(base, "whole"), "--steps", "4", *SIZES)
        check("an undisturbed run", made.returncode == 0, made.stderr)
        full_disk(base)
        unwritable(base)
        vanished(base)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    sys.exit(1 if failures else 0)


main()
