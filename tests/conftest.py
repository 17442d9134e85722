"""Fixtures of the whole suite."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def tests_on_path():
    """The environment of a process that can import the helpers of the suite (``likeness``, ``gallery``)."""
    here = str(Path(__file__).resolve().parent)
    return {"PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))}


def pytest_configure(config):
    """Register the markers of the suite."""
    config.addinivalue_line("markers", "slow: takes more than ten seconds; `-m 'not slow'` leaves it out")
