"""The quick ones of the hostile programs, each in a process of its own under the debug allocator.

`python3 dev.py hostile` runs all of them, with and without it.
"""

import sys

import pytest
from hostile import runner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="address space cannot be limited on Windows")

QUICK = [
    "a_pickler_is_refused_inside_a_reduction",
    "a_pickler_is_refused_inside_its_own_hooks",
    "a_pickler_is_refused_inside_write",
    "a_pickler_is_refused_inside_a_buffer_callback",
    "a_pickler_is_refused_inside_item_iterators",
    "an_unpickler_is_refused_inside_its_own_hooks",
    "an_unpickler_is_refused_inside_what_it_makes_and_fills",
    "an_unpickler_is_refused_inside_the_iterator_of_its_buffers",
    "new_picklers_inside_every_hook_work",
    "a_hook_that_nests_dumps_without_end_is_stopped_by_the_recursion_limit",
    "containers_changed_by_reducer_override_are_survived",
    "items_freed_in_the_middle_are_not_used",
    "keys_that_change_the_dict_they_go_into_are_survived",
    "exceptions_of_a_picklers_hooks_come_through",
    "exceptions_of_an_unpicklers_hooks_come_through",
    "errors_leave_no_objects_behind",
    "metaclasses_that_meddle_are_survived",
    "strings_and_numbers_of_subclasses_are_asked_for_nothing",
    "modules_that_are_odd_are_survived",
    "a_buffer_released_in_the_truth_of_the_answer_is_survived",
    "a_readinto_that_keeps_its_view_reaches_nothing",
    "memory_that_changes_under_a_load_is_read_safely",
    "finalizers_that_use_the_dying_pickler_are_survived",
    "finalizers_that_use_the_dying_unpickler_are_survived",
    "objects_that_die_inside_the_machine_may_load_and_dump",
    "picklers_in_cycles_are_collected",
    "uninitialized_picklers_refuse",
    "a_write_that_fails_leaves_a_pickler_that_refuses_or_is_right",
    "shared_memos_survive_errors_of_functions_and_classes",
    "memos_of_picklers_take_no_nonsense",
    "memos_of_unpicklers_take_no_nonsense",
    "registries_with_nonsense_are_survived",
]


@pytest.mark.parametrize("name", QUICK)
def test_a_program_keeps_its_promise(name):
    assert runner.play(name, PYTHONMALLOC="debug") is None


def test_there_are_more_than_forty_programs():
    names = runner.programs()
    assert len(names) > 40 and set(QUICK) <= set(names)


def test_a_program_that_breaks_its_promise_is_found_out():
    assert "KeyError" in runner.play("no_such_program")
