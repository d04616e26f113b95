"""The buzzer: who was first?

The wire: a client sends any text (``buzz``). The first of a round is answered ``first place!``,
each later one ``response time: 1.23 seconds slower!``, the seconds since the first with two
decimals. With ``--auto`` a new round opens some seconds after the first buzz; without it the
round lasts as long as the server. A binary message is answered ``Please send text.`` and is
no buzz.
"""
