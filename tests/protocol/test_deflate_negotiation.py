"""ws6455.protocol.deflate_negotiation: offers, answers, and a second implementation."""

import itertools
import random
import zlib
from typing import Any

import pytest
from websockets.extensions import permessage_deflate as theirs

from ws6455.exceptions import (
    DuplicateParameter,
    InvalidParameterName,
    InvalidParameterValue,
    NegotiationError,
)
from ws6455.protocol.deflate_negotiation import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from ws6455.typing import ExtensionParameter

BITS = range(8, 16)


def named(params: list[ExtensionParameter]) -> list[tuple[str, str | None]]:
    return sorted(params)


FLAGS = (False, True)
OFFERED_BITS: tuple[int | bool | None, ...] = (None, True, 9, 12, 15)
SERVER_BITS: tuple[int | None, ...] = (None, 9, 12, 15)


def test_a_negotiation_ends_as_with_the_second_implementation() -> None:
    """Every combination of parameters: the same answer, or refused by both."""
    compared = 0
    for offer in itertools.product(FLAGS, FLAGS, SERVER_BITS, OFFERED_BITS):
        client = ClientPerMessageDeflateFactory(*offer)
        their_client = theirs.ClientPerMessageDeflateFactory(*offer)
        params = client.get_request_params()
        assert params == their_client.get_request_params()
        for policy in itertools.product(FLAGS, FLAGS, SERVER_BITS, SERVER_BITS, FLAGS):
            server_no, client_no, server_bits, client_bits, require = policy
            if require and client_bits is None:
                continue
            server = ServerPerMessageDeflateFactory(
                server_no, client_no, server_bits, client_bits, None, require
            )
            their_server = theirs.ServerPerMessageDeflateFactory(
                server_no, client_no, server_bits, client_bits, None, require
            )
            compared += 1
            try:
                answer, at_server = server.process_request_params(params)
            except NegotiationError:
                with pytest.raises(Exception, match="client_max_window_bits"):
                    their_server.process_request_params(params, [])
                continue
            their_answer, their_extension = their_server.process_request_params(params, [])
            assert named(answer) == named(their_answer)
            at_client = client.process_response_params(answer)
            for end in (at_server, their_extension):
                assert end.remote_max_window_bits >= at_client.local_max_window_bits
                assert end.local_max_window_bits <= at_client.remote_max_window_bits
                if end.remote_no_context_takeover:
                    assert at_client.local_no_context_takeover
                if at_client.remote_no_context_takeover:
                    assert end.local_no_context_takeover
    assert compared > 3000


# Negotiation ------------------------------------------------------------------------------------


def test_c22_an_8_bit_window_is_answered_and_deflated_with_9() -> None:
    answer, deflate = ServerPerMessageDeflateFactory().process_request_params(
        [("server_max_window_bits", "8"), ("client_max_window_bits", "8")]
    )
    assert dict(answer) == {"server_max_window_bits": "8", "client_max_window_bits": "8"}
    assert (deflate.local_max_window_bits, deflate.remote_max_window_bits) == (8, 8)
    data = random.Random(7692).randbytes(3000)
    wire = deflate.compress(data) + deflate.TAIL
    assert zlib.decompressobj(wbits=-8).decompress(wire) == data


BAD_PARAMETERS: list[tuple[list[ExtensionParameter], type[NegotiationError]]] = [
    ([("unknown", None)], InvalidParameterName),
    ([("Server_no_context_takeover", None)], InvalidParameterName),
    ([("server_no_context_takeover", "1")], InvalidParameterValue),
    ([("client_no_context_takeover", "")], InvalidParameterValue),
    ([("server_no_context_takeover", None)] * 2, DuplicateParameter),
    ([("client_no_context_takeover", None)] * 2, DuplicateParameter),
    ([("server_max_window_bits", "10")] * 2, DuplicateParameter),
    ([("client_max_window_bits", "10")] * 2, DuplicateParameter),
    ([("server_max_window_bits", None)], InvalidParameterValue),
]


@pytest.mark.parametrize(("params", "error"), BAD_PARAMETERS)
def test_c20_bad_parameters_are_declined_by_both_roles(
    params: list[ExtensionParameter], error: type[NegotiationError]
) -> None:
    with pytest.raises(error):
        ServerPerMessageDeflateFactory().process_request_params(params)
    with pytest.raises(error):
        ClientPerMessageDeflateFactory().process_response_params(params)


@pytest.mark.parametrize("name", ["server_max_window_bits", "client_max_window_bits"])
def test_b10_every_value_of_a_window_is_answered_or_declined(name: str) -> None:
    # CVE-2026-2229
    legal = {str(bits) for bits in BITS}
    values = [
        *map(str, range(-20, 300)),
        "",
        " 10",
        "10 ",
        "010",
        "+10",
        "1e1",
        "0x9",
        "9.0",
        "\u0669",
    ]
    for value in values:
        params: list[ExtensionParameter] = [(name, value)]
        if value in legal:
            answer, _ = ServerPerMessageDeflateFactory().process_request_params(params)
            assert answer == params
            ClientPerMessageDeflateFactory().process_response_params(params)
            continue
        with pytest.raises(InvalidParameterValue):
            ServerPerMessageDeflateFactory().process_request_params(params)
        with pytest.raises(InvalidParameterValue):
            ClientPerMessageDeflateFactory().process_response_params(params)


def test_c21_what_was_not_offered_must_not_be_answered() -> None:
    client = ClientPerMessageDeflateFactory(client_max_window_bits=None)
    with pytest.raises(NegotiationError, match="unexpected client_max_window_bits"):
        client.process_response_params([("client_max_window_bits", "10")])
    with pytest.raises(InvalidParameterValue):
        ClientPerMessageDeflateFactory().process_response_params([("client_max_window_bits", None)])


def test_an_answer_must_do_what_was_asked() -> None:
    client = ClientPerMessageDeflateFactory(server_no_context_takeover=True)
    with pytest.raises(NegotiationError, match="expected server_no_context_takeover"):
        client.process_response_params([])
    client = ClientPerMessageDeflateFactory(server_max_window_bits=10)
    answers: list[list[ExtensionParameter]] = [[], [("server_max_window_bits", "11")]]
    for params in answers:
        with pytest.raises(NegotiationError, match="unsupported server_max_window_bits"):
            client.process_response_params(params)
    accepted = client.process_response_params([("server_max_window_bits", "9")])
    assert accepted.remote_max_window_bits == 9


def test_a_client_may_give_up_its_context_unasked() -> None:
    # §7.1.1.2
    for configured, answered in itertools.product(FLAGS, FLAGS):
        client = ClientPerMessageDeflateFactory(client_no_context_takeover=configured)
        params: list[ExtensionParameter] = []
        if answered:
            params = [("client_no_context_takeover", None)]
        accepted = client.process_response_params(params)
        assert accepted.local_no_context_takeover is (configured or answered)


def test_the_client_s_window_is_the_smaller_of_what_it_offered_and_what_was_answered() -> None:
    client = ClientPerMessageDeflateFactory(client_max_window_bits=11)
    for answered, expected in ((None, 11), ("9", 9), ("11", 11), ("15", 11)):
        params: list[ExtensionParameter] = []
        if answered is not None:
            params = [("client_max_window_bits", answered)]
        assert client.process_response_params(params).local_max_window_bits == expected


@pytest.mark.parametrize(
    "factory", [ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory]
)
@pytest.mark.parametrize(
    "options",
    [
        {"server_max_window_bits": 7},
        {"server_max_window_bits": 16},
        {"client_max_window_bits": 7},
        {"client_max_window_bits": 0},
        {"client_max_window_bits": False},
        {"compress_settings": {"wbits": -15}},
    ],
)
def test_a_wrong_configuration_is_refused(factory: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"w(indow )?bits"):
        factory(**options)


def test_a_wrong_configuration_of_a_server_is_refused() -> None:
    wrong: Any = True
    with pytest.raises(ValueError, match="window bits"):
        ServerPerMessageDeflateFactory(client_max_window_bits=wrong)
    with pytest.raises(ValueError, match="window bits"):
        ServerPerMessageDeflateFactory(server_max_window_bits=wrong)
    with pytest.raises(ValueError, match="needs client_max_window_bits"):
        ServerPerMessageDeflateFactory(require_client_max_window_bits=True)


@pytest.mark.parametrize(
    "factory", [ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory]
)
def test_a_threshold_reaches_the_extension(factory: Any) -> None:
    made = factory(threshold=100)
    if isinstance(made, ClientPerMessageDeflateFactory):
        assert made.process_response_params([]).threshold == 100
    else:
        assert made.process_request_params([])[1].threshold == 100
