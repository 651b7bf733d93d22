"""The laws of every registered head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFittedError, NotFoundError
from tool_use_om.heads.contract.base import ClassifierHead
from tool_use_om.heads.registry import HEADS, head_from_state, head_spec, load_head, make_head

ALL = sorted(HEADS)
CLASSIFIERS = [n for n in ALL if head_spec(n).task == "classify"]
ON_TOKENS = [n for n in ALL if head_spec(n).task != "forecast"]
ROWS = list(range(10))


@pytest.mark.parametrize("name", ALL)
def test_head_answers_the_same_when_fitted_twice(name: str, exam: Any) -> None:
    """Fitting on the same data gives the same answer, bit for bit."""
    first, second = (exam.ask(exam.fit(make_head(name)), ROWS) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ALL)
def test_head_leaves_its_input_alone(name: str, exam: Any) -> None:
    """Neither fitting nor asking changes an array that was given."""
    before = [a.copy() for a in exam.inputs()]
    exam.ask(exam.fit(make_head(name)), ROWS)
    for old, new in zip(before, exam.inputs(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("name", ALL)
def test_head_answers_the_same_after_saving_and_loading(
    name: str, exam: Any, tmp_path: Path
) -> None:
    """A head read from its file is the head that was written."""
    head = exam.fit(make_head(name))
    head.save(tmp_path / "head.safetensors")
    loaded = load_head(tmp_path / "head.safetensors")
    assert loaded.params == head.params
    np.testing.assert_array_equal(exam.ask(head, ROWS), exam.ask(loaded, ROWS))


@pytest.mark.parametrize("name", ALL)
def test_head_state_holds_only_arrays_and_json(name: str, exam: Any) -> None:
    """A state builds the head again, and nothing in it needs unpickling."""
    import json

    state = exam.fit(make_head(name)).to_state()
    json.dumps({"params": state.params, "values": state.values}, allow_nan=False)
    assert all(a.dtype.kind in "fiub" for a in state.arrays.values())
    again = head_from_state(replace(state, values=json.loads(json.dumps(state.values))))
    assert again.is_fitted


@pytest.mark.parametrize("name", ALL)
def test_head_raises_when_not_fitted(name: str, exam: Any, tmp_path: Path) -> None:
    """An unfitted head says so instead of answering."""
    with pytest.raises(NotFittedError, match="fit"):
        exam.ask(make_head(name), ROWS)
    with pytest.raises(NotFittedError):
        make_head(name).save(tmp_path / "head.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ALL)
def test_head_answer_does_not_depend_on_batch_mates(name: str, exam: Any) -> None:
    """A window asked alone, in part of a batch, or in another order gets the same answer."""
    head = exam.fit(make_head(name))
    together = exam.ask(head, ROWS)
    np.testing.assert_allclose(exam.ask(head, [7, 2]), together[[7, 2]], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(exam.ask(head, [4])[0], together[4], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_head_answers_are_finite(name: str, exam: Any) -> None:
    """There is no silent NaN."""
    assert np.isfinite(exam.ask(exam.fit(make_head(name)), ROWS)).all()


@pytest.mark.parametrize("name", ALL)
def test_head_rejects_a_parameter_it_does_not_have(name: str) -> None:
    """An unknown parameter is an error that lists the valid ones."""
    with pytest.raises(NotFoundError, match="max_dimms"):
        make_head(name, max_dimms=3)


@pytest.mark.parametrize("name", ALL)
def test_head_default_parameters_pass_their_own_check(name: str) -> None:
    """Every default obeys the limits it states."""
    spec = head_spec(name)
    assert spec.name == name
    assert spec.resolve(spec.defaults()) == spec.defaults()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_probabilities_are_a_distribution(name: str, exam: Any) -> None:
    """Probabilities lie in [0, 1] and sum to one; the label is the most probable."""
    head = exam.fit(make_head(name))
    assert isinstance(head, ClassifierHead)
    proba = head.predict_proba(exam.asked)
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert (head.predict(exam.asked) == head.classes_[proba.argmax(axis=1)]).all()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_finds_separable_classes(name: str, exam: Any) -> None:
    """Classes that differ by six standard deviations are told apart on new windows."""
    head = exam.fit(make_head(name))
    assert (head.predict(exam.asked) == np.array(exam.labels)).mean() > 0.9


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_raises_when_there_is_one_class(name: str, exam: Any) -> None:
    """One class leaves nothing to decide."""
    with pytest.raises(DataError, match="at least two classes"):
        make_head(name).fit(exam.tokens, ["walking"] * len(exam.tokens))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("bad", [None, "", float("nan")])
def test_classifier_raises_when_a_label_is_missing(name: str, bad: object, exam: Any) -> None:
    """A window without a label is refused, whatever "without" looks like."""
    with pytest.raises(DataError, match="have no label"):
        make_head(name).fit(exam.tokens, [bad, *exam.labels[1:]])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_raises_when_labels_and_windows_differ_in_number(name: str, exam: Any) -> None:
    """One label a window, no more and no fewer."""
    with pytest.raises(DataError, match="One label a window"):
        make_head(name).fit(exam.tokens, exam.labels[:-1])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_works_from_few_labels_or_says_it_cannot(name: str, exam: Any) -> None:
    """With one label a class a head either answers or names the head that can."""
    few = exam.tokens.select([0, 8, 16])
    head = make_head(name)
    if head.spec.labels_needed > 1:
        with pytest.raises(DataError, match="prototypes"):
            head.fit(few, ["walking", "running", "standing"])  # type: ignore[attr-defined]
    else:
        head.fit(few, ["walking", "running", "standing"])  # type: ignore[attr-defined]
        assert np.isfinite(exam.ask(head, ROWS)).all()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_explains_by_fitted_stretches(name: str, exam: Any) -> None:
    """Reasons are stretches of fitted sessions, nearest first; the counterfactual differs."""
    head = exam.fit(make_head(name))
    for why in head.explain(exam.asked, k=2):
        distances = [n.distance for n in why.nearest]
        assert len(distances) == 2
        assert distances == sorted(distances)
        assert {n.session_id for n in why.nearest} <= set(exam.tokens.session_ids)
        assert why.counterfactual.label != why.label


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_counterfactual_is_the_nearest_window_of_another_label(name: str, exam: Any) -> None:
    """Found by looking at every fitted window: none of another label is nearer."""
    head = exam.fit(make_head(name))
    assert isinstance(head, ClassifierHead)
    asked = head._embed(head._rows(exam.asked))  # the metric it claims
    for point, why in zip(asked, head.explain(exam.asked), strict=True):
        apart = np.linalg.norm(head.bank_ - point, axis=1)
        own = head.classes_[head.bank_labels_] == why.label
        assert why.counterfactual.distance == pytest.approx(apart[~own].min(), rel=1e-4, abs=1e-6)
        assert why.own.distance == pytest.approx(apart[own].min(), rel=1e-4, abs=1e-6)
        assert why.neighbours[0].distance == pytest.approx(apart.min(), rel=1e-4, abs=1e-6)
        assert why.times_farther == pytest.approx(why.counterfactual.distance / why.own.distance)
        others = [n.distance for n in why.nearest if n.label != why.label]
        assert all(d >= why.counterfactual.distance - 1e-9 for d in others)


@pytest.mark.parametrize("name", ON_TOKENS)
def test_head_raises_when_a_window_is_empty(name: str, exam: Any) -> None:
    """A window without a valid patch cannot be judged."""
    mask = exam.tokens.mask.copy()
    mask[0] = False
    exam.tokens = replace(exam.tokens, mask=mask)
    with pytest.raises(DataError, match="no valid patch"):
        exam.fit(make_head(name))


@pytest.mark.parametrize("name", ON_TOKENS)
def test_head_raises_when_tokens_hold_nan(name: str, exam: Any) -> None:
    """NaN in a valid patch is a fault of the tokens, not something to average over."""
    exam.tokens.values[3, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="NaN"):
        exam.fit(make_head(name))


@pytest.mark.parametrize("name", ON_TOKENS)
def test_head_raises_when_asked_with_other_channels(name: str, exam: Any) -> None:
    """A head fitted on two channels does not guess from one."""
    head = exam.fit(make_head(name))
    exam.asked = exam.asked.without_channels(["accelerometer.y"])
    with pytest.raises(DataError, match="channels"):
        exam.ask(head, [0])


@pytest.mark.parametrize("name", ON_TOKENS)
def test_head_bears_a_window_that_lacks_one_channel(name: str, exam: Any) -> None:
    """A channel that dropped out counts as average; the answer stays finite."""
    head = exam.fit(make_head(name))
    mask = exam.asked.mask.copy()
    mask[:, 1] = False
    exam.asked = replace(exam.asked, mask=mask)
    assert np.isfinite(exam.ask(head, ROWS)).all()
