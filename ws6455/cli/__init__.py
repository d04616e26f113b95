"""The commands of ``python -m ws6455``, a module each, and what they share.

Asyncio. prompt_toolkit and rich (the extra ``cli``) serve where they are installed and a person
looks on; nothing needs them.
"""
