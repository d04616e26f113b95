"""The version, in one place: the package's metadata and its headers read it here."""

version = "0.1.0"
