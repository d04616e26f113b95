"""The commands of ``python -m ws6455``, one module each, and their shared modules.

They run on asyncio. In a terminal, they use prompt_toolkit and rich (the extra ``cli``) if these
are installed.
"""
