#!/usr/bin/env python3
"""Writes the golden files of the tokenization tests with Hugging Face `tokenizers`.

Made with tokenizers 0.23.3 on Python 3.11:

    python3 generate.py        (writes beside itself; takes half a minute)
"""
import json
import os
import random

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, trainers
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.implementations import BertWordPieceTokenizer
from tokenizers.processors import TemplateProcessing

HERE = os.path.dirname(os.path.abspath(__file__))
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# A few sentences in several scripts: what the small vocabulary is trained on.
CORPUS = """\
A small text editor with syntax highlighting, written in C. It's fast, and it doesn't need a mouse.
The library reads and writes compressed archives; readers and writers share one interface.
Tools for reading, writing and editing archives. The editor reads compressed texts too.
A fast library for highlighting text: the highlighter reads the syntax of many languages.
An über-schneller Texteditor für Größen und Maße. Die Größe der Bücher überrascht die Leser.
Une bibliothèque légère pour éditer des textes français, déjà traduite à Orléans.
Быстрый текстовый редактор. Редакторы текста и библиотеки для чтения текстов.
高速なテキストエディタ。ライブラリは圧縮アーカイブを読み書きします。
一个快速的文本编辑器。图书馆读写压缩档案。
빠른 텍스트 편집기와 라이브러리. 편집기는 텍스트를 읽습니다.
محرر نصوص سريع. مكتبة لقراءة النصوص وكتابتها.
ห้องสมุดสำหรับอ่านข้อความ โปรแกรมแก้ไขข้อความที่รวดเร็ว
תוכנה מהירה לעריכת טקסט. ספריות טקסט.
तेज़ पाठ संपादक। पाठ पुस्तकालय।
""".splitlines()

TEXTS = CORPUS + [
    "",
    " ",
    "\t \r\n",
    "UNwanted, running",
    "Hello! \u00a0How\u2009are \u3000you?\u200b",
    "HÉLLO wörld Å e\u0301 n\u0303 \u1e9b\u0323",
    "a\u0327\u0301b a\u0301\u0327b \u0344 \u0958 \ufb1d \uac00 \u1100\u1161\u11a8",
    "reading\u0000writing\ufffdlib\u0007rary\u007f x\u000by\u000cz\u0085w",
    "\u200bzero\u200dwidth\ufeff soft\u00adhyphen \ue000private \U000e0001tag",
    "İstanbul IŞIK ıspanak ΣΊΣΥΦΟΣ ǅ ß ẞ ﬁ ŉ",
    "don't can't I'm we've they're rock'n'roll -- a.b.c a_b $5 + <x> = ^ ` | ~ 50%",
    "a\u055ab a\u060cb a\u09fdb a\u0a76b a\u0c77b a\u166db a\u2e43b a\U000111c9b",
    "x\u08e2y x\u0890y x\U000110cdy x\U00013430y",
    "東京タワーtower 𠀀𪜀\U0002b820\U0002b920\U0002ceaf\U0002ceb0 豈 㐀",
    "がぎぐ か\u3099 パピ ﾊﾟ",
    "👩\u200d👩\u200d👧\u200d👦 ❤\ufe0f 🇩🇪 ☎",
    "w" * 100,
    "w" * 101,
    "é" * 100 + " " + "é" * 101 + " " + "ß" * 100,
    "read" * 25 + " " + "read" * 25 + "s",
    "[CLS] one [SEP] two[MASK]three [mask] [ MASK ] [UNK][PAD]",
    "[[MASK]] [MASK [SEP",
    "ᄀ ᅟ ㅤ \u115f \u17b4 \u1a60 \u1abf \u0f77",
    "\U0001d15e \U0001d1bb \U00011938 \U0001e944 \U00010400",
    "line one\nline two\r\nline three\u2028line four\u2029line five",
]

OPTIONS = {
    "uncased": dict(lowercase=True),
    "cased": dict(lowercase=False),
    "uncased, accents kept": dict(lowercase=True, strip_accents=False),
    "cased, accents stripped": dict(lowercase=False, strip_accents=True),
    "no cleaning": dict(lowercase=True, clean_text=False),
    "no ideograph spacing": dict(lowercase=True, handle_chinese_chars=False),
}


def build(vocabulary, options, limit=100, cleanup=True):
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=limit)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(**options)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    tokenizer.decoder = WordPieceDecoder(prefix="##", cleanup=cleanup)
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def fnv(data, state=0xCBF29CE484222325):
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return state


def write(name, value):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="") as out:
        if isinstance(value, str):
            out.write(value)
        else:
            json.dump(value, out, ensure_ascii=True, separators=(",", ":"))
            out.write("\n")


def train(lines, size, lowercase=True):
    tokenizer = BertWordPieceTokenizer(lowercase=lowercase)
    tokenizer.train_from_iterator(
        lines, vocab_size=size, min_frequency=2, limit_alphabet=1000, special_tokens=SPECIAL,
        show_progress=False,
    )
    return sorted(tokenizer.get_vocab())


def training():
    """Words with weights that leave few ties, and the largest vocabulary without any."""
    generator = random.Random(7)
    words = sorted({w for line in CORPUS[:4] for w in line.lower().strip(".").split()})
    weights = {word: generator.randint(1, 400) for word in words}
    lines = [" ".join([word] * weight) for word, weight in weights.items()]
    result = None
    for size in range(60, 400):
        runs = {tuple(train(lines, size)) for _ in range(12)}
        if len(runs) == 1:
            tokens = sorted(runs.pop())
            if len(tokens) == size:
                result = {"weights": weights, "size": size, "tokens": tokens}
        elif result and size > result["size"] + 20:
            break
    return result


def encodings(vocabulary):
    result = []
    for name, options in OPTIONS.items():
        for limit in (100, 6):
            tokenizer = build(vocabulary, options, limit)
            result.append(
                {
                    "name": name,
                    "options": options,
                    "limit": limit,
                    "ids": [tokenizer.encode(text).ids for text in TEXTS],
                    "normalized": [
                        tokenizer.normalizer.normalize_str(text) for text in TEXTS
                    ],
                }
            )
    return result


def pairs(tokenizer):
    words = "reads writes archives library compressed editor text fast".split()
    result = []
    for a in (0, 1, 3, 8):
        for b in (0, 1, 4, 7):
            for limit in (3, 4, 5, 6, 8, 9, 11, 13, 40, None):
                if limit is None:
                    tokenizer.no_truncation()
                else:
                    tokenizer.enable_truncation(limit)
                first, second = " ".join(words[:a]), " ".join(words[:b])
                encoding = tokenizer.encode(first, second)
                result.append([first, second, limit, encoding.ids, encoding.type_ids])
    tokenizer.no_truncation()
    return result


def singles(tokenizer):
    text = CORPUS[1]
    result = []
    for limit in (2, 3, 4, 7, 20, 500):
        tokenizer.enable_truncation(limit)
        result.append([text, limit, tokenizer.encode(text).ids])
    tokenizer.no_truncation()
    return result


def decodings(vocabulary):
    result = []
    for cleanup in (True, False):
        tokenizer = build(vocabulary, OPTIONS["uncased"], cleanup=cleanup)
        for text in TEXTS:
            ids = tokenizer.encode(text).ids
            result.append([cleanup, ids, tokenizer.decode(ids), tokenizer.decode(ids, False)])
        # Starts with a continuation; ids outside the vocabulary.
        tail = [i for t, i in sorted(vocabulary.items()) if t.startswith("##")][:5]
        result.append([cleanup, tail, tokenizer.decode(tail), tokenizer.decode(tail, False)])
        odd = [4, 99999, vocabulary["a"]]
        result.append([cleanup, odd, tokenizer.decode(odd), tokenizer.decode(odd, False)])
    return result


def added(vocabulary):
    tokenizer = build(vocabulary, OPTIONS["uncased"])
    tokenizer.add_tokens(
        [
            AddedToken("TextEditor", normalized=False),
            AddedToken("text", normalized=False, single_word=True),
            AddedToken("Größe", normalized=True),
            AddedToken("<left>", normalized=False, lstrip=True),
            AddedToken("<right>", normalized=False, rstrip=True),
            AddedToken("Editor Reads", normalized=True, single_word=True),
            AddedToken("<right>er", normalized=False),
        ]
    )
    tokenizer.add_special_tokens([AddedToken("<extra>", normalized=False, special=True)])
    texts = TEXTS[:10] + [
        "the TextEditor and the texteditor",
        "text texts context text. (text) text",
        "éa text\u0301 text_ text1 text\u200d",
        "GRÖSSE Größe größe grosse größen",
        "a  <left> b <left><left> c",
        "a <right>  \u3000\u00a0 b<right>\t<right> c <left>",
        "a <right> <left> b",
        "editor reads EDITOR READS editor reads1 editor  reads",
        "<right>er <right>e <extra><extra>TextEditor<extra>",
    ]
    ids = [tokenizer.encode(text).ids for text in texts]
    return {
        "json": tokenizer.to_str(),
        "texts": texts,
        "ids": ids,
        "decoded": [tokenizer.decode(i) for i in ids],
    }


def invalid():
    """Broken UTF-8 and what Python makes of it, which is what Rust makes of it."""
    cases = [
        "61ff62", "c3", "61c328", "e28228", "e282", "eda080", "f0288cbc", "f09f98", "f8888080",
        "c080", "e08080", "f08080af", "f4908080", "80bf", "61f09f9861", "e1a0c0e1", "efbfbd",
        "edbfbf41", "f1808041", "c2c2a9",
    ]
    return [[case, bytes.fromhex(case).decode("utf-8", "replace")] for case in cases]


def code_points():
    """One digest for each block of 4,096 code points and set of options.

    Of each code point but the surrogates: the words of "a", the code point, "b", U+0301, each
    followed by a zero byte.
    """
    result = {}
    for name in ("uncased", "cased", "cased, accents stripped", "no cleaning"):
        normalize = normalizers.BertNormalizer(**OPTIONS[name]).normalize_str
        split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
        digests = []
        for block in range(0, 0x110000, 4096):
            words = bytearray()
            for code in range(block, block + 4096):
                if 0xD800 <= code <= 0xDFFF:
                    continue
                for word, _ in split(normalize(f"a{chr(code)}b\u0301")):
                    words += word.encode() + b"\0"
            digests.append(f"{fnv(words):016x}")
        result[name] = digests
    return result


def main():
    path = os.path.join(HERE, "vocab.txt")
    if os.path.exists(path):
        order = open(path, encoding="utf-8").read().split("\n")[:-1]
    else:
        # The library breaks ties by chance, so a new vocabulary differs a little from the last.
        order = SPECIAL + [token for token in train(CORPUS, 480) if token not in SPECIAL]
    vocabulary = {token: i for i, token in enumerate(order)}
    write("vocab.txt", "".join(token + "\n" for token in order))
    uncased = build(vocabulary, OPTIONS["uncased"])
    write("tokenizer.json", uncased.to_str(pretty=True))
    write("training.json", training())
    write("encoding.json", {"texts": TEXTS, "runs": encodings(vocabulary)})
    write(
        "pairs.json", {"pairs": pairs(uncased), "singles": singles(uncased)}
    )
    write("decoding.json", decodings(vocabulary))
    write("added.json", added(vocabulary))
    write("invalid.json", invalid())
    write("codepoints.json", code_points())


if __name__ == "__main__":
    main()
