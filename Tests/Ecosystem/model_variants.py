#!/usr/bin/env python3
"""Every form of BERT directory that is read, against sentence-transformers 2 with transformers 4 and the newest ones.

    python Tests/Ecosystem/model_variants.py .build/release/encoder

Small random models are written in each form (prefixed and bare tensors, gamma and beta, shards, half precision, untied
heads, relatives of BERT, tokenizers, lengths, pooling, Dense, prompts, both layouts) and embedded by both; what isn't
supported must be refused with a sentence. Makes the environments it needs, see support/environments.py.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from support import environments, models

# (what is changed, by what, what the message must say)
REFUSALS = [
    ("config.json", {"model_type": "roberta"}, "roberta isn't supported (its positions begin"),
    ("config.json", {"model_type": "mpnet"}, "relative positions"),
    ("config.json", {"position_embedding_type": "relative_key"}, "relative_key"),
    ("config.json", {"is_decoder": True}, "decoders aren't supported"),
    ("config.json", {"hidden_act": "silu"}, "silu"),
    ("config.json", {"model_type": "electra", "embedding_size": 16}, "electra-base"),
    ("modules.json", [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.CLIPModel"}], "CLIPModel"),
    ("modules.json", [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}], "isn't run"),
    ("modules.json", [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}], "Pooling"),
    ("modules.json", [{"idx": 0, "name": "0", "path": "../bare", "type": "sentence_transformers.models.Transformer"}],
     "leaves the folder"),
    ("modules.json", [{"idx": 0, "name": "0", "path": 5, "type": "sentence_transformers.models.Transformer"}],
     "path isn't a string"),
    ("config_sentence_transformers.json", {"truncate_dim": 0}, "truncate_dim"),
    ("config_sentence_transformers.json", {"model_type": "SparseEncoder"}, "SparseEncoder"),
    ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "fill-mask"),
    ("sentence_bert_config.json", {"max_seq_length": 2}, "max_seq_length"),
]


def refused(binary, path, expected, report, name):
    done = subprocess.run([binary, "embed", "--model", path, "--text", "a"], capture_output=True, text=True)
    message = done.stderr.strip()
    good = done.returncode == 1 and message.startswith("error: ") and expected in message and "; " in message
    report.line(good, f"refused, {name}: {message.replace(path, 'DIR')[:230]}")


def refusals(binary, folder, report):
    def copy(source="vocab_only"):
        path = os.path.join(folder, "refused")
        shutil.rmtree(path, ignore_errors=True)
        return shutil.copytree(os.path.join(folder, source), path)

    for name, value, expected in REFUSALS:
        # Without modules.json nobody looks into sentence_bert_config.json.
        path = copy("length_file" if name == "sentence_bert_config.json" else "vocab_only")
        file = os.path.join(path, name)
        if isinstance(value, dict) and os.path.exists(file):
            value = {**json.load(open(file)), **value}
        json.dump(value, open(file, "w"))
        refused(binary, path, expected, report, f"{name} {expected}")
    path = copy()
    os.rename(f"{path}/model.safetensors", f"{path}/pytorch_model.bin")
    refused(binary, path, "safe_serialization=True", report, "pickled weights")
    os.rename(f"{path}/pytorch_model.bin", f"{path}/pytorch_model-00001-of-00001.bin")
    json.dump({"weight_map": {}}, open(f"{path}/pytorch_model.bin.index.json", "w"))
    refused(binary, path, "safe_serialization=True", report, "pickled weights in shards")
    for name in ("sentencepiece.bpe.model", "merges.txt"):
        path = copy()
        os.rename(f"{path}/vocab.txt", f"{path}/{name}")
        refused(binary, path, "WordPiece", report, name)
    path = copy()
    json.dump({"new": 61}, open(f"{path}/added_tokens.json", "w"))
    refused(binary, path, "added", report, "added tokens without tokenizer.json")
    path = copy()
    json.dump({"tokenizer_class": "BertJapaneseTokenizer"}, open(f"{path}/tokenizer_config.json", "w"))
    refused(binary, path, "BertJapaneseTokenizer", report, "another tokenizer")
    path = copy()
    with open(f"{path}/model.safetensors", "r+b") as file:
        file.truncate(os.path.getsize(f"{path}/model.safetensors") - 4)
    refused(binary, path, "the file holds", report, "a file cut short")


def main():
    binary = os.path.abspath(sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__))
    report = models.Report()
    with tempfile.TemporaryDirectory() as folder:
        environments.run("newest", os.path.join(models.HERE, "variants.py"), folder)
        with open(os.path.join(folder, "variants.json"), encoding="utf-8") as file:
            variants = json.load(file)
        ours = {}
        for name, facts in variants.items():
            options = ["--prompt-name", facts["prompt"]] if facts["prompt"] else []
            ours[name] = models.embed(binary, os.path.join(folder, name), *options)
        for library in ("old", "newest"):
            jobs = [(name, facts["prompt"]) for name, facts in variants.items() if library in facts["libraries"]]
            for name, vectors in models.theirs(library, folder, jobs).items():
                report.close(f"{library}: {name}", ours[name], vectors)
        refusals(binary, folder, report)
    report.finish()


if __name__ == "__main__":
    main()
