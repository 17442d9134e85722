"""Whatever bytes come, the command ends with an answer or an error, in bounded memory."""

import os
import pickle
import struct
import subprocess
import sys

import pytest
from command_line import COMMAND, TIMEOUT
from hostile import corpus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="address space is limited by prlimit")

ROOM = 64 << 20  # bytes of memory; the program itself, its libraries and its stack come on top
PROGRAM = 16 << 20
COMMANDS = (["show", "-"], ["show", "--tree", "--all", "-"], ["show", "--json", "-"], ["dis", "--code", "-"])


def limit():
    """Cap the address space of the child."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (ROOM + PROGRAM, ROOM + PROGRAM))


def feed(data, commands=COMMANDS):
    """Give *data* to each command; fail unless it ends by itself with a code that has a meaning."""
    for arguments in commands:
        ended = subprocess.run(
            [COMMAND, *arguments],
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
            preexec_fn=limit,
        )
        assert ended.returncode in (0, 1, 2), (arguments, data[:80], ended.returncode, ended.stderr[-300:])
        # Payloads that differ end with 1, too.
        silent = (0, 1) if arguments[0] == "diff" else (0,)
        assert ended.returncode in silent or ended.stderr.startswith(b"capers: "), (
            arguments,
            data[:80],
            ended.stderr[-300:],
        )
        assert b"panicked" not in ended.stderr


@pytest.mark.parametrize("category", corpus.categories())
def test_a_share_of_the_hostile_corpus_is_survived(category):
    streams = [each.data for each in corpus.corpus(category)]
    # Some of all, and the longest.
    for data in [*streams[:: max(1, len(streams) // 8)], *sorted(streams, key=len)[-3:]]:
        feed(data)


@pytest.mark.parametrize("category", corpus.categories())
def test_a_share_of_the_hostile_corpus_is_compared(category, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(pickle.dumps([1]))
    for data in sorted((each.data for each in corpus.corpus(category)), key=len)[-3:]:
        feed(data, [["diff", other, "-"]])
        other.write_bytes(data)


def test_lengths_that_the_input_does_not_have_are_errors():
    for opcode, width in ((pickle.BINBYTES, "<I"), (pickle.BINUNICODE, "<I"), (pickle.BINBYTES8, "<Q"), (pickle.BINUNICODE8, "<Q"),
                          (pickle.BYTEARRAY8, "<Q"), (pickle.FRAME, "<Q"), (pickle.LONG4, "<i")):  # fmt: skip
        for length in (1 << 31 - 1, (1 << 31) - 1, 1 << 20):
            feed(b"\x80\x05" + opcode + struct.pack(width, length) + b"abc", [["show", "-"], ["dis", "-"]])
    feed(b"\x80\x05N" + pickle.LONG_BINPUT + b"\xff\xff\xff\xff" + b".")


def test_structures_that_double_with_every_step_are_survived():
    feed(b"\x80\x04)" + b"2\x86" * 100_000 + b".")
    feed(b"\x80\x04]\x94" + b"(h\x00h\x00e" * 100_000 + b".")


def test_every_truncation_of_a_payload_is_an_error():
    import capers

    data = capers.dumps(lambda x, y=2: (x, y, {"k": [1, 2.5]}))
    for end in range(1, len(data)):
        ended = subprocess.run([COMMAND, "show", "-"], input=data[:end], capture_output=True, timeout=TIMEOUT)
        assert ended.returncode == 1, end
        assert b"is damaged: " in ended.stderr


def test_code_that_lies_about_its_lengths_is_survived():
    import capers

    data = bytearray(capers.dumps(compile("def f(a, b): return [a, b, 'text' * 3]", "x", "exec")))
    begun = data.index(b"C", 40) + 2
    for at in range(begun, len(data) - 4, 3):
        spoiled = bytes(data[:at]) + b"\xff\xff\xff\x7f" + bytes(data[at + 4 :])
        feed(spoiled, [["show", "-"], ["dis", "--code", "-"]])


@pytest.mark.parametrize("count", [100_000, 3_000_000])
def test_more_values_than_there_is_room_for_are_counted_or_refused(count):
    feed(b"\x80\x04(" + b"N" * count + b"t.")
    feed(b"\x80\x04](" + b"]" * count + b"e.")
    feed(b"\x80\x04N" + b"\x94" * count + b".")


def test_nothing_of_a_payload_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    data = pickle.dumps(Evil())
    feed(data)
    assert not (tmp_path / "made").exists()
