"""ws6455.protocol.protocol, one file for each part of its job.

Names with ``b`` and a number repeat published advisories of other libraries; those with ``c``
are corners that conformance suites leave out.
"""
