"""Tests of basic_auth in front of the threaded server."""

import pytest

from tests.contract.conftest import until
from tests.sync.conftest import serving, uri_of
from ws6455 import InvalidStatus
from ws6455.sync.client import connect
from ws6455.sync.server import basic_auth


def test_basic_auth() -> None:
    with serving(process_request=basic_auth("here", ("user", "secret"))) as server:
        uri = uri_of(server)
        for wrong in (uri, uri.replace("//", "//user:wrong@")):
            with pytest.raises(InvalidStatus, match="401") as caught:
                connect(wrong)
            assert "here" in caught.value.response.headers["WWW-Authenticate"]
        with connect(uri.replace("//", "//user:secret@")):
            until(lambda: [c.username for c in server.connections] == ["user"])
