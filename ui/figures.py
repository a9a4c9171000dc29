"""What an evaluation run measured, as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from eval import results as runs
from eval.metrics import metric_named


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure over the questions of a group, with its 95% interval. `unscored` of them have no value, `n` have."""

    n: int
    unscored: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that belong together, by "overall", "split" or "kind", and their figures by name."""

    by: str
    name: str
    questions: int
    errors: int
    figures: Mapping[str, Figure]

    @property
    def title(self) -> str:
        """No other group of the run has it."""
        return "all questions" if self.by == "overall" else f"{self.by}: {self.name}"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended."""

    folder: Path
    finished: datetime
    settings: Mapping[str, str]
    """Whatever an answer depends on, in words: settings, prompt, commit, questions, documents."""
    file: str
    """The questions' file, as the run was told of it."""
    sha256: str
    documents: Mapping[str, str]
    """Their versions, by name."""
    groups: tuple[Group, ...]
    """First that of all questions, then by split, then by kind."""
    errors: Mapping[str, str]
    """By question id."""
    scores: Mapping[str, Mapping[str, float | None]]
    """By question id and measure, of the questions that did not break."""
    clusters: Mapping[str, str]
    """By question id: questions of one cluster are not independent."""

    @property
    def measured(self) -> runs.Run:
        """What another run is held against."""
        provenance = runs.Provenance(
            questions=runs.QuestionSource(self.sha256), documents=self.documents, settings={}
        )
        return runs.Run(Path(self.folder.name), provenance, self.scores, self.errors, self.clusters)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A folder without figures, and why."""

    folder: Path
    changed: datetime
    reason: str


def label(measure: str) -> str:
    """What people call a measure, as something that can be shown."""
    return sound(metric_named(measure).label)


def sound(text: str) -> str:
    """The text as something that can be shown: half a surrogate pair, of a file's name or in JSON, cannot be."""
    return text.encode("utf-8", "replace").decode("utf-8")
