"""The graph of a report: functions, classes, modules and what they capture, with the cycles among them.

Data below a capture is left out; its size is told.  Drawn without any tool: nodes stand in columns by their distance from
the root, and what leads back is drawn dashed.
"""

import html

# More nodes than this are no drawing; the smallest are left out.
MOST = 120

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 230, 44, 70, 14, 20
COLORS = {"value": "#2f6f4f", "data": "#3a5f95", "reference": "#8a5a1a"}


def chosen(data):
    """Return the nodes to draw, and edges as (from, to, whether it is the first way there)."""
    nodes = {node["id"]: node for node in data["nodes"]}
    holding = _holding(nodes, data["root"])
    depth, order = {}, []
    for child in nodes[data["root"]]["children"]:
        if nodes[child]["name"] != "framing":
            depth[child] = 0
            order.append(child)
    tree = []
    for at in order:
        node = nodes[at]
        # What a by-value part holds is drawn; of data, only what holds by-value parts below.
        for child in node["children"]:
            if node["how"] == "value" or child in holding:
                if child not in depth:
                    depth[child] = depth[at] + 1
                    order.append(child)
                    tree.append((at, child, True))
    keep = set(sorted(order, key=lambda each: (nodes[each]["how"] != "value", -nodes[each]["total"]))[:MOST])
    others = [(at, to, False) for at in order for to in nodes[at]["shared"] if to in depth]
    edges = [edge for edge in tree + others if edge[0] in keep and edge[1] in keep]
    return [(nodes[at], depth[at]) for at in order if at in keep], edges


def _holding(nodes, root):
    """Return the ids of the nodes that travel by value, and of those that hold one that does."""
    order = [root]
    for at in order:
        order.extend(nodes[at]["children"])
    holding = set()
    # What holds comes before what it holds.
    for at in reversed(order):
        node = nodes[at]
        if node["how"] == "value" or any(each in holding for each in node["children"]):
            holding.add(at)
    return holding


def _texts(node):
    from capers._report import plain, size

    return [plain(text) for text in (node["name"], "{}, {}".format(node["type"], size(node["total"])))]


def _fitting(text, most=34):
    """Return *text* cut to the width of *most* letters, of which some take two."""
    import unicodedata

    kept, width = "", 0
    for each in text:
        width += 2 if unicodedata.east_asian_width(each) in "WF" else 1
        if width > most:
            return kept[:-1] + "…"
        kept += each
    return kept


def dot(data):
    """Return the graph of the report *data* in the language of Graphviz."""

    def quoted(text):
        return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    nodes, edges = chosen(data)
    lines = [
        "digraph captures {",
        "  rankdir=LR;",
        '  node [shape=box, style=filled, fontcolor=white, fontname="sans-serif"];',
    ]
    for node, _ in nodes:
        lines.append(
            "  n{} [label={}, fillcolor={}];".format(
                node["id"], quoted("\n".join(_texts(node))), quoted(COLORS[node["how"]])
            )
        )
    for start, end, first in edges:
        lines.append("  n{} -> n{}{};".format(start, end, "" if first else " [style=dashed]"))
    return "\n".join([*lines, "}", ""])


def svg(data):
    """Return the graph of the report *data* as a drawing."""
    from capers._report import plain

    nodes, edges = chosen(data)
    heights, places = {}, {}
    for node, depth in nodes:
        row = heights[depth] = heights.get(depth, -1) + 1
        places[node["id"]] = (MARGIN + depth * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
    width = max([x for x, _ in places.values()], default=0) + WIDTH + MARGIN + GAP_X
    height = max([y for _, y in places.values()], default=0) + HEIGHT + MARGIN
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">'.format(
            width, height
        ),
        "<title>{}</title>".format(html.escape(plain(data["title"]))),
        '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#808080"/></marker></defs>',
        '<g fill="none" stroke="#808080" stroke-width="1.2" marker-end="url(#end)">',
    ]
    for start, end, first in edges:
        (x1, y1), (x2, y2) = places[start], places[end]
        dash = "" if first else ' stroke-dasharray="5 3"'
        if first:
            x1, y1, y2 = x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2
            curve = "M{0} {1}C{2} {1} {3} {4} {5} {4}".format(x1, y1, x1 + GAP_X / 2, x2 - GAP_X / 2, y2, x2)
        else:
            x1, y1, x2, y2 = x1 + WIDTH, y1 + HEIGHT * 0.75, x2 + WIDTH, y2 + HEIGHT * 0.25
            far = max(x1, x2) + GAP_X / 2
            curve = "M{0} {1}C{2} {1} {2} {3} {4} {3}".format(x1, y1, far, y2, x2)
        parts.append('<path d="{}"{}/>'.format(curve, dash))
    parts.append('</g><g font-family="system-ui, sans-serif" fill="#ffffff">')
    for node, _ in nodes:
        x, y = places[node["id"]]
        name, more = (html.escape(_fitting(text)) for text in _texts(node))
        parts.append(
            '<g><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="5" fill="{}"/>'
            '<text x="{}" y="{}" font-size="12" font-weight="600">{}</text><text x="{}" y="{}" font-size="11">{}</text></g>'.format(
                html.escape(" — ".join(_texts(node))),
                x,
                y,
                WIDTH,
                HEIGHT,
                COLORS[node["how"]],
                x + 9,
                y + 18,
                name,
                x + 9,
                y + 35,
                more,
            )
        )
    return "\n".join([*parts, "</g></svg>", ""])
