"""ws6455.compat.imports: lazy imports of a program's package."""

import types
from typing import Any

import pytest

import ws6455


def test_lazy_imports(websockets: Any) -> None:
    module = types.ModuleType("ws6455.own")
    websockets.imports.lazy_import(
        vars(module), {"State": "ws6455.protocol.protocol"}, {"Old": "ws6455.protocol.protocol"}
    )
    assert module.State is ws6455.State
    assert "State" in vars(module)
    assert {"State", "Old"} <= set(dir(module))
    with (
        pytest.warns(DeprecationWarning, match=r"ws6455\.own\.Old is deprecated"),
        pytest.raises(AttributeError),
    ):
        _ = module.Old
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = module.missing
    for aliases, deprecated in (({"State": "a"}, {}), ({"x": "a"}, {"x": "b"})):
        with pytest.raises(AttributeError, match="defined already"):
            websockets.imports.lazy_import(vars(module), aliases, deprecated)
