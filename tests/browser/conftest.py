"""A real JupyterLab in Chromium: runs any notebook top to bottom and tells what came of it.

One server serves the session; each run has its own browser, since Playwright's event loop would
otherwise sit under every later test. Nothing but the server itself can be reached from the page.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = re.compile(r"\| Idle$")  # the end of the status bar's text about the kernel
UNSAVED = ".lm-DockPanel-tabBar .lm-TabBar-tab.jp-mod-dirty"  # the dot in the notebook's tab
TALL = {"width": 1280, "height": 2300}  # so that windowed rendering draws every cell


@dataclass(frozen=True)
class LabRun:
    """What a notebook left behind: in the saved file, on the page and on the network."""

    cells: int  # code cells that are not empty
    executed: int  # of them, those that carry a number in the saved file
    errors: list[str]  # tracebacks in the saved file, one text each
    blocked: list[str]  # addresses outside the server that the page asked for
    raised: list[str]  # uncaught exceptions of the page's own scripts
    screenshot: Path
    notebook: dict[str, Any] = field(repr=False)  # as saved by JupyterLab
    seen: Any = None  # what ``look`` returned

    def outputs(self, mime: str) -> list[Any]:
        """Every output of that type in the saved file, in order."""
        outputs = [o for cell in self.notebook["cells"] for o in cell.get("outputs", [])]
        found = [o["data"][mime] for o in outputs if mime in o.get("data", {})]
        return ["".join(text) if isinstance(text, list) else text for text in found]  # texts are saved by line


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab and the browser to open it with."""

    url: str
    root: Path
    chromium: str

    def run_all(
        self,
        notebook: Path,
        *,
        files: Sequence[Path] = (),
        look: Callable[[Any], Any] | None = None,
        seconds: float = 60,
        viewport: dict[str, int] | None = None,
    ) -> LabRun:
        """Copy the notebook and the files to the server's root, run every cell, save, and report.

        ``look`` is called with Playwright's page once all is done and before it closes; its answer
        is ``seen``. A run that does not end within ``seconds`` is reported as far as it came.
        """
        for path in files:
            copy = partial(shutil.copytree, dirs_exist_ok=True) if path.is_dir() else shutil.copy
            copy(path, self.root / path.name)
        copied = self.root / notebook.name
        copied.write_text(json.dumps(_cleared(json.loads(notebook.read_text("utf-8")))), "utf-8")
        blocked: list[str] = []
        raised: list[str] = []
        with self.opened(notebook.name, blocked, raised, viewport or TALL) as page:
            _run_cells(page, seconds)
            save(page)
            screenshot = copied.with_suffix(".png")
            page.screenshot(path=screenshot)
            run = _report(copied, blocked=blocked, raised=raised, screenshot=screenshot)
            return replace(run, seen=look(page)) if look and run.executed == run.cells else run

    @contextmanager
    def opened(
        self, name: str, blocked: list[str], raised: list[str], viewport: dict[str, int] = TALL
    ) -> Iterator[Any]:
        """A page with that notebook of the server's root, its kernel idle; what goes wrong is appended."""
        from playwright.sync_api import sync_playwright

        def block(route: Any) -> None:
            blocked.append(route.request.url)
            route.abort()

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=self.chromium, args=FLAGS)
            context = browser.new_context(viewport=viewport)
            context.route(lambda url: not url.startswith((self.url, "data:", "blob:")), block)
            page = context.new_page()
            page.on("pageerror", lambda error: raised.append(str(error)))
            try:
                page.goto(f"{self.url}/lab/tree/{name}?reset")
                self._wait_for_kernel(page)
                yield page
            finally:
                browser.close()
                for session in self.ask("sessions") or []:
                    self.ask(f"sessions/{session['id']}", "DELETE")

    def ask(self, path: str, method: str = "GET") -> Any:
        """The server's answer to a call of its interface; to a question None while it has no good one."""
        token = uuid.uuid4().hex  # ours, and twice: what another site's page could not say
        headers = {"Cookie": f"_xsrf={token}", "X-XSRFToken": token}
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:  # /api/kernels says 500 while a kernel starts
            refusal.close()
            if method != "GET":
                raise
        except OSError:  # not listening yet
            pass
        return None

    def _wait_for_kernel(self, page: Any) -> None:
        page.wait_for_selector(".jp-Notebook")
        _until(self._idle, otherwise="the kernel did not start", page=page)
        page.get_by_text(IDLE).wait_for()  # the indicator alone says idle too early

    def _idle(self) -> bool:
        return any(k["connections"] and k["execution_state"] == "idle" for k in self.ask("kernels") or [])


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a free port of this machine, with settings of its own, for the whole session."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium or google-chrome on the path")
    home = tmp_path_factory.mktemp("jupyter")
    root = tmp_path_factory.mktemp("notebooks")
    quiet = home / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false"}')  # or a box asks about news in every screenshot
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (home / "server.log").open("wb") as log, _server(port, root, home, log) as server:
        served = Lab(f"http://127.0.0.1:{port}", root, chromium)
        try:
            _until(lambda: server.poll() is not None or served.ask("status"), otherwise="JupyterLab did not start")
            assert server.poll() is None, (home / "server.log").read_text("utf-8")
            yield served
        finally:
            server.terminate()
            server.wait(timeout=20)


def _server(port: int, root: Path, home: Path, log: Any) -> subprocess.Popen[bytes]:
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "ServerApp.port_retries": 0,
        "IdentityProvider.token": "",
        "ServerApp.root_dir": root,
        "LabApp.news_url": "",
        "LabApp.extension_manager": "readonly",
    }
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    paths = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        + [f"--{name}={value}" for name, value in options.items()],
        env=os.environ | {name: str(home / name.lower()) for name in own} | {"PYTHONPATH": paths},
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=root,
    )


def _until(true: Callable[[], object], *, otherwise: str, page: Any = None, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, otherwise
        # a plain sleep would also hold up the page, whose requests wait for our router
        page.wait_for_timeout(50) if page else time.sleep(0.05)


def _run_cells(page: Any, seconds: float) -> None:
    from playwright.sync_api import TimeoutError as TookTooLong

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    done = """() => {
        const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent);
        return prompts.some(text => /\\[\\d+\\]/.test(text)) && !prompts.some(text => text.includes('*'));
    }"""  # a cell that raises takes the star off all that follow
    with suppress(TookTooLong):  # how far it came is in the saved file
        page.wait_for_function(done, timeout=1000 * seconds)
        page.get_by_text(IDLE).wait_for(timeout=1000 * seconds)


def save(page: Any) -> None:
    """Save, and again as long as an output comes after it: the file is whole when the dot in the tab is off."""
    from playwright.sync_api import TimeoutError as TookTooLong

    for _ in range(9):
        page.keyboard.press("Control+s")
        with suppress(TookTooLong):
            page.wait_for_selector(UNSAVED, state="detached", timeout=3_000)
            return
    page.wait_for_selector(UNSAVED, state="detached")


def _cleared(notebook: dict[str, Any]) -> dict[str, Any]:
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook["metadata"].setdefault("kernelspec", kernel)  # or a dialog asks for one, and nothing runs
    for cell in notebook["cells"]:  # numbers and outputs of an earlier run would pass for this one's
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    return notebook


def _report(path: Path, **rest: Any) -> LabRun:
    saved = json.loads(path.read_text("utf-8"))
    code = [c for c in saved["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    failures = [o for c in code for o in c["outputs"] if o["output_type"] == "error"]
    return LabRun(
        cells=len(code),
        executed=sum(c["execution_count"] is not None for c in code),
        errors=["\n".join(f["traceback"]) for f in failures],
        notebook=saved,
        **rest,
    )
