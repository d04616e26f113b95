"""The Autobahn test suite, run against both roles of the library: ``python -m conformance``."""
