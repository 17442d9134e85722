"""Matches are found again just as they were; compiled formats are compiled again."""

import pytest
from shipping import ship

MATCHES = {
    "search": "re.search(r'(\\w)(?P<n>\\d)?', '--a1')",
    "search_without_all_groups": "re.search(r'(a)|(b)', 'xb')",
    "full": "re.fullmatch('a|ab', 'ab')",
    "between": "re.compile('b').match('abc', 1, 2)",
    "start_only_at_the_very_start": "re.compile('^b|b').search('abb', 1)",
    "what_stands_before": "re.compile('(?<=a)b').match('ab', 1)",
    "third_of_an_iteration": "list(re.finditer(r'\\w+', 'one two three'))[2]",
    "empty_and_then_not": "list(re.finditer(r'\\b|\\w+', 'a b'))[1]",
    "bytes": "re.search(b'x', b'abx')",
    "seen_by_sub": "found('(.)c', 'abcabc')",
}


@pytest.mark.parametrize("case", MATCHES)
def test_a_match_arrives_with_groups_and_spans(case):
    ship(
        f"""
        import re
        def found(pattern, text):
            seen = []
            re.sub(pattern, lambda m: seen.append(m) or '', text)
            return seen[-1]
        m = {MATCHES[case]}
        obj = m, (m.groups(), m.groupdict(), m.regs, m.pos, m.endpos, m.lastindex, m.lastgroup, m.string, m.re.pattern)
        """,
        """
        m, want = obj
        assert (m.groups(), m.groupdict(), m.regs, m.pos, m.endpos, m.lastindex, m.lastgroup, m.string, m.re.pattern) == want
        """,
    )


def test_a_compiled_format_arrives():
    ship(
        "import struct\nclass S(struct.Struct): tag = 1\nobj = struct.Struct('<hH'), S('i')",
        "assert obj[0].pack(-1, 2) == b'\\xff\\xff\\x02\\x00' and obj[1].tag == 1 and obj[1].unpack(obj[1].pack(5)) == (5,)",
    )
