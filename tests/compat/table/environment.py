"""Environment variables `WEBSOCKETS_...`, each with an effect that a program can observe."""

from typing import NamedTuple

__all__ = ["VARIABLES", "Variable"]


class Variable(NamedTuple):
    """A variable.

    Attributes:
        value: the value in the environment.
        expression: a Python expression with `websockets` and the functions of probe.py.
        result: the value of the expression.
    """

    value: str
    expression: str
    result: object


VARIABLES = {
    "MAX_LOG_SIZE": Variable(
        "20", "len(str(websockets.frames.Frame(websockets.frames.TEXT, b'x' * 1000))) < 60", True
    ),
    "SERVER": Variable("Test/1", "websockets.http11.SERVER", "Test/1"),
    "USER_AGENT": Variable("Test/2", "websockets.http11.USER_AGENT", "Test/2"),
    "MAX_LINE_LENGTH": Variable("300", "status_of(b'X: ' + b'x' * 400)", 431),
    "MAX_NUM_HEADERS": Variable("9", "status_of(*[b'X: x'] * 5)", 431),
    "MAX_BODY_SIZE": Variable("10", "[body_read(10), body_read(11) <= 10]", [10, True]),
    "MAX_REDIRECTS": Variable("3", "websockets.asyncio.client.MAX_REDIRECTS", 3),
    "BACKOFF_INITIAL_DELAY": Variable("0", "delays()[0]", 0),
    "BACKOFF_MIN_DELAY": Variable("2", "delays()[1]", 2),
    "BACKOFF_FACTOR": Variable("3", "delays()[2]", 6),
    "BACKOFF_MAX_DELAY": Variable("7", "delays()[3]", 7),
    "MAX_FRAGMENTS": Variable("5", "[close_code(3), close_code(9)]", [1000, 1009]),
}
