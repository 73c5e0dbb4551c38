#!/usr/bin/env python3
"""Compares the built `encoder` program's tokenization with Hugging Face `tokenizers`.

    python3 tokenizer_parity.py .build/release/encoder

Needs tokenizers (0.23.3 is what the tables were made from). ENCODER_DATA names the folder with
tokenizer/parity.txt, tokenizer/bert_base_uncased_* and corpus/open_en.txt; without it only the checks
that need no data run. Exits with 1 and the first differences when anything differs.
"""
import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from tokenizers.implementations import BertWordPieceTokenizer
from tokenizers.processors import TemplateProcessing

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
failures = []


def report(name, differences, count):
    print(f"{'ok  ' if not differences else 'FAIL'} {name}: {len(differences)} of {count} differ")
    for text in differences[:5]:
        print("     " + text)
    if differences:
        failures.append(name)


def run(program, *arguments, text=None):
    return subprocess.run(
        [program, *arguments], input=text, stdout=subprocess.PIPE, check=True
    ).stdout


def compare(name, reference, program, arguments, lines, limit=None):
    """Ids of `lines`, from standard input, line by line."""
    text = "".join(line + "\n" for line in lines).encode()
    output = run(program, "tokenize", *arguments, "--ids-only", text=text).split(b"\n")[:-1]
    differences = []
    if len(output) != len(lines):
        differences.append(f"{len(output)} output lines for {len(lines)} input lines")
    if limit:
        reference.enable_truncation(limit)
    for start in range(0, len(lines), 4096):
        part = lines[start : start + 4096]
        for i, encoding in enumerate(reference.encode_batch(part)):
            if start + i >= len(output):
                break
            ids = [int(x) for x in output[start + i].split()]
            if ids != encoding.ids:
                place = next(
                    k
                    for k, (a, b) in enumerate(itertools.zip_longest(encoding.ids, ids))
                    if a != b
                )
                differences.append(
                    f"line {start + i + 1} {ascii(part[i][:60])}: from token {place} "
                    f"{encoding.ids[place:place + 6]} expected, {ids[place:place + 6]} found"
                )
    reference.no_truncation()
    report(name, differences, len(lines))


def compare_json(name, reference, program, arguments, lines):
    """The JSON form: ids and tokens."""
    text = "".join(line + "\n" for line in lines).encode()
    output = run(program, "tokenize", *arguments, text=text).split(b"\n")[:-1]
    differences = []
    for i, (line, found) in enumerate(zip(lines, output)):
        encoding = reference.encode(line)
        expected = {"ids": encoding.ids, "tokens": encoding.tokens}
        if json.loads(found) != expected:
            differences.append(f"line {i + 1} {ascii(line[:60])}")
    report(name, differences, len(lines))


def check_code_points(program, directory):
    """Every code point alone and between letters; each has pieces, so no difference hides in [UNK]."""
    codes = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF and c != 10]
    vocabulary = {token: i for i, token in enumerate(SPECIAL)}
    for code in codes:
        for token in (chr(code), "##" + chr(code)):
            vocabulary.setdefault(token, len(vocabulary))
    lines = []
    for start in range(0, len(codes), 48):
        part = codes[start : start + 48]
        lines.append(" ".join(chr(c) for c in part))
        lines.append(" ".join(f"a{chr(c)}b" for c in part))
        # Two of them with marks after: canonical ordering.
        lines.append(" ".join(f"e{chr(c)}\u0327\u0301{chr(c)}x" for c in part[::7]))
    for lowercase in (True, False):
        for strip in (None, not lowercase):
            reference = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
            reference.normalizer = normalizers.BertNormalizer(
                lowercase=lowercase, strip_accents=strip
            )
            reference.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            reference.post_processor = TemplateProcessing(
                single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
            )
            reference.add_special_tokens(SPECIAL)
            reference.save(os.path.join(directory, "tokenizer.json"))
            compare(
                f"every code point, lowercase {lowercase}, strip_accents {strip}", reference,
                program, ["--model", directory], lines,
            )


def check_parity_file(program, data, own):
    with open(os.path.join(data, "tokenizer/parity.txt"), encoding="utf-8", newline="") as file:
        lines = file.read().split("\n")
    if lines[-1] == "":
        lines.pop()
    public = os.path.join(data, "tokenizer/bert_base_uncased_vocab.txt")
    for vocabulary, label in ((public, "bert-base-uncased"), (own, "our vocabulary")):
        for cased in (False, True):
            reference = BertWordPieceTokenizer(vocabulary, lowercase=not cased)
            arguments = ["--vocab", vocabulary] + ["--cased"] * cased
            name = f"parity.txt, {label}, {'cased' if cased else 'uncased'}"
            compare(name, reference, program, arguments, lines)
            compare(name + ", at most 16", reference, program, arguments + ["--max-length", "16"],
                    lines, limit=16)
        compare_json(f"parity.txt, {label}, JSON", BertWordPieceTokenizer(vocabulary), program,
                     ["--vocab", vocabulary], lines)
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(data, "tokenizer/bert_base_uncased_tokenizer.json")
        os.symlink(source, os.path.join(directory, "tokenizer.json"))
        reference = Tokenizer.from_file(source)
        reference.no_truncation()
        reference.no_padding()
        compare("parity.txt, tokenizer.json", reference, program, ["--model", directory], lines)


def train_ours(program, lines, size, directory, cased=False):
    corpus = os.path.join(directory, "corpus.txt")
    with open(corpus, "w", encoding="utf-8", newline="") as file:
        file.writelines(line + "\n" for line in lines)
    output = os.path.join(directory, "ours.txt")
    run(program, "vocab", corpus, "--size", str(size), "--output", output, "--quiet",
        *(["--cased"] * cased))
    return output


def check_training(program, lines, directory):
    """At most 1% more tokens than with the reference's vocabulary, on the whole corpus."""
    for size, count, cased in ((8192, 12000, False), (2000, 5000, True)):
        path = train_ours(program, lines[:count], size, directory, cased)
        theirs = BertWordPieceTokenizer(lowercase=not cased)
        theirs.train_from_iterator(
            lines[:count], vocab_size=size, min_frequency=2, limit_alphabet=1000,
            special_tokens=SPECIAL, show_progress=False,
        )
        ours = BertWordPieceTokenizer(path, lowercase=not cased)
        sample = lines[::4]
        totals = [
            sum(len(e.ids) for e in tokenizer.encode_batch(sample, add_special_tokens=False))
            for tokenizer in (ours, theirs)
        ]
        shared = len(set(ours.get_vocab()) & set(theirs.get_vocab()))
        print(f"     {size} pieces: {shared} shared; {totals[0]} tokens, reference {totals[1]}")
        wrong = totals[0] > 1.01 * totals[1] or ours.get_vocab_size() != theirs.get_vocab_size()
        report(f"training, {size} pieces", ["see the figures above"] * wrong, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the built encoder")
    arguments = parser.parse_args()
    data = os.environ.get("ENCODER_DATA")
    with tempfile.TemporaryDirectory() as directory:
        check_code_points(arguments.program, directory)
        if data:
            with open(os.path.join(data, "corpus/open_en.txt"), encoding="utf-8") as file:
                lines = file.read().split("\n")[:-1]
            check_training(arguments.program, lines, directory)
            own = train_ours(arguments.program, lines[:20000], 4096, directory)
            check_parity_file(arguments.program, data, own)
        else:
            print("ENCODER_DATA isn't set: checks on parity.txt and of training left out")
    if failures:
        sys.exit(f"{len(failures)} checks failed")
    print("all equal")


if __name__ == "__main__":
    main()
