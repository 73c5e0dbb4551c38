"""Writes small model directories in every form that is read, one sub-folder each: python variants.py FOLDER

Random weights, 2 layers of width 32; run in the environment `newest`. variants.json says how each is to be loaded:
a prompt, and which generations of the libraries can read it.
"""
import json
import os
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import (BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel, BertTokenizer,
                          DistilBertConfig, DistilBertForMaskedLM, DistilBertModel, ElectraConfig, ElectraModel)

PIECES = ("[PAD] [UNK] [CLS] [SEP] [MASK] a b c d e o r s t ##a ##b ##c ##d ##e ##o ##r ##s ##t ##ing the red blue book"
          " tea ##cup small large of and for , . ! ? The Red Tea 1 2 3 ##1 new item text color query : document cafe"
          " cold start ##er user 日 本 café").split()
SIZES = dict(vocab_size=len(PIECES) + 2, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
             intermediate_size=48, max_position_embeddings=40)
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
SWITCHES = dict(zip(MODES, ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens",
                            "lasttoken"]))
BOTH = ["old", "newest"]


def randomize(model, seed=1):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            norm = name.lower().endswith(("layernorm.weight", "layer_norm.weight"))
            parameter.copy_(1 + 0.2 * noise if norm else 0.15 * noise)
    return model.eval()


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)


class Variants:
    def __init__(self, root):
        self.root, self.index = root, {}

    def add(self, name, prompt="", libraries=BOTH, **facts):
        self.index[name] = {"prompt": prompt, "libraries": libraries, **facts}
        path = os.path.join(self.root, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def tokenizer(self, path, lower=True, length=40, only=None, **extra):
        BertTokenizer(vocab={p: i for i, p in enumerate(PIECES)}, do_lower_case=lower, model_max_length=length,
                      **extra).save_pretrained(path)
        with open(os.path.join(path, "vocab.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(PIECES) + "\n")
        for name in {"vocab": ["tokenizer.json"], "json": ["vocab.txt"]}.get(only, []):
            os.remove(os.path.join(path, name))

    def bert(self, name, model=None, tokens={}, config={}, save={}, **facts):
        path = self.add(name, **facts)
        (model or randomize(BertModel(BertConfig(**{**SIZES, **config})))).save_pretrained(path, **save)
        self.tokenizer(path, **tokens)
        return path

    def modules(self, path, kinds, pooling, transformer=""):
        kind = "sentence_transformers.models."
        names = [transformer] + [f"{i}_{k}" for i, k in enumerate(kinds[1:], 1)]
        write(f"{path}/modules.json", [{"idx": i, "name": str(i), "path": p, "type": kind + k}
                                       for i, (k, p) in enumerate(zip(kinds, names))])
        switches = {f"pooling_mode_{SWITCHES[m]}": m in pooling for m in MODES}
        write(f"{path}/1_Pooling/config.json", {"word_embedding_dimension": 32, **switches})
        write(os.path.join(path, transformer, "sentence_bert_config.json"), {"max_seq_length": 40, "do_lower_case": False})
        # Old readers want the folder even of a module without files.
        for name in names[1:]:
            os.makedirs(os.path.join(path, name), exist_ok=True)

    def dense(self, path, inputs, outputs, activation, bias, seed):
        generator = torch.Generator().manual_seed(seed)
        tensors = {"linear.weight": torch.randn(outputs, inputs, generator=generator) * 0.2}
        if bias:
            tensors["linear.bias"] = torch.randn(outputs, generator=generator)
        write(f"{path}/config.json", {"in_features": inputs, "out_features": outputs, "bias": bias,
                                      "activation_function": f"torch.nn.modules.{activation}"})
        save_file(tensors, f"{path}/model.safetensors")
        torch.save(tensors, f"{path}/pytorch_model.bin")


def change(path, rule):
    file = os.path.join(path, "model.safetensors")
    save_file({k: v.contiguous() for k, v in rule(load_file(file)).items()}, file, metadata={"format": "pt"})


def settings(path, name, **values):
    file = os.path.join(path, name)
    old = json.load(open(file, encoding="utf-8")) if os.path.exists(file) else {}
    write(file, {**old, **values})


def weights(v):
    v.bert("bare")
    v.bert("prefixed_tied_head", randomize(BertForMaskedLM(BertConfig(**SIZES))))
    # transformers 4 computes with one of the two biases and 5 with the other: they are the same in real files.
    untied = randomize(BertForMaskedLM(BertConfig(**SIZES, tie_word_embeddings=False)))
    untied.cls.predictions.decoder.bias.data.copy_(untied.cls.predictions.bias.data)
    v.bert("untied_head", untied)
    v.bert("classifier", randomize(BertForSequenceClassification(BertConfig(**SIZES))))
    v.bert("relu", config={"hidden_act": "relu"})
    v.bert("tanh_gelu", config={"hidden_act": "gelu_new", "layer_norm_eps": 1e-6, "type_vocab_size": 3})
    path = v.bert("gamma_beta_position_ids")
    change(path, lambda t: {**{k.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
        "LayerNorm.bias", "LayerNorm.beta"): x for k, x in t.items()}, "embeddings.position_ids": torch.arange(40)[None]})
    for name, kind in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        path = v.bert(name)
        change(path, lambda t: {k: x.to(kind) for k, x in t.items()})
        settings(path, "config.json", torch_dtype=str(kind)[6:])
    path = v.bert("sharded", save={"max_shard_size": "20KB"})
    assert os.path.exists(os.path.join(path, "model.safetensors.index.json")), "not sharded"
    path = v.add("distilbert")
    config = dict(vocab_size=SIZES["vocab_size"], dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=40)
    randomize(DistilBertModel(DistilBertConfig(**config))).save_pretrained(path)
    v.tokenizer(path)
    settings(path, "tokenizer_config.json", tokenizer_class="DistilBertTokenizer")
    path = v.add("distilbert_head")
    randomize(DistilBertForMaskedLM(DistilBertConfig(**config, activation="relu"))).save_pretrained(path)
    v.tokenizer(path)
    settings(path, "tokenizer_config.json", tokenizer_class="DistilBertTokenizer")
    path = v.add("electra")
    randomize(ElectraModel(ElectraConfig(**SIZES, embedding_size=32))).save_pretrained(path)
    v.tokenizer(path)
    settings(path, "tokenizer_config.json", tokenizer_class="ElectraTokenizer")


def tokenizers(v):
    v.bert("vocab_only", tokens={"only": "vocab"})
    v.bert("json_only", tokens={"only": "json"})
    v.bert("cased", tokens={"lower": False})
    v.bert("cased_vocab_only", tokens={"lower": False, "only": "vocab"})
    v.bert("cased_json_only", tokens={"lower": False, "only": "json"})
    v.bert("keeps_accents", tokens={"strip_accents": False})
    path = v.bert("verbatim_json", tokens={"lower": False})
    settings(path, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", do_lower_case=True)


def sentences(v):
    for mode in MODES:
        v.modules(v.bert(f"pooling_{mode}"), ["Transformer", "Pooling"], [mode])
    v.modules(v.bert("pooling_all"), ["Transformer", "Pooling", "Normalize"], MODES)
    v.modules(v.bert("pooling_mean_max"), ["Transformer", "Pooling"], ["mean", "max"])
    path = v.bert("dense_tanh")
    v.modules(path, ["Transformer", "Pooling", "Dense", "Normalize"], ["mean"])
    v.dense(f"{path}/2_Dense", 32, 12, "activation.Tanh", True, 5)
    path = v.bert("dense_twice")
    v.modules(path, ["Transformer", "Pooling", "Dense", "Dense"], ["cls", "weightedmean"])
    v.dense(f"{path}/2_Dense", 64, 20, "activation.GELU", False, 6)
    v.dense(f"{path}/3_Dense", 20, 7, "linear.Identity", True, 7)
    path = v.bert("0_Transformer")
    inner = os.listdir(path)
    os.makedirs(f"{path}/0_Transformer")
    for name in inner:
        os.rename(f"{path}/{name}", f"{path}/0_Transformer/{name}")
    v.modules(path, ["Transformer", "Pooling", "Normalize"], ["mean"], transformer="0_Transformer")
    for name, file in (("length_file", {"max_seq_length": 9, "do_lower_case": False}),
                       ("length_null", {"max_seq_length": None, "do_lower_case": False})):
        path = v.bert(name, tokens={"length": 13})
        v.modules(path, ["Transformer", "Pooling"], ["mean"])
        write(f"{path}/sentence_bert_config.json", file)
    path = v.bert("length_no_file", tokens={"length": 13}, libraries=["newest"])
    v.modules(path, ["Transformer", "Pooling"], ["mean"])
    os.remove(f"{path}/sentence_bert_config.json")
    path = v.bert("length_without_modules", tokens={"length": 13}, libraries=["newest"])
    write(f"{path}/sentence_bert_config.json", {"max_seq_length": 9, "do_lower_case": False})
    path = v.bert("truncate_dim", libraries=["newest"])
    v.modules(path, ["Transformer", "Pooling", "Normalize"], ["mean"])
    write(f"{path}/config_sentence_transformers.json", {"prompts": {}, "truncate_dim": 11})
    v.bert("length_tokenizer", tokens={"length": 13})
    v.bert("length_positions", tokens={"length": 10**30})
    path = v.bert("length_old_name")
    v.modules(path, ["Transformer", "Pooling"], ["mean"])
    os.rename(f"{path}/sentence_bert_config.json", f"{path}/sentence_distilbert_config.json")
    write(f"{path}/sentence_distilbert_config.json", {"max_seq_length": 7, "do_lower_case": False})
    # Old versions lowercase [MASK] in a text too, so that the tokenizer misses it.
    path = v.bert("lowercases_first", tokens={"lower": False}, libraries=["newest"])
    v.modules(path, ["Transformer", "Pooling"], ["mean"])
    write(f"{path}/sentence_bert_config.json", {"max_seq_length": 40, "do_lower_case": True})
    prompts = {"query": "query : ", "document": "document : "}
    path = v.bert("default_prompt", prompt="document")
    v.modules(path, ["Transformer", "Pooling"], ["mean"])
    write(f"{path}/config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": "document"})
    # Of the first token behind a prompt the versions think differently; version 6 takes it for [CLS].
    for mode in MODES:
        path = v.bert(f"prompt_left_out_{mode}", prompt="query", libraries=["newest"] if mode == "cls" else BOTH)
        v.modules(path, ["Transformer", "Pooling"], [mode])
        settings(path, "1_Pooling/config.json", include_prompt=False)
        write(f"{path}/config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    # As the newest version writes them itself, with its own order of modes.
    for name in ("pooling_all", "dense_tanh", "prompt_left_out_mean"):
        source = v.index[name]
        path = v.add(f"version6_{name}", prompt=source["prompt"], libraries=["newest"])
        SentenceTransformer(os.path.join(v.root, name), device="cpu").save(path)
    settings(os.path.join(v.root, "version6_pooling_all"), "1_Pooling/config.json",
             pooling_mode=["lasttoken", "mean", "cls"])


def adapters(root):
    """Adapters with random weights for `pooling_mean`, as AdapterHub's and PEFT's libraries write them."""
    generator = torch.Generator().manual_seed(9)
    draw = lambda *shape: torch.randn(*shape, generator=generator) * 0.3
    designs = {"bottleneck": dict(mh_adapter=False, non_linearity="relu", original_ln_before=True, is_parallel=False, scaling=1.0),
               "houlsby": dict(mh_adapter=True, non_linearity="swish", original_ln_before=False, is_parallel=False, scaling=1.0),
               "parallel": dict(mh_adapter=False, non_linearity="relu", original_ln_before=False, is_parallel=True, scaling=4.0)}
    for name, design in designs.items():
        path = os.path.join(root, "adapters", name)
        config = {"output_adapter": True, "reduction_factor": 4, "original_ln_after": True, "ln_before": False,
                  "ln_after": False, "residual_before_ln": True, "adapter_residual_before_ln": False, "use_gating": False,
                  "dropout": 0.0, "phm_layer": False, "init_weights": "bert", "leave_out": [], "inv_adapter": None,
                  "cross_adapter": False, **design}
        write(f"{path}/adapter_config.json", {"config": config, "hidden_size": 32, "model_class": "BertModel",
                                              "model_name": "", "model_type": "bert", "name": "item",
                                              "version": "adapters.1.3.0"})
        tensors = {}
        for layer in range(2):
            for site in ["attention.output", "output"][0 if design["mh_adapter"] else 1:]:
                scope = f"encoder.layer.{layer}.{site}.adapters.item."
                tensors.update({scope + "adapter_down.0.weight": draw(8, 32), scope + "adapter_down.0.bias": draw(8),
                                scope + "adapter_up.weight": draw(32, 8), scope + "adapter_up.bias": draw(32)})
        save_file(tensors, f"{path}/adapter.safetensors", metadata={"format": "pt"})
    path = os.path.join(root, "adapters", "lora")
    write(f"{path}/adapter_config.json", {
        "peft_type": "LORA", "task_type": "FEATURE_EXTRACTION", "base_model_name_or_path": "base", "r": 3, "lora_alpha": 6,
        "lora_dropout": 0.0, "target_modules": ["query", "value"], "bias": "none", "fan_in_fan_out": False,
        "modules_to_save": None, "inference_mode": True})
    save_file({f"base_model.model.encoder.layer.{n}.attention.self.{m}.lora_{side}.weight": draw(*shape)
               for n in range(2) for m in ("query", "value") for side, shape in (("A", (3, 32)), ("B", (32, 3)))},
              f"{path}/adapter_model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    torch.set_num_threads(1)
    everything = Variants(sys.argv[1])
    weights(everything)
    tokenizers(everything)
    sentences(everything)
    adapters(sys.argv[1])
    write(os.path.join(sys.argv[1], "variants.json"), everything.index)
