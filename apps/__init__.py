"""Four applications built on ws6455: the box game, the buzzer, the greeter and the clock.

Start one with ``python -m apps.NAME``. The applications use only the public names of
``import ws6455``, so each of them is also an example program.
"""
