"""The page of a report in a browser: what it draws, what a click shows, and that it asks for nothing.

The browser is the machine's own, without a window; where there is none, these tests say so.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
from shipping import run

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no browser on this machine")

SCRIPT = """
import capers, json
TABLE = {"rows": [b"r" * 40_000, b"s" * 20_000], "</script>": b"t" * 9000}
def helper(): return TABLE
def outer(pool):
    def handler(x): return pool, helper(), handler
    return handler
report = capers.explain(outer([b"p" * 30_000]))
print(json.dumps([report.to_html(), report.to_dict()]))
"""

# Runs after the page's own script: clicks the part with the most bytes below the root's functions, in the map, then its
# first row in the tree, and writes down what is shown.
CLICK = """
<script>
const result = {width: document.documentElement.scrollWidth, seen: innerWidth, asked: performance.getEntriesByType("resource").length};
result.map = document.querySelectorAll("#map button").length;
document.querySelector('#map button[data-id="ID"]').click();
result.total = document.querySelector("#detail .total").textContent;
result.own = document.querySelector("#detail .own").textContent;
result.chosen = document.querySelector("#tree .chosen").dataset.id;
document.querySelector('#tree .row[data-id="ID"] .toggle').click();
result.open = [...document.querySelectorAll("#tree .row")].map(row => row.dataset.id).filter(Boolean);
const colors = getComputedStyle(document.body);
result.colors = [colors.backgroundColor, colors.color];
document.body.dataset.result = JSON.stringify(result);
</script>
"""


def browse(folder, page, size, *options):
    """Return what the script at the end of *page* wrote down, in a window of *size*."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command += [f"--window-size={size}", *options, "--dump-dom", file.as_uri()]
    # What a sanitized run puts before this process is not for the browser.
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    found = re.search(r'data-result="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&amp;", "&"))


@pytest.mark.parametrize("size", ["1280,800", "390,844"])
def test_a_click_on_a_part_shows_its_numbers(tmp_path, size):
    page, data = json.loads(run(SCRIPT))
    nodes = {node["id"]: node for node in data["nodes"]}
    table = next(node for node in data["nodes"] if node["name"] == ".__globals__['TABLE']")
    result = browse(tmp_path, page.replace("</body>", CLICK.replace("ID", str(table["id"])) + "</body>"), size)
    assert result["asked"] == 0 and result["map"] >= 5
    assert result["width"] <= result["seen"], "the page is wider than the window"
    assert result["total"] == f"{table['total']:,} ({100 * table['total'] / data['total']:.1f} %)"
    assert result["own"].startswith(f"{table['own']:,} (")
    assert result["chosen"] == str(table["id"])
    assert {str(each) for each in table["children"]} <= set(result["open"])
    assert nodes[data["root"]]["total"] == data["total"]


def test_it_is_readable_in_the_dark_and_in_the_light(tmp_path):
    page, data = json.loads(run(SCRIPT))
    page = page.replace("</body>", CLICK.replace("ID", "2") + "</body>")

    def brightness(color):
        return sum(map(int, re.findall(r"\d+", color)[:3]))

    light = browse(tmp_path, page, "1280,800")["colors"]
    dark = browse(tmp_path, page, "1280,800", "--blink-settings=preferredColorScheme=0")["colors"]
    assert brightness(light[0]) > 600 > 300 > brightness(light[1])
    assert brightness(dark[0]) < 300 < 600 < brightness(dark[1])
