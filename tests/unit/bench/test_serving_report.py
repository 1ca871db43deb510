"""The benchmark's own arithmetic, and the page that it writes."""

from regisseur_bench.serving.contestants import CONSTANT, NAIVE, OURS
from regisseur_bench.serving.generator import Measured, read_result
from regisseur_bench.serving.loads import Load, Sample, write_instances, write_records, write_tensor
from regisseur_bench.serving.measuring import Results
from regisseur_bench.serving.report import write_report
from regisseur_bench.serving.rounds import find_ratios, shuffle_rounds
from regisseur_bench.tables import tabulate

SAMPLE = Sample(["a", "b"], [[1.0, 2.0], [3.0, 4.0]])


def measured(rate: float, *, refused: int = 0) -> Measured:
    return Measured(rate=rate, refused=refused, strange=0, broken=0, p50=0.001, p99=0.02)


def test_ratios_are_taken_within_a_round() -> None:
    rates = {"base": [10.0, 20.0, 40.0], "other": [30.0, 40.0, 160.0]}
    assert find_ratios(rates, "base") == {"base": 1.0, "other": 3.0}


def test_every_server_is_in_every_round_in_an_order_of_its_own() -> None:
    orders = list(shuffle_rounds("abcdef", 5, seed=1))
    assert all(sorted(order) == list("abcdef") for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert orders == list(shuffle_rounds("abcdef", 5, seed=1))


def test_only_good_answers_count() -> None:
    counted = {"requests": 100, "refused": 40, "strange": 1, "broken": 2, "seconds": 2.0}
    found = read_result(counted | {"p50": 0.5, "p99": 1.0})
    assert found == Measured(rate=30.0, refused=40, strange=1, broken=2, p50=0.5, p99=1.0)


def test_each_protocol_holds_the_same_rows() -> None:
    assert write_records(SAMPLE) == {"records": [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]}
    assert write_instances(SAMPLE) == {"instances": SAMPLE.data}
    (tensor,) = write_tensor(SAMPLE)["inputs"]
    assert (tensor["shape"], tensor["data"]) == ([2, 2], [1.0, 2.0, 3.0, 4.0])


def test_the_page_has_every_server_and_load() -> None:
    names = (CONSTANT, NAIVE, OURS)
    rates = {CONSTANT: 600.0, NAIVE: 10.0, OURS: 330.0}
    load = Load("M1", 1, 64)
    page = write_report(
        Results(
            rounds={load: {name: [measured(rates[name])] * 3 for name in names}},
            start_seconds={"M1": dict.fromkeys(names, 1.5)},
            memory_mebibytes={"M1": dict.fromkeys(names, 100.0)},
            overload={"M1": (measured(297.0, refused=5), 100.0, 101.0)},
        ),
        rounds=3,
        seconds=2.0,
    )
    assert "| server (× naive) | M1 c=64 |" in page
    assert f"| {OURS} | 33 |" in page
    assert f"| {OURS} | 1.0 | 20.0 | 100 | 1.5 |" in page
    assert "| M1 | 90% | 5 | 0 | 100 → 101 |" in page
    assert "| Regisseur, M1 c=64, × naive FastAPI | 25 | 33 | yes |" in page
    assert "| Regisseur, M1 c=64, × HTTP alone | 0.45 | 0.55 | yes |" in page
    assert "MLServer" not in page


def test_tables_are_markdown() -> None:
    assert tabulate(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
