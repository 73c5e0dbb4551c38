"""Writes mlm_gelu.safetensors and mlm_gelu_new.safetensors: a tiny BertForMaskedLM in float64.

Made with torch 2.13.0+cpu, transformers 5.24.0, sentence-transformers 6.2.0, safetensors 0.8.0, numpy 2.4.6:
    OMP_NUM_THREADS=1 python generate.py

Each file holds, under Hugging Face's names without the `bert.` prefix,
    weights/NAME       the initial weights, exact in float32
    gradients/NAME     d loss / d weight, before clipping
    final/NAME         the weights after ten AdamW steps (mlm_gelu only)
    hidden/0..2        embedding output and each layer's output, real tokens only, (tokens, H)
    logits, loss       at the masked positions; mean cross-entropy in nats
    losses, norms      of the ten steps: loss before the step, gradient norm before clipping
    pooled/MODE        sentence-transformers' mean, cls and max of the last layer, (sequences, H)
    bag/...            a bag-of-words head on the mean: its weights, targets (CSR), summed loss, gradients
and the batch itself: ids, types, offsets, masked (positions in the packed batch), targets.
"""

import copy
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import BertConfig, BertForMaskedLM

HERE = pathlib.Path(__file__).parent
LENGTHS = [9, 1, 24, 6]
VOCABULARY, WIDTH = 50, 16


def configuration(activation):
    return BertConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=24, type_vocab_size=2, hidden_act=activation,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, layer_norm_eps=1e-12,
        attn_implementation="eager")


def fill(model, generator):
    """Weights far from their initialisation, LayerNorms and biases too, exact in float32."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
            if "LayerNorm.weight" in name:
                value = 1 + 0.2 * noise
            elif name.endswith("bias"):
                value = 0.2 * noise
            elif "embeddings" in name:
                value = 0.5 * noise
            else:
                value = 0.3 * noise
            parameter.copy_(value.float().double())


def batch(generator):
    """Sequences of different lengths, token types after a break, every fourth token or so masked."""
    rows, types, masked, targets = [], [], [], []
    for length in LENGTHS:
        # Id 0 is the padding token, whose embedding row transformers gives no gradient.
        ids = torch.randint(1, VOCABULARY, (length,), generator=generator)
        rows.append(ids)
        types.append((torch.arange(length) >= length // 2 + 1).long())
        chosen = torch.rand(length, generator=generator) < 0.3
        chosen[length // 2] = True
        masked.append(chosen)
        targets.append(torch.randint(1, VOCABULARY, (length,), generator=generator))
    return rows, types, masked, targets


def padded(rows, value):
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)


def short(name):
    return name.removeprefix("bert.")


def numpy64(tensor):
    return tensor.detach().numpy().astype(np.float64).copy()


def train(model, inputs):
    """Ten steps as a plain PyTorch loop does them, on one batch."""
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(**inputs).loss
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        losses.append(loss.item())
        optimizer.step()
    return losses, norms


def bag_of_words(out, word_embeddings, pooled, generator):
    """loss = sum over texts of CE(decoder(dense(pooled)), bag), decoder tied to the word embeddings."""
    def draw(*shape):
        return (0.3 * torch.randn(*shape, generator=generator)).double().requires_grad_()
    dense, bias, decoder = draw(WIDTH, WIDTH), draw(WIDTH), draw(VOCABULARY)
    word = word_embeddings.detach().clone().requires_grad_()
    pooled = pooled.detach().clone().requires_grad_()
    offsets, columns, values = [0], [], []
    target = torch.zeros(len(LENGTHS), VOCABULARY, dtype=torch.float64)
    for row, count in enumerate([3, 1, 5, 2]):
        chosen = torch.randperm(VOCABULARY, generator=generator)[:count].sort().values
        weights = torch.rand(count, generator=generator).double() + 0.1
        weights = weights / weights.sum()
        target[row, chosen] = weights
        columns += chosen.tolist()
        values += weights.tolist()
        offsets.append(len(columns))
    logits = torch.nn.functional.linear(pooled @ dense.T + bias, word, decoder)
    loss = torch.nn.functional.cross_entropy(logits, target, reduction="sum")
    loss.backward()
    names = {"dense.weight": dense, "dense.bias": bias, "decoder.bias": decoder}
    for name, tensor in names.items():
        out["bag/weights/" + name] = numpy64(tensor).astype(np.float32)
        out["bag/gradients/" + name] = numpy64(tensor.grad)
    out["bag/gradients/word"] = numpy64(word.grad)
    out["bag/gradients/pooled"] = numpy64(pooled.grad)
    out["bag/offsets"] = np.array(offsets, dtype=np.int32)
    out["bag/columns"] = np.array(columns, dtype=np.int32)
    out["bag/values"] = np.array(values, dtype=np.float64)
    out["bag/loss"] = np.array([loss.item()])


def write(activation, seed, with_final):
    generator = torch.Generator().manual_seed(seed)
    model = BertForMaskedLM(configuration(activation)).double()
    fill(model, generator)
    rows, types, masked, targets = batch(generator)
    attention = padded([torch.ones(n, dtype=torch.long) for n in LENGTHS], 0)
    real = attention.bool()
    mask = padded(masked, False)
    labels = torch.where(mask, padded(targets, 0), -100)
    inputs = dict(input_ids=padded(rows, 0), token_type_ids=padded(types, 0),
                  attention_mask=attention, labels=labels)
    out = {
        "ids": torch.cat(rows).int().numpy(), "types": torch.cat(types).int().numpy(),
        "offsets": np.cumsum([0] + LENGTHS).astype(np.int32),
        "masked": torch.cat(masked).nonzero().flatten().int().numpy(),
        "targets": torch.cat(targets)[torch.cat(masked)].int().numpy()}
    for name, parameter in model.named_parameters():
        out["weights/" + short(name)] = numpy64(parameter).astype(np.float32)

    output = model(**inputs, output_hidden_states=True)
    output.loss.backward()
    for layer, hidden in enumerate(output.hidden_states):
        out[f"hidden/{layer}"] = numpy64(hidden[real])
    out["logits"] = numpy64(output.logits[mask])
    out["loss"] = np.array([output.loss.item()])
    for name, parameter in model.named_parameters():
        out["gradients/" + short(name)] = numpy64(parameter.grad)
    last = output.hidden_states[-1].detach()
    for mode in ["mean", "cls", "max"]:
        pooling = Pooling(WIDTH, pooling_mode=mode)
        features = {"token_embeddings": last.clone(), "attention_mask": attention}
        out["pooled/" + mode] = numpy64(pooling(features)["sentence_embedding"])
    bag_of_words(out, model.bert.embeddings.word_embeddings.weight,
                 torch.from_numpy(out["pooled/mean"]), generator)

    trained = copy.deepcopy(model)
    trained.zero_grad()
    losses, norms = train(trained, inputs)
    out["losses"], out["norms"] = np.array(losses), np.array(norms)
    if with_final:
        for name, parameter in trained.named_parameters():
            out["final/" + short(name)] = numpy64(parameter)
    save_file(out, HERE / f"mlm_{activation}.safetensors")
    print(activation, "loss", output.loss.item(), "losses", losses, "norms", norms)


if __name__ == "__main__":
    write("gelu", 1, True)
    write("gelu_new", 2, False)
