"""HTTP header fields: an ordered mapping with case-insensitive names and several values per name.

RFC 9110 §5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Protocol, runtime_checkable

from ..exceptions import InvalidHeaderValue, InvalidMessage
from ..settings import setting
from .caches import (
    MAX_SHARED_NAMES,
    SHARED_LINE_SIZE,
    cached_index,
    cached_line,
    cached_name,
)
from .header_values import TOKEN

__all__ = [
    "FIELD_VALUE",
    "MAX_LINE_SIZE",
    "SECRET_HEADERS",
    "Headers",
    "HeadersLike",
    "MultipleValuesError",
    "SupportsKeysAndGetItem",
    "parse_fields",
]

#: Headers, in lower case, that identify somebody: hidden in logs, not sent to another origin.
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
# Limit for a line of a head, in bytes.
MAX_LINE_SIZE = setting("MAX_LINE_LENGTH", 8192)

FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*+")
# RFC 9112 §5: no line folding, no space before the colon.
_FIELD_LINE = re.compile(rf"({TOKEN.pattern}):[\t ]*+({FIELD_VALUE.pattern})")


@cached_name
def _check_name(name: str) -> str:
    """Check a header name and return it; equal names give the same string object.

    Raises:
        InvalidHeaderValue: if it is not a token.
    """
    if TOKEN.fullmatch(name) is None:
        raise InvalidHeaderValue(ascii(name), "not a header name")
    return name


def _index(names: tuple[str, ...], *more: str) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """Return header names, and the positions of each name in lower case.

    The result is shared and must not be modified.

    Args:
        names: names that have been checked.
        more: names to check and append.

    Raises:
        InvalidHeaderValue: if a name in `more` is not a token.
    """
    names = (*names, *map(_check_name, more))
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name.lower(), []).append(place)
    return names, places


_shared_index = cached_index(_index)
_NO_NAMES = _index(())


def _check_value(name: str, value: str) -> str:
    """Check a header value and return it.

    Raises:
        InvalidHeaderValue: if it contains a character that is not allowed (RFC 9110 §5.5).
    """
    if FIELD_VALUE.fullmatch(value) is None:
        raise InvalidHeaderValue(ascii(name)[1:-1], ascii(value))
    return value


class MultipleValuesError(LookupError):
    """A header has several values where one was expected."""

    def __str__(self) -> str:
        # LookupError's subclass KeyError would show the repr of its argument.
        return str(self.args[0]) if self.args else ""


@runtime_checkable
class SupportsKeysAndGetItem(Protocol):
    """An object that ``dict.update`` accepts besides mappings and pairs."""

    def keys(self) -> Iterable[str]:
        """Return the header names."""

    def __getitem__(self, key: str, /) -> str: ...


class Headers(MutableMapping[str, str]):
    """HTTP headers: an ordered mapping with case-insensitive names and several values per name.

    ``headers[name] = value`` adds a value. ``headers[name]`` raises :exc:`MultipleValuesError`
    if there are several values; :meth:`get_all` returns all of them.

    Args:
        args, kwargs: as for ``dict``: another Headers, a mapping, pairs, keywords.

    Raises:
        InvalidHeaderValue: if a name is not a token, or a value contains control characters or
            characters outside ISO-8859-1 (RFC 9110 §5.5), which could split the head.
    """

    # `_names` and `_values` are parallel. `_places` maps a name in lower case to the positions of
    # its values. Names and positions are the same for most connections, so they are shared.
    __slots__ = ("_names", "_places", "_values")

    def __init__(self, *args: HeadersLike, **kwargs: str) -> None:
        self._names, self._places = _NO_NAMES
        self._values: list[str] = []
        if args or kwargs:
            self.update(*args, **kwargs)

    def __str__(self) -> str:
        return "\r\n".join([*map(": ".join, self.raw_items()), "", ""])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.raw_items())!r})"

    def copy(self) -> Headers:
        """Return an independent copy."""
        copy = type(self).__new__(type(self))
        copy._names, copy._places = self._names, self._places
        copy._values = self._values.copy()
        return copy

    __copy__ = copy

    def serialize(self) -> bytes:
        """Return the header lines and the final empty line, as sent."""
        return str(self).encode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, key: str) -> str:
        places = self._places.get(key.lower())
        if places is None:
            raise KeyError(key)
        if len(places) > 1:
            raise MultipleValuesError(key)
        return self._values[places[0]]

    def __setitem__(self, key: str, value: str) -> None:
        value = _check_value(str(key), str(value))
        self._set_names(self._names, str(key))
        self._values.append(value)

    def _set_names(self, names: tuple[str, ...], *more: str) -> None:
        index = _shared_index if len(names) + len(more) <= MAX_SHARED_NAMES else _index
        self._names, self._places = index(names, *more)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        kept = [(name, value) for name, value in self.raw_items() if name.lower() != key.lower()]
        self.clear()
        self.update(kept)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._values_by_name() == other._values_by_name()

    def _values_by_name(self) -> dict[str, list[str]]:
        return {name: self.get_all(name) for name in self}

    def clear(self) -> None:
        """Remove every header."""
        self._names, self._places = _NO_NAMES
        self._values.clear()

    def update(self, *args: HeadersLike, **kwargs: str) -> None:
        """Add headers; existing values are kept."""
        for headers in (*args, kwargs):
            if isinstance(headers, Headers):
                self._set_names(self._names + headers._names)
                self._values += headers._values
                continue
            pairs: Iterable[tuple[str, str]]
            if isinstance(headers, Mapping):
                pairs = headers.items()
            elif isinstance(headers, SupportsKeysAndGetItem):
                names = headers.keys()  # the object itself need not be iterable
                pairs = [(name, headers[name]) for name in names]
            else:
                pairs = headers
            checked = [(str(n), _check_value(str(n), str(v))) for n, v in pairs]
            self._set_names(self._names, *[name for name, _ in checked])
            self._values += [value for _, value in checked]

    def get_all(self, key: str) -> list[str]:
        """Return all values of a header, in order; an empty list if it is absent."""
        places = self._places.get(key.lower())
        return [] if places is None else [self._values[place] for place in places]

    def raw_items(self) -> Iterator[tuple[str, str]]:
        """Yield all pairs of name and value, in order; names are as given."""
        return zip(self._names, self._values, strict=True)


def parse_fields(lines: Iterable[bytes]) -> Headers:
    """Parse the header lines of a head (RFC 9112 §5).

    Raises:
        InvalidMessage: if a line is malformed.
    """
    names, values = [], []
    for line in lines:
        parse = _parse_shared_line if len(line) <= SHARED_LINE_SIZE else _parse_line
        name, value = parse(line)
        names.append(name)
        values.append(value)
    headers = Headers()
    headers._set_names(tuple(names))
    headers._values = values
    return headers


def _parse_line(line: bytes) -> tuple[str, str]:
    """Split a header line into name and value.

    Raises:
        InvalidMessage: if the line is malformed.
    """
    match = _FIELD_LINE.fullmatch(line.decode("latin-1"))
    if match is None:
        what = "malformed header line" if b":" in line else "header line without a colon"
        raise InvalidMessage(f"{what}: {line[:80]!r}")
    return _check_name(match[1]), match[2].rstrip("\t ")


_parse_shared_line = cached_line(_parse_line)


HeadersLike = Headers | Mapping[str, str] | Iterable[tuple[str, str]] | SupportsKeysAndGetItem
