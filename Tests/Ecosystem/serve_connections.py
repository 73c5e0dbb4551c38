#!/usr/bin/env python3
"""Clients of `encoder serve` that don't read, read slowly, send slowly, hang up, or are too many; and SIGTERM with such
clients and with requests in flight.

Needs nothing but the encoder in checkpoints/starter. Exits with 1 and what went wrong.

    python Tests/Ecosystem/serve_connections.py .build/release/encoder
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))

from serving import Server, wait_until

STARTER = os.path.join(os.path.dirname(__file__), "..", "..", "checkpoints", "starter")
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


def connect(server, buffer=None):
    stream = socket.socket()
    if buffer:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    stream.settimeout(20)
    stream.connect(("127.0.0.1", server.port))
    return stream


def request(path, body=None):
    """The bytes of a request."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    data = json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def pipeline(stream, count):
    """Sends requests for something large, as many as go."""
    stream.settimeout(1)
    try:
        stream.sendall(request("/openapi.json") * count)
    except TimeoutError:
        pass
    stream.settimeout(20)


def rest(stream, part=1 << 20, pause=0.0, until=None):
    """What still comes on a connection until it ends, or until `until` says that it is all there."""
    data = bytearray()
    try:
        while not (until and until(data)):
            piece = stream.recv(part)
            if not piece:
                break
            data += piece
            time.sleep(pause)
    except (ConnectionResetError, TimeoutError):
        pass
    return bytes(data)


def is_whole(answer):
    """Whether an answer has all bytes that its head promises."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return lengths == [len(body)]


def ended(server, seconds):
    """The exit code; None where the server runs on."""
    try:
        return server.process.wait(seconds)
    except subprocess.TimeoutExpired:
        server.kill()
        return None


def clients_that_dont_read(encoder):
    server = Server(encoder, STARTER, "--idle-timeout", 2)
    with connect(server) as stream:
        stream.sendall(request("/openapi.json"))
        length = len(rest(stream, until=is_whole))
    with connect(server, 4096) as idle, connect(server, 4096) as deaf, connect(server, 1 << 16) as slow:
        pipeline(deaf, 3000)
        pipeline(slow, 600)
        # Longer than the timeout, with something taken all the time.
        start = time.monotonic()
        answers = rest(slow, 1 << 18, 0.04, lambda data: len(data) == 600 * length)
        took = time.monotonic() - start
        count = answers.count(b"HTTP/1.1 200")
        check(count == 600 and took > 2, f"a slow reader is served: {count} of 600 answers in {took:.1f} s")
        time.sleep(max(0, 5 - (time.monotonic() - start)))
        count = rest(deaf).count(b"HTTP/1.1 200")
        check(0 < count < 3000, f"a client that doesn't read is closed: {count} answers were left for it")
        check(rest(idle) == b"", "a silent connection is closed")
    check(server.stop() == 0, "it stops")


def large_answer(server):
    """A connection with the beginning of an answer that no kernel buffers whole, and that beginning."""
    stream = connect(server, 1 << 16)
    stream.sendall(request("/tokenize", {"inputs": "a blue enamel mug " * 90_000}))
    return stream, stream.recv(1000)


def stopping(encoder):
    # Somebody who doesn't read can't keep the server.
    server = Server(encoder, STARTER, "--deadline", 1)
    with connect(server, 4096) as deaf:
        pipeline(deaf, 3000)
        # By now answers wait for it.
        time.sleep(1)
        start = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        code = ended(server, 20)
        took = time.monotonic() - start
        check(code == 0 and took < 10, f"SIGTERM with a client that doesn't read: {code} after {took:.1f} s")

    # Somebody who reads slowly gets the whole answer.
    server = Server(encoder, STARTER)
    stream, first = large_answer(server)
    with stream:
        server.process.send_signal(signal.SIGTERM)
        answer = first + rest(stream, 1 << 18, 0.005)
        check(is_whole(answer), f"SIGTERM in the middle of an answer: {len(answer)} bytes came")
        check(ended(server, 20) == 0, "and the server ends with 0")

    # What was accepted is answered.
    server = Server(encoder, STARTER, "--cache", 0)
    texts = [[f"{n} {row} " + "a blue enamel mug with a white rim " * 16 for row in range(32)] for n in range(8)]
    answers = [b""] * 8

    def ask(n):
        with connect(server) as stream:
            stream.settimeout(60)
            stream.sendall(request("/embed", {"inputs": texts[n]}))
            answers[n] = rest(stream)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: waiting(server) > 0, 20, "texts that wait")
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    check(ended(server, 60) == 0, "SIGTERM with requests in flight")
    for thread in threads:
        thread.join()
    whole = [a.startswith(b"HTTP/1.1 200") and is_whole(a) for a in answers]
    check(all(whole), f"requests in flight are answered: {whole.count(True)} of 8")


def metric(server, name):
    for line in server.request("GET", "/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return 0.0


def waiting(server):
    return metric(server, 'encoder_queue_size{queue="embedding"}')


def hanging_up(encoder):
    server = Server(encoder, STARTER, "--cache", 0, "--max-concurrent-requests", 5000)
    for n in range(40):
        texts = [f"{n} {row} " + "a blue enamel mug with a white rim " * 16 for row in range(32)]
        with connect(server) as stream:
            stream.sendall(request("/embed", {"inputs": texts}))
    wait_until(lambda: waiting(server) == 0, 60, "an empty queue")
    time.sleep(0.5)
    dropped = metric(server, 'encoder_abandoned_inputs_total{queue="embedding"}')
    check(dropped > 640, f"texts of clients that hung up: {dropped:.0f} of 1280 weren't computed")
    check(server.request("POST", "/embed", {"inputs": "a mug"})[0] == 200, "the next request is answered")
    check(server.stop() == 0, "it stops")


def answered(stream, seconds):
    stream.settimeout(seconds)
    try:
        return stream.recv(1000).startswith(b"HTTP/1.1 200")
    except TimeoutError:
        return False


def limits(encoder):
    server = Server(encoder, STARTER, "--idle-timeout", 1, "--max-connections", 2)
    with connect(server) as stream:
        stream.sendall(b"POST /embed HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(8):
            time.sleep(0.2)
            stream.sendall(b" ")
        answer = rest(stream, until=lambda data: b"\r\n\r\n" in data)
        check(answer.startswith(b"HTTP/1.1 408"), f"a body that comes too slowly: {answer[:40]!r}")
        check(b"connection: close" in answer.lower(), "and the connection ends")
    server.stop()

    server = Server(encoder, STARTER, "--max-connections", 2)
    # One after the other: of connections that come at once, the server accepts some more.
    with connect(server) as first, connect(server) as second:
        for stream in (first, second):
            stream.sendall(request("/ping"))
            check(answered(stream, 20), "two connections are allowed")
        with connect(server) as third:
            third.sendall(request("/ping"))
            check(not answered(third, 1), "a third waits")
            first.close()
            check(answered(third, 20), "and is answered when one ends")
    check(server.stop() == 0, "it stops")


def main():
    encoder = os.path.abspath(sys.argv[1])
    for part in (clients_that_dont_read, stopping, hanging_up, limits):
        part(encoder)
    for failure in failures:
        print(failure)
    print("slow, silent, gone and too many clients are dealt with" if not failures else f"{len(failures)} differences")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
