"""benchmarks.variants: copies of the library with replaced lines, apart from the library."""

import sys

import pytest

import ws6455
from benchmarks.variants import variant

LINE = "if self._sends_plain:"


def test_a_copy_shares_nothing_with_the_library() -> None:
    with variant({}, {}) as library:
        protocol = library("protocol.protocol").Protocol
        assert protocol is not ws6455.Protocol
        assert protocol.send_message.__code__ is not ws6455.Protocol.send_message.__code__
        assert protocol.__module__.startswith("ws6455_variant_")


def test_copies_have_code_of_their_own() -> None:
    with variant({}, {}) as one, variant({}, {}) as other:
        codes = [lib("protocol.protocol").Protocol.send_message.__code__ for lib in (one, other)]
    assert codes[0] is not codes[1]
    assert codes[0].co_code == codes[1].co_code


def test_lines_are_replaced_in_the_copy_only() -> None:
    with variant({"protocol.protocol": [(LINE, "if self._sends_not_at_all:")]}, {}) as library:
        names = library("protocol.protocol").Protocol.send_message.__code__.co_names
    assert "_sends_not_at_all" in names
    assert "_sends_not_at_all" not in ws6455.Protocol.send_message.__code__.co_names


@pytest.mark.parametrize("line", ["if self._no_such_line:", "self.writes"])
def test_a_line_that_does_not_occur_once_is_an_error(line: str) -> None:
    modules = set(sys.modules)
    finders = len(sys.meta_path)
    with (
        pytest.raises(LookupError, match="not once"),
        variant({"protocol.protocol": [(line, "pass")]}, {}),
    ):
        pass
    assert set(sys.modules) == modules
    assert len(sys.meta_path) == finders


def test_a_module_that_the_package_does_not_import_is_edited_as_well() -> None:
    with pytest.raises(LookupError), variant({"sync.watcher": [("no such line", "")]}, {}):
        pass


def test_names_are_replaced_in_the_copy_only() -> None:
    with variant({}, {"framing.masking": {"apply_mask": len}}) as library:
        assert library("framing.masking").apply_mask is len
    from ws6455.framing import masking

    assert masking.apply_mask(b"\x01", b"\x01\0\0\0") == b"\0"


def test_slots_are_removed() -> None:
    with variant({}, {}) as library, variant({}, {}, slots=False) as without:
        queues = [lib("protocol.receive_queue").ReceiveQueue() for lib in (library, without)]
    assert [hasattr(queue, "__dict__") for queue in queues] == [False, True]


def test_nothing_of_a_copy_stays() -> None:
    with variant({}, {}):
        assert any("ws6455_variant_" in module for module in sys.modules)
    assert not any("ws6455_variant_" in module for module in sys.modules)
