#!/usr/bin/env python3
"""Writes crops.json: the contrast of crops and its gradient by PyTorch, in Double; CropContrastTests compares with it.

    pip install torch
    python generate_crops.py
"""
import json
import os

import torch
from torch.nn.functional import cross_entropy, normalize

TEXTS, WIDTH, TEMPERATURE, SCALE = 7, 5, 0.05, 0.3
# Rows 2 and 5 are whole texts without a partner.
PAIRS = [0, 3, 6]

torch.manual_seed(5)
pooled = torch.randn(TEXTS + 1, WIDTH, dtype=torch.float64, requires_grad=True)
first = normalize(pooled[PAIRS], dim=1)
second = normalize(pooled[[row + 1 for row in PAIRS]], dim=1)
logits = first @ second.T / TEMPERATURE
targets = torch.arange(len(PAIRS))
loss = (cross_entropy(logits, targets, reduction="sum") + cross_entropy(logits.T, targets, reduction="sum")) / 2
(SCALE * loss).backward()

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "crops.json"), "w") as file:
    json.dump(
        {
            "pairs": PAIRS,
            "width": WIDTH,
            "temperature": TEMPERATURE,
            "scale": SCALE,
            "pooled": pooled.flatten().tolist(),
            "loss": loss.item(),
            "correct": int((logits.argmax(dim=1) == targets).sum()),
            "gradient": pooled.grad.flatten().tolist(),
        },
        file,
    )
    file.write("\n")
