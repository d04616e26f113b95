"""ws6455.session.signature: options that are passed on are shown one by one."""

import inspect
from typing import Any

from ws6455.session.signature import with_options_of


def target(first: str, *, size: int = 1, name: str | None = None, **more: int) -> None:
    """Take options."""


class Plain:
    @with_options_of(target)
    def __init__(self, own: str, *, name: str = "mine", **options: Any) -> None:
        self.options = options


def test_the_options_of_the_target_are_shown_and_own_ones_come_first() -> None:
    parameters = inspect.signature(Plain).parameters
    assert list(parameters) == ["own", "name", "size", "more"]
    assert parameters["name"].default == "mine"
    assert parameters["size"].default == 1
    assert parameters["more"].kind is inspect.Parameter.VAR_KEYWORD


def test_the_constructor_takes_what_it_took() -> None:
    assert Plain("x", size=2).options == {"size": 2}
