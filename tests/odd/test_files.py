"""Files are opened again where they stood; the standard streams are the receiver's own."""

import pytest
from shipping import ship

WRITTEN = "import os, tempfile\nname = os.path.join({folder!r}, 'file')\nopen(name, 'w', encoding='utf-8').write('line1\\nlïne2\\nline3\\n')\n"

CASES = {
    "text": (
        "obj = open(name, encoding='utf-8', errors='replace')\nobj.readline()",
        "assert obj.readline() == 'lïne2\\n' and (obj.mode, obj.encoding, obj.errors) == ('r', 'utf-8', 'replace')",
    ),
    "binary": (
        "obj = open(name, 'rb')\nobj.read(3)",
        "assert obj.read(2) == b'e1' and type(obj).__name__ == 'BufferedReader' and obj.mode == 'rb'",
    ),
    "unbuffered": (
        "obj = open(name, 'rb', 0)\nobj.read(3)",
        "assert obj.read(2) == b'e1' and type(obj).__name__ == 'FileIO'",
    ),
    "closed": (
        "obj = open(name)\nobj.close()",
        "assert obj.closed and obj.mode == 'r' and os.path.basename(obj.name) == 'file'",
    ),
    "to_read_and_write": (
        "obj = open(name, 'r+b')\nobj.seek(2)",
        "assert obj.tell() == 2 and obj.read(2) == b'ne' and obj.writable()",
    ),
    "shared": (
        "f = open(name)\nobj = f, [f]",
        "assert obj[0] is obj[1][0]\nobj = obj[0]\nobj.close()",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_opened_again_where_it_stood(case, tmp_path):
    sender, check = CASES[case]
    ship(WRITTEN.format(folder=str(tmp_path)) + sender, "import os\n" + check, in_place=False)


def test_a_file_being_written_goes_on_where_it_was(tmp_path):
    ship(
        f"import os\nobj = open(os.path.join({str(tmp_path)!r}, 'new'), 'w')\nobj.write('hello')",
        """
        assert obj.mode == 'w' and obj.tell() == 5
        obj.write('!')
        obj.flush()
        assert open(obj.name).read() == 'hello!'
        """,
        in_place=False,
    )


def test_text_over_bytes_in_memory_arrives_with_them():
    ship(
        "import io\nobj = io.TextIOWrapper(io.BytesIO(b'abc\\nd\\xe9f'), 'latin-1')\nobj.readline()",
        "assert obj.read() == 'd\\xe9f' and obj.encoding == 'latin-1'",
    )


def test_the_standard_streams_are_the_receivers_own():
    ship(
        "import sys\nobj = sys.stdin, sys.stdout, sys.stderr, sys.stdout.buffer",
        "import sys\nassert obj == (sys.stdin, sys.stdout, sys.stderr, sys.stdout.buffer)",
    )
