"""Bytes that begin in a frame and end behind it lost their beginning when they were read from a file."""

import io
import pickle

import capers
import pytest

BODIES = [b"C\x05hello", b"B\x05\0\0\0hello", b"\x8e\x05\0\0\0\0\0\0\0hello", b"\x96\x05\0\0\0\0\0\0\0hello"]


class Plain:
    """A file with nothing but what is asked of it, which returns a few bytes at a time."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, n):
        return self.data.read(n)

    def readline(self):
        return self.data.readline()


def outcome(load, data):
    try:
        return load(data)
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("body", BODIES)
def test_bytes_that_cross_the_end_of_a_frame_are_what_pickle_makes_of_them(body):
    for size in range(len(body) + 3):
        data = b"\x80\x04\x95" + size.to_bytes(8, "little") + b"N" + body + b"\x86."
        for make in (io.BytesIO, Plain, lambda data: io.BufferedReader(io.BytesIO(data), 16)):
            ours, theirs = (outcome(lambda data: library.load(make(data)), data) for library in (capers, pickle))
            if theirs in ("MemoryError", "OverflowError"):  # a length from the wrong place, made room for
                assert ours in ("UnpicklingError", theirs), (size, ours, theirs)
            else:
                assert ours == theirs, (size, ours, theirs)
