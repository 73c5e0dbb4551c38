#!/usr/bin/env python3
"""Writes events.tfevents with TensorBoard's own record writer; EventFileTests compares bytes with it.

    pip install tensorboard
    python generate.py
"""
import os

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1700000000.25
EVENTS = [
    (1, 0.5, [("train/learning_rate", 1e-3), ("train/loss", 9.25)]),
    (200, 61.125, [("eval/loss", 6.5), ("train/learning_rate", 5e-4), ("train/loss", 7.0)]),
    (70000, 3600.0, [("train/loss", -0.0), ("train/größe", 3.4e38)]),
]

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "events.tfevents"), "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
    for step, seconds, values in EVENTS:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values])
        writer.write(Event(wall_time=START + seconds, step=step, summary=summary).SerializeToString())
