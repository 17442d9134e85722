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


# A chain of functions that call the next one, with names of many letters.
CHAIN = """
import capers, json
LAST = b"l" * 50_000
names = ["a_function_with_a_name_that_takes_some_room_%d" % at for at in range(60)] + ["LAST"]
for name, following in zip(names, names[1:]):
    exec("def %s(): return %s" % (name, following))
report = capers.explain(globals()[names[0]])
print(json.dumps([report.to_html(), report.to_dict()]))
"""

# Chooses a part of the map that is far down, and measures what is shown of it.
FAR_DOWN = """
<script>
choose(ID, true);
const tree = document.querySelector("#tree"), line = document.querySelector("#tree .chosen");
const [at, seen] = [line.getBoundingClientRect(), tree.getBoundingClientRect()];
document.body.dataset.result = JSON.stringify({
  label: line.querySelector(".label").clientWidth, wide: tree.scrollWidth - tree.clientWidth,
  page: document.documentElement.scrollWidth - innerWidth, scrolled: scrollY,
  inside: at.top >= seen.top && at.bottom <= seen.bottom,
});
</script>
"""

# Writes down the colors of the parts and of their text.
COLORS = """
<script>
const colors = [...document.querySelectorAll("#map button, .legend i")].map(it => [getComputedStyle(it).backgroundColor,
  getComputedStyle(document.querySelector("#map button")).color]);
document.body.dataset.result = JSON.stringify(colors);
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


def luminance(color):
    """The relative luminance of a color as a browser states it (WCAG 2.2)."""
    parts = [int(each) / 255 for each in re.findall(r"\d+", color)[:3]]
    parts = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("options", [(), ("--blink-settings=preferredColorScheme=0",)], ids=["light", "dark"])
def test_the_text_in_the_map_stands_out(tmp_path, options):
    page, data = json.loads(run(SCRIPT))
    colors = browse(tmp_path, page.replace("</body>", COLORS + "</body>"), "1280,800", *options)
    assert len({back for back, _ in colors}) == 4
    for back, text in colors:
        lower, higher = sorted([luminance(back), luminance(text)])
        # What WCAG asks for small text.
        assert (higher + 0.05) / (lower + 0.05) >= 4.5, (back, text)


@pytest.mark.parametrize("size", ["1280,800", "390,844"])
def test_a_part_far_down_is_readable_and_the_page_stays_where_it_is(tmp_path, size):
    page, data = json.loads(run(CHAIN))
    last = next(node["id"] for node in data["nodes"] if "room_55" in node["name"])
    result = browse(tmp_path, page.replace("</body>", FAR_DOWN.replace("ID", str(last)) + "</body>"), size)
    assert result["label"] >= 150 and result["wide"] <= 0 and result["page"] <= 0
    assert result["scrolled"] == 0 and result["inside"]
