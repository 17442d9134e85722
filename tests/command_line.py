"""The capers command of this environment, and payloads to show it."""

import io
import pickle
import pickletools
import random
import subprocess
import sys
from pathlib import Path

from hostile import gallery

COMMAND = Path(sys.executable).with_name("capers.exe" if sys.platform == "win32" else "capers")
TIMEOUT = 120  # seconds; a hang is a failure

# The modules that some payloads of the galleries name.
sys.path.append(str(Path(__file__).resolve().parent / "library"))


def capers(*arguments, data=None, code=0, text=True, **how):
    """Run the command and return its standard output; fail unless it ends with *code*, or with one of several codes."""
    ended = subprocess.run([COMMAND, *map(str, arguments)], input=data, capture_output=True, timeout=TIMEOUT, **how)
    codes = code if isinstance(code, tuple) else (code,)
    assert ended.returncode in codes, (arguments, ended.returncode, ended.stderr.decode(errors="replace"))
    assert b"panicked" not in ended.stderr
    return ended.stdout.decode() if text else ended.stdout


def complaint(*arguments, data=None, code=2):
    """Run the command, which must end with *code*; return what it says on standard error."""
    ended = subprocess.run([COMMAND, *map(str, arguments)], input=data, capture_output=True, timeout=TIMEOUT)
    assert ended.returncode == code, (ended.returncode, ended.stderr)
    return ended.stderr.decode()


def payloads():
    """Return the payloads of the galleries: data of every kind at every protocol, and functions by capers."""
    return gallery.data_pickles() + gallery.shipped()


class Noting(pickle.Unpickler):
    """Loads, and notes which globals it is asked for; finds those only that *known* allows."""

    def __init__(self, data, known=None):
        super().__init__(io.BytesIO(data))
        self.asked, self.known = [], known

    def find_class(self, module, name):
        self.asked.append((module, name))
        if self.known is not None and (module, name) not in self.known:
            raise pickle.UnpicklingError("not one of the globals of the gallery")
        return super().find_class(module, name)

    def persistent_load(self, pid):
        return pid


def instructions(data):
    """Return the instructions of a pickle, each as its bytes, frames left out."""
    found = list(pickletools.genops(data))
    ends = [position for _, _, position in found[1:]] + [found[-1][2] + 1]
    return [
        data[position:end] for (opcode, _, position), end in zip(found, ends, strict=True) if opcode.name != "FRAME"
    ]


ATOMS = [pickle.NONE, pickle.NEWTRUE, pickle.BININT1 + b"\x07", pickle.EMPTY_TUPLE, pickle.EMPTY_LIST, pickle.EMPTY_DICT,
         pickle.SHORT_BINUNICODE + b"\x01q", pickle.BINFLOAT + b"\0" * 8, pickle.SHORT_BINBYTES + b"\x01z"]  # fmt: skip


def marshalled(part):
    """Whether an instruction holds a marshalled code object, which is not to be spoiled: it would be loaded as it is."""
    return len(part) > 60 and part[:1] in (pickle.SHORT_BINBYTES, pickle.BINBYTES)


def changed(dice, data):
    """Return *data* with instructions put in, taken out, changed or put elsewhere."""
    parts = instructions(data)
    atoms = [at for at, part in enumerate(parts) if part[:1] in b"NK\x88\x89]})G\x8cMJ" and not marshalled(part)]
    for _ in range(dice.choice((1, 1, 2, 3))):
        at, how = dice.randrange(1, len(parts)), dice.randrange(7)
        if how == 0:
            parts.insert(at, dice.choice(ATOMS) + pickle.POP)
        elif how == 1:
            parts.insert(at, pickle.MARK + dice.choice(ATOMS) + pickle.POP_MARK)
        elif how == 2 and atoms:
            parts[dice.choice(atoms)] = dice.choice(ATOMS)
        elif how == 3:
            parts.insert(at, pickle.GLOBAL + b"collections\nOrderedDict\n" + pickle.POP)
        elif how == 4 and atoms:
            parts[dice.choice(atoms)] = dice.choice(ATOMS[:3]) + pickle.TUPLE1
        elif how == 5 and not marshalled(parts[at]):
            part = bytearray(parts[at])
            part[dice.randrange(len(part))] ^= 1 << dice.randrange(8)
            parts[at] = bytes(part)
        else:
            parts.insert(at, pickle.SHORT_BINUNICODE + b"\x0bcollections" + pickle.SHORT_BINUNICODE + b"\x05deque"
                         + pickle.STACK_GLOBAL + pickle.POP)  # fmt: skip
        atoms = [each for each in atoms if each < len(parts)]
    return b"".join(parts)


def variants(seed, base):
    """Yield changed payloads of *base* without end, the same for the same seed."""
    dice = random.Random(f"command {seed}")
    while True:
        yield changed(dice, dice.choice(base))
