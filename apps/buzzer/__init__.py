"""The buzzer: the first client to buzz wins the round.

A client buzzes by sending any text, such as ``buzz``. The server answers the first buzz of a
round with ``first place!`` and each later one with ``response time: 1.23 seconds slower!``,
where the time since the first buzz has two decimals. With ``--auto`` a new round opens some
seconds after the first buzz; without it the first round lasts until the server ends. The server
answers a binary message with ``Please send text.`` and does not count it as a buzz.
"""
