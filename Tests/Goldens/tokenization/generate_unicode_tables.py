#!/usr/bin/env python3
"""Writes Sources/Tokenization/UnicodeTableData.swift from the behaviour of Hugging Face `tokenizers`.

Made with tokenizers 0.23.3 on Python 3.11 (its unicodedata 14.0 names the combining classes).

The library's Unicode tables are of several ages, all older than a current Unicode library. So each
property is asked of the library itself, code point by code point. Decompositions and combining
classes never change once assigned: only which code points have one is recorded here, and utf8proc
supplies the values.

    python3 generate_unicode_tables.py ../../../Sources/Tokenization/UnicodeTableData.swift
"""
import sys
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

DROPPED, SPACE, IDEOGRAPH, MARK, DECOMPOSES, WHITESPACE, PUNCTUATION, LOWERS, REORDERS = (
    1 << bit for bit in range(9)
)
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def bert(**chosen):
    options = dict(
        clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False
    )
    return normalizers.BertNormalizer(**{**options, **chosen}).normalize_str


def reordering_classes(nfd, decomposing):
    """Combining classes as the library knows them: cp -> class, for classes above 0."""

    def swaps(first, second):
        return nfd("a" + first + second) == "a" + second + first and first != second

    candidates = {
        c: unicodedata.combining(chr(c))
        for c in CODE_POINTS
        if c not in decomposing and unicodedata.combining(chr(c))
    }
    # U+0334 (class 1), U+0345 (240), U+0301 (230): known since the first versions of Unicode.
    low, high = "\u0334", "\u0345"
    known = {}
    for c in CODE_POINTS:
        if c in decomposing:
            continue
        moves = swaps(high, chr(c)) or swaps(chr(c), low)
        if chr(c) == low or chr(c) == high:
            moves = True
        if unicodedata.combining(chr(c)) in (1, 240) and c in candidates:
            moves = swaps("\u0301", chr(c)) or swaps(chr(c), "\u0301")
        if moves:
            assert c in candidates, hex(c)
            known[c] = candidates[c]
    # The classes agree with Python's: each known one against a representative of each class.
    representatives = {}
    for c, k in known.items():
        representatives.setdefault(k, chr(c))
    for c, k in known.items():
        for other, sample in representatives.items():
            assert swaps(sample, chr(c)) == (k < other), (hex(c), k, other)
    return known


def main():
    clean, ideograph = bert(clean_text=True), bert(handle_chinese_chars=True)
    strip, lower = bert(strip_accents=True), bert(lowercase=True)
    nfd = normalizers.NFD().normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str

    decompositions = {c: nfd(chr(c)) for c in CODE_POINTS if nfd(chr(c)) != chr(c)}
    marks = {c for c in CODE_POINTS if c not in decompositions and strip(chr(c)) == ""}
    lowered = {c: lower(chr(c)) for c in CODE_POINTS if lower(chr(c)) != chr(c)}
    classes = reordering_classes(nfd, decompositions)

    flags = {}
    for c in CODE_POINTS:
        s, f = chr(c), 0
        cleaned = clean(s)
        assert cleaned in (s, "", " "), hex(c)
        f |= {"": DROPPED, " ": SPACE if s != " " else 0}.get(cleaned, 0)
        padded = ideograph(s)
        assert padded in (s, f" {s} "), hex(c)
        f |= IDEOGRAPH if padded != s else 0
        f |= MARK if c in marks else 0
        if c in decompositions:
            f |= DECOMPOSES
            rest = "".join(x for x in decompositions[c] if ord(x) not in marks)
            assert strip(s) == rest, hex(c)
        else:
            assert strip(s) == ("" if c in marks else s), hex(c)
        words = [word for word, _ in split("a" + s + "b")]
        assert words in (["a" + s + "b"], ["a", "b"], ["a", s, "b"]), hex(c)
        f |= {2: WHITESPACE, 3: PUNCTUATION}.get(len(words), 0)
        f |= LOWERS if c in lowered else 0
        f |= REORDERS if c in classes else 0
        flags[c] = f

    # Only one code point lowers to two; TextNormalizer.swift spells it out.
    assert {c for c, s in lowered.items() if len(s) > 1} == {0x130} and lowered[0x130] == "i\u0307"

    def varint(value):
        out = bytearray()
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)
        return out

    runs, previous, start = bytearray(), None, 0
    for c in CODE_POINTS:
        if flags[c] != previous:
            runs += varint(c - start) + varint(flags[c])
            previous, start = flags[c], c
    lowers, before = bytearray(), 0
    for c in sorted(lowered):
        change = ord(lowered[c][0]) - c
        lowers += varint(c - before) + varint(change << 1 if change >= 0 else -change << 1 | 1)
        before = c

    def literal(name, summary, data):
        text = data.hex()
        lines = [text[i : i + 92] for i in range(0, len(text), 92)]
        body = "\\\n".join("    " + line for line in lines)
        return f'  /// {summary}\n  static let {name}: StaticString = """\n{body}\n    """\n'

    with open(sys.argv[1], "w") as out:
        out.write(
            "// Generated by Tests/Goldens/tokenization/generate_unicode_tables.py from tokenizers "
            f"{tokenizers.__version__}.\n// Don't edit.\n\n"
            "/// What the reference library does with each code point, as hexadecimal bytes.\n"
            "///\n"
            "/// The numbers are little-endian base-128 varints; `UnicodeTables` expands them.\n"
            "enum UnicodeTableData {\n"
            + literal(
                "runs", "Pairs: distance from the last run's start, flags of this run.", runs
            )
            + "\n"
            + literal(
                "lowercase",
                "Pairs: distance from the last code point; twice the change, plus 1 when negative.",
                lowers,
            )
            + "}\n"
        )


if __name__ == "__main__":
    main()
