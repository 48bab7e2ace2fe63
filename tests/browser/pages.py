"""A small page with a widget on it: what JupyterLab does around one, without JupyterLab."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Page, expect

from tests.lab import RunningLab
from vidlab.bundles import BUNDLES
from vidlab.lab.bundling import FILES

SOURCES = FILES / "src"  # modules that a page can import by themselves
PATIENCE = 30_000.0  # milliseconds in which what a test expects must have come, on a busy machine

#: A model as anywidget hands it to `render`, and what tests find it by: `shown`, one for each time the widget is drawn.
PAGE = """<!doctype html>
<html lang="en" {theme}><head><meta charset="utf-8"><title>{name}</title><link rel="icon" href="data:,">
<style>body {{ margin: 12px; background: {ground}; }}</style><link rel="stylesheet" href="/static/{name}.css"></head>
<body><script type="module">
import widget from "/static/{name}.js";

class Model {{
  constructor(traits) {{ Object.assign(this, {{ traits: {{ ...traits }}, heard: [], sent: [] }}); }}
  get(name) {{ return this.traits[name]; }}
  set(name, value) {{ this.traits[name] = value; this.tell(`change:${{name}}`); this.tell("change"); }}
  on(name, callback) {{ this.heard.push([name, callback]); }}
  off(name, callback) {{
    this.heard = this.heard.filter(([n, c]) => !((!name || n === name) && (!callback || c === callback)));
  }}
  tell(name) {{ for (const [heard, callback] of [...this.heard]) if (heard === name) callback(); }}
  save_changes() {{}}
  send(content) {{ this.sent.push(content); }}
}}

const traits = {traits};
window.shown = [];
for (let number = 0; number < {count}; number++) {{
  const el = document.body.appendChild(document.createElement("div"));
  const model = new Model(traits);
  const dispose = await widget.render({{ model, el }});
  window.shown.push({{ model, el, dispose: () => dispose?.() }});
}}
document.body.dataset.ready = "true";
</script></body></html>"""


def addresses(lab: RunningLab) -> dict[str, str]:
    """What the Python side of a widget gives to its browser side."""
    control, secret = lab.local.control
    token = lab.settings.api_token.get_secret_value()
    return {"api": lab.settings.api_url.rstrip("/"), "control": control, "secret": secret, "token": token}


class Pages:
    """A server of such pages. A real one: what comes from elsewhere Chromium keeps from this machine's addresses."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        written = self.written

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                bundled = self.path.startswith("/static/")
                file = BUNDLES / self.path[len("/static/") :] if bundled else SOURCES / self.path[len("/src/") :]
                known = self.path in written
                body = written[self.path].encode() if known else file.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if known else mimetypes.guess_type(file.name)[0] or "")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it is, up to the port."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def show(
        self, page: Page, where: Mapping[str, str], name: str, *, theme: str = "light", count: int = 1, **traits: Any
    ) -> None:
        """Open a page with that widget on it, `count` times, and wait until it is drawn. A reload draws it anew."""
        path = f"/{len(self.written)}"
        self.written[path] = PAGE.format(
            name=name,
            count=count,
            theme=f'data-jp-theme-light="{"false" if theme == "dark" else "true"}"',
            ground="#111417" if theme == "dark" else "#ffffff",
            traits=json.dumps({"addresses": dict(where), **traits}),
        )
        page.goto(f"{self.url}{path}")
        drawn(page)


@contextmanager
def serving_pages() -> Iterator[Pages]:
    """The server, as long as the block lasts."""
    pages = Pages()
    thread = Thread(target=pages.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield pages
    finally:
        pages.server.shutdown()
        thread.join()
        pages.server.server_close()


def drawn(page: Page) -> None:
    """Wait until the page's widgets are drawn."""
    expect(page.locator("body")).to_have_attribute("data-ready", "true")
