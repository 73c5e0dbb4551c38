#!/usr/bin/env python3
"""The same text gives the same bytes with `embed --exact`, whatever stands beside it, under several kernels of OpenBLAS.

Usage: exact_vectors.py [path of the encoder program]     (default .build/release/encoder)

Texts made of the starter's words go through it and through a recommender made here: all at once, in another order, alone,
with one thread and with two. Without --exact vectors may differ in their last bits under the kernels for AVX2; the
largest difference is printed and must be rounding, and so must what one set of kernels differs by from the processor's own.
Kernels whose instructions the processor doesn't have must be refused by an error of one line.
Needs Python's standard library only. Exit code 0 when all is well.
"""
import array, ast, csv, math, os, random, subprocess, sys, tempfile

PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder")
STARTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "checkpoints", "starter")
KERNELS = ("", "Haswell", "Zen", "SkylakeX", "Prescott")  # the processor's own first: the others are compared with it
# Level 4 of x86-64, as the operating system lists it.
WIDE = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
failures = []


def made_up_texts(count):
    """Texts of one to ninety words, most of them short."""
    rng = random.Random(5)
    with open(os.path.join(STARTER, "vocab.txt"), encoding="utf-8") as f:
        words = [word for word in f.read().split() if word.isalpha() and len(word) > 2]
    return [" ".join(rng.choices(words, k=1 + int(90 * rng.random() ** 3))) for _ in range(count)]


def read_rows(path):
    """The rows of a .npy file of 32-bit floats, as bytes."""
    with open(path, "rb") as f:
        content = f.read()
    assert content[:8] == b"\x93NUMPY\x01\x00", "another version of the format"
    start = 10 + int.from_bytes(content[8:10], "little")
    header = ast.literal_eval(content[10:start].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    rows, width = header["shape"]
    assert len(content) == start + 4 * rows * width, "its length"
    return [content[start + 4 * width * n:start + 4 * width * (n + 1)] for n in range(rows)]


def gap(a, b):
    """The largest difference of two lists of rows."""
    a, b = array.array("f", b"".join(a)), array.array("f", b"".join(b))
    assert len(a) == len(b) > 0 and all(map(math.isfinite, a)) and all(map(math.isfinite, b))
    return max(abs(x - y) for x, y in zip(a, b))


def runs(kernels):
    """Whether the processor has the instructions of the kernels."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        flags = next((set(line.split()) for line in f if line.startswith("flags")), set())
    needed = {"Haswell": {"avx2", "fma"}, "Zen": {"avx2", "fma"}, "SkylakeX": WIDE}.get(kernels, set())
    return not flags or needed <= flags


def is_refused(kernels):
    """Whether the program ends with one clear line under kernels that the processor can't run."""
    result = subprocess.run([PROGRAM, "embed", "--model", STARTER, __file__, "--output", os.devnull], capture_output=True,
                            text=True, check=False, env={**os.environ, "OPENBLAS_CORETYPE": kernels})
    lines = result.stderr.splitlines()
    return result.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: OPENBLAS_CORETYPE")


def vectors(folder, model, texts, kernels, *flags):
    """The texts' vectors, each as bytes."""
    source, target = os.path.join(folder, "in.txt"), os.path.join(folder, "out.npy")
    with open(source, "w", encoding="utf-8") as f:
        f.write("".join(t + "\n" for t in texts))
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    if kernels:
        environment["OPENBLAS_CORETYPE"] = kernels
    subprocess.run([PROGRAM, "embed", "--model", model, source, "--output", target, "--quiet", *flags],
                   check=True, env=environment)
    return read_rows(target)


def recommender(folder, items):
    """A small model of made-up behaviours."""
    with open(os.path.join(folder, "items.csv"), "w", newline="", encoding="utf-8") as f:
        rows = csv.writer(f)
        rows.writerow(["item_id", "text"])
        rows.writerows([f"i{n}", text] for n, text in enumerate(items))
    with open(os.path.join(folder, "behaviors.csv"), "w", encoding="utf-8") as f:
        f.write("user_id,item_id\n" + "".join(
            f"u{user},i{(user * 7 + step * step) % len(items)}\n" for user in range(60) for step in range(12)))
    model = os.path.join(folder, "model")
    subprocess.run([PROGRAM, "finetune", os.path.join(folder, "behaviors.csv"), "--from", STARTER, "--output", model,
                    "--epochs", "1", "--adapter", "none", "--quiet"], check=True)
    return model


def main():
    texts = made_up_texts(120)
    # Bulldozer's need FMA4, which no processor of Intel and none of AMD since Zen has.
    for kernels in ["Bulldozer"] + [k for k in KERNELS if not runs(k)]:
        refused = is_refused(kernels)
        print(f"{'ok  ' if refused else 'FAIL'} {kernels} kernels, which this processor can't run, are refused")
        if not refused:
            failures.append(kernels)
    with tempfile.TemporaryDirectory() as folder:
        for name, model in (("starter", STARTER), ("recommender", recommender(folder, texts))):
            own = None
            for kernels in filter(runs, KERNELS):
                whole = vectors(folder, model, texts, kernels, "--exact")
                same = len(whole) == len(texts) and all((
                    whole[::-1] == vectors(folder, model, texts[::-1], kernels, "--exact"),
                    whole == vectors(folder, model, texts, kernels, "--exact", "--threads", "1"),
                    all(whole[n:n + 1] == vectors(folder, model, [texts[n]], kernels, "--exact")
                        for n in (0, 50, 119))))
                usual = vectors(folder, model, texts, kernels)
                turned = vectors(folder, model, texts[::-1], kernels)[::-1]
                difference = max(gap(usual, turned), gap(usual, whole))
                own = own or whole
                apart = gap(own, whole)
                holds = same and difference < 1e-6 and apart < 2e-5
                print(f"{'ok  ' if holds else 'FAIL'} {name}, {kernels or 'own'} kernels: "
                      f"{'the same bytes' if same else 'DIFFERENT bytes'} with --exact; else at most {difference:.1e}; "
                      f"from the processor's own at most {apart:.1e}")
                if not holds:
                    failures.append(name)
    sys.exit(1 if failures else 0)


main()
