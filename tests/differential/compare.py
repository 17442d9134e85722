"""Loads the same streams with capers and with C pickle, each in processes of its own, and compares what they report."""

import itertools
import json
import sys
from dataclasses import dataclass, field

from hostile.runner import environment, lines_of

PATIENCE = 20  # seconds without a sign of life before a process is taken for hung


@dataclass
class Tally:
    """What the comparison of many streams came to."""

    streams: int = 0
    unclean: list = field(default_factory=list)  # streams that C does not end cleanly, with what happened
    agreed: int = 0  # both a value, the same one, or both an error
    errors: int = 0  # both an error
    same_class: int = 0  # of those, with the same class
    same_events: int = 0
    different: list = field(default_factory=list)  # (number, what C gave, what capers gave, stream in hex)
    other_class: list = field(default_factory=list)
    other_events: list = field(default_factory=list)
    by_kind: dict = field(default_factory=dict)

    def add(self, other):
        """Take in the tally of other streams."""
        for name in ("streams", "agreed", "errors", "same_class", "same_events"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("unclean", "different", "other_class", "other_events"):
            getattr(self, name).extend(getattr(other, name))
        for kind, count in other.by_kind.items():
            self.by_kind[kind] = self.by_kind.get(kind, 0) + count


def reports(library, seed, count, python=sys.executable, **env):
    """Yield the report on each stream, whatever happens to the processes."""
    start = 0
    while start < count:
        done = False
        command = [python, "-m", "differential.worker", library, str(seed), str(count), str(start)]
        for line in lines_of(command, environment(**env), PATIENCE):
            if isinstance(line, tuple):
                code, said = line
            elif line == b"done\n":
                done = True
            else:
                report = json.loads(line)
                start = report[0] + 1
                yield report
        if done:
            return
        if code == 1 and "Traceback" in said:
            raise AssertionError("the worker itself failed:\n" + said[-3000:])
        yield [start, "dead", f"no end ({code})" if code == "hung" else f"death ({code})", [], "", 0, ""]
        start += 1


def compare(seed, count, **how):
    """Compare capers with C on the streams of a seed."""
    tally = Tally()
    for ours, theirs in itertools.zip_longest(
        reports("capers", seed, count, **how), reports("pickle", seed, count, **how)
    ):
        assert ours[0] == theirs[0], (ours, theirs)
        number, data = ours[0], ours[6] or theirs[6]
        kind = ours[4] or theirs[4]
        tally.streams += 1
        tally.by_kind[kind] = tally.by_kind.get(kind, 0) + 1
        if theirs[1] in ("dead", "memory"):
            tally.unclean.append((number, theirs[1], theirs[2], ours[1:3], data))
            if ours[1] == "dead":
                tally.different.append((number, theirs[1:3], ours[1:3], theirs[5], data))
            continue
        if ours[1] != theirs[1] or (ours[1] == "value" and ours[2] != theirs[2]):
            tally.different.append((number, theirs[1:3], ours[1:3], ours[5], data))
            continue
        tally.agreed += 1
        if ours[1] == "error":
            tally.errors += 1
            if ours[2] == theirs[2]:
                tally.same_class += 1
            else:
                tally.other_class.append((number, theirs[2], ours[2], ours[5], data))
        if ours[3] == theirs[3]:
            tally.same_events += 1
        else:
            tally.other_events.append((number, theirs[3], ours[3], ours[5], data))
    return tally
