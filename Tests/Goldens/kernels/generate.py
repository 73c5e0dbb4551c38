"""Writes kernels.json: outputs and gradients of PyTorch's operations, which KernelsTests compare with.

Written with Python 3.11, torch 2.13.0+cpu, in float64 on inputs that Float represents exactly.
Run: python Tests/Goldens/kernels/generate.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(7)


def values(*shape, scale=2.0):
    """Random multiples of 1/64, so that Float and Double start from the same numbers."""
    return (torch.randn(*shape, dtype=torch.float64) * scale * 64).round() / 64


def numbers(tensor):
    return [float(f"{v:.15g}") for v in tensor.detach().reshape(-1).tolist()]


def gradients(output, upstream, *inputs):
    return [numbers(g) for g in torch.autograd.grad(output, inputs, upstream)]


golden = {}

z = torch.cat([torch.arange(-48, 49, dtype=torch.float64) / 8, torch.tensor([-40.0, -9.5, 9.5, 40.0])])
z = z.double().requires_grad_()
functions = {
    "gelu": F.gelu,
    "geluTanh": lambda t: F.gelu(t, approximate="tanh"),
    "relu": F.relu,
    "swish": F.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda t: F.softplus(t, threshold=1000),
    "exp": torch.exp,
}
golden["functions"] = {"z": numbers(z)}
for name, function in functions.items():
    y = function(z)
    golden["functions"][name] = numbers(y)
    golden["functions"][name + "Slope"] = gradients(y, torch.ones_like(y), z)[0]

x, weight, bias = (values(*s).requires_grad_() for s in ((3, 10), (10,), (10,)))
upstream = values(3, 10)
y = F.layer_norm(x, (10,), weight, bias, eps=1e-12)
dx, dweight, dbias = gradients(y, upstream, x, weight, bias)
golden["layerNorm"] = dict(
    x=numbers(x), weight=numbers(weight), bias=numbers(bias), dy=numbers(upstream), y=numbers(y),
    dx=dx, dWeight=dweight, dBias=dbias)

heads, size, lengths = 2, 4, [5, 3]
qkv = values(sum(lengths), 3 * heads * size, scale=1.0).requires_grad_()
parts, start = [], 0
for length in lengths:
    q, k, v = qkv[start : start + length].reshape(length, 3, heads, size).permute(1, 2, 0, 3)
    parts.append(F.scaled_dot_product_attention(q, k, v).transpose(0, 1).reshape(length, -1))
    start += length
context = torch.cat(parts)
upstream = values(*context.shape)
golden["attention"] = dict(
    qkv=numbers(qkv), context=numbers(context), dContext=numbers(upstream),
    dQKV=gradients(context, upstream, qkv)[0])

logits = values(4, 7).requires_grad_()
targets = torch.tensor([3, 0, 6, 2])
loss = F.cross_entropy(logits, targets, reduction="sum")
golden["crossEntropy"] = dict(
    logits=numbers(logits), targets=targets.tolist(), loss=[loss.item()],
    correct=[int((logits.argmax(1) == targets).sum())],
    dLogits=gradients(loss, torch.ones_like(loss), logits)[0])

soft = torch.zeros(4, 7, dtype=torch.float64)
offsets, columns, weights = [0, 2, 3, 6, 7], [1, 4, 0, 2, 3, 6, 5], [0.25, 0.75, 1, 0.5, 0.25, 0.25, 1]
for row in range(4):
    for i in range(offsets[row], offsets[row + 1]):
        soft[row, columns[i]] += weights[i]
loss = F.cross_entropy(logits, soft, reduction="sum")
golden["softCrossEntropy"] = dict(
    offsets=offsets, columns=columns, weights=weights, loss=[loss.item()],
    dLogits=gradients(loss, torch.ones_like(loss), logits)[0])

x = values(3, 6)
x[1] = 0
x.requires_grad_()
upstream = values(3, 6)
y = F.normalize(x, dim=-1)
golden["normalize"] = dict(
    x=numbers(x), dy=numbers(upstream), y=numbers(y), dx=gradients(y[::2], upstream[::2], x)[0])

for name, decay in (("adamW", 0.1), ("adamWithoutDecay", 0.0)):
    parameter = torch.nn.Parameter(values(6))
    steps = values(10, 6)
    steps[:, 0] /= 2**20  # about epsilon, so that it matters
    steps[:, 1] = 0
    optimizer = torch.optim.AdamW([parameter], lr=0.01, betas=(0.9, 0.98), eps=1e-6, weight_decay=decay)
    golden[name] = dict(start=numbers(parameter), gradients=numbers(steps), parameters=[])
    for i in range(10):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 - i / 20)
        parameter.grad = steps[i].clone()
        optimizer.step()
        golden[name]["parameters"] += numbers(parameter)

path = pathlib.Path(__file__).with_name("kernels.json")
path.write_text(json.dumps(golden, indent=0).replace("\n", "").replace('},"', '},\n"') + "\n")
