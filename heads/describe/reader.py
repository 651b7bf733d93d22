"""A frozen language model that reads signals: soft tokens spliced into its words.

Loss over the answer's positions and over the corpus's words only. Only `SignalEncoder` trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.heads.describe.encoder import N_SOFT, SignalEncoder, features_of
from tool_use_om.heads.describe.prompts import Prompt
from tool_use_om.tokenizers.moment.checkpoint import weights_hash

END = "\n"  # an answer ends where its line does


def loss_over_words(
    hidden: Tensor, weight: Tensor, target: Tensor, words: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return (mean negative log-likelihood, logits) of tokens among `words` only.

    Parameters
    ----------
    hidden : (N, D) last hidden states before each token
    weight : (V, D) of the output layer
    target : (N,) the tokens, all of `words`
    words : sorted token ids

    It is the loss of the whole vocabulary with all other logits at minus infinity; a short list
    saves what the 262 144-word output layer of a small model costs.
    """
    kept = torch.as_tensor(list(words), device=target.device)
    place = torch.searchsorted(kept, target).clamp(max=len(kept) - 1)
    if not torch.equal(kept[place], target):
        strange = sorted(set(target.tolist()) - set(words))
        raise DataError(f"Answers have tokens that are not chosen between: {strange[:5]}.")
    logits = (hidden @ weight[kept].T).float()
    return nn.functional.cross_entropy(logits, place), logits


@dataclass(frozen=True)
class Batch:
    """Rows padded on the right: ids (B, L), where soft tokens stand (B, L), which are taught."""

    ids: Tensor
    soft: Tensor
    attention: Tensor
    taught: Tensor
    features: Tensor | None


class Reader:
    """A frozen causal language model with a signal encoder before it.

    Parameters
    ----------
    network, tokenizer : as transformers loads them; the network's weights are never changed
    source : "curves" or a registered tokenizer's name
    seed : of the encoder's first weights
    """

    def __init__(
        self, network: Untyped, tokenizer: Untyped, source: str = "curves", seed: int = 0
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        table = network.get_input_embeddings()
        width = int(table.weight.shape[1])
        some = torch.arange(0, table.weight.shape[0], max(1, table.weight.shape[0] // 2000))
        with torch.inference_mode():
            size = float(table(some).float().pow(2).mean().sqrt())
        self.encoder = SignalEncoder(source, width, size, seed)

    def frozen_hash(self) -> str:
        """Return the SHA-256 of the language model's weights as they are now."""
        return weights_hash(self.network)

    def ids_of(self, text: str) -> list[int]:
        """Return the tokens of a text, without marks of begin or end."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def answer_ids(self, answer: str) -> list[int]:
        """Return the tokens an answer is made of, its end included."""
        return self.ids_of(f" {answer}{END}")

    def batch(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Batch:
        """Return prompts with these answers behind them, as one batch.

        Raises
        ------
        DataError : a prompt without its `<signal>`
        """
        rows = [self._row(p, a) for p, a in zip(prompts, answers, strict=True)]
        longest = max(len(ids) for ids, _, _ in rows)
        shape = (len(rows), longest)
        ids, soft, attention, taught = (torch.zeros(shape, dtype=torch.long) for _ in range(4))
        for i, (tokens, softs, first) in enumerate(rows):
            n = len(tokens)
            ids[i, :n] = torch.tensor(tokens)
            soft[i, softs] = 1
            attention[i, :n] = 1
            taught[i, first:n] = 1
        channels = [row for p in prompts for row in p.rows]
        features = None
        if channels:
            features = torch.from_numpy(features_of(channels, self.encoder.source))
        return Batch(ids, soft.bool(), attention, taught.bool(), features)

    def _row(self, prompt: Prompt, answer: str) -> tuple[list[int], list[int], int]:
        """Return tokens, the places of soft ones among them, and where the answer begins."""
        begin = self.tokenizer.bos_token_id
        ids = [begin] if begin is not None else []
        soft: list[int] = []
        first, *others = prompt.parts()
        ids += self.ids_of(first)
        for part in others:
            soft += range(len(ids), len(ids) + N_SOFT)
            ids += [0] * N_SOFT + self.ids_of(part)
        said = self.answer_ids(answer)
        return ids + said, soft, len(ids)

    def hidden(self, batch: Batch) -> Tensor:
        """Return the last hidden states (B, L, D)."""
        embedded = self.network.get_input_embeddings()(batch.ids)
        if batch.features is not None:
            soft = self.encoder(batch.features).reshape(-1, embedded.shape[-1])
            embedded = embedded.masked_scatter(batch.soft[..., None], soft.to(embedded.dtype))
        found: Tensor = self.network.base_model(
            inputs_embeds=embedded, attention_mask=batch.attention, use_cache=False
        ).last_hidden_state
        return found

    def loss(self, batch: Batch, words: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Return (mean loss of the answers' tokens, which were likeliest (N,) bool, each loss)."""
        taught = batch.taught[:, 1:]
        hidden, target = self.hidden(batch)[:, :-1][taught], batch.ids[:, 1:][taught]
        weight = self.network.get_output_embeddings().weight
        loss, logits = loss_over_words(hidden, weight, target, words)
        kept = torch.as_tensor(list(words))
        right = kept[logits.argmax(-1)] == target
        each = nn.functional.cross_entropy(
            logits, torch.searchsorted(kept, target), reduction="none"
        )
        return loss, right, each.detach()

    def choose(self, prompts: Sequence[Prompt]) -> list[str]:
        """Return the likeliest option of each prompt, all options read to their ends."""
        found = []
        with torch.inference_mode():
            for prompt in prompts:
                scores = self.option_scores(prompt)
                found.append(prompt.options[int(np.argmax(scores))])
        return found

    def option_scores(self, prompt: Prompt) -> np.ndarray:
        """Return the log-likelihood of each option (n_options,), its end included.

        Raises
        ------
        DataError : the prompt has no options
        """
        if not prompt.options:
            raise DataError("This question has no options to choose between.")
        batch = self.batch([prompt] * len(prompt.options), prompt.options)
        words = sorted({i for o in prompt.options for i in self.answer_ids(o)})
        _, _, each = self.loss(batch, words)
        counts = batch.taught[:, 1:].sum(dim=1)
        parts = np.split(each.numpy(), np.cumsum(counts.numpy())[:-1])
        return -np.array([part.sum() for part in parts])
