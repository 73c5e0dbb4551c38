#!/usr/bin/env python3
"""Writes the tiny model directories and their expected outputs that CheckpointsTests read.

Versions: Python 3.11, torch 2.13.0 (CPU), transformers 5.24.0, tokenizers 0.23.3,
sentence-transformers 6.2.0, safetensors 0.8.0, numpy 2.x.

    python Tests/Goldens/checkpoints/generate.py

Directories (2 layers, width 16, 2 heads, FFN 32, 64 positions, random weights, LayerNorms too):
  mlm      BertForMaskedLM as transformers writes it: prefix bert., tied decoder, no modules.json
  st6      SentenceTransformer as sentence-transformers 6 writes it: cls pooling, prompts, no Normalize
  legacy   the layout of versions 2 to 5, written by hand: no prefix, gamma and beta, position_ids,
           half precision, two shards, max pooling + Normalize, vocab.txt only, cased
expected.json holds token ids, vectors, hidden states and masked-token logits.
"""

import json
import os
import shutil

import numpy as np
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
PIECES = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e o r s t ##a ##b ##c ##d ##e ##o ##r ##s ##t ##ing the red"
    " blue book tea ##cup small large of and for , . ! ? The Red Tea 1 2 3 ##1 new item text color query"
    " : document cafe cold start ##er user 日 本"
).split()
TEXTS = [
    "The red teacup",
    "",
    "a small book of tea , and the blue item for the user ! cold starter text",
    "Cafe 日本 zebra",
    "the red teacup",
    "  new\titem  text?",
]
MASKED = "the [MASK] book of [MASK]"


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.2 * noise if name.endswith("LayerNorm.weight") else 0.3 * noise)
    return model.eval()


def config(**extra):
    return BertConfig(
        vocab_size=len(PIECES) + 3, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, **extra)


def tokenizer(lower):
    return BertTokenizer(vocab={p: i for i, p in enumerate(PIECES)}, do_lower_case=lower, model_max_length=48)


def fresh(name):
    path = os.path.join(HERE, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def rounded(array):
    return [float(np.float32(x)) for x in np.asarray(array, dtype=np.float32).reshape(-1)]


def vectors(path, **options):
    # Half-precision files would else be computed in half precision.
    model = SentenceTransformer(path, device="cpu", model_kwargs={"dtype": torch.float32})
    ids = [model.tokenizer(t, truncation=True, max_length=model.max_seq_length)["input_ids"] for t in TEXTS]
    return {"ids": ids, "vectors": rounded(model.encode(TEXTS, batch_size=1, **options))}


def mlm():
    path = fresh("mlm")
    model = randomize(BertForMaskedLM(config(hidden_act="gelu_new")), 1)
    model.save_pretrained(path)
    words = tokenizer(True)
    words.save_pretrained(path)
    encoded = words(MASKED, return_tensors="pt")
    positions = (encoded.input_ids[0] == words.mask_token_id).nonzero()[:, 0]
    with torch.no_grad():
        out = model(**encoded, output_hidden_states=True)
    result = vectors(path)
    result["maskedIDs"] = encoded.input_ids[0].tolist()
    result["maskedPositions"] = positions.tolist()
    result["hidden"] = rounded(out.hidden_states[-1][0])
    result["logits"] = rounded(out.logits[0, positions])
    return result


def st6():
    path = fresh("st6")
    base = fresh("base.tmp")
    randomize(BertModel(config()), 2).save_pretrained(base)
    tokenizer(True).save_pretrained(base)
    transformer = Transformer(base, max_seq_length=12)
    model = SentenceTransformer(
        modules=[transformer, Pooling(16, pooling_mode="cls")], device="cpu",
        prompts={"query": "query : ", "document": "document : "}, default_prompt_name="document")
    model.save(path)
    shutil.rmtree(base)
    result = vectors(path)
    result["queryVectors"] = rounded(
        SentenceTransformer(path, device="cpu").encode(TEXTS, batch_size=1, prompt_name="query"))
    return result


def legacy():
    path = fresh("legacy")
    model = randomize(BertModel(config(hidden_act="relu"), add_pooling_layer=False), 3)
    tensors = {}
    for name, value in model.state_dict().items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        kind = torch.bfloat16 if "layer.1" in name else torch.float16
        tensors[name] = value.to(kind).contiguous()
    tensors["embeddings.position_ids"] = torch.arange(64).unsqueeze(0)
    names = sorted(tensors)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in shards.items():
        save_file({n: tensors[n] for n in part}, os.path.join(path, file))
    write = lambda name, value: json.dump(value, open(os.path.join(path, name), "w"), indent=1)
    index = {n: file for file, part in shards.items() for n in part}
    write("model.safetensors.index.json", {"metadata": {"total_size": 0}, "weight_map": index})
    raw = config(hidden_act="relu").to_dict()
    keys = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "max_position_embeddings", "hidden_act", "type_vocab_size", "layer_norm_eps"]
    write("config.json", {"model_type": "bert", "architectures": ["BertModel"], "directionality": "bidi",
                          **{k: raw[k] for k in keys}})
    with open(os.path.join(path, "vocab.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(PIECES) + "\n")
    write("tokenizer_config.json", {"do_lower_case": False, "model_max_length": 512})
    write("sentence_bert_config.json", {"max_seq_length": 10, "do_lower_case": False})
    kind = "sentence_transformers.models."
    write("modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": kind + "Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": kind + "Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": kind + "Normalize"}])
    os.makedirs(os.path.join(path, "1_Pooling"))
    write("1_Pooling/config.json", {
        "word_embedding_dimension": 16, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": False,
        "pooling_mode_max_tokens": True, "pooling_mode_mean_sqrt_len_tokens": False})
    return vectors(path)


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    expected = {"texts": TEXTS, "mlm": mlm(), "st6": st6(), "legacy": legacy()}
    for directory in ["mlm", "st6", "legacy"]:
        for extra in ["README.md", "generation_config.json"]:
            file = os.path.join(HERE, directory, extra)
            if os.path.exists(file):
                os.remove(file)
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, ensure_ascii=False)
        file.write("\n")
