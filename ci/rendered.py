"""Check the built pages in headless Chromium, in the width of a desktop and of a phone.

python ci/rendered.py PAGES [--chromium PROGRAM]

Each page is loaded into a frame and measured there, once for each width and colour scheme. Nothing may make
the page scroll sideways; code must not be cut off; wide tables scroll inside their own box; every code block
has its copy button; images have loaded; text has enough contrast with its background; there is exactly one
footer; and the search finds something. First, a page with one fault of each kind is measured. If one of
these faults is not found, the results for the other pages prove nothing. The exit status is 77 if there is
no browser.
"""

import argparse
import functools
import http.server
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

WIDTHS = (1280, 390)
SEARCHED = "search.html?q=mailbox"
LONGEST = 600.0  # seconds for all pages
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
RESULTS = "/-/results"
HARNESS = "/-/harness"
PLANTED = "-/planted"

FAULTY = """<!doctype html><meta charset="utf-8"><title>faulty</title><body style="background: white">
<article>
<h1 style="width: 2000px">wide</h1>
<div class="highlight"><pre style="overflow: auto">{line}</pre></div>
<table><tr><td>{line}</table>
<p style="color: #eee">pale</p>
<img src="nowhere.png">
</article>
<footer></footer>
"""
FOUND = (
    "the page is",
    "cut off",
    "too wide",
    "no copy button",
    "no image",
    "has a contrast of 1.2",
    "the footer has 0",
)

SCRIPT = r"""
<!doctype html><meta charset="utf-8"><body style="margin: 0"><script>
const pages = PAGES, widths = WIDTHS, searched = SEARCHED;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function inScrollBox(element) {
  for (let box = element.parentElement; box; box = box.parentElement) {
    const overflow = box.ownerDocument.defaultView.getComputedStyle(box).overflowX;
    if ((overflow === "auto" || overflow === "scroll") && box.tagName !== "BODY" && box.tagName !== "HTML")
      return box;
  }
  return null;
}

const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data;
}
function luminance(colour) {
  const [r, g, b] = [...colour].slice(0, 3).map((x) => {
    x /= 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function background(element) {
  for (let box = element; box; box = box.parentElement) {
    const colour = rgba(box.ownerDocument.defaultView.getComputedStyle(box).backgroundColor);
    if (colour[3] > 250) return colour;
  }
  return rgba("white");
}
function contrast(element) {
  const text = rgba(element.ownerDocument.defaultView.getComputedStyle(element).color);
  const [low, high] = [luminance(text), luminance(background(element))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function say(element) {
  const words = element.textContent.trim().replace(/\s+/g, " ").slice(0, 60);
  return `<${element.tagName.toLowerCase()}> ${JSON.stringify(words)}`;
}

function measure(page, scheme) {
  const faults = [], root = page.documentElement, width = root.clientWidth;
  const article = page.querySelector("article");
  if (!article) return ["no article"];
  if (root.scrollWidth > width)
    faults.push(`the page is ${root.scrollWidth} pixels wide, the window ${width}`);
  for (const pre of article.querySelectorAll("pre"))
    if (pre.scrollWidth > pre.clientWidth + 1 || pre.getBoundingClientRect().right > width + 1)
      faults.push(`cut off: ${say(pre)}`);
  for (const wide of article.querySelectorAll("table, img, svg, dt.sig")) {
    const box = wide.tagName === "TABLE" ? inScrollBox(wide) : null;
    if ((box || wide).getBoundingClientRect().right > width + 1) faults.push(`too wide: ${say(wide)}`);
  }
  for (const block of article.querySelectorAll("div.highlight"))
    if (!block.querySelector("button.copybtn")) faults.push(`no copy button: ${say(block)}`);
  for (const image of article.querySelectorAll("img"))
    if (!image.complete || image.naturalWidth === 0) faults.push(`no image: ${image.getAttribute("src")}`);
  const low = new Map();
  for (const text of article.querySelectorAll("h1, p, li, td, a, dt, pre, pre span, code span")) {
    const own = [...text.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !text.checkVisibility() || text.closest(".headerlink")) continue;
    const ratio = contrast(text);
    const kind = `${text.tagName}.${text.className}`;
    if (ratio < 3 && !low.has(kind))
      low.set(kind, `${say(text)} (${kind}) has a contrast of ${ratio.toFixed(1)}`);
  }
  faults.push(...low.values());
  const footer = page.querySelectorAll("footer .copyright");
  if (footer.length !== 1 || !/2026, the mint developers/.test(footer[0].textContent))
    faults.push(`the footer has ${footer.length} copyright lines`);
  return faults;
}

async function load(frame, address) {
  const loaded = new Promise((resolve) => (frame.onload = resolve));
  frame.src = address;
  await loaded;
  await frame.contentDocument.fonts.ready;
}

const report = (found) => fetch("RESULTS", { method: "POST", body: JSON.stringify(found) });

(async () => {
  const found = [];
  for (const width of widths) {
    const frame = document.createElement("iframe");
    frame.style = `border: 0; height: 900px; width: ${width}px`;
    document.body.append(frame);
    for (const page of pages) {
      await load(frame, "/" + page);
      for (const scheme of ["light", "dark"]) {
        frame.contentDocument.body.dataset.theme = scheme;
        for (const fault of measure(frame.contentDocument, scheme)) found.push([page, width, scheme, fault]);
      }
    }
    await load(frame, "/" + searched);
    let hits = 0;
    for (let tries = 0; tries < 100 && !hits; tries++) {
      await pause(50);
      hits = frame.contentDocument.querySelectorAll("ul.search li a").length;
    }
    if (!hits) found.push([searched, width, "light", "the search finds nothing"]);
    frame.remove();
  }
  await report(found);
})().catch((error) => report([["harness", 0, "", String(error)]]));
</script>
"""


def harness(pages: list[str]) -> bytes:
    """Return the page that loads and measures the others."""
    script = SCRIPT.replace("PAGES", json.dumps(pages)).replace("WIDTHS", json.dumps(WIDTHS))
    return script.replace("SEARCHED", json.dumps(SEARCHED)).replace("RESULTS", RESULTS).encode()


class Pages(http.server.SimpleHTTPRequestHandler):
    """Serves the pages, the harness and the page with faults, and receives the results."""

    measuring: bytes
    results: "queue.SimpleQueue[list[list[object]]]"

    def do_GET(self) -> None:
        """Serve the harness, or a page."""
        made = {HARNESS: self.measuring, f"/{PLANTED}": FAULTY.format(line="octets" * 500).encode()}
        if self.path not in made:
            with suppress(ConnectionError):  # nothing else is needed
                super().do_GET()
            return
        content = made[self.path]
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """Receive the results."""
        content = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        self.results.put(json.loads(content))

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def look(folder: Path, browser: str) -> list[list[object]]:
    """Return what is wrong: page, width, colour scheme, fault."""
    pages = sorted(str(page.relative_to(folder)) for page in folder.rglob("*.html"))
    pages = [page for page in pages if page not in {"search.html", "genindex.html", "py-modindex.html"}]
    print(f"{len(pages)} pages at {' and '.join(map(str, WIDTHS))} pixels, light and dark")

    class Handler(Pages):
        measuring = harness([PLANTED, *pages])
        results: "queue.SimpleQueue[list[list[object]]]" = queue.SimpleQueue()

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}{HARNESS}"
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [
            f"--user-data-dir={profile}",
            "--window-size=1400,1000",
            "--remote-debugging-port=0",
            address,
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return Handler.results.get(timeout=LONGEST)
        except queue.Empty:
            return [["harness", 0, "", f"the browser reported nothing in {LONGEST:.0f} seconds"]]
        finally:
            process.terminate()
            process.wait(30)
            server.shutdown()
            server.server_close()


def main() -> int:
    """Print what is wrong with the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", type=Path)
    parser.add_argument("--chromium", default=next(filter(None, map(shutil.which, BROWSERS)), None))
    arguments = parser.parse_args()
    if arguments.chromium is None:
        print("SKIPPED: Chromium is not installed: the rendered pages were not checked")
        return 77
    found = look(arguments.pages.resolve(), arguments.chromium)
    faults: list[list[object]] = [each for each in found if each[0] != PLANTED]
    for wide in WIDTHS:
        planted = [str(each[3]) for each in found if each[:2] == [PLANTED, wide]]
        missed = [kind for kind in FOUND if not any(kind in fault for fault in planted)]
        faults += [["a faulty page", wide, "either", f"nobody saw {kind!r}"] for kind in missed]
    for page, width, scheme, fault in faults:
        print(f"{page} at {width} pixels, {scheme}: {fault}")
    print(f"{len(faults) or 'no'} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
