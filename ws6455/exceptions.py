"""The names of :mod:`ws6455.errors` where programs written for `websockets` look for them."""

# Every name, now and later: that is this module's whole job.
from .errors import *  # noqa: F403
from .errors import __all__ as __all__
