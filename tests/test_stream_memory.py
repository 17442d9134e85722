"""How far memory rises while large objects are written and read: by what the result takes, and no copies beside it.

Each script measures the highest resident set of its own process; the object is there before.  What is allowed beyond the
needed covers pieces on their way, the interpreter, and huge pages half used.
"""

import sys

import pytest
from shipping import run

if not sys.platform.startswith("linux"):
    pytest.skip("memory is measured as Linux tells it", allow_module_level=True)

MEASURE = """
import array, io, pickle, resource, sys, tempfile
import capers

MIB = 1 << 20
SIZE = 192 * MIB
SPARE = 24 * MIB

def highest():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def rises(action, needed):
    "Fail unless memory rises by about *needed* while *action* runs; return what it gives."
    capers.loads(capers.dumps(["warm", b"x" * 100_000]))
    before = highest()
    result = action()
    rose = highest() - before
    assert rose <= needed + SPARE, "rose by %.1f MiB instead of %.1f" % (rose / MIB, needed / MIB)
    return result

def hole(before, after):
    "A file with *SIZE* zeros between two texts, which take no room."
    file = tempfile.TemporaryFile()
    file.write(before)
    file.seek(SIZE, 1)
    file.write(after)
    file.seek(0)
    return file
"""

OBJECTS = {
    "bytes": "b'x' * SIZE",
    "bytearray": "bytearray(b'x') * SIZE",
    "str": "'x' * SIZE",
    "writable buffer": "pickle.PickleBuffer(array.array('d', [1.5]) * (SIZE // 8))",
    "list of bytes": "[bytes([n]) * MIB for n in range(SIZE // MIB)]",
    "list of bytearrays": "[bytearray(bytes([n])) * MIB for n in range(SIZE // MIB)]",
    "dict of strings": "{str(n): chr(65 + n % 26) * MIB for n in range(SIZE // MIB)}",
}


@pytest.mark.parametrize("name", OBJECTS)
def test_dump_needs_no_copy_of_a_large_object(name):
    run(MEASURE + f"thing = {OBJECTS[name]}\nrises(lambda: capers.dump(thing, tempfile.TemporaryFile(), 5), 0)\n")


@pytest.mark.parametrize("name", OBJECTS)
def test_dumps_needs_no_more_than_its_result(name):
    run(MEASURE + f"thing = {OBJECTS[name]}\nrises(lambda: capers.dumps(thing, 5), SIZE)\n")


def test_dump_of_an_array_needs_the_bytes_that_it_makes_of_itself():
    script = "thing = array.array('d', [1.5]) * (SIZE // 8)\nrises(lambda: capers.dump(thing, tempfile.TemporaryFile()), SIZE)\n"
    run(MEASURE + script)


def test_dump_of_a_numpy_array_needs_no_copy():
    pytest.importorskip("numpy")
    script = "import numpy\nthing = numpy.full(SIZE // 8, 1.5)\nrises(lambda: capers.dump(thing, tempfile.TemporaryFile(), 5), 0)\n"
    run(MEASURE + script)


def test_dump_of_a_text_of_another_alphabet_needs_its_utf8_once_and_keeps_none_of_it():
    run(
        MEASURE
        + """
thing = "é" * (SIZE // 2)
size = sys.getsizeof(thing)
rises(lambda: capers.dump(thing, tempfile.TemporaryFile(), 5), SIZE)
assert sys.getsizeof(thing) == size
"""
    )


@pytest.mark.parametrize("protocol", range(6))
def test_dump_of_many_small_objects_needs_no_room_for_them_all(protocol):
    run(
        MEASURE
        + f"""
thing = [2**31 - 1] * 6_000_000
file = tempfile.TemporaryFile()
rises(lambda: capers.dump(thing, file, {protocol}), 0)
assert file.tell() > 30_000_000
"""
    )


OPCODES = {"bytes": b"\x8e", "bytearray": b"\x96", "str": b"\x8d"}


@pytest.mark.parametrize("buffering", [-1, 0])
@pytest.mark.parametrize("kind", OPCODES)
def test_load_needs_no_more_than_the_object(kind, buffering):
    run(
        MEASURE
        + f"""
file = hole(b"\\x80\\x05" + {OPCODES[kind]!r} + SIZE.to_bytes(8, "little"), b".rest")
if {buffering} == 0:
    file = file.detach()
thing = rises(lambda: capers.load(file), SIZE)
assert type(thing).__name__ == {kind!r} and len(thing) == SIZE and file.read() == b"rest"
"""
    )


@pytest.mark.parametrize("methods", ["read", "read readinto", "read peek"])
@pytest.mark.parametrize("kind", OPCODES)
def test_load_from_a_file_written_in_python_needs_no_more_than_the_object_and_a_piece(kind, methods):
    run(
        MEASURE
        + f"""
real = hole(b"\\x80\\x05" + {OPCODES[kind]!r} + SIZE.to_bytes(8, "little"), b".rest")
class File:
    def read(self, count): return real.read(count)
    def readline(self): return real.readline()
    if "readinto" in {methods!r}:
        def readinto(self, room): return real.readinto(room)
    if "peek" in {methods!r}:
        def peek(self, count): return real.peek(count)
thing = rises(lambda: capers.load(File()), SIZE + 64 * MIB)
assert type(thing).__name__ == {kind!r} and len(thing) == SIZE and real.read() == b"rest"
"""
    )


@pytest.mark.parametrize("kind", OPCODES)
def test_loads_needs_no_more_than_the_object(kind):
    run(
        MEASURE
        + f"""
data = b"".join([b"\\x80\\x05", {OPCODES[kind]!r}, SIZE.to_bytes(8, "little"), bytes(SIZE), b"."])
thing = rises(lambda: capers.loads(data), SIZE)
assert type(thing).__name__ == {kind!r} and len(thing) == SIZE
"""
    )


def test_an_unpickler_keeps_nothing_of_a_text_that_it_has_given_out():
    run(
        MEASURE
        + """
text = "水" * (SIZE // 3)
data = io.BytesIO(pickle.dumps(text, 4) * 2)
del text
unpickler = capers.Unpickler(data)
unpickler.load()
unpickler.memo.clear()
before = highest()
unpickler.load()
assert highest() - before < SPARE, (highest() - before) / MIB
"""
    )


def test_out_of_band_nothing_is_copied():
    run(
        MEASURE
        + """
thing = array.array("d", [1.5]) * (SIZE // 8)
def there_and_back():
    buffers = []
    data = capers.dumps(pickle.PickleBuffer(thing), 5, buffer_callback=buffers.append)
    return capers.loads(data, buffers=buffers)
rises(there_and_back, 0)
"""
    )


@pytest.mark.parametrize("kind", OPCODES)
@pytest.mark.parametrize("claimed", ["1 << 30", "1 << 40", "(1 << 63) - 1"])
def test_memory_is_not_asked_for_far_ahead_of_what_a_file_delivers(kind, claimed):
    # Up to 3.14 C refuses a size that no bytes object can have before it reads on.
    refused = kind == "bytes" and "63" in claimed and sys.version_info < (3, 15)
    error = "OverflowError" if refused else "capers.UnpicklingError"
    run(
        MEASURE
        + f"""
data = b"\\x80\\x05" + {OPCODES[kind]!r} + ({claimed}).to_bytes(8, "little") + bytes(2 * MIB)
with open("payload", "wb") as file:
    file.write(data)
resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, resource.RLIM_INFINITY))
for make in (lambda: io.BytesIO(data), lambda: open("payload", "rb"), lambda: open("payload", "rb", buffering=0)):
    try:
        capers.load(make())
    except {error}:
        pass
    else:
        raise AssertionError("it was loaded")
"""
    )


def test_running_out_of_memory_is_an_exception():
    run(
        MEASURE
        + """
thing = bytearray(b"x") * SIZE
taken = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmSize")) \
    if __import__("os").path.exists("/proc/self/status") else SIZE + 100 * MIB
resource.setrlimit(resource.RLIMIT_AS, (taken + SIZE // 2, resource.RLIM_INFINITY))
for action in (lambda: capers.dumps(thing, 5), lambda: capers.dumps([thing, [1] * 100], 5)):
    try:
        action()
    except MemoryError:
        pass
    else:
        raise AssertionError("there was room")
capers.dump(thing, tempfile.TemporaryFile(), 5)
"""
    )
