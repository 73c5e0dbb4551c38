#!/usr/bin/env python3
"""Writes a corpus without the texts of a catalogue, for an encoder that has not read what it is judged on.

Usage: corpus_without.py CORPUS ITEMS.csv > REST

CORPUS has a text a line, ITEMS a column `text`. Lines are left out that equal a text of the catalogue or share its first
80 characters: packages built from one source often differ in their last sentence only. What was done is counted on
standard error. Python's standard library only.
"""
import csv, sys

BEGINNING = 80


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], newline="", encoding="utf-8") as file:
        texts = {row["text"].strip() for row in csv.DictReader(file)}
    beginnings = {text[:BEGINNING] for text in texts}
    equal = alike = kept = 0
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            text = line.strip()
            if text in texts:
                equal += 1
            elif text[:BEGINNING] in beginnings:
                alike += 1
            else:
                kept += 1
                sys.stdout.write(line)
    print(f"{equal:,} lines equal a text, {alike:,} begin as one does, {kept:,} are left", file=sys.stderr)


main()
