"""Networks written here do what their formulas say; all keep their shape, size and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tool_use_om.data.errors import DataError
from tool_use_om.heads.events.deep.network import HEADS, NetworkModel, count, sized
from tool_use_om.heads.events.deep.networks.arma import ArmaAttention
from tool_use_om.heads.events.deep.networks.crossformer import CrossBody, TwoStage
from tool_use_om.heads.events.deep.networks.etsformer import Growth, Smoothing, season
from tool_use_om.heads.events.registry import EVENT_MODELS, event_model

ARCHITECTURES = tuple(n for n, where in EVENT_MODELS.items() if ".deep." in where)
FEATURES, CONTEXT, WIDTH, LAYERS = 7, 40, 32, 2


def body_of(name: str) -> nn.Module:
    model = event_model(name)
    if model.spec.needs == "study":
        pytest.importorskip("neuralforecast")
    assert isinstance(model, NetworkModel)
    torch.manual_seed(0)
    return model.body(FEATURES, CONTEXT, WIDTH, LAYERS)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architecture_describes_each_window_by_itself(name: str) -> None:
    """Shape, finite, and no window's description depends on its neighbours in the batch."""
    body = body_of(name).eval()
    x = torch.randn(6, CONTEXT, FEATURES)
    with torch.no_grad():
        torch.manual_seed(1)
        whole = body(x)
        torch.manual_seed(1)
        part = body(x[:3])
    assert whole.shape == (6, body.d)
    assert torch.isfinite(whole).all()
    torch.testing.assert_close(whole[:3], part, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    """A part that nothing reaches would be counted and never trained."""
    body = body_of(name).train()
    torch.manual_seed(2)
    described = body(torch.randn(8, CONTEXT, FEATURES))
    (described * torch.randn_like(described)).sum().backward()
    without = [n for n, p in body.named_parameters() if p.requires_grad and p.grad is None]
    assert not without
    assert all(torch.isfinite(p.grad).all() for p in body.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("wanted", [200_000, 2_000_000])
def test_size_is_near_what_was_asked_for(name: str, wanted: int) -> None:
    model = event_model(name)
    if model.spec.needs == "study":
        pytest.importorskip("neuralforecast")
    assert isinstance(model, NetworkModel)

    def build(width: int, layers: int) -> nn.Module:
        return model.body(25, 80, width, layers)  # type: ignore[attr-defined]

    width, layers = sized(build, wanted)
    assert width % HEADS == 0
    assert count(build(width, layers)) == pytest.approx(wanted, rel=0.12)


def test_layers_grow_with_the_number_asked_for() -> None:
    """The rule for 2M, 20M and 200M: 2, 4 and 8 layers, the width nearest to the number."""
    model = event_model("arma_attention")
    assert isinstance(model, NetworkModel)
    found = [sized(lambda w, n: model.body(25, 80, w, n), s) for s in (2_000_000, 20_000_000)]
    assert [layers for _, layers in found] == [2, 4]
    with pytest.raises(DataError, match="at least"):
        sized(lambda w, n: model.body(25, 80, w, n), 1000)


def test_smoothing_is_the_recursion() -> None:
    torch.manual_seed(0)
    layer = Smoothing(HEADS, 4)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.start)
    x = torch.randn(2, 11, HEADS, 4)
    share = torch.sigmoid(layer.weight)[None, :, None]
    state, said = layer.start[None].expand(2, -1, -1), []
    for t in range(11):
        state = share * x[:, t] + (1 - share) * state
        said.append(state)
    torch.testing.assert_close(layer(x), torch.stack(said, dim=1))


def test_growth_of_a_straight_line_is_the_same_at_each_step() -> None:
    layer = Growth(WIDTH)
    line = torch.arange(30.0)[None, :, None].expand(1, 30, WIDTH)
    with torch.no_grad():
        nn.init.constant_(layer.smoothing.weight, 4.0)
        grown = layer(line)
    torch.testing.assert_close(grown[:, 20], grown[:, 29], rtol=1e-3, atol=1e-3)


def test_season_keeps_the_strongest_frequency_and_no_mean() -> None:
    t = torch.arange(40.0)
    strong, weak = torch.sin(2 * torch.pi * t * 4 / 40), 0.1 * torch.sin(2 * torch.pi * t * 9 / 40)
    found = season((5.0 + strong + weak)[None, :, None], strongest=1)
    torch.testing.assert_close(found[0, :, 0], strong, rtol=1e-3, atol=1e-4)


def test_segments_are_a_features_own_samples_in_order() -> None:
    body = CrossBody(FEATURES, CONTEXT, WIDTH, LAYERS)
    x = torch.randn(2, CONTEXT, FEATURES)
    found = body.segmented(x)
    assert found.shape == (2, FEATURES, 2, 16)
    torch.testing.assert_close(found[1, 3, 1], x[1, -16:, 3])
    torch.testing.assert_close(found[1, 3, 0], x[1, -32:-16, 3])


def test_features_see_each_other_within_a_segment_only_through_routers() -> None:
    """Stage two by a loop over segments, with the attention's own maps written out."""
    torch.manual_seed(0)
    layer = TwoStage(3, WIDTH).eval()
    x = torch.randn(2, FEATURES, 3, WIDTH)
    with torch.no_grad():
        rows = x.flatten(0, 1)
        rows = layer.norms[0](rows + _attended(layer.time, rows, rows))
        rows = layer.norms[1](rows + layer.one(rows)).unflatten(0, (2, FEATURES))
        said = torch.empty_like(x)
        for segment in range(3):
            columns = rows[:, :, segment]
            routers = layer.routers[segment][None].expand(2, -1, -1)
            gathered = _attended(layer.collect, routers, columns)
            columns = layer.norms[2](columns + _attended(layer.hand_out, columns, gathered))
            said[:, :, segment] = layer.norms[3](columns + layer.two(columns))
        torch.testing.assert_close(layer(x), said, rtol=1e-4, atol=1e-5)


def _attended(layer: nn.MultiheadAttention, q: torch.Tensor, kv: torch.Tensor) -> torch.Tensor:
    """Return softmax(q k' / sqrt(d)) v, head by head."""
    wq, wk, wv = layer.in_proj_weight.chunk(3)
    bq, bk, bv = layer.in_proj_bias.chunk(3)
    size = WIDTH // HEADS
    queries, keys, values = q @ wq.T + bq, kv @ wk.T + bk, kv @ wv.T + bv
    heads = []
    for h in range(HEADS):
        part = slice(h * size, (h + 1) * size)
        scores = queries[..., part] @ keys[..., part].transpose(1, 2) / size**0.5
        heads.append(scores.softmax(dim=2) @ values[..., part])
    joined: torch.Tensor = layer.out_proj(torch.cat(heads, dim=2))
    return joined


def test_arma_attention_is_its_sums() -> None:
    """AR: softmax over what was; MA: bounded, fading weights of the errors of one step."""
    torch.manual_seed(0)
    layer = ArmaAttention(WIDTH)
    x = torch.randn(1, 6, WIDTH)
    size = WIDTH // HEADS
    with torch.no_grad():
        q, k, qe, ke, v = layer.maps(x)[0].unflatten(1, (5, HEADS, size)).unbind(1)
        said = torch.zeros(6, HEADS, size)
        for h in range(HEADS):
            forecast = torch.stack(
                [
                    torch.softmax(k[: t + 1, h] @ q[t, h] / size**0.5, dim=0) @ v[: t + 1, h]
                    for t in range(6)
                ]
            )
            errors = [v[t, h] - (forecast[t - 1] if t else 0.0) for t in range(6)]
            kept = torch.sigmoid(layer.decay[h])
            for t in range(6):
                age = torch.tensor([float(t - j) for j in range(t + 1)])
                weights = kept**age / (kept**age).sum()
                weights = weights * torch.tanh(ke[: t + 1, h] @ qe[t, h] / size**0.5)
                said[t, h] = forecast[t] + weights @ torch.stack(errors[: t + 1])
        expected = layer.outside(said.flatten(1))
        torch.testing.assert_close(layer(x)[0], expected, rtol=1e-4, atol=1e-5)


def test_arma_attention_sees_no_later_step() -> None:
    torch.manual_seed(0)
    layer = ArmaAttention(WIDTH)
    x = torch.randn(2, 9, WIDTH)
    with torch.no_grad():
        before = layer(x)
        x[:, 5:] += 3.0
        after = layer(x)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().amax() > 1e-3
