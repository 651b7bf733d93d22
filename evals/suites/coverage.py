"""Whether coverage comes out as promised, measured over many random splits of held-out sessions.

The head is fitted once on the training split. The sessions of the calibration and test splits are
then dealt at random to a new calibration and a new test half, many times: what the promise says.
The stored split is measured too, with the drift test's p-value: that is what a user gets, and where
it brings new subjects or later times the promise need not hold. Where a set has too few sessions to
deal, stretches of consecutive windows are dealt instead, and the row says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from tool_use_om.data.errors import DataError
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import CellSuite, DataSettings
from tool_use_om.heads.registry import head_specs
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.classify.study import fit_head, prepare
from tool_use_om.tools.run.drift import drift_between
from tool_use_om.tools.run.forecast import backtest

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.forecast.batch import Forecast
    from tool_use_om.heads.trust.prediction_sets import Keys
    from tool_use_om.tokenizers.tokens import Tokens

BY = {"sets": False, "sets-by-label": True}
SCOPES = ("step", "trajectory")
FORECASTERS = ("latent_ssm", "seasonal_naive")
FEWEST_SESSIONS = 16
STRETCHES = 40  # dealt where there are fewer sessions
WITHIN = 0.02


class CoverageSettings(DataSettings):
    """Settings of the coverage suite; `data` with labels give sets, those without intervals."""

    intervals: tuple[str, ...] = Field((), description="Forecast this one as well; repeatable.")
    splits: int = Field(40, ge=2, description="Random splits.")
    coverage: float = Field(0.9, ge=0.5, le=0.99, description="What is promised.")
    horizon_s: float | None = Field(None, ge=0.1, description="Seconds; default: a window.")


class CoverageSuite(CellSuite):
    """Heads × data sets × kinds of promise."""

    name = "coverage"
    takes = CoverageSettings
    asked: CoverageSettings
    fields = ("data", "head", "promise")

    def names(self) -> Iterable[str]:
        """Return the names of all data sets, each once."""
        return dict.fromkeys([*self.asked.data, *self.asked.intervals])

    def cells(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield (head, promise): of sets where there are labels, of intervals where asked."""
        labelled = name in self.asked.data and bool(self.sets[name].manifest.label_sets)
        if labelled:
            heads = [s.name for s in head_specs("classify")]
            yield from itertools.product(heads, BY)
        if name in self.asked.intervals or not labelled:
            yield from itertools.product(FORECASTERS, SCOPES)

    def measure(self, row: Row) -> Row:
        """Measure one promise."""
        measure = self._sets if row["promise"] in BY else self._intervals
        return measure(row["data"], row["head"], row["promise"])

    def _context(self) -> ToolContext:
        return ToolContext(workspace=self.workspace, seed=self.seed)

    def _sets(self, data: str, head_name: str, promise: str) -> Row:
        import numpy as np

        from tool_use_om.heads.trust.prediction_sets import Abstention, PredictionSets
        from tool_use_om.tools.run.classify.certainty import keys_of

        given = WorkingSet().but(dataset=data, head=head_name)
        study = prepare(self._context(), given, Stopwatch())
        if study.calibration is None:
            raise DataError("no calibration split")
        head = fit_head(given, study)
        parts = (study.calibration, study.test.known())
        proba = [head.predict_proba(p.tokens) for p in parts]
        keys = [keys_of(p) for p in parts]
        y = np.concatenate([p.y for p in parts]).astype(np.str_)
        all_proba, all_keys = np.concatenate(proba), _joined(keys)

        def once(old: np.ndarray, new: np.ndarray, seed: int) -> dict[str, float]:
            sets = PredictionSets(
                head.classes_, self.asked.coverage, class_conditional=BY[promise], seed=seed
            )
            learnt = old[sets.columns(y[old]) >= 0]
            sets.calibrate(all_proba[learnt], list(y[learnt]), _rows(all_keys, learnt))
            inside = sets.inside(all_proba[new], _rows(all_keys, new))
            abstains = Abstention.of(inside).abstains
            right = head.classes_[all_proba[new].argmax(axis=1)] == y[new]
            return {
                "coverage": float(sets.hits(inside, y[new]).mean()),
                "width": float(inside.sum(axis=1).mean()),
                "abstained": float(abstains.mean()),
                "answered": float(right[~abstains].mean()) if (~abstains).any() else float("nan"),
            }

        return {
            **self._over_splits(all_keys, len(parts[0].y), once),
            "drift": self._drift(parts[0].tokens, parts[1].tokens),
            "accuracy": float((head.classes_[proba[1].argmax(axis=1)] == parts[1].y).mean()),
        }

    def _intervals(self, data: str, head_name: str, promise: str) -> Row:
        import numpy as np

        from tool_use_om.heads.trust.conformal import ConformalForecaster
        from tool_use_om.heads.trust.prediction_sets import Keys

        given = WorkingSet().but(dataset=data)
        asked = a.RunTask(horizon_s=self.asked.horizon_s)
        found = backtest.prepare(self._context(), given, asked, Stopwatch())
        head = backtest.fit_forecaster(head_name, {}, found)
        n_steps = min(head.max_steps_, round(found.request.horizon_s * head.rate_hz_))
        batches = (found.calibration, found.held_out)
        made = [head.predict(b, n_steps / head.rate_hz_) for b in batches]
        truth = np.concatenate([b.truth(head.channels_, n_steps) for b in batches])
        whole = _joined_forecast(made)
        keys = Keys.of(whole.session_ids, whole.start_s)
        conformal = ConformalForecaster(head, self.asked.coverage, scope=promise)  # type: ignore[arg-type]  # one of SCOPES

        def once(old: np.ndarray, new: np.ndarray, seed: int) -> dict[str, float]:  # noqa: ARG001  # intervals have no ties
            conformal.calibrate_on(_picked(whole, old), truth[old])
            framed = conformal.frame(_picked(whole, new))
            width = np.nanmean(
                (framed.upper - framed.lower) / np.nanstd(truth, axis=(0, 2))[:, None]
            )
            return {
                "coverage": conformal.measure_on(framed, truth[new]).empirical,
                "width": float(width),
            }

        return {
            **self._over_splits(keys, len(made[0].session_ids), once),
            "drift": self._drift(found.calibration.tokens, found.held_out.tokens),
            "horizon_s": n_steps / head.rate_hz_,
        }

    def _drift(self, first: Tokens, second: Tokens) -> dict[str, Any]:
        found = drift_between(first, second, between=("calibration", "test"), seed=self.seed)
        return found.to_json()

    def _over_splits(
        self,
        keys: Keys,
        n_stored: int,
        once: Callable[[np.ndarray, np.ndarray, int], dict[str, float]],
    ) -> Row:
        """Measure on random deals of the units, and on the stored split (its first `n_stored`)."""
        import numpy as np

        from tool_use_om.heads.numeric.metrics import bootstrap_interval

        units, kind = _units(keys)
        numbers = np.unique(units)
        rng = np.random.default_rng(self.seed)
        found = []
        for split in range(self.asked.splits):
            old = np.isin(units, rng.permutation(numbers)[: len(numbers) // 2])
            found.append(once(np.flatnonzero(old), np.flatnonzero(~old), self.seed + split))
        rows = np.arange(len(units))
        mean = bootstrap_interval(np.array([f["coverage"] for f in found]), seed=self.seed)
        return {
            "resampled": {"value": mean.value, "lower": mean.lower, "upper": mean.upper},
            "dealt": f"{len(numbers)} {kind}",
            "means": {k: float(np.nanmean([f[k] for f in found])) for k in found[0]},
            "stored": once(rows[:n_stored], rows[n_stored:], self.seed),
        }

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return one table of sets and one of intervals."""
        kinds: Mapping[str, tuple[Sequence[str], Callable[[Row], dict[str, str]]]] = {
            "Prediction sets": (tuple(BY), _set_cells),
            "Forecast intervals": (SCOPES, _interval_cells),
        }
        note = (
            f"Nominal coverage {self.asked.coverage:g}; mean over {self.asked.splits} random deals "
            f"with its 95 % interval. Within: the mean is within {WITHIN:g} of nominal. Stored "
            "split: calibration split against test split, with the p-value of the drift test."
        )
        return [
            Table(
                title=title,
                note=note,
                rows=tuple(
                    _cells(r, cells, self.asked.coverage) for r in rows if r["promise"] in promises
                ),
            )
            for title, (promises, cells) in kinds.items()
        ]


def _units(keys: Keys) -> tuple[np.ndarray, str]:
    """Return what is dealt: sessions, or stretches of consecutive windows where those are few."""
    import numpy as np

    names, number = np.unique(keys.sessions, return_inverse=True)
    if len(names) >= FEWEST_SESSIONS:
        return number, "sessions"
    each = -(-STRETCHES // len(names))
    units = np.zeros(len(number), dtype=np.int64)
    for k in range(len(names)):
        own = np.flatnonzero(number == k)
        order = own[np.argsort(keys.start_s[own], kind="stable")]
        units[order] = k * each + np.arange(len(order)) * each // len(order)
    return units, "stretches of consecutive windows"


def _joined(keys: Sequence[Keys]) -> Keys:
    import numpy as np

    from tool_use_om.heads.trust.prediction_sets import Keys as Named

    return Named.of(
        np.concatenate([k.sessions for k in keys]).tolist(),
        np.concatenate([k.start_s for k in keys]),
    )


def _rows(keys: Keys, index: np.ndarray) -> Keys:
    return replace(keys, sessions=keys.sessions[index], start_s=keys.start_s[index])


def _joined_forecast(parts: Sequence[Forecast]) -> Forecast:
    import numpy as np

    return replace(
        parts[0],
        quantiles=np.concatenate([p.quantiles for p in parts]),
        session_ids=tuple(s for p in parts for s in p.session_ids),
        start_s=np.concatenate([p.start_s for p in parts]),
    )


def _picked(made: Forecast, index: np.ndarray) -> Forecast:
    return replace(
        made,
        quantiles=made.quantiles[index],
        session_ids=tuple(made.session_ids[i] for i in index),
        start_s=made.start_s[index],
    )


def _cells(row: Row, cells: Callable[[Row], dict[str, str]], nominal: float) -> dict[str, str]:
    head = {"data": str(row["data"]), "head": str(row["head"]), "promise": str(row["promise"])}
    if row["error"]:
        empty = _cells({**row, **_EMPTY}, cells, nominal)
        return {**dict.fromkeys(empty, "–"), **head, "mean coverage": str(row["error"])}
    found = row["resampled"]
    drift = row["drift"]["p_value"]
    measured = {
        "dealt": row["dealt"],
        "mean coverage": with_interval(found["value"], found["lower"], found["upper"]),
        "within": "yes" if abs(found["value"] - nominal) <= WITHIN else "no",
    }
    stored = {
        "stored split": f"{row['stored']['coverage']:.3f}",
        "drift p": "–" if drift is None else f"{drift:.3g}",
    }
    return head | measured | cells(row) | stored


def _set_cells(row: Row) -> dict[str, str]:
    means = row["means"]
    return {
        "labels in a set": f"{means['width']:.2f}",
        "abstained": f"{means['abstained']:.3f}",
        "accuracy of the rest": f"{means['answered']:.3f}",
        "accuracy of all": f"{row['accuracy']:.3f}",
    }


def _interval_cells(row: Row) -> dict[str, str]:
    return {
        "horizon, s": f"{row['horizon_s']:g}",
        "mean width, std of the channel": f"{row['means']['width']:.2f}",
    }


# For the columns of a row that could not be measured.
_EMPTY: Row = {
    "error": None,
    "resampled": {"value": 0.0, "lower": 0.0, "upper": 0.0},
    "dealt": "–",
    "means": {"width": 0.0, "abstained": 0.0, "answered": 0.0},
    "stored": {"coverage": 0.0},
    "drift": {"p_value": None},
    "accuracy": 0.0,
    "horizon_s": 0.0,
}
