"""Four real applications on ws6455: the box game, the buzzer, the greeter and the clock.

Each is started with ``python -m apps.NAME``. They use nothing of the library but the names
that ``import ws6455`` gives, so each is also an example of how a program is written with it.
"""
