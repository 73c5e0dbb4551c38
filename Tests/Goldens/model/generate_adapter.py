"""Writes adapter.safetensors: AdapterHub's `seq_bn` adapters in the model of mlm_gelu.safetensors.

Made with adapters 1.3.0 (which pins transformers 4.57.6), torch 2.13.0+cpu, safetensors 0.8.0, numpy 2.4.6:
    OMP_NUM_THREADS=1 python generate_adapter.py

`both/...` has an adapter of width 4 in each of the two layers, `last/...` in the second layer only:
    CASE/weights/NAME     adapter weights, exact in float32
    CASE/hidden           last layer's output, real tokens only, (tokens, H)
    CASE/gradients/NAME   of every adapter weight, and of every weight of the base as well
of the loss sum(mean-pooled vectors * projection). With the base frozen the library gives the same adapter
gradients, which the script asserts.
"""

import pathlib

import adapters
import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from transformers import BertConfig, BertModel

HERE = pathlib.Path(__file__).parent


def numpy64(tensor):
    return tensor.detach().numpy().astype(np.float64).copy()


def base_model(golden):
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=24, type_vocab_size=2, hidden_act="gelu",
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, layer_norm_eps=1e-12,
        attn_implementation="eager")
    model = BertModel(config, add_pooling_layer=False).double()
    weights = {n.removeprefix("weights/"): torch.from_numpy(a).double()
               for n, a in golden.items() if n.startswith("weights/") and "/cls." not in n}
    model.load_state_dict(weights, strict=True)
    return model


def batch(golden):
    lengths = np.diff(golden["offsets"])
    attention = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    ids, types = torch.zeros_like(attention), torch.zeros_like(attention)
    for row, (start, length) in enumerate(zip(golden["offsets"], lengths)):
        attention[row, :length] = 1
        ids[row, :length] = torch.from_numpy(golden["ids"][start:start + length])
        types[row, :length] = torch.from_numpy(golden["types"][start:start + length])
    return ids, types, attention


def write(out, case, golden, generator, **options):
    model = base_model(golden)
    adapters.init(model)
    model.add_adapter("item", config=adapters.SeqBnConfig(reduction_factor=4, **options))
    model.train_adapter("item")
    model.double().eval()
    adapter = {n: p for n, p in model.named_parameters() if ".adapters.item." in n}
    with torch.no_grad():
        for parameter in adapter.values():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
            parameter.copy_((0.3 * noise).double())
    ids, types, attention = batch(golden)
    projection = torch.from_numpy(out["projection"])

    def run():
        model.zero_grad()
        hidden = model(input_ids=ids, token_type_ids=types, attention_mask=attention).last_hidden_state
        mask = attention.double().unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        loss = (pooled * projection).sum()
        loss.backward()
        return hidden, loss, {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}

    _, _, frozen = run()
    assert set(frozen) == set(adapter)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    hidden, loss, gradients = run()
    for name in adapter:
        assert torch.allclose(gradients[name], frozen[name], rtol=0, atol=1e-13)
        out[f"{case}/weights/{name}"] = numpy64(adapter[name]).astype(np.float32)
    for name, gradient in gradients.items():
        out[f"{case}/gradients/{name}"] = numpy64(gradient)
    out[f"{case}/hidden"] = numpy64(hidden[attention.bool()])
    out[f"{case}/loss"] = np.array([loss.item()])
    print(case, "loss", loss.item(), "adapter tensors", len(adapter), "gradients", len(gradients))


if __name__ == "__main__":
    golden = load_file(HERE / "mlm_gelu.safetensors")
    generator = torch.Generator().manual_seed(3)
    sequences = len(golden["offsets"]) - 1
    out = {"projection": numpy64(torch.randn(sequences, 16, generator=generator, dtype=torch.float64))}
    write(out, "both", golden, generator)
    write(out, "last", golden, generator, leave_out=[0])
    save_file(out, HERE / "adapter.safetensors")
