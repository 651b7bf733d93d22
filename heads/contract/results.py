"""The small typed answers that heads give beside a label or a number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A stretch of a session that a head compared with.

    Parameters
    ----------
    start_s, end_s : float, seconds from the session's start
    distance : float >= 0 in the head's own metric; only comparable within one fitted head
    label : the stretch's label where the head knows one
    """

    session_id: str
    start_s: float
    end_s: float
    distance: float
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why one window got its label.

    Parameters
    ----------
    label, probability : the answer and the head's probability for it
    nearest : what the window is closest to, nearest first
    counterfactual : the closest stretch of another class: what would change the answer
    own : the closest stretch of the answer's class
    neighbours : the closest stretches of any class, nearest first
    """

    label: str
    probability: float
    nearest: tuple[Neighbour, ...]
    counterfactual: Neighbour | None
    own: Neighbour | None = None
    neighbours: tuple[Neighbour, ...] = ()

    @property
    def times_farther(self) -> float | None:
        """How many times farther `counterfactual` is than `own`; None without either."""
        if self.own is None or self.counterfactual is None or self.own.distance <= 0:
            return None
        return self.counterfactual.distance / self.own.distance


@dataclass(frozen=True, kw_only=True)
class Motif:
    """Two stretches that repeat each other.

    Parameters
    ----------
    distance : float >= 0, between their samples, each stretch brought to mean 0 and deviation 1
    """

    first: Neighbour
    second: Neighbour
    distance: float
