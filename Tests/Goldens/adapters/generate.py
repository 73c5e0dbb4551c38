"""Writes adapters as AdapterHub's and PEFT's libraries save them, and the hidden states that they give.

Made with adapters 1.3.0, peft 0.18.1, transformers 4.57.6, torch 2.13.0+cpu, safetensors 0.8.0:
    OMP_NUM_THREADS=1 python Tests/Goldens/adapters/generate.py

The base is the encoder of ../checkpoints/mlm. Every folder holds one adapter with random values; expected.json has
the token ids and, by folder, the last layer's output of real tokens, (tokens, 16), and `base` without an adapter.
"""

import json
import pathlib
import shutil

import adapters
import peft
import torch
from transformers import BertModel

HERE = pathlib.Path(__file__).parent
SEQUENCES = [[2, 9, 12, 3], [2, 3], [2, 30, 31, 32, 33, 34, 35, 36, 3], [2, 40, 12, 12, 9, 50, 3]]

HUB = {
    "hub_seq_bn": adapters.SeqBnConfig(reduction_factor=4),
    "hub_double_seq_bn": adapters.DoubleSeqBnConfig(reduction_factor=3.1),
    "hub_par_bn": adapters.ParBnConfig(reduction_factor=2),
    "hub_mixed": adapters.SeqBnConfig(mh_adapter=True, reduction_factor={"1": 8, "default": 4}, leave_out=[0],
                                      non_linearity="gelu", scaling=0.5),
    "hub_lora": adapters.LoRAConfig(r=2, alpha=5, attn_matrices=["q", "k"], intermediate_lora=True,
                                    output_lora=True, leave_out=[0]),
    "hub_ia3": adapters.IA3Config(),
}
PEFT = {
    "peft_lora": peft.LoraConfig(r=2, lora_alpha=8, target_modules=["query", "value", "output.dense"]),
    "peft_rslora": peft.LoraConfig(r=4, lora_alpha=8, use_rslora=True, target_modules="all-linear"),
    "peft_biases": peft.LoraConfig(r=2, target_modules=["query"], bias="all"),
    "peft_saved": peft.LoraConfig(r=1, target_modules=["value"], modules_to_save=["LayerNorm"]),
    "peft_ia3": peft.IA3Config(),
    "peft_layernorm": peft.LNTuningConfig(target_modules=["LayerNorm"]),
}


def base():
    # LoRA draws its A before the noise is added.
    torch.manual_seed(0)
    model = BertModel.from_pretrained(HERE / "../checkpoints/mlm", add_pooling_layer=False,
                                      attn_implementation="eager")
    return model.eval()


def randomize(parameters, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(parameters):
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(0.3 * noise)


def hidden(model):
    rows = []
    with torch.no_grad():
        for ids in SEQUENCES:
            rows += model(input_ids=torch.tensor([ids])).last_hidden_state[0].flatten().tolist()
    return [round(x, 7) for x in rows]


def forget_path(folder, key):
    """The configuration names the base by its path on this machine, which nobody else has."""
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text())
    config[key] = "mlm"
    file.write_text(json.dumps(config, indent=2) + "\n")


def trainable(model):
    return [(n, p) for n, p in model.named_parameters() if p.requires_grad]


if __name__ == "__main__":
    expected = {"sequences": SEQUENCES, "hidden": {"base": hidden(base())}}
    for seed, (name, config) in enumerate(HUB.items()):
        model, folder = base(), HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        adapters.init(model)
        model.add_adapter("books", config=config)
        model.train_adapter("books")
        randomize(trainable(model), seed)
        model.eval()
        expected["hidden"][name] = hidden(model)
        folder.mkdir()
        model.save_adapter(str(folder), "books", use_safetensors=True)
        forget_path(folder, "model_name")
        expected["parameters"] = expected.get("parameters", {})
        expected["parameters"][name] = sum(p.numel() for _, p in trainable(model))
    for seed, (name, config) in enumerate(PEFT.items()):
        model, folder = peft.get_peft_model(base(), config), HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        randomize(trainable(model), 100 + seed)
        model.eval()
        expected["hidden"][name] = hidden(model)
        model.save_pretrained(folder)
        (folder / "README.md").unlink()
        forget_path(folder, "base_model_name_or_path")
        expected["parameters"][name] = sum(p.numel() for _, p in trainable(model))
    for name, values in expected["hidden"].items():
        gap = max(abs(a - b) for a, b in zip(values, expected["hidden"]["base"]))
        print(name, "differs from the base by", round(gap, 3), "parameters", expected["parameters"].get(name))
        assert name == "base" or gap > 0.05
    with open(HERE / "expected.json", "w", encoding="utf-8") as file:
        json.dump(expected, file, separators=(",", ":"))
        file.write("\n")
