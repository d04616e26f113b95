"""benchmarks.awake with a temporary file in place of the system's file."""

from pathlib import Path

from benchmarks.awake import kept_awake


def test_the_longest_wake_up_time_is_none_while_the_file_is_open(tmp_path: Path) -> None:
    latency = tmp_path / "cpu_dma_latency"
    with kept_awake(latency) as outcome:
        assert latency.read_bytes() == b"\0\0\0\0"
        assert any(link.resolve() == latency for link in Path("/proc/self/fd").iterdir())
    assert outcome == "Idle cores are kept awake."
    assert not any(link.resolve() == latency for link in Path("/proc/self/fd").iterdir())


def test_where_the_system_does_not_allow_it_the_result_says_so(tmp_path: Path) -> None:
    with kept_awake(tmp_path / "no" / "file") as outcome:
        pass
    assert outcome.startswith("Idle cores may sleep ([Errno 2] No such file or directory")


def test_a_refused_write_is_said_too() -> None:
    with kept_awake(Path("/dev/full")) as outcome:
        pass
    assert outcome.startswith("Idle cores may sleep ([Errno 28] No space left")
