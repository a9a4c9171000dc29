"""docs/metrics.md lists what the metric objects say."""

from pathlib import Path

from eval.metrics.__main__ import metric_list

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_docs_list_is_that_of_the_objects() -> None:
    """If it is not, replace the list by the output of `python -m eval.metrics`."""
    text = PAGE.read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- python -m eval.metrics -->\n")
    listed, end, _ = rest.partition("\n<!-- end -->")
    assert end
    assert listed == metric_list()
