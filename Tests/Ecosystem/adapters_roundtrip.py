#!/usr/bin/env python3
"""Exchanges adapters with AdapterHub's `adapters` and with PEFT, in both directions, with equal outputs.

Theirs, saved by the libraries over a small BERT, must give the same vectors in `encoder embed --adapter`; ours, which
`encoder adapter` rewrites and `encoder finetune --adapter KIND` trains, must give the same hidden states in the library.
Needs torch and onnxruntime; the libraries, which want an older transformers, are installed by this script into a
folder of their own inside the virtual environment. Exits with 1 and what differs.

    python Tests/Ecosystem/adapters_roundtrip.py .build/release/encoder
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BASE = HERE / "../Goldens/checkpoints/mlm"
GOLDENS = HERE / "../Goldens/adapters"
PINS = ["adapters==1.3.0", "peft==0.18.1", "transformers==4.57.6", "huggingface_hub<1.0", "tokenizers<0.23",
        "accelerate", "psutil"]
TEXTS = ["The red teacup", "", "a small book of tea, and the blue item!", "Café 日本 zebra", "the red teacup",
         "a book " * 40]


def with_libraries():
    """Starts this script again with the pinned libraries in front of those of the environment."""
    folder = pathlib.Path(sys.prefix) / "adapters-1.3.0"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps",
                        "--upgrade", "--target", str(folder), *PINS], check=True)
        (folder / "complete").touch()
    environment = dict(os.environ, PYTHONPATH=str(folder), ENCODER_ADAPTERS="1", OMP_NUM_THREADS="1",
                       HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
    os.execve(sys.executable, [sys.executable, "-B", *sys.argv], environment)


if "ENCODER_ADAPTERS" not in os.environ:
    with_libraries()

import logging  # noqa: E402

import adapters  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import peft  # noqa: E402
import torch  # noqa: E402
from transformers import AutoTokenizer, BertModel  # noqa: E402

# The first pass over a model is without its adapters, on purpose, and the library says so each time.
logging.getLogger("adapters").setLevel(logging.ERROR)
sys.path.insert(0, str(GOLDENS))
from generate import HUB, PEFT, randomize, trainable  # noqa: E402


def run(*command, fails=False):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if (done.returncode != 0) != fails:
        sys.exit(f"error: {' '.join(map(str, command))}: {done.stderr}")
    return done


def check(condition, what):
    print(("ok     " if condition else "error: ") + what)
    if not condition:
        sys.exit(1)


def base(path):
    # What LoRA draws for its A follows; some draws amplify rounding.
    torch.manual_seed(0)
    return BertModel.from_pretrained(path, add_pooling_layer=False).eval()


def theirs(model, path):
    """The [CLS] states of the texts, one text at a time."""
    words = AutoTokenizer.from_pretrained(path)
    rows = []
    with torch.no_grad():
        for text in TEXTS:
            encoded = words(text, return_tensors="pt", truncation=True, max_length=32)
            rows.append(model(**encoded).last_hidden_state[0, 0].numpy())
    return np.array(rows)


def ours(binary, path, adapter, folder):
    source, target = os.path.join(folder, "texts.jsonl"), os.path.join(folder, "vectors.npy")
    with open(source, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
    options = ["--adapter", adapter] if adapter else []
    run(binary, "embed", "--model", path, source, "--output", target, "--pooling", "cls", "--no-normalize",
        "--max-length", "32", *options)
    return np.load(target)


def gap(a, b):
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())


def load(path, adapter, is_peft):
    """Our directory in its library."""
    model = base(path)
    if is_peft:
        return peft.PeftModel.from_pretrained(model, str(adapter)).eval()
    adapters.init(model)
    name = model.load_adapter(str(adapter), use_safetensors=True)
    model.set_active_adapters(name)
    return model.eval()


def saved_by_the_library(binary, folder):
    plain = theirs(base(BASE), BASE)
    check(gap(ours(binary, BASE, None, folder), plain) < 1e-5, "the base alone")
    for name, config in {**HUB, **PEFT}.items():
        is_peft = name.startswith("peft")
        target = pathlib.Path(folder) / name
        if is_peft:
            model = peft.get_peft_model(base(BASE), config)
            randomize(trainable(model), 5)
            model.eval()
            model.save_pretrained(target)
        else:
            model = base(BASE)
            adapters.init(model)
            model.add_adapter("books", config=config)
            model.train_adapter("books")
            randomize(trainable(model), 5)
            model.eval()
            target.mkdir()
            model.save_adapter(str(target), "books", use_safetensors=True)
        expected = theirs(model, BASE)
        found = ours(binary, BASE, target, folder)
        check(gap(found, expected) < 1e-5 and gap(expected, plain) > 0.05,
              f"{name}: saved there, read here, differs by {gap(found, expected):.1e}"
              f" (from the base by {gap(expected, plain):.1e})")
        if name in ("peft_saved", "peft_layernorm"):
            continue
        again = pathlib.Path(folder) / (name + "-again")
        run(binary, "adapter", target, "--model", BASE, "--output", again)
        found = theirs(load(BASE, again, is_peft), BASE)
        check(gap(found, expected) < 1e-5, f"{name}: written here, read there, differs by {gap(found, expected):.1e}")
    lora = pathlib.Path(folder) / "hub_lora"
    moved = pathlib.Path(folder) / "moved"
    run(binary, "adapter", lora, "--model", BASE, "--output", moved, "--format", "peft")
    check(gap(theirs(load(BASE, moved, True), BASE), ours(binary, BASE, lora, folder)) < 1e-5,
          "AdapterHub's LoRA, converted here, is PEFT's")
    merged = peft.PeftModel.from_pretrained(base(BASE), str(moved)).merge_and_unload().eval()
    check(gap(theirs(merged, BASE), ours(binary, BASE, moved, folder)) < 1e-5, "merged by PEFT, it is ours unmerged")


def exported(binary, folder):
    """Adapters folded into the weights, or part of a graph, must give what they give beside the base."""
    for name in ("peft_lora", "peft_biases", "peft_saved", "hub_ia3", "hub_lora"):
        target = pathlib.Path(folder) / (name + "-merged")
        run(binary, "export", BASE, "--merge", "--adapter", GOLDENS / name, "--output", target, "--quiet")
        found, expected = theirs(base(target), target), ours(binary, BASE, GOLDENS / name, folder)
        check(gap(found, expected) < 1e-5, f"{name}: merged by export, AutoModel differs by {gap(found, expected):.1e}")
    words = AutoTokenizer.from_pretrained(BASE)
    for name in ("hub_seq_bn", "hub_double_seq_bn", "hub_par_bn", "hub_mixed"):
        target = pathlib.Path(folder) / (name + "-graph")
        run(binary, "export", BASE, "--merge", "--onnx", "--adapter", GOLDENS / name, "--output", target, "--quiet")
        session = onnxruntime.InferenceSession(str(target / "onnx/model.onnx"), providers=["CPUExecutionProvider"])
        rows = []
        for text in TEXTS:
            encoded = words(text, return_tensors="np", truncation=True, max_length=32)
            rows.append(session.run(["last_hidden_state"], {k: encoded[k].astype(np.int64) for k in encoded})[0][0, 0])
        found, expected = np.array(rows), ours(binary, BASE, GOLDENS / name, folder)
        check(gap(found, expected) < 1e-5, f"{name}: in ONNX Runtime, differs by {gap(found, expected):.1e}")


def write_behaviors(folder):
    """Items of two topics and users who like one of them each."""
    nouns = [["teacup", "tea", "cup"], ["book", "text", "document"]]
    items = [(f"i{n}", f"{['red', 'blue', 'small', 'large', 'new', 'cold'][n % 6]} {nouns[n % 2][n % 3]} {n % 4}")
             for n in range(48)]
    with open(os.path.join(folder, "items.csv"), "w", encoding="utf-8") as file:
        file.write("item_id,text\n" + "".join(f"{i},{t}\n" for i, t in items))
    with open(os.path.join(folder, "behaviors.csv"), "w", encoding="utf-8") as file:
        file.write("user_id,item_id\n")
        file.writelines(f"u{u},i{n}\n" for u in range(40) for n in range(48) if n % 2 == u % 2 and (n + u) % 5)
    return os.path.join(folder, "behaviors.csv")


def trained_here(binary, folder):
    behaviors = write_behaviors(folder)
    kept = 0
    for kind in ("bottleneck", "houlsby", "parallel", "lora", "ia3", "bitfit", "full"):
        output = pathlib.Path(folder) / f"rec-{kind}"
        run(binary, "finetune", behaviors, "--from", BASE, "--output", output, "--adapter", kind, "--epochs", "2",
            "--bottleneck", "5", "--rank", "3", "--max-length", "16", "--quiet")
        adapter, own = output / "adapter", output / "base"
        if not adapter.exists():
            print(f"none   {kind}: validation didn't gain, the adapter was left out")
            continue
        kept += 1
        plain = ours(binary, own, None, folder)
        expected = ours(binary, own, adapter, folder)
        is_peft = kind in ("lora", "ia3", "bitfit")
        model = base(adapter) if kind == "full" else load(own, adapter, is_peft)
        found = theirs(model, own)
        check(gap(found, expected) < 1e-5 and gap(expected, plain) > 0,
              f"{kind}: trained here, read there, differs by {gap(found, expected):.1e}"
              f" (from the base by {gap(expected, plain):.1e})")
        if is_peft:
            # The base's path is relative to the adapter's folder, and the libraries take it from where they run.
            with contextlib.chdir(adapter):
                model = peft.AutoPeftModelForFeatureExtraction.from_pretrained(".").eval()
            check(gap(theirs(model, own), expected) < 1e-5, f"{kind}: PEFT finds the base that the adapter names")
        refused = run(binary, "embed", "--model", HERE / "../Goldens/checkpoints/st6", "--adapter", adapter, "--text",
                      "tea", fails=True)
        check("another base" in refused.stderr, f"{kind}: another base is refused")
    check(kept >= 4, f"{kept} kinds gained in validation and were compared")


if __name__ == "__main__":
    program = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        saved_by_the_library(program, place)
        exported(program, place)
        trained_here(program, place)
