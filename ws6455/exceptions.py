"""The names of :mod:`ws6455.errors` where programs written for `websockets` look for them."""

from .errors import *  # noqa: F403
from .errors import __all__ as __all__
