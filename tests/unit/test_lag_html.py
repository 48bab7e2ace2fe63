"""The lag as a table, where no chart can run."""

from __future__ import annotations

from vidlab.views.lag_html import lag_table


def row(group: str, messages: int, seconds: float | None = 0.0) -> dict[str, object]:
    return {"group": group, "topic": "video_processing", "messages": messages, "seconds": seconds}


def test_the_group_that_is_most_behind_fills_its_bar() -> None:
    drawn = lag_table([row("one", 4, 12.34), row("other", 1, 2.0), row("third", 0)])
    assert drawn.count("width:100.0%") == 1
    assert drawn.count("width:25.0%") == 1
    assert "4 messages" in drawn
    assert "the oldest waits for 12.3 s" in drawn
    assert "1 message<" in drawn
    assert drawn.count("the oldest waits") == 2


def test_an_age_that_is_not_known_is_not_told_as_none() -> None:
    assert "age not known" in lag_table([row("one", 4, None)])


def test_without_kafka_it_says_so() -> None:
    assert "Kafka does not answer" in lag_table(None)


def test_names_are_escaped() -> None:
    assert "<script>" not in lag_table([row("<script>", 1)])
