"""Pages as headless Chromium shows them."""

import html
import re
import shutil
import subprocess

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser"])), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


def open_in_chromium(page, folder):
    """The DOM of a page after loading, and the messages of the console."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    flags += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000"]
    command = [CHROMIUM, *flags, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    messages = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    messages = [line for line in messages if "document idle" not in line]  # bokeh says so
    return done.stdout, messages


def sideways_pixels(page, folder, width):
    """How far a page of that width scrolls sideways; None if one of its pictures is broken."""
    measured = """
    <script>addEventListener("load", () => {
        const inside = document.querySelector("iframe").contentDocument;
        const isWhole = [...inside.images].every(image => image.naturalWidth > 0);
        const root = inside.documentElement;
        document.title = isWhole ? root.scrollWidth - root.clientWidth : "broken";
    });</script>"""
    # the policy of the page would hold in the frame too, and no script could look into it
    text = html.escape(page.replace("http-equiv", "data-http-equiv"))
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{text}"></iframe>'
    dom, _ = open_in_chromium(f"<title></title>{measured}{frame}", folder)
    title = re.search("<title>(.*?)</title>", dom)[1]
    return None if title == "broken" else int(title)
