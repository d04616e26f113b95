"""docs/reference.md is what the docstrings give, and has every public name."""

import re
from collections import Counter
from importlib import import_module

import pytest

from docs.build_reference import INTERNAL, MODULES, PAGE, entries, page, problems, slug
from docs.docstrings import markdown
from docs.source import resolve


def test_the_page_is_written_from_the_docstrings() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m docs.build_reference"


def test_every_public_name_has_a_docstring() -> None:
    assert problems() == []


@pytest.mark.parametrize("module", MODULES)
def test_the_page_has_every_public_name(module: str) -> None:
    definitions = {entry.definition for entry in entries()}
    names: list[str] = import_module(module).__all__
    assert names
    assert [name for name in names if resolve(module, name) not in definitions] == []


def test_every_link_leads_to_one_heading() -> None:
    text = page()
    anchors = Counter(slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE))
    assert [anchor for anchor, count in anchors.items() if count > 1] == []
    targets = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert targets
    assert targets <= set(anchors)


def test_what_the_page_leaves_out_is_there() -> None:
    methods = {
        f"{entry.definition.name}.{member.name}"
        for entry in entries()
        for owner in (entry.definition, *entry.definition.bases())
        for member in owner.members()
    }
    classes = {method.partition(".")[0] for method in methods}
    known = methods | {f"{name}.*" for name in classes}
    assert [name for name in INTERNAL.split() if name not in known] == []


def test_a_docstring_becomes_markdown() -> None:
    docstring = """Send a message; see :meth:`~ws6455.Connection.recv`.

It goes ``at
once``. Example::

    await send("x")

Args:
    message: what to send,
        or to :class:`Frame`.
    text, compress: as it
        says.

Returns:
    The number of bytes.

Raises:
    TypeError: if it is none.
"""
    expected = """Send a message; see <ws6455.Connection.recv>.

It goes `at once`. Example:

```python
await send("x")
```

**Arguments**

- `message`: what to send, or to <Frame>.
- `text`, `compress`: as it says.

**Returns** The number of bytes.

**Raises**

- <TypeError>: if it is none."""
    assert markdown(docstring, lambda name: f"<{name}>") == expected
