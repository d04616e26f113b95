"""The Autobahn test suite against both roles of the library: ``python -m conformance``."""
