"""`Widget`: the page in a cell of a notebook; what it reads comes as messages from the kernel, nothing from any network."""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from nissl.apps._view.assets import assets
from nissl.apps._view.made import Made
from nissl.core.outlook import Outlook
from nissl.core.progress import sparing
from nissl.errors import MissingData, NisslError
from nissl.studies.bench import Bench
from nissl.studies.feed import Feed

PAGE = ("app.js", "app.css")
ABSENT = "The network is not here, only what was recorded of it: nissl.view(trace, model=net, data=(x, y)) has it too."
LOADER = """
const KEY = Symbol.for("nissl.page");  // the script is sent once for all widgets of a notebook, and saved with none
function ask(model, name) {
  return new Promise((done, failed) => {
    const id = `${Date.now()}.${Math.random()}`;
    const heard = ({ id: of, error }, buffers) => {
      if (of !== id) return;
      model.off("msg:custom", heard);
      if (error) failed(new Error(error));
      else done(new TextDecoder().decode(buffers[0]));
    };
    model.on("msg:custom", heard);
    model.send({ id, name });
  });
}
async function load(model) {
  const [script, style] = await Promise.all([ask(model, "page/app.js"), ask(model, "page/app.css")]);
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try { await import(/* webpackIgnore: true */ address); } finally { URL.revokeObjectURL(address); }
  return { widget: globalThis.nissl.widget, style };
}
export default {
  async render({ model, el }) {
    el.textContent = "The microscope waits for its kernel: run this cell.";
    globalThis[KEY] ??= load(model).catch(error => { delete globalThis[KEY]; throw error; });
    const { widget, style } = await globalThis[KEY];
    return widget(model, el, style);
  },
};
"""


class Widget(anywidget.AnyWidget):  # type: ignore[misc]
    """A trace's page. `at` is its address in the trace, as trace[at] has it, and follows what is done on the page."""

    _esm = LOADER
    at = traitlets.Unicode("").tag(sync=True)
    height = traitlets.Int(680).tag(sync=True)

    def __init__(self, feed: Feed, at: str = "", *, height: int = 680):
        Outlook.of(at)
        self._made = Made(feed)
        self._bench = Bench(feed.stage) if feed.stage.alive else None
        super().__init__(at=at, height=height)
        self.on_msg(self._asked)

    def _asked(self, _: Any, content: Any, __: Any) -> None:
        """The page asks for a file by its name, or the network a question, under a number that it knows the answer by."""
        told = content if isinstance(content, dict) else {}
        number, name, kind, question = (told.get(word) for word in ("id", "name", "kind", "question"))
        if not isinstance(number, str):
            return
        try:
            if isinstance(name, str):
                self.send({"id": number}, [self._file(name)])
            elif isinstance(kind, str) and isinstance(question, dict):
                self.send({"id": number, "answer": self._answer(number, kind, question)})
        except (NisslError, KeyError) as error:
            self.send({"id": number, "error": str(error)})
        except Exception as error:  # noqa: BLE001 - of a user's own network: the page says what it was
            self.send({"id": number, "error": f"{type(error).__name__}: {error}"})

    def _answer(self, number: str, kind: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """The network's, worked out in the kernel like a cell, and told meanwhile how far it is."""
        if self._bench is None:
            raise MissingData(ABSENT)
        return self._bench.answer(kind, question, sparing(lambda share: self.send({"id": number, "share": share})))

    def _file(self, name: str) -> bytes:
        own = name.removeprefix("page/")
        return assets()[own].read_bytes() if own != name and own in PAGE else self._made.file(name)
