#!/usr/bin/env python3
"""Sends `encoder serve` what schemathesis makes of its OpenAPI document: requests that fit it and requests that
don't. No answer may be 5xx, and each must have a status, a type and a shape that the document says.

Needs schemathesis and ENCODER_DATA, a folder with data/online-retail. Exits with 1 and the failures.

    ENCODER_DATA=... python Tests/Ecosystem/serve_fuzz.py .build/release/encoder
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))

from serving import Server, small_recommender


def main():
    encoder = os.path.abspath(sys.argv[1])
    root = os.environ.get("ENCODER_DATA") or sys.exit("error: ENCODER_DATA isn't set; name the data folder")
    program = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    with tempfile.TemporaryDirectory() as folder:
        model, _, _ = small_recommender(
            encoder, os.path.join(root, "data/online-retail"), os.path.join(folder, "shop"), 300, 300)
        server = Server(encoder, model, "--data", os.path.join(folder, "state.sqlite"))
        done = subprocess.run(
            [program, "run", server.url + "/openapi.json", "--phases", "examples,coverage,fuzzing",
             "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
             "response_schema_conformance", "--max-examples", "20", "--seed", "1",
             "--continue-on-failure", "--suppress-health-check", "all", "--max-time", "150"],
            capture_output=True, text=True, cwd=folder)
        alive = server.alive() and server.request("GET", "/health")[0] == 200
        metrics = server.request("GET", "/metrics")[1].decode()
        server.stop()
    total = errors = 0
    for line in metrics.splitlines():
        if line.startswith("encoder_http_requests_total"):
            count = int(float(line.rsplit(" ", 1)[1]))
            total += count
            errors += count if 'status="5' in line else 0
    print(f"{total} requests, {errors} answers of 5xx")
    if done.returncode or not alive or errors or total < 1000:
        print(done.stdout[-6000:], done.stderr[-2000:])
        sys.exit(1)


if __name__ == "__main__":
    main()
