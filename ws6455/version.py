"""The version of the package, for its metadata and its HTTP headers."""

version = "0.1.0"
