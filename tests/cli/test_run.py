"""Tests of ``run``: the program gets its arguments, and this library as `websockets`."""

from pathlib import Path

from tests.cli.conftest import Start

PROGRAM = (
    "import sys\n"
    "from websockets.version import version\n"
    "import websockets\n"
    "print(__name__, sys.argv[1:], websockets.connect.__module__.partition('.')[0])\n"
    "sys.exit(7)\n"
)


async def test_a_program_with_options_that_are_ours_too(start: Start, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    arguments = ("--trace", "serve", "--help")
    for command in (("program.py",), ("-m", "program")):
        started = await start("run", *command, *arguments)
        status, out, err = await started.rest()
        assert (status, err) == (7, "")
        assert out.decode() == f"__main__ {list(arguments)} ws6455\n"


async def test_what_follows_is_given_to_compat_as_it_is(start: Start) -> None:
    # `run_program` itself is tested in tests/compat.
    stand_in = (
        "import sys, types\n"
        "compat = sys.modules['ws6455.compat'] = types.ModuleType('ws6455.compat')\n"
        "compat.run_program = print\n"
        "from ws6455.__main__ import main\n"
        "sys.exit(main())\n"
    )
    arguments = ("run", "-m", "module", "--", "-x", "--help")
    status, out, err = await (await start(*arguments, launcher=("-c", stand_in))).rest()
    assert (status, err) == (0, "")
    assert out.decode() == f"{list(arguments[1:])}\n"
