import pytest

from bench import __main__ as bench
from bench.report import Row, markdown, median, p95


def test_a_row_is_met_when_it_is_not_more_than_its_target() -> None:
    assert Row("x", 8, 8).met
    assert not Row("x", 8.1, 8).met


def test_rows_are_printed_beside_their_floor() -> None:
    text = markdown([Row("page", 12.34, 25, floor=1.5), Row("sent", 1234, 600, "bytes")])
    assert text.splitlines()[2:] == [
        "| page | 1.5 ms | 12.3 ms | 25 ms | yes |",
        "| sent |  | 1,234 bytes | 600 bytes | NO |",
    ]


def test_p95_and_median() -> None:
    assert p95(list(range(100))) == 95
    assert p95([3]) == 3
    assert median([1, 9, 2]) == 2


@pytest.mark.parametrize(("measured", "status"), [(1, 0), (9, 1)])
def test_a_missed_target_fails_where_that_is_asked_for(
    measured: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "load", lambda name: lambda: [Row(name, measured, 5)])
    assert bench.main(["table", "--strict"]) == status
    assert "| table |" in capsys.readouterr().out


def test_every_bench_that_is_registered_exists() -> None:
    assert all(callable(bench.load(name)) for name in bench.REGISTRY)


def test_an_unknown_bench_is_refused() -> None:
    with pytest.raises(SystemExit):
        bench.main(["nonsense"])


def test_a_bench_that_breaks_leaves_the_others_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(name: str) -> bench.Bench:
        def run() -> list[Row]:
            if name == "table":
                raise TimeoutError("the screen never came")
            return [Row(name, 1, 5)]

        return run

    monkeypatch.setattr(bench, "load", load)
    assert bench.main(["table", "job"]) == 1
    told = capsys.readouterr()
    assert "| job |" in told.out
    assert "the screen never came" in told.err
