#!/usr/bin/env python3
"""Opens the reports of pretrain, finetune and evaluate in a headless Chromium, made from real data.

Usage: report_browser.py [path of the encoder program] [--pages FILE...] [--screenshots FOLDER]

Makes the three reports from ENCODER_DATA/data/online-retail (or takes the pages that --pages names) and loads each one
light and dark, on a desk and on a phone. A page must have no error and no message on the console, ask for nothing
outside itself, be no wider than the screen, have a name for every drawing, a table beside it, and no two elements with
one id; light and dark must differ. --screenshots keeps the pictures, for people to look at. Needs Python's standard
library, and chromium; without it the parts that need no browser are checked, and that is said. Exit code 0 when all is
well.
"""
import argparse, base64, html.parser, json, os, shutil, subprocess, sys, tempfile

VIEWS = [("desk-light", 1100, "light"), ("desk-dark", 1100, "dark"), ("phone-light", 375, "light"),
         ("phone-dark", 375, "dark")]
SECTIONS = {
    "pretrain": ["Summary", "Losses", "How training went", "Texts", "Settings"],
    "finetune": ["Summary", "New and known items", "Quality by item age", "Quality by user history", "Calibration",
                 "Training", "Fusion", "Map of the items", "New items for some users", "Data", "Settings"],
}
SECTIONS["evaluate"] = SECTIONS["finetune"]


class Browser:
    """Chromium over its debugging pipe: JSON messages that end with a zero byte."""

    def __init__(self, program, folder):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def descriptors():
            # The browser reads from 3 and writes to 4; the pipes may have these numbers already.
            a, b = os.dup2(to_browser, 100), os.dup2(from_browser, 101)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
             "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")

    def message(self):
        while b"\0" not in self.buffer:
            part = os.read(self.read_end, 1 << 20)
            if not part:
                sys.exit("error: the browser ended")
            self.buffer += part
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            request["sessionId"] = self.session
        os.write(self.write_end, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"error: {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def load(self, url):
        self.events = []
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.message())

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(timeout=20)


class Outline(html.parser.HTMLParser):
    """What a page has, without a browser."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.problems, self.ids, self.text_of = [], [], set(), {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.tags.append(tag)
        if named.get("id") in self.ids:
            self.problems.append(f"two elements have the id {named['id']}")
        if "id" in named:
            self.ids.add(named["id"])
        if tag == "svg" and not (named.get("role") == "img" and named.get("aria-label")):
            self.problems.append("a drawing has no name")
        if tag in ("script", "iframe", "object", "embed", "img", "audio", "video"):
            self.problems.append(f"a <{tag}>")
        for name, value in attributes:
            if name.startswith("on"):
                self.problems.append(f"an event handler: {name}")
            if name in ("src", "href") and not value.startswith(("#", "data:")):
                self.problems.append(f"a reference to {value}")

    def handle_data(self, data):
        if self.tags:
            self.text_of.setdefault(self.tags[-1], []).append(data)


def check_outline(kind, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    outline = Outline(text)
    problems = list(outline.problems)
    headings = outline.text_of.get("h2", [])
    for section in SECTIONS.get(kind, []):
        if section not in headings:
            problems.append(f"no section {section!r}")
    if outline.tags.count("table") < 2 or outline.tags.count("svg") < 2:
        problems.append("hardly any plots or tables")
    for word in ("NaN", ">nan<", ">inf<", "Optional("):
        if word in text:
            problems.append(f"the page says {word}")
    return problems


def check_view(browser, path, name, width, scheme, screenshots):
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    url = "file://" + os.path.abspath(path)
    browser.load(url)
    problems = []
    for event in browser.events:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            asked = parameters["request"]["url"]
            if asked != url and not asked.startswith("data:"):
                problems.append(f"asks for {asked}")
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            problems.append(f"console: {json.dumps(parameters)[:300]}")
    wide = browser.value("document.documentElement.scrollWidth")
    if wide > width:
        problems.append(f"is {wide} wide on a screen of {width}")
    empty = browser.value("[...document.querySelectorAll('svg')].filter(s => s.checkVisibility() && "
                          "s.getBoundingClientRect().height < 20).length")
    if empty:
        problems.append(f"{empty} drawings have no height")
    small = browser.value("[...document.querySelectorAll('svg')].filter(s => s.checkVisibility() && s.querySelector('text')"
                          " && s.getBoundingClientRect().width / s.viewBox.baseVal.width * 12 < 9).length")
    if small and width >= 500:
        problems.append(f"{small} drawings have words too small to read")
    cut = browser.value("""[...document.querySelectorAll('svg text')].filter(t => { if (!t.checkVisibility()) return false;
      const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
      return a.left < b.left - 2 || a.right > b.right + 2 || a.bottom > b.bottom + 2; }).map(t => t.textContent).slice(0, 5)""")
    if cut:
        problems.append(f"words leave their drawing: {cut}")
    background = browser.value("getComputedStyle(document.documentElement).backgroundColor")
    if screenshots:
        shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": width, "height": browser.value("document.documentElement.scrollHeight"), "scale": 1})
        os.makedirs(screenshots, exist_ok=True)
        with open(os.path.join(screenshots, name + ".png"), "wb") as file:
            file.write(base64.b64decode(shot["data"]))
    return problems, background


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}: {done.stderr[-2000:]}")


def make_pages(program, folder):
    """The three reports, from product names and purchases."""
    root = os.environ.get("ENCODER_DATA") or sys.exit("error: ENCODER_DATA isn't set; name the data folder")
    data = os.path.join(root, "data/online-retail")
    items = os.path.join(data, "items.csv")
    behaviors = next(p for p in (os.path.join(data, n) for n in ("behaviors.csv", "behaviors.csv.gz", "interactions.csv"))
                     if os.path.exists(p))
    encoder, model, split = (os.path.join(folder, n) for n in ("encoder", "model", "split"))
    run(program, "pretrain", items, "--preset", "tiny", "--minutes", "0.3", "--vocab-size", "2000", "--output", encoder)
    run(program, "split", behaviors, "--items", items, "--output", split)
    run(program, "finetune", os.path.join(split, "train.csv"), "--items", items, "--from", encoder, "--output", model,
        "--minutes", "0.3")
    pages = [("pretrain", os.path.join(encoder, "report.html")), ("finetune", os.path.join(folder, "finetune.html"))]
    shutil.copy(os.path.join(model, "report.html"), pages[1][1])
    run(program, "evaluate", "--model", model, "--split", split)
    return pages + [("evaluate", os.path.join(model, "report.html"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default=".build/release/encoder")
    parser.add_argument("--pages", nargs="+")
    parser.add_argument("--screenshots")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        pages = ([("page%d" % n, p) for n, p in enumerate(options.pages)] if options.pages
                 else make_pages(os.path.abspath(options.program), folder))
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = Browser(chromium, os.path.join(folder, "profile")) if chromium else None
        for kind, path in pages:
            problems = check_outline(kind, path)
            backgrounds = set()
            for name, width, scheme in VIEWS if browser else []:
                found, background = check_view(browser, path, f"{kind}-{name}", width, scheme, options.screenshots)
                problems += [f"{name}: {p}" for p in found]
                backgrounds.add(background)
            if browser and len(backgrounds) != 2:
                problems.append(f"light and dark have one background: {backgrounds}")
            print(f"{kind}: {os.path.getsize(path) // 1024} KB, " + ("; ".join(problems) if problems else "all well"))
            failed += bool(problems)
        if browser:
            browser.close()
        else:
            print("chromium isn't installed: the pages were read, not shown")
    sys.exit(1 if failed else 0)


main()
