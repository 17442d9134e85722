"""What is in a payload and why it is so big: the report that ``explain`` makes, as text, data, a page and a drawing.

The numbers come from the native module, which notes a real dump; nothing is measured or decided here.
"""

import sys
import time
from typing import Any, NamedTuple

from capers import _core

# Bytes from which something that a function captured is worth a warning, where it is also a tenth of the payload.
LARGE = 1_000_000

# Parts of the tree that `print` leaves out: smaller ones than this share, and what comes after so many lines.
SMALL = 0.01
LINES = 60
CHILDREN = 12

# Steps of a long way that are told at either end, as in an error.
STEPS = 24

# What a page tells of what is to be minded before one has chosen a part.
PAGE_LINES = 40

# How many parts a warning names.
NAMED = 3

# Modules whose objects hold a connection, and ends of class names that say so.
CLIENT_MODULES = frozenset(
    "aiobotocore aiohttp asyncpg boto3 botocore elasticsearch google grpc httpx kafka motor openai paramiko psycopg "
    "psycopg2 pymongo pymysql redis requests sqlalchemy urllib3 zmq".split()
)
CLIENT_ENDS = ("Client", "Connection", "ConnectionPool", "Session", "Engine", "Channel")

LOCKS = frozenset(["_thread.lock", "_thread.RLock", "_threading_local.local", "_thread._local"]) | {
    "threading." + name for name in ("Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier", "RLock", "Lock")
}
FILES = frozenset(
    "_io." + name for name in ("TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom", "FileIO")
)


class Capture(NamedTuple):
    """A name that a function takes along.

    *origin* is ``"global"``, ``"closure"``, ``"default"``, ``"attribute"``, ``"self"`` for the object of a bound method, or
    ``"module"`` for a module that travels by name.
    """

    name: str
    origin: str
    value: Any


class LargePayloadWarning(UserWarning):
    """A payload has more bytes than ``set_large_payload_size`` allows without a warning."""


def warn_large(found, count):
    """Warn of a payload of *count* bytes, and name its biggest parts, which the native module *found*.

    *found* is None where it could not look; and an account of something else names nothing.
    """
    import warnings

    biggest = Report(_as_data(found), 0).biggest() if found and found["total"] == count else None
    text = "a payload of " + size(count) + (": " + plain(biggest) if biggest else "")
    warnings.warn(text, LargePayloadWarning, stacklevel=2)


def captures(function):
    """Return the names that *function*, a function or bound method, takes along, as a list of :class:`Capture`.

    Nothing is pickled.  A function that travels by name takes nothing along.  What every function brings of its module
    (``__package__``, ``__file__``) is left out.  Raises ``TypeError`` for anything else than a function.
    """
    return [Capture(*each) for each in _core._captures(function)]


def explain(obj, protocol=None, *, by_value=None, locks=None, files=None, reducers=None, globals=None):
    """Return a :class:`Report` of what would travel if *obj* were pickled, or of what is in it if *obj* is bytes.

    The arguments are those of ``dumps``.  What cannot travel does not end the report: all of it is listed.  Bytes are looked
    into without loading anything.
    """
    began = time.perf_counter()
    if isinstance(obj, (bytes, bytearray, memoryview)):
        import json

        payload = bytes(obj)
        data = json.loads(_core._inspect(payload, "payload of {:,} bytes".format(len(payload))))
        return Report(data, time.perf_counter() - began)
    choices = {"by_value": by_value, "locks": locks, "files": files, "reducers": reducers, "globals": globals}
    found = _core._explain(obj, protocol, **choices)
    return Report(_as_data(found, files), time.perf_counter() - began)


def _as_data(found, files=None):
    """Return what the native module *found* as the data of a report; *files* says how open files travel."""
    root = {"id": 0, "name": "payload", "type": "payload", "how": "data", "own": 0, "total": found["total"]}
    frames = {"id": 1, "name": "framing", "type": "protocol and frames", "how": "data"}
    frames["own"] = frames["total"] = found["framing"]
    nodes = [root, frames]
    for each in nodes:
        each.update(children=[], shared=[], warnings=[])
    for at, (_, label, kind, what, how, own, total, shared) in enumerate(found["nodes"], 2):
        if what and what[0].isdigit():
            kind = "{} of {}".format(kind, what)
        elif what:
            kind = "{} {}".format(kind, what)
        nodes.append(
            {
                "id": at,
                "name": label or kind,
                "type": kind or "items",
                "how": how,
                "own": own,
                "total": total,
                "children": [],
                "shared": [each + 2 for each in shared],
                "warnings": [],
            }
        )
    for at, each in enumerate(found["nodes"], 2):
        nodes[0 if each[0] is None else each[0] + 2]["children"].append(at)
    root["children"].append(1)
    kinds = [None, None, *(each[2] for each in found["nodes"])]
    data = {
        "title": "what {} takes along".format(found["name"]),
        "total": found["total"],
        "protocol": found["protocol"],
        "python": "%d.%d" % sys.version_info[:2],
        "root": 0,
        "nodes": nodes,
        "offenders": [
            {"node": None if node is None else node + 2, "path": path, "type": kind, "message": message}
            for node, path, kind, message in found["offenders"]
        ],
    }
    for each in data["offenders"]:
        if each["node"] is not None:
            nodes[each["node"]]["warnings"].append("cannot travel: " + each["message"])
    _warn(data, kinds, files)
    return data


def _warn(data, kinds, files):
    """Put warnings into the nodes of *data*; *kinds* are the full names of their classes."""
    file = "an open file, which is opened again by its name where it arrives"
    if files == "content":
        file = "an open file, whose content travels"
    nodes, total = data["nodes"], data["total"]
    owners = {child: node for node in nodes for child in node["children"]}
    for node, kind in zip(nodes, kinds, strict=True):
        if not kind or node["how"] == "reference":
            if kind == "os._Environ":
                node["warnings"].append("the environment of the receiving process arrives, not this one")
            continue
        owner = owners[node["id"]]
        name, warnings = node["name"], node["warnings"]
        captured = next(
            (word for word in ("globals", "closure", "defaults") if name.startswith(".__%s__" % word)), None
        )
        code = kind in ("function", "type", "module", "code") or node["type"].startswith("type ")
        if captured and not code and node["total"] >= max(LARGE, total // 10):
            where = {"globals": "a global", "closure": "a closure variable", "defaults": "defaults"}[captured]
            warnings.append("{} of {}: {} of {}".format(where, owner["type"], size(node["total"]), kind))
        elif node["own"] >= max(LARGE, total // 4) and owner["id"] != data["root"] and not owner["warnings"]:
            warnings.append("{} of {} in one piece".format(size(node["own"]), kind))
        if any(it.startswith("cannot travel") for it in warnings):
            continue
        top, _, last = kind.partition(".")
        if kind in LOCKS:
            warnings.append("a lock, which arrives free")
        elif kind in FILES:
            warnings.append(file)
        elif kind == "os._Environ":
            warnings.append("the environment of the receiving process arrives, not this one")
        elif top in CLIENT_MODULES and last.endswith(CLIENT_ENDS) and not kind.startswith("type "):
            warnings.append("a client object: what it is connected to does not travel")


def size(count):
    """Return *count* bytes as text of at most four digits, in decimal units."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return (
        "{} {}".format(count, unit)
        if isinstance(count, int)
        else "{:.{}f} {}".format(count, 1 if count < 100 else 0, unit)
    )


def plain(text):
    """Return *text* without characters that a terminal obeys: names may be anything, above all those of a payload."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


class Report:
    """What is in a payload: the parts and their sizes, what cannot travel, and warnings.

    ``print`` it, or use :meth:`to_dict`, :meth:`to_html`, :meth:`to_svg` and :meth:`to_dot`; notebooks show the page.
    """

    def __init__(self, data, seconds):
        """Make a report of *data*, in the form of :meth:`to_dict`, that took *seconds*."""
        self._data = data
        self._nodes = {node["id"]: node for node in data["nodes"]}
        self._owners = {child: node["id"] for node in data["nodes"] for child in node["children"]}
        self._depths = None
        self.seconds = seconds

    @property
    def total(self):
        """How many bytes the payload has."""
        return self._data["total"]

    @property
    def offenders(self):
        """What cannot travel: a list of dicts with ``path``, ``type`` and ``message``."""
        return [dict(each) for each in self._data.get("offenders", [])]

    @property
    def warnings(self):
        """What one may not have meant to send: a list of dicts with ``path``, ``bytes`` and ``text``, the biggest first."""
        found = []
        for node in self._data["nodes"]:
            for text in node["warnings"]:
                if not text.startswith("cannot travel: "):
                    found.append({"path": self.path(node["id"]), "bytes": node["total"], "text": text})
        return sorted(found, key=lambda each: -each["bytes"])

    def path(self, node):
        """Return the way to the node with the id *node*, as an error would tell it."""
        if self._depths is None:
            self._depths = self._measured()
        depth, first = self._depths[node]
        if not depth:
            return self._nodes[node]["name"]
        last = []
        for _ in range(min(depth - len(first), STEPS)):
            last.append(self._nodes[node]["name"])
            node = self._owners[node]
        whole = _joined(first[0], first[1:])
        if depth > len(first) + len(last):
            whole += " … "
        return _joined(whole, reversed(last))

    def _measured(self):
        """Return for each node how deep it is, and the first steps of the way to it."""
        root = self._data["root"]
        depths, open_ = {root: (0, ())}, [root]
        while open_:
            at = open_.pop()
            depth, first = depths[at]
            for child in self._nodes[at]["children"]:
                depths[child] = depth + 1, (*first, self._nodes[child]["name"]) if depth < STEPS else first
                open_.append(child)
        return depths

    def biggest(self):
        """Return in one line which parts make the payload big: those of which most is in none of the other big parts."""
        nodes, found, big = self._nodes, [], self.total / 20
        for node in nodes.values():
            inside = sum(nodes[each]["total"] for each in node["children"] if nodes[each]["total"] >= big)
            if node["id"] != self._data["root"] and node["total"] >= big and inside <= node["total"] / 2:
                found.append(node)
        found.sort(key=lambda node: -node["total"])
        return ", ".join("{} of {}".format(self.path(node["id"]), size(node["total"])) for node in found[:NAMED])

    def to_dict(self):
        """Return the report as dicts, lists, texts and numbers.

        ``nodes`` is a list of dicts: ``id``; ``name``, the step from its parent; ``type``; ``how``, one of ``"value"``,
        ``"reference"`` and ``"data"``; ``own`` and ``total``, bytes without and with those of its children; ``children``;
        ``shared``, ids of nodes that are part of something else; ``warnings``.  ``root`` is the id of the whole payload.
        The own bytes of all nodes add up to ``total``.
        """
        import copy

        return copy.deepcopy(self._data)

    def to_html(self, path=None):
        """Write one page that needs nothing else to *path*, or return it: a map of bytes, the tree, details of each part."""
        import json

        # What is chosen when the page opens is the whole payload: there everything to mind is told.
        data = self.to_dict()
        told = ["{} (at {})".format(each["message"], each["path"]) for each in self.offenders]
        told += ["{} (at {})".format(each["text"], each["path"]) for each in self.warnings]
        root = next(node for node in data["nodes"] if node["id"] == data["root"])
        root["warnings"] = told[:PAGE_LINES] + ["… %d more" % (len(told) - PAGE_LINES)] * (len(told) > PAGE_LINES)
        page = _core._page(json.dumps(data).replace("<", "\\u003c"))
        return _written(page, path)

    def to_dot(self, path=None):
        """Write the graph of functions, classes and what they capture in the language of Graphviz to *path*, or return it."""
        from capers import _drawing

        return _written(_drawing.dot(self._data), path)

    def to_svg(self, path=None):
        """Write the same graph as a drawing to *path*, or return it."""
        from capers import _drawing

        return _written(_drawing.svg(self._data), path)

    def _repr_html_(self):
        import html

        page = html.escape(self.to_html())
        return '<iframe sandbox="allow-scripts" style="width: 100%; height: 640px; border: 0" srcdoc="{}"></iframe>'.format(
            page
        )

    def __repr__(self):
        return "<capers.Report: {} in {}>".format(size(self.total), _parts(len(self._nodes)))

    def __str__(self):
        return "\n".join(plain(line) for line in [*self._head(), *self._tree()])

    def _head(self):
        data = self._data
        yield "{}: {} in {}, protocol {}, {:.3f} s".format(
            data["title"], size(data["total"]), _parts(len(data["nodes"])), data["protocol"], self.seconds
        )
        if data.get("error"):
            yield "damaged: {}".format(data["error"])
        for title, lines in (
            ("cannot travel", ["{} (at {})".format(each["message"], each["path"]) for each in self.offenders]),
            ("mind", ["{} (at {})".format(each["text"], each["path"]) for each in self.warnings]),
        ):
            if lines:
                yield "{}:".format(title)
                for line in lines[:CHILDREN]:
                    yield "  " + line
                if len(lines) > CHILDREN:
                    yield "  … {} more".format(len(lines) - CHILDREN)

    def _tree(self):
        """Yield the lines of the tree: the biggest first, what is small left out unless there is something to mind.

        Where the tree ends before all that is big has been shown, the biggest parts are named after it.
        """
        nodes, total = self._nodes, max(1, self.total)
        minded = set()
        for node in self._data["nodes"]:
            at = node["id"] if node["warnings"] else None
            while at is not None and at not in minded:
                minded.add(at)
                at = self._owners.get(at)
        # Entries are nodes with their depth, or finished lines.
        open_, lines, cut = [(self._data["root"], 0)], 0, False
        while open_:
            at, depth = open_.pop()
            indent = "  " * min(depth, 20)
            if isinstance(at, str):
                yield indent + at
                continue
            node = nodes[at]
            lines += 1
            mark = "  ← cannot travel" if any(it.startswith("cannot travel") for it in node["warnings"]) else ""
            how = "" if node["how"] == "data" else "  by " + node["how"]
            also = ["also " + self.path(each) for each in node["shared"] if not nodes[each]["type"].startswith("type ")]
            yield "{:>10} {:5.1f} %  {}{}  {}{}{}{}".format(
                size(node["total"]),
                100 * node["total"] / total,
                indent,
                node["name"],
                "" if node["type"] == node["name"] else node["type"],
                how,
                mark,
                "".join("  (%s)" % each for each in also[:3]),
            ).rstrip()
            children = sorted(node["children"], key=lambda each: -nodes[each]["total"])
            shown = [each for each in children if each in minded or nodes[each]["total"] >= SMALL * total][:CHILDREN]
            word = "smaller "
            if lines + len(open_) > LINES:
                kept = [each for each in shown if each in minded]
                if kept != shown:
                    shown, cut, word = kept, True, "more "
            rest = [nodes[each]["total"] for each in children if each not in shown]
            if sum(rest) >= SMALL * total:
                text = "{:>10}          {}… {}".format(size(sum(rest)), indent + "  ", _parts(len(rest), word))
                open_.append((text, 0))
            open_.extend((each, depth + 1) for each in reversed(shown))
        if cut:
            yield "the biggest: " + self.biggest()


def _joined(way, names):
    for name in names:
        way += name if name.startswith((".", "[", "(", "{", "…")) else "." + name
    return way


def _parts(count, word=""):
    return "{} {}part{}".format(count, word, "" if count == 1 else "s")


def _written(text, path):
    if path is None:
        return text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return None
