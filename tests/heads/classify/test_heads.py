"""What single heads promise beyond the common contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.heads.classify.prototypes import Prototypes, best_temperature, within_whitener
from tool_use_om.heads.contract.pooling import Rows, fit_projection, pool, project
from tool_use_om.heads.numeric.folds import group_folds, plain_folds
from tool_use_om.heads.registry import choose_head, head_specs, make_head
from tool_use_om.heads.search.unlike import rank_sessions


def test_pool_ignores_invalid_patches(tokens: Any) -> None:
    """A masked patch changes nothing, whatever it holds; a channel without any is missing."""
    mask = tokens.mask.copy()
    mask[:, 0, 2:], mask[0, 1] = False, False
    values = tokens.values.copy()
    values[:, 0, 2:] = 1e6
    rows = pool(replace(tokens, values=values, mask=mask), "stats", context=False)
    assert rows.values.shape == (24, 2 * 8 * 3)
    assert np.nanmax(rows.values) < 100
    assert np.isnan(rows.values[0, 8:16]).all()
    np.testing.assert_allclose(rows.values[1, :8], tokens.values[1, 0, :2].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(
        rows.values[1, 16:24], tokens.values[1, 0, :2].std(axis=0), rtol=1e-4
    )


def test_pool_mean_averages_the_channels(tokens: Any) -> None:
    """One vector a window, whatever the number of channels."""
    rows = pool(tokens, "mean", context=True)
    assert (rows.values.shape, rows.n_context) == ((24, 8 + 4), 4)
    np.testing.assert_allclose(rows.values[:, :8], tokens.values.mean(axis=(1, 2)), rtol=1e-5)


def test_projection_balances_tokens_and_context() -> None:
    """Four context features get as much variance as four hundred token features."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=(500, 400)), 1e3 * rng.normal(size=(500, 4))], axis=1)
    shift, matrix = fit_projection(Rows(values=values, n_context=4), 404)
    token_part = project(np.where(np.arange(404) < 400, values, np.nan), shift, matrix)
    context_part = project(np.where(np.arange(404) < 400, np.nan, values), shift, matrix)
    assert token_part.var(axis=0).sum() == pytest.approx(1.0, rel=0.05)
    assert context_part.var(axis=0).sum() == pytest.approx(1.0, rel=0.05)


def test_projection_bears_constant_and_missing_features() -> None:
    """A feature that never changes, or is never there, adds nothing and breaks nothing."""
    values = np.random.default_rng(0).normal(size=(20, 5))
    values[:, 1], values[:, 2] = 7.0, np.nan
    shift, matrix = fit_projection(Rows(values=values, n_context=0), 5)
    assert np.isfinite(project(values, shift, matrix)).all()
    assert not matrix[[1, 2]].any()


def test_folds_keep_groups_together_and_classes_known() -> None:
    """No group is on both sides, and each held-out class was seen in training."""
    groups = np.array([f"g{i // 3}" for i in range(36)])
    codes = np.arange(36) // 12
    folds = group_folds(codes, groups)
    assert len(folds) == 5
    for train, held_out in folds:
        assert not set(groups[train]) & set(groups[held_out])
        assert set(codes[held_out]) <= set(codes[train])
    assert sorted(np.concatenate([h for _, h in folds])) == list(range(36))


def test_folds_of_one_session_are_stretches() -> None:
    """With a single session, neighbours in time are held out together."""
    folds = plain_folds(np.array(["s"] * 20), 4)
    assert [(h.min(), h.max()) for _, h in folds] == [(0, 4), (5, 9), (10, 14), (15, 19)]
    assert plain_folds(np.array(["s"])) == []


def test_whitener_makes_the_within_class_covariance_the_identity() -> None:
    """With many windows the shrinkage vanishes and the metric is that of discriminant analysis."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(3, 3))
    codes = np.arange(3000) % 3
    points = rng.normal(size=(3000, 3)) @ mix + 10 * codes[:, None]
    whitened = points @ within_whitener(points, codes)
    residuals = np.concatenate(
        [whitened[codes == c] - whitened[codes == c].mean(axis=0) for c in range(3)]
    )
    np.testing.assert_allclose(np.cov(residuals.T), np.eye(3), atol=0.1)


def test_temperature_is_that_of_the_truth() -> None:
    """Labels drawn at a known temperature give about that temperature back."""
    rng = np.random.default_rng(0)
    distances = rng.uniform(0, 20, (4000, 3))
    proba = np.exp(-distances / 4.0)
    proba /= proba.sum(axis=1, keepdims=True)
    truth = (rng.uniform(size=(4000, 1)) > proba.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    assert best_temperature(distances, truth) == pytest.approx(4.0, rel=0.2)


def test_prototypes_are_several_when_a_class_has_two_modes(make_tokens: Callable[..., Any]) -> None:
    """A class of two clouds is not taken for the point between them."""
    modes = [n for n in ("a1", "b", "a2") for _ in range(24)]
    y = [m[0] for m in modes]
    tokens, asked = make_tokens(modes), make_tokens(modes, seed=1)
    head = make_head("prototypes").fit(tokens, y)  # type: ignore[attr-defined]
    assert isinstance(head, Prototypes)
    assert (head.prototype_codes_ == 0).sum() > 1
    assert (head.predict(asked) == np.array(y)).mean() > 0.9


def test_prototypes_name_a_stretch_of_their_class(tokens: Any, labels: list[str]) -> None:
    """The prototype shown is a real window, in session and seconds, of the class it stands for."""
    head = make_head("prototypes").fit(tokens, labels)  # type: ignore[attr-defined]
    for why in head.explain(tokens, k=1):
        shown = why.nearest[0]
        row = [
            i
            for i, s in enumerate(tokens.session_ids)
            if s == shown.session_id and tokens.window_start_s[i] == shown.start_s
        ]
        assert labels[row[0]] == shown.label
        assert shown.end_s == shown.start_s + 4.0


def test_linear_probe_gives_no_chance_to_a_class_a_fold_lacks(
    tokens: Any, labels: list[str]
) -> None:
    """A class of one session, left out by a fold, does not stop the fit."""
    y = ["rare" if i < 4 else label for i, label in enumerate(labels)]
    head = make_head("linear_probe").fit(tokens, y)  # type: ignore[attr-defined]
    assert set(head.classes_) == {"rare", "running", "standing", "walking"}


def test_knn_neighbours_agree_with_brute_force(
    tokens: Any, more_tokens: Any, labels: list[str], naive: ModuleType
) -> None:
    """The stretches shown are the nearest ones, distance by distance."""
    head = make_head("knn").fit(tokens, labels)  # type: ignore[attr-defined]
    points = head._embed(pool(more_tokens, "stats", context=True).values)
    why = head.explain(more_tokens, k=4)
    for row in range(6):
        expected = naive.nearest_indices(head.bank_.astype(np.float64), points[row], 4)
        shown = [(n.session_id, n.start_s) for n in why[row].nearest]
        assert shown == [(tokens.session_ids[i], tokens.window_start_s[i]) for i in expected]


def test_similarity_leaves_out_what_overlaps_the_query(tokens: Any) -> None:
    """The query's own surroundings are no discovery; asked for, they come first."""
    head = make_head("similarity").fit(tokens)  # type: ignore[attr-defined]
    query = tokens.select([1])
    own = head.query(query, k=1, exclude_overlapping=False)[0]
    assert (own.session_id, own.start_s, own.distance) == (
        query.session_ids[0],
        2.0,
        pytest.approx(0, abs=1e-5),
    )
    found = head.query(query, k=20)
    stretches = [(n.session_id, n.start_s, n.end_s) for n in found] + [
        (query.session_ids[0], 2.0, 6.0)
    ]
    for i, (session, start, end) in enumerate(stretches):
        for other, other_start, other_end in stretches[i + 1 :]:
            assert session != other or end <= other_start or other_end <= start
    distances = [n.distance for n in found]
    assert distances == sorted(distances)


def test_similarity_raises_when_the_query_is_not_one_window(tokens: Any) -> None:
    """A query is one window, and at least one neighbour is asked for."""
    head = make_head("similarity").fit(tokens)  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="one window"):
        head.query(tokens.select([0, 1]))
    with pytest.raises(DataError, match="`k`"):
        head.query(tokens.select([0]), k=0)


def test_session_ranking_finds_the_odd_one_out(make_tokens: Callable[..., Any]) -> None:
    """The session of another class is the most unlike; the medoid is one of the others."""
    tokens = make_tokens(["walking"] * 12 + ["running"] * 4 + ["walking"] * 12)
    ranking = rank_sessions(tokens)
    assert ranking.most_unlike.session_id == "s0-003"
    assert ranking.most_typical.session_id != "s0-003"
    assert len(ranking.rows) == 7
    with pytest.raises(DataError, match="at least three"):
        rank_sessions(tokens.select(range(8)))


def test_discord_scores_the_strange_window_highest(make_tokens: Callable[..., Any]) -> None:
    """A window of a class never fitted on is the strangest and no p-value is smaller."""
    usual, asked = make_tokens(["walking"] * 60), make_tokens(["walking"] * 10, seed=1)
    values = asked.values.copy()
    values[4] += 5.0
    asked = replace(asked, values=values)
    head = make_head("discord").fit(usual)  # type: ignore[attr-defined]
    assert head.score(asked).argmax() == 4
    p = head.p_values(asked)
    assert p[4] == p.min() == pytest.approx(1 / 61)
    assert head.score(asked)[4] > head.threshold(0.9)


def test_discord_window_does_not_vouch_for_itself(make_tokens: Callable[..., Any]) -> None:
    """Asking about a fitted session gives the scores it had when it was left out."""
    tokens = make_tokens(["walking"] * 20)
    head = make_head("discord").fit(tokens)  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.sort(head.score(tokens)), head.reference_, rtol=1e-5)
    alone = tokens.select([0, 1, 2, 3])  # one session, windows of 4 s every 2 s
    assert (make_head("discord").fit(alone).score(alone) > 0.1).all()  # type: ignore[attr-defined]
    single = make_head("discord").fit(tokens.select([0]))  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="nothing but itself"):
        single.score(tokens.select([0]))


def test_discord_p_values_are_uniform_for_usual_windows(make_tokens: Callable[..., Any]) -> None:
    """After calibration on held-out windows, few usual windows look unusual: as many as said."""
    head = make_head("discord").fit(make_tokens(["walking"] * 200))  # type: ignore[attr-defined]
    head.calibrate(make_tokens(["walking"] * 400, seed=1))
    p = head.p_values(make_tokens(["walking"] * 400, seed=2))
    assert (p <= 0.1).mean() == pytest.approx(0.1, abs=0.05)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.1)


def test_choose_head_follows_the_number_of_labels() -> None:
    """No labels, few labels, many labels: the rule, and its reason in words."""
    assert choose_head("classify", 0).name == "similarity"
    assert choose_head("classify", 1).name == "prototypes"
    assert choose_head("classify", 20).name == "prototypes"
    assert choose_head("classify", 21).name == "linear_probe"
    assert choose_head("forecast").name == "direct"
    assert choose_head("retrieve").name == "similarity"
    assert choose_head("anomaly").name == "ensemble"
    assert "21" in choose_head("classify", 21).why
    with pytest.raises(NotFoundError, match="forecast"):
        choose_head("forcast")


def test_registry_names_the_nearest_head() -> None:
    """A misspelt head is answered with the right spelling."""
    with pytest.raises(NotFoundError, match="Did you mean 'prototypes'"):
        make_head("prototype")
    assert {s.task for s in head_specs()} == {"classify", "forecast", "retrieve", "anomaly"}
    classify = {s.name for s in head_specs("classify")}
    assert classify == {"prototypes", "linear_probe", "ridge_probe", "knn"}


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"k": 0}, "whole number from 1 to 100"),
        ({"k": 2.5}, "whole number"),
        ({"k": True}, "whole number"),
        ({"k": float("nan")}, "whole number"),
        ({"metric": "manhattan"}, "'euclidean', 'cosine'"),
        ({"context": 1}, "true or false"),
        ({"pooling": None}, "'channels'"),
    ],
)
def test_parameters_outside_their_limits_are_refused(params: dict[str, Any], match: str) -> None:
    """The error names the parameter, its rule and what came."""
    with pytest.raises(DataError, match=match):
        make_head("knn", **params)


def test_load_raises_when_the_file_is_not_a_head(tmp_path: Any) -> None:
    """A damaged or missing file is a clear error."""
    from tool_use_om.heads.registry import load_head

    (tmp_path / "bad.safetensors").write_bytes(b"not a head")
    for name in ("bad.safetensors", "missing.safetensors"):
        with pytest.raises(DataError, match="not a saved head"):
            load_head(tmp_path / name)


def test_a_head_behind_everywhere_is_not_offered() -> None:
    """latent_ssm can be made by name, and is no alternative to the forecaster by rule."""
    assert "latent_ssm" not in choose_head("forecast").alternatives
    assert make_head("latent_ssm").spec.listed is False
