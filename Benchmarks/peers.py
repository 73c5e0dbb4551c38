"""Answers measurement requests with the Python libraries, one JSON object a line.

Takes the same requests as `encoder-bench worker`, so that a driver can alternate the two. All on two threads
(or the request's), fp32. Libraries: torch, transformers, sentence-transformers, tokenizers, onnxruntime.
"""

import json
import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.strip()]


def timed(body):
    start = time.perf_counter()
    result = body()
    return time.perf_counter() - start, result


class Pretraining:
    """transformers' BertForMaskedLM with torch's fused AdamW, no dropout."""

    steps = 4

    def __init__(self, r):
        import torch
        from transformers import BertConfig, BertForMaskedLM

        torch.set_num_threads(r["threads"])
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=r["vocabulary"], hidden_size=r["hidden"], num_hidden_layers=r["layers"],
            num_attention_heads=r["heads"], intermediate_size=r["feedForward"],
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        self.model = BertForMaskedLM(config).train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-4, fused=True)
        shape = (r["batch"], r["length"])
        self.ids = torch.randint(5, r["vocabulary"], shape)
        self.labels = torch.where(torch.rand(shape) < 0.15, self.ids, -100)
        self.tokens = r["batch"] * r["length"]
        self.step()

    def step(self):
        self.model(input_ids=self.ids, labels=self.labels).loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def measure(self):
        self.step()
        seconds, _ = timed(lambda: [self.step() for _ in range(self.steps)])
        return {"seconds": seconds, "work": self.tokens * self.steps}


class Sgemm:
    """torch's matrix product on the shapes of a layer, for comparison with the sgemm of the run."""

    def __init__(self, r):
        import torch

        torch.set_num_threads(r["threads"])
        h, f, rows = r["hidden"], r["feedForward"], r["length"]
        self.torch = torch
        self.pairs = []
        for n, k in ((3 * h, h), (h, h), (f, h), (h, f)):
            x, w, dy = torch.rand(rows, k), torch.rand(n, k), torch.rand(rows, n)
            self.pairs += [(x, w.T), (dy, w), (dy.T, x)]
        self.flops = 4 * sum(2 * a.shape[0] * a.shape[1] * b.shape[1] for a, b in self.pairs)

    def measure(self):
        seconds, _ = timed(lambda: [self.torch.mm(a, b) for _ in range(4) for a, b in self.pairs])
        return {"seconds": seconds, "work": self.flops, "flops": self.flops}


class Embedding:
    """sentence-transformers, batches of 32 sorted by length as it does by itself."""

    def __init__(self, r):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(r["threads"])
        self.model = SentenceTransformer(r["model"], device="cpu")
        self.texts = lines(r["file"])
        self.model.encode(self.texts[:32])

    def measure(self):
        seconds, vectors = timed(
            lambda: self.model.encode(self.texts, batch_size=32, show_progress_bar=False))
        return {"seconds": seconds, "work": len(self.texts), "check": float(abs(vectors).sum())}


class SingleText(Embedding):
    def measure(self):
        import numpy as np

        seconds, vectors = timed(lambda: [self.model.encode(text) for text in self.texts])
        return {
            "seconds": seconds, "work": len(self.texts),
            "check": float(sum(np.abs(v).sum() for v in vectors))}


class OnnxEmbedding:
    """ONNX Runtime on the model's ONNX file, batches of 32 sorted by length."""

    def __init__(self, r):
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = r["threads"]
        self.session = onnxruntime.InferenceSession(
            r["onnx"], options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name for i in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(os.path.join(r["model"], "tokenizer.json"))
        self.tokenizer.enable_truncation(r["maximum"])
        self.tokenizer.enable_padding()
        self.texts = lines(r["file"])
        self.run(self.texts[:32])

    def run(self, texts):
        import numpy as np

        total = 0.0
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        for start in range(0, len(order), 32):
            encoded = self.tokenizer.encode_batch([texts[i] for i in order[start:start + 32]])
            feed = {
                "input_ids": np.array([e.ids for e in encoded], dtype=np.int64),
                "attention_mask": np.array([e.attention_mask for e in encoded], dtype=np.int64)}
            if "token_type_ids" in self.inputs:
                feed["token_type_ids"] = np.zeros_like(feed["input_ids"])
            vectors = self.session.run(None, feed)[0]
            total += float(np.abs(vectors).sum())
        return total

    def measure(self):
        seconds, check = timed(lambda: self.run(self.texts))
        return {"seconds": seconds, "work": len(self.texts), "check": check}


class Tokenizing:
    """Hugging Face tokenizers, encode_batch_fast where there is one."""

    def __init__(self, r):
        from tokenizers import Tokenizer

        os.environ["TOKENIZERS_PARALLELISM"] = "true" if r["threads"] > 1 else "false"
        self.tokenizer = Tokenizer.from_file(os.path.join(r["model"], "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.texts = lines(r["file"])
        self.bytes = sum(len(t.encode()) for t in self.texts)

    def measure(self):
        encode = getattr(self.tokenizer, "encode_batch_fast", self.tokenizer.encode_batch)
        seconds, encoded = timed(lambda: encode(self.texts, add_special_tokens=False))
        return {"seconds": seconds, "work": self.bytes, "check": sum(len(e.ids) for e in encoded)}


class VocabularyTraining:
    """The WordPiece trainer of Hugging Face tokenizers."""

    def __init__(self, r):
        os.environ["TOKENIZERS_PARALLELISM"] = "true" if r["threads"] > 1 else "false"
        self.size, self.texts = r["vocabulary"], lines(r["file"])
        self.bytes = sum(len(t.encode()) for t in self.texts)

    def measure(self):
        from tokenizers import BertWordPieceTokenizer

        tokenizer = BertWordPieceTokenizer(lowercase=True)
        seconds, _ = timed(lambda: tokenizer.train_from_iterator(
            self.texts, vocab_size=self.size, min_frequency=2, show_progress=False))
        return {"seconds": seconds, "work": self.bytes, "check": tokenizer.get_vocab_size()}


TASKS = {
    "sgemm": Sgemm, "mlm": Pretraining, "embed": Embedding, "embed-one": SingleText,
    "onnx": OnnxEmbedding, "tokenize": Tokenizing, "vocabulary": VocabularyTraining}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What libraries print doesn't get between the answers.
    prepared = {}
    for line in sys.stdin:
        if line not in prepared:
            prepared.clear()
            request = json.loads(line)
            prepared[line] = TASKS[request["task"]](request)
        answers.write(json.dumps(prepared[line].measure()) + "\n")
        answers.flush()


main()
