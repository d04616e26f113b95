"""The guide, the reference page, and the program that writes the latter."""
