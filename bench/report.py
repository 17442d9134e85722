"""Figures in print: medians, geometric means, tables and bars."""

import math
import os
import statistics
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One promise: what was *measured* must be *at_least* or *at_most* a number."""

    name: str
    measured: float
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"

    @property
    def passed(self):
        """Whether the promise is kept; a figure that could not be measured keeps nothing."""
        if math.isnan(self.measured):
            return False
        if self.at_least is not None:
            return self.measured >= self.at_least
        return self.measured <= self.at_most


def median(numbers):
    """Return the median of *numbers*, or not-a-number of none."""
    return statistics.median(numbers) if numbers else math.nan


def geometric_mean(numbers):
    """Return the geometric mean of *numbers*, those that are not numbers left out."""
    logs = [math.log(number) for number in numbers if number is not None and not math.isnan(number)]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def number(value, digits=3):
    """Return *value* with about three digits: ``0.28``, ``15.3``, ``1,234``; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    whole = len(str(int(abs(value))))
    return f"{value:,.{max(0, digits - whole)}f}"


def times_over(times, tool, rivals):
    """Return how many times the time of *rivals* is of *tool*'s, by kind and rival; *times* are by kind and tool."""
    return {
        f"{kind} {rival}": spent[rival] / spent[tool]
        for kind, spent in times.items()
        for rival in rivals
        if tool in spent and rival in spent
    }


def marked(value, floor):
    """Return a ratio for a table, in red below its floor."""
    text = f"{number(value) if value else '–':>6}"
    return ink("31", text) if value and value < floor else text


def ink(style, text):
    """Return *text* in the ANSI *style* where standard output is a terminal."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\033[{style}m{text}\033[0m"
    return text


def print_bars(bars):
    """Print which bars were met."""
    width = max(len(bar.name) for bar in bars)
    for bar in bars:
        word = ink("32", "PASS") if bar.passed else ink("31", "FAIL")
        limit = f"at least {bar.at_least}" if bar.at_least is not None else f"at most {bar.at_most}"
        print(f"  {word}  {bar.name:<{width}}  {number(bar.measured):>9}{bar.unit}   {limit}{bar.unit}")
