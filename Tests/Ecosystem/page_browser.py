#!/usr/bin/env python3
"""Uses the server's page in headless Chromium: real server, real clicks and keys.

Usage: page_browser.py [path of the encoder program]     (default .build/release/encoder)

A small shop is made up, an encoder pretrained and fine-tuned on it, and `encoder serve` started. Then, over the
Chrome DevTools protocol: an item is described and lands beside the right items and with the right users, is added
and recommended; a user is shown as the interface has it, a click changes the list; everything that can be focused
has a name and is reached by Tab; text has a contrast of 4.5 to 1 in light and dark; nothing is wider than a
phone; the console has no errors; with a server that wants a key, both documents open once the key is in its box.
Needs Python's standard library and Debian's chromium, which root gets by apt.
Exit code 0 when all is well.
"""
import fcntl, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request

TOPICS = {"sea": "anchor sail harbour rope captain deck wave compass mast oar".split(),
          "hill": "boot tent summit trail ridge meadow hut climb lantern valley".split()}
failures = []


def check(fact, what):
    print(("ok    " if fact else "FAIL  ") + what, flush=True)
    if not fact:
        failures.append(what)


def make_shop(folder):
    rng = random.Random(4)
    kinds = list(TOPICS)
    items = []
    for n in range(80):
        kind = kinds[n % 2]
        items.append((f"item-{n}", " ".join(rng.sample(TOPICS[kind], 4)) + " set", n % 2))
    with open(f"{folder}/items.csv", "w") as f:
        f.write("item_id,text\n" + "".join(f"{i},{t}\n" for i, t, _ in items))
    with open(f"{folder}/corpus.txt", "w") as f:
        f.write("".join(f"{t}\n" for _, t, _ in items) * 4)
    with open(f"{folder}/behaviors.csv", "w") as f:
        f.write("user_id,item_id\n")
        for user in range(40):
            own = [i for i, _, k in items if k == user % 2]
            for item in rng.sample(own, 14):
                f.write(f"{kinds[user % 2]}-{user},{item}\n")


def run(program, *arguments):
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(arguments)}: {done.stderr[-2000:]}")


class Server:
    def __init__(self, program, model, folder, *options, key=None):
        self.key = key
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(f"{folder}/server.log", "w")
        self.process = subprocess.Popen(
            [program, "serve", "--model", model, "--port", str(self.port), "--data", f"{folder}/state.sqlite", *options],
            stdout=self.log, stderr=self.log)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.base}/health", timeout=2).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        sys.exit("error: the server doesn't start: " + open(f"{folder}/server.log").read()[-2000:])

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **({"X-API-Key": self.key} if self.key else {})}
        request = urllib.request.Request(self.base + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


class Browser:
    """One page of headless Chromium, spoken to through the pipes of --remote-debugging-pipe."""

    def __init__(self, folder):
        program = shutil.which("chromium")
        to_read, self.to_browser = os.pipe()
        self.from_browser, to_write = os.pipe()
        to_read, to_write = fcntl.fcntl(to_read, fcntl.F_DUPFD, 20), fcntl.fcntl(to_write, fcntl.F_DUPFD, 20)

        def pipes():
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}/browser",
             "--remote-debugging-pipe", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, pass_fds=(3, 4, to_read, to_write))
        os.close(to_read)
        os.close(to_write)
        self.buffer, self.number, self.session, self.problems = b"", 0, None, []
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "Accessibility", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.buffer:
                piece = os.read(self.from_browser, 1 << 16)
                if not piece:
                    sys.exit("error: the browser ended")
                self.buffer += piece
            line, self.buffer = self.buffer.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("method") == "Runtime.exceptionThrown":
                self.problems.append(answer["params"]["exceptionDetails"].get("exception", {}).get("description", "?"))
            if answer.get("method") == "Log.entryAdded" and answer["params"]["entry"]["level"] == "error":
                self.problems.append(answer["params"]["entry"]["text"] + " " + answer["params"]["entry"].get("url", ""))
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"error: {method}: {answer['error']}")
                return answer["result"]

    def outside(self, method, **parameters):
        """The same to the browser itself, not to the page."""
        own, self.session = self.session, None
        try:
            return self.send(method, **parameters)
        finally:
            self.session = own

    def tabs(self):
        return [t for t in self.outside("Target.getTargets")["targetInfos"] if t["type"] == "page"]

    def read_tab(self, prefix, expression, seconds=30):
        """An expression's value in another tab whose address begins so, once it is there; closes the tab."""
        end = time.time() + seconds
        while time.time() < end:
            for tab in self.tabs():
                if not tab["url"].startswith(prefix):
                    continue
                own = self.session
                self.session = self.outside(
                    "Target.attachToTarget", targetId=tab["targetId"], flatten=True)["sessionId"]
                try:
                    self.wait("document.readyState === 'complete'", "the tab loads")
                    found = self.value(expression)
                finally:
                    self.session = own
                self.outside("Target.closeTarget", targetId=tab["targetId"])
                return found
            time.sleep(0.05)
        return None

    def value(self, expression):
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            sys.exit(f"error: {expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, expression, what, seconds=30):
        end = time.time() + seconds
        while time.time() < end:
            if self.value(expression):
                return True
            time.sleep(0.05)
        check(False, f"{what} (waited {seconds} s; error shown: {self.value('document.getElementById(`error`)?.textContent')!r})")
        return False

    def open(self, address):
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'", "the page loads")

    def click(self, selector):
        place = self.value(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            if (!e) return null; e.scrollIntoView({{block: "center", behavior: "instant"}});
            const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()""")
        if place is None:
            return check(False, f"there is a {selector}")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, selector, text):
        self.click(selector)
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.send("Input.insertText", text=text)

    def key(self, name, code, text=None):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def texts(self, selector):
        return self.value(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


CONTRAST = """(() => {
  const parse = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n.length > 3 ? n[3] : 1]; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const light = (c) => { const v = c.slice(0, 3).map((x) => { x /= 255;
    return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  let worst = [99, ""];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), element = walk.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest("script,option,.skip,:disabled")) continue;
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    let back = layers.reverse().reduce((below, one) => over(one, below), [255, 255, 255, 1]);
    const [a, b] = [light(over(parse(getComputedStyle(element).color), back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, text.slice(0, 40)];
  }
  return worst; })()"""


def use_item_form(page, server):
    text = "rope anchor sail wave new"
    page.type("#description", text)
    page.click("#item-form button[type=submit]")
    page.wait("!document.getElementById('landing').hidden", "a description lands somewhere")
    answer = server.call("/audience", {"text": text, "k": 10, "explain": True})
    check(page.texts("#near .id") == [i["item_id"] for i in answer["similar"]], "neighbours are the interface's")
    check(page.texts("#audience button:first-child") == [u["user_id"] for u in answer["users"]],
          "the audience is the interface's")
    check(sum(u["user_id"].startswith("sea") for u in answer["users"]) >= 9, "a text of the sea is for sea users")
    words = page.texts("#words span:not(.plus):not(.minus)")
    check(words == text.split(), f"the description's words have attributions: {words}")
    check(any(page.value("[...document.querySelectorAll('#words span')].map((e) => e.style.backgroundColor !== '')")),
          "words are coloured")
    page.type("#item-id", "new-rope")
    page.click("#add-item")
    page.wait("document.getElementById('status').textContent.includes('new-rope')", "the item is added")
    check(server.call("/items/new-rope")["text"] == text, "the server has the new item")


def use_user_form(page, server):
    user = "sea-0"
    page.type("#user", user)
    page.key("Enter", 13, "\r")
    page.wait("!document.getElementById('person').hidden", "Enter shows a user")
    listed = [i["item_id"] for i in server.call(f"/users/{user}/recommendations?k=10")["items"]]
    shown = "[...document.querySelectorAll('#list > li')].map((e) => e.dataset.item)"
    check(page.value(shown) == listed, "the list is the interface's")
    history = server.call(f"/users/{user}")["history"]
    check(sorted(page.texts("#history .id")) == sorted(i["item_id"] for i in history), "the history is the interface's")
    page.click("#list > li:first-child summary")
    check(page.value("document.querySelector('#list details').open"), "a click opens the reasons")
    reasons = page.texts("#list > li:first-child .reasons")[0]
    check("Because of" in reasons and "Parts of the score" in reasons and "Words" in reasons, "reasons are shown")
    first = page.value(shown)[0]
    page.click("#list > li:first-child button")
    page.wait(f"!{shown}.includes({json.dumps(first)})", "what was clicked leaves the list")
    check(page.texts("#history .id")[0] == first, "the click is the newest of the history")
    now = server.call(f"/users/{user}/recommendations?k=10")["items"]
    check([i["item_id"] for i in now] == page.value(shown) != listed, "the list has changed as the interface's has")
    check(first in [i["item_id"] for i in server.call(f"/users/{user}")["history"]], "the server has the click")
    page.value("document.getElementById('candidates').focus()")
    page.value("""(() => { const e = document.getElementById('candidates'); e.value = 'cold';
        e.dispatchEvent(new Event('change', {bubbles: true})); })()""")
    page.wait(f"{shown}.includes('new-rope')", "the added item is recommended to a sea user")
    check("new" in page.texts("#list li[data-item=new-rope] .tag"), "and marked as new")


def use_error(page):
    page.type("#user", "nobody at all")
    page.click("#user-form button")
    page.wait("!document.getElementById('error').hidden", "an unknown user is an error that is shown")
    check(page.value("document.getElementById('error').getAttribute('role')") == "alert", "and announced")
    check(not page.value("document.querySelector('#user-form button').disabled"), "the form can be used again")
    # The 404 itself stands in the console, as it should.
    page.problems = [p for p in page.problems if "404" not in p]


def use_key(page, server):
    """Of a server with a key: what the page says without it, and its links with it."""
    page.open(server.base + "/")
    page.wait("document.getElementById('key-box').open", "without the key its box opens")
    page.value("document.getElementById('error').textContent = ''")
    page.click("#model-link")
    page.wait("document.getElementById('error').textContent.includes('key')", "a link without the key is an error that is shown")
    end = time.time() + 10
    while len(page.tabs()) > 1 and time.time() < end:
        time.sleep(0.05)
    check(len(page.tabs()) == 1, "and leaves no tab open")
    page.send("Page.bringToFront")
    page.type("#key", server.key)
    page.click("#key-form button")
    page.wait("document.getElementById('model-line').textContent.includes('shop')", "the key is used")
    page.wait("!document.getElementById('report-link').hidden", "the report's link is shown")
    prefix = f"blob:{server.base}/"
    page.click("#model-link")
    text = page.read_tab(prefix, "document.querySelector('pre')?.textContent ?? ''")
    check(text and json.loads(text) == server.call("/model"), "the model's link opens what the interface says")
    page.send("Page.bringToFront")
    page.click("#report-link")
    title, rules = page.read_tab(
        prefix, "[document.title, [...document.styleSheets].reduce((n, s) => n + s.cssRules.length, 0)]") or ["", 0]
    check(title, f"the report's link opens the report: {title!r}")
    check(rules > 10, f"with its styles: {rules} rules")
    page.send("Page.bringToFront")
    check(page.value("sessionStorage.getItem('encoder-key')") == server.key, "the key stays in the tab")
    # The refusals themselves stand in the console, as they should.
    page.problems = [p for p in page.problems if "401" not in p]


def use_keyboard(page):
    page.value("(() => { document.activeElement.blur(); window.scrollTo(0, 0); })()")
    wanted = page.value("""[...document.querySelectorAll('a[href],button,input,select,textarea,summary')]
        .filter((e) => e.checkVisibility() && !e.disabled).length""")
    reached = set()
    for _ in range(wanted + 5):
        page.key("Tab", 9)
        reached.add(page.value("""(() => { const e = document.activeElement; if (e === document.body) return null;
            window.seen ??= []; if (!window.seen.includes(e)) window.seen.push(e); return window.seen.indexOf(e); })()"""))
    missed = page.value("""[...document.querySelectorAll('a[href],button,input,select,textarea,summary')]
        .filter((e) => e.checkVisibility() && !e.disabled && !window.seen.includes(e)).map((e) => e.outerHTML.slice(0, 80))""")
    check(not missed, f"Tab reaches all {wanted} controls {missed[:3]}")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "searchbox", "combobox", "slider", "link", "DisclosureTriangle"}
    nameless = [n["role"]["value"] for n in nodes
                if not n.get("ignored") and n.get("role", {}).get("value") in roles
                and not n.get("name", {}).get("value")]
    check(not nameless, f"every control has a name {nameless}")


def use_looks(page, shown):
    for scheme in ("light", "dark"):
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])
        page.value("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        ratio, text = page.value(CONTRAST)
        check(ratio >= 4.5, f"contrast in {scheme}, {shown}: at least {ratio:.2f} ({text!r})")
    page.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    width = page.value("document.scrollingElement.scrollWidth")
    check(width <= 360, f"nothing is wider than a phone, {shown}: {width} of 360")
    small = page.value("""[...document.querySelectorAll('button,input,select,textarea,summary')]
        .filter((e) => e.checkVisibility()).filter((e) => { const r = e.getBoundingClientRect();
        return r.height < 24 || r.width < 24; }).map((e) => e.outerHTML.slice(0, 60))""")
    check(not small, f"targets are at least 24 pixels {small[:3]}")
    page.send("Emulation.clearDeviceMetricsOverride")


def main():
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/encoder")
    if shutil.which("chromium") is None:
        if os.geteuid() != 0:
            sys.exit("error: chromium is missing; install it as root: apt-get install chromium")
        subprocess.run("apt-get update -q && apt-get install -q -y --no-install-recommends chromium", shell=True,
                       check=True, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    with tempfile.TemporaryDirectory() as folder:
        make_shop(folder)
        run(program, "pretrain", f"{folder}/corpus.txt", "--preset", "tiny", "--vocab-size", "300", "--steps", "20",
            "--output", f"{folder}/encoder", "--quiet")
        run(program, "finetune", f"{folder}/behaviors.csv", "--items", f"{folder}/items.csv", "--from",
            f"{folder}/encoder", "--output", f"{folder}/shop", "--epochs", "6", "--quiet")
        server = Server(program, f"{folder}/shop", folder)
        page = Browser(folder)
        try:
            page.open(server.base + "/")
            page.wait("document.getElementById('model-line').textContent.includes('shop')", "the model's name is shown")
            use_looks(page, "at first")
            use_item_form(page, server)
            use_user_form(page, server)
            use_looks(page, "with all lists")
            use_keyboard(page)
            use_error(page)
            # What the page would still ask for fails once its server is gone.
            page.open("about:blank")
            server.stop()
            os.mkdir(f"{folder}/locked")
            with open(f"{folder}/locked/key", "w") as f:
                f.write("a-key-of-letters\n")
            server = Server(program, f"{folder}/shop", f"{folder}/locked", "--api-key-file", f"{folder}/locked/key",
                            key="a-key-of-letters")
            use_key(page, server)
            check(not page.problems, f"the console has no errors {page.problems[:3]}")
        finally:
            page.stop()
            server.stop()
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
