#!/usr/bin/env python3
"""A shop's day with `encoder serve`: items and events come in, lists follow at once, a person is forgotten, the
process is killed in the middle of it, and bad requests do no harm.

Needs ENCODER_DATA, a folder with data/online-retail. Exits with 1 and what went wrong.

    ENCODER_DATA=... python Tests/Ecosystem/serve_recommendations.py .build/release/encoder
"""

import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))

from serving import Server, small_recommender, wait_until

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def quoted(text):
    return urllib.parse.quote(text, safe="")


def shop(server, rows, pairs):
    """What the routes promise, one after the other."""
    user = pairs[0]["user_id"]
    mine = [row["item_id"] for row in pairs if row["user_id"] == user]
    path = f"/users/{quoted(user)}/recommendations"
    status, first, _ = server.get(path, k=10)
    check(status == 200 and len(first["items"]) == 10, f"a list: {status} {first}")
    check(server.get(path, k=10)[1] == first, "the same list twice")
    check(not set(ids(first)) & set(mine), "nothing that the user has")
    check(set(ids(server.get(path, k=1000, exclude_seen="false")[1])) & set(mine), "seen items too")
    scores = [item["score"] for item in first["items"]]
    check(scores == sorted(scores, reverse=True), "scores descend")
    pages = [server.get(path, k=5, offset=offset)[1] for offset in (0, 5)]
    check(ids(pages[0]) + ids(pages[1]) == ids(first), "two pages are one list")
    check(pages[0]["next_offset"] == 5, "the next page's offset")

    # A new item whose text is that of the user's best one is for the user, at once, before other new ones.
    best = first["items"][0]
    status, answer, _ = server.request("POST", "/items", [
        {"item_id": f"decoy-{n}", "text": row["text"]} for n, row in enumerate(rows[::8])])
    check(status == 200 and len(answer["items"]) == len(rows[::8]), f"many new items: {status}")
    start = time.monotonic()
    status, answer, _ = server.request(
        "PUT", "/items/brand%2Fnew", {"text": best["text"], "features": {"season": ["spring", "summer"]}})
    cold = server.get(path, k=10, candidates="cold")[1]
    took = time.monotonic() - start
    check(status == 201, f"a new item: {status} {answer}")
    check("brand/new" in ids(cold), f"the new item isn't in the user's list of new ones: {ids(cold)}")
    elsewhere = [name for name in dict.fromkeys(row["user_id"] for row in pairs) if name != user][:100]
    having = [name for name in elsewhere
              if "brand/new" in ids(server.get(f"/users/{quoted(name)}/recommendations", k=10, candidates="cold")[1])]
    check(len(having) < len(elsewhere) / 2, f"it is in the lists of {len(having)} of {len(elsewhere)} users: of anybody")
    for n in range(len(rows[::8])):
        check(server.request("DELETE", f"/items/decoy-{n}")[0] == 200, f"decoy {n} is deleted")
    check(server.get("/items/brand%2Fnew")[1]["text"] == best["text"], "the item is shown")
    near = server.get("/items/brand%2Fnew/similar", k=3)[1]
    check(best["item_id"] in ids(near), f"its neighbours: {near}")
    check(near["next_offset"] == 3, "the next neighbours' offset")
    audience = server.get("/items/brand%2Fnew/audience", k=50)[1]["users"]
    check(len(audience) == 50, f"its audience: {len(audience)}")
    wide = [member["user_id"] for member in server.get("/items/brand%2Fnew/audience", k=300)[1]["users"]]
    check(user in wide, "the user isn't among the first 300 of its audience")
    for value, there in (("spring", True), ("summer", True), ("winter", False)):
        found = ids(server.get(path, where=f"season={value}")[1])
        check((found == ["brand/new"]) == there, f"where season={value}: {found}")
    check(server.get(path, where="colour=red")[0] == 422, "a column that no item has")
    server.request("PUT", "/blocklist/brand%2Fnew")
    check(server.get(path, where="season=spring")[1]["items"] == [], "a blocked item")
    server.request("DELETE", "/blocklist/brand%2Fnew")
    check(ids(server.get(path, where="season=spring")[1]) == ["brand/new"], "unblocked")
    server.request("PUT", "/items/brand%2Fnew", {
        "text": best["text"], "features": {"season": "spring"}, "expires_at": time.time() + 0.3})
    check(ids(server.get(path, where="season=spring")[1]) == ["brand/new"], "not expired yet")
    time.sleep(0.4)
    check(server.get(path, where="season=spring")[1]["items"] == [], "expired")

    # Somebody new: one event, and there is a list that follows from it.
    check(server.get("/users/stranger/recommendations")[0] == 404, "nothing of a stranger")
    anchor = mine[0]
    status, answer, _ = server.request(
        "POST", "/events", {"user_id": "stranger", "item_id": anchor, "timestamp": "2030-01-31T12:00:00Z"})
    check((status, answer["accepted"]) == (200, 1), f"an event: {status} {answer}")
    follows = server.get("/users/stranger/recommendations", k=10)[1]
    session = server.request("POST", "/recommendations", {"items": [anchor], "k": 10})[1]
    check(ids(follows) == ids(session), "a user of one click is a session of one item")
    check(anchor not in ids(follows), "the clicked item is left out")
    other = next(row["item_id"] for row in rows if row["item_id"] not in mine)
    server.request("POST", "/events", [{"user_id": "stranger", "item_id": other, "label": 5}])
    check(ids(server.get("/users/stranger/recommendations", k=10)[1]) != ids(follows),
          "another event changes the list")
    text = server.request("POST", "/recommendations", {"text": best["text"], "k": 5})[1]
    check(best["item_id"] in ids(text), f"a text as a session: {ids(text)}")
    for items in ([], [anchor]):
        status, mixed, _ = server.request("POST", "/recommendations", {
            "text": best["text"], "items": items, "k": 3, "explain": True})
        check(status == 200, f"text and {len(items)} items: {status}")
        for item in mixed["items"]:
            why = item["explanation"]
            total = why["shift"] + sum(part["contribution"] for part in why["parts"])
            check(abs(total - item["score"]) < 0.05, f"a text's parts sum to {total}, the score is {item['score']}")
            named = [reason["text"] for reason in why["history"] if reason["item_id"] is None]
            check(named == [best["text"]] or not items, f"a text among the reasons: {named}")

    reasons = server.get(path, k=2, explain="true")[1]["items"]
    for item in reasons:
        why = item["explanation"]
        total = sum(part["contribution"] for part in why["parts"])
        # The shift is part of a new item's score alone.
        check(min(abs(total - item["score"]), abs(total + why["shift"] - item["score"])) < 0.05,
              f"parts sum to {total}, the score is {item['score']}")
        check(why["history"] and why["words"], "reasons name items and words")
    varied = server.get(path, k=10, diversity=0.7)[1]
    check(len(set(ids(varied))) == 10 and ids(varied) != ids(first), "diversity changes the list")
    check(ids(varied)[0] == ids(first)[0], "diversity keeps the best item")

    future = server.request("POST", "/audience", {"text": best["text"], "k": 5})[1]
    check(len(future["users"]) == 5 and future["similar"], "a text's audience")

    server.request("DELETE", f"/users/{quoted(user)}")
    check(server.get(path)[0] == 404, "a forgotten user is a stranger")
    server.request("DELETE", "/items/brand%2Fnew")
    check(server.get("/items/brand%2Fnew")[0] == 404, "a deleted item is gone")
    removed = first["items"][1]["item_id"]
    server.request("DELETE", "/items/" + quoted(removed))
    session = server.request(
        "POST", "/recommendations", {"items": [anchor], "k": 1000, "exclude_seen": False})[1]
    check(removed not in ids(session), "a deleted item of training")
    return took


def killed(encoder, model, data, rounds=3):
    """Writes under load, SIGKILL, restart: what was acknowledged must be there."""
    acknowledged, puts = {}, set()
    for number in range(rounds):
        server = Server(encoder, model, "--data", data)
        for user, items in acknowledged.items():
            status, answer, _ = server.get(f"/users/{user}")
            have = [row["item_id"] for row in answer["history"]] if status == 200 else []
            missing = [item for item in items if item not in have]
            if missing:
                check(False, f"round {number}: {user} lost {len(missing)} of {len(items)} events")
        for item in puts:
            check(server.get(f"/items/{item}")[0] == 200, f"round {number}: item {item} is lost")
        lock, stop = threading.Lock(), threading.Event()

        def write(worker):
            connection = server.connect()
            count = 0
            while not stop.is_set():
                user, item = f"u{number}-{worker}", f"k{number}-{worker}-{count}"
                try:
                    if count % 5 == 0:
                        status = server.request(
                            "PUT", f"/items/{item}", {"text": f"thing {count}"}, connection=connection)[0]
                        if status == 201:
                            with lock:
                                puts.add(item)
                    name = f"k{number}-{worker}-{count - count % 5}"
                    status = server.request(
                        "POST", "/events", {"user_id": user, "item_id": name}, connection=connection)[0]
                    if status == 200:
                        with lock:
                            acknowledged.setdefault(user, set()).add(name)
                except (OSError, ValueError, Exception):
                    return
                count += 1

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
    check(len(puts) > 10 and acknowledged, "the writers wrote")
    server = Server(encoder, model, "--data", data)
    for item in puts:
        check(server.get(f"/items/{item}")[0] == 200, f"at last item {item} is lost")
    server.stop()
    return len(puts), sum(map(len, acknowledged.values()))


def raw(server, data, seconds=3):
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as stream:
        stream.sendall(data)
        answer = b""
        try:
            while True:
                part = stream.recv(65536)
                if not part:
                    break
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def hostile(server, names):
    """Requests that nobody sends in earnest. No answer may say any of `names`, of folders and files."""

    def silent(answer, what):
        shown = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        for name in names:
            check(name.encode() not in shown, f"{what} says {name}: {shown[:200]!r}")

    bodies = [
        b"", b"{", b"[]", b"null", b"{\"inputs\":", b"\xff\xfe{}", b"{\"inputs\":\"\xc3\x28\"}",
        b"[" * 100_000, b"{\"a\":" * 5000, b"{\"inputs\":\"a\",\"inputs\":\"b\"}", b"{\"inputs\":1e999}",
        b"{\"inputs\":[[1,2],[\"a\"]]}", b"{\"inputs\":[-1]}", b"{\"inputs\":\"\\ud800\"}", b"\x00" * 100,
        b"{\"inputs\":{\"source_sentence\":1}}", b"{\"input\":[99999999999999999999]}", b"true",
        b"{\"user_id\":\"\\u0000\",\"item_id\":\"a\"}", b"{\"user_id\":[],\"item_id\":{}}",
        b"{\"events\":[{}]}", b"{\"items\":[1]}", b"{\"items\":\"a\"}", b"{\"text\":\"\"}",
        b"{\"text\":\"a\",\"k\":-1}", b"{\"text\":\"a\",\"k\":1e9}", b"{\"text\":\"a\",\"where\":[\"x\"]}",
        b"{\"text\":\"a\",\"diversity\":2}", b"{\"text\":\"a\",\"features\":{\"a\":{}}}",
        b"{\"text\":\"a\",\"expires_at\":\"soon\"}", b"\"" + b"a" * 500_000 + b"\"",
    ]
    paths = ["/embed", "/v1/embeddings", "/events", "/items", "/recommendations", "/audience", "/rerank",
             "/similarity", "/tokenize", "/decode", "/", "/embed_all"]
    count = 0
    for path in paths:
        for body in bodies:
            status, answer, _ = server.request("POST", path, body)
            silent(answer, f"POST {path} {body[:40]!r}")
            # Fields that a route doesn't have are passed over, and no events at all are in order.
            unknown = body.startswith(b'{"text":"a",') and path in ("/recommendations", "/audience")
            check(400 <= status < 500 or (status == 200 and (unknown or (body == b"[]" and path in ("/events", "/items")))),
                  f"POST {path} {body[:40]!r} gives {status}")
            count += 1
    for method, path in [
        ("GET", "/nothing"), ("POST", "/health"), ("PUT", "/items/"), ("GET", "/items/%zz"),
        ("GET", "/users/%ff/recommendations"), ("GET", "/users/a/recommendations?k=x"),
        ("GET", "/users/a/recommendations?k=1&k=2"), ("GET", "/../../etc/passwd"),
        ("GET", "/items/..%2f..%2fetc%2fpasswd"), ("DELETE", "/items/" + "x" * 600),
        ("GET", "/users/a/recommendations?where=%zz"), ("PUT", "/items/a%00b"),
        ("PATCH", "/items/a"), ("GET", "/items?limit=99999999999999999999"),
    ]:
        status, answer, _ = server.request(method, path, b"{\"text\":\"a\"}" if method == "PUT" else None)
        check(400 <= status < 500, f"{method} {path[:40]} gives {status}")
        silent(answer, f"{method} {path[:40]}")
        count += 1
    check(server.request("POST", "/embed", b"{\"inputs\":\"" + b"a" * 3_000_000 + b"\"}")[0] == 413,
          "a body of 3 MB is 413")
    for name, data in [
        ("two lengths", b"POST /embed HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        ("length and chunks", b"POST /embed HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /info HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("no protocol", b"hello\r\n\r\n"), ("a huge header", b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"),
        ("a bad length", b"POST /embed HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        ("a broken chunk", b"POST /embed HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"),
        ("a space in a name", b"GET / HTTP/1.1\r\nHo st: a\r\n\r\n"),
    ]:
        answer = raw(server, data)
        silent(answer, name)
        check(not answer.startswith(b"HTTP/1.1 5") and answer.count(b"HTTP/1.1 200") == 0,
              f"{name}: {answer[:80]!r}")
        count += 1
    check(server.alive() and server.request("GET", "/health")[0] == 200, "the server lives")
    return count


def main():
    encoder = os.path.abspath(sys.argv[1])
    root = os.environ.get("ENCODER_DATA") or sys.exit("error: ENCODER_DATA isn't set; name the data folder")
    with tempfile.TemporaryDirectory() as folder:
        model, rows, pairs = small_recommender(
            encoder, os.path.join(root, "data/online-retail"), os.path.join(folder, "shop"))
        data = os.path.join(folder, "state.sqlite")
        server = Server(encoder, model, "--data", data)
        took = shop(server, rows, pairs)
        count = hostile(server, [os.path.basename(folder), os.path.basename(data), ".safetensors"])
        # A second server on the same database would not see the first one's writes.
        import subprocess
        second = subprocess.run(
            [encoder, "serve", "--model", model, "--port", "0", "--data", data], capture_output=True,
            text=True, timeout=60)
        check(second.returncode == 1 and "in use" in second.stderr, f"a second server: {second.stderr}")
        check(server.stop() == 0, "it stops")
        server = Server(encoder, model, "--data", data)
        check(server.get(f"/users/{quoted(pairs[0]['user_id'])}")[0] == 404, "forgotten after a restart too")
        check(server.get("/users/stranger")[0] == 200, "events outlive a restart")
        server.stop()
        puts, events = killed(encoder, model, os.path.join(folder, "killed.sqlite"))
    for failure in failures:
        print(failure)
    print(f"an item was put and in its user's list within {took * 1000:.0f} ms; {count} bad requests; "
          f"{puts} items and {events} events survived SIGKILL"
          if not failures else f"{len(failures)} differences")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
