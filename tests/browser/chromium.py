"""A Chromium without a screen, driven through two pipes: no port, no driver, no further package."""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSTALL = "no Chromium is here: apt-get install -y chromium"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--mute-audio",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-default-browser-check", "--force-color-profile=srgb",
)  # fmt: skip
KEYS = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Escape": 27, "Tab": 9, "Enter": 13}


def executable() -> str | None:
    return os.environ.get("NISSL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def spawned(words: list[str], files: dict[int, int]) -> int:
    """A process that has these files of ours under these numbers, and nothing to say on the terminal."""
    high = {
        theirs: fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 20) for theirs, ours in files.items()
    }  # clear of the numbers
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    placed = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in high.items()]
    try:
        return os.posix_spawn(words[0], words, os.environ, file_actions=[*silent, *placed])
    finally:
        for ours in high.values():
            os.close(ours)


class Page:
    """One tab: what it shows, what it asked for, what it complained of."""

    def __init__(self, flags: tuple[str, ...] = ()):
        self.folder = tempfile.mkdtemp(prefix="chromium")
        (theirs, ours_out), (ours_in, their_out) = os.pipe(), os.pipe()
        self._in, self._out, self._held = ours_in, ours_out, b""
        words = [
            str(executable()),
            *FLAGS,
            *flags,
            "--remote-debugging-pipe",
            f"--user-data-dir={self.folder}",
            "about:blank",
        ]
        self.process = spawned(words, {3: theirs, 4: their_out})  # Chromium reads file 3 and writes file 4
        os.close(theirs)
        os.close(their_out)
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        self._context: str | None = None
        self._attach(self._first_tab())

    def _attach(self, target: str) -> None:
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def renew(self) -> None:
        """Another tab in a profile of its own, as if Chromium had just been started; the one before it is gone."""
        self._session, before = None, self._context
        self._context = str(self.ask("Target.createBrowserContext")["browserContextId"])
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        if before is not None:
            self.ask("Target.disposeBrowserContext", browserContextId=before)
        self._attach(target)
        self.events.clear()

    def _first_tab(self) -> str:
        for _ in range(100):
            found = [t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page"]
            if found:
                return str(found[0]["targetId"])
            time.sleep(0.05)
        raise AssertionError("Chromium opened no tab")

    # speaking

    def ask(self, method: str, patience: float = 30.0, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + patience
        while True:
            found = self._next(end)
            assert found is not None, f"{method}: no answer within {patience} s"
            if found.get("id") == number:
                assert "error" not in found, f"{method}: {found['error']}"
                return dict(found["result"])

    def _next(self, end: float) -> dict[str, Any] | None:
        """The next message, which is kept if it is an event; None if none comes in time."""
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            more = os.read(self._in, 1 << 20)
            assert more, "Chromium ended"
            self._held += more
        text, _, self._held = self._held.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        if "method" in found:
            self.events.append(found)
        return found

    # looking

    def go(self, address: str) -> None:
        self.ask("Page.navigate", url=address)

    def js(self, expression: str) -> Any:
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str, patience: float = 15.0) -> Any:
        """What this says once it is true."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):
                if found := self.js(expression):
                    return found
            time.sleep(0.03)
        raise AssertionError(
            f"not within {patience} s: {expression}\n{self.complaints()}\n{self.js('document.body.innerText')[:2000]}"
        )

    def size(self, width: int, height: int, scale: float = 1.0) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def prefer(self, **features: str) -> None:
        """Such as color_scheme="dark"."""
        listed = [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]
        self.ask("Emulation.setEmulatedMedia", features=listed)

    def picture(self) -> bytes:
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def pixels(self, selector: str = "canvas") -> bytes:
        """Every pixel of a canvas, red green blue, row by row."""
        return base64.b64decode(self.js(READ % json.dumps(selector)))

    def key(self, key: str, *, shift: bool = False) -> None:
        text = key if len(key) == 1 else ""
        common = {
            "key": key,
            "windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper())),
            "modifiers": 8 if shift else 0,
        }
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def mouse(self, what: str, x: float, y: float) -> None:
        pressed = {"button": "left", "clickCount": 1} if what != "mouseMoved" else {}
        self.ask("Input.dispatchMouseEvent", type=what, x=x, y=y, **pressed)

    def click(self, x: float, y: float) -> None:
        for what in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(what, x, y)

    def complaints(self) -> list[str]:
        """Errors of scripts, of the console, of the policy on what may be loaded."""
        self.js("1")  # what came before its answer is here
        found = []
        for event in self.events:
            method, said = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(said["exceptionDetails"].get("exception", {}).get("description", "exception"))
            if method == "Log.entryAdded" and said["entry"]["level"] == "error":
                found.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
            if method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning"):
                found.append(" ".join(str(a.get("value", a.get("description"))) for a in said["args"]))
        return found

    def requests(self) -> list[str]:
        """Every address that was asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self.folder, ignore_errors=True)


READ = """(() => {
  const from = document.querySelector(%s), to = document.createElement("canvas");
  [to.width, to.height] = [from.width, from.height];
  const context = to.getContext("2d");
  context.drawImage(from, 0, 0);
  const { data } = context.getImageData(0, 0, to.width, to.height);
  const rgb = new Uint8Array(data.length / 4 * 3);
  for (let i = 0, j = 0; i < data.length; i += 4) { rgb[j++] = data[i]; rgb[j++] = data[i + 1]; rgb[j++] = data[i + 2]; }
  let text = "";
  for (let i = 0; i < rgb.length; i += 30000) text += String.fromCharCode(...rgb.subarray(i, i + 30000));
  return btoa(text);
})()"""


@contextlib.contextmanager
def page(*flags: str, width: int = 1200, height: int = 800) -> Iterator[Page]:
    opened = Page(flags)
    try:
        opened.size(width, height)
        yield opened
    finally:
        opened.close()


def saved(seen: Page, path: Path) -> Path:
    """What is seen now, to look at."""
    path.write_bytes(seen.picture())
    return path
