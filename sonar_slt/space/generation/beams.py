"""Beam search over sentences that leave as soon as nothing can change for them; the outcome is transformers' own.

Only the best few candidates of each beam leave the vocabulary, and no cache is reordered. The state of a sentence
never depends on the others in the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sonar_slt.space.generation.constraints import constrain
from sonar_slt.space.generation.head import Head, best, few_rows
from sonar_slt.space.generation.incremental import IncrementalDecoder, gaps_filled
from sonar_slt.space.generation.search import NO_SCORE, PREFIX, Generated, Search


def beam_search(
    decoder: IncrementalDecoder, head: Head, prefix: Tensor, search: Search, *, limit: int, ends: Tensor | None
) -> list[list[Generated]]:
    """At most `n_best` outputs per sentence, best first; `prefix` (sentences, 2) in columns of the head."""
    beams = _Beams(head, prefix, search, limit=limit, ends=ends)
    states = decoder.begin(head.ids(prefix))
    while True:
        parents = beams.advance(head.logits(states.flatten(0, 1)))
        if (kept := beams.leave()) is not None:
            if not kept:
                return beams.outputs
            decoder.keep(kept)
            parents = parents[kept]
        states = decoder.step(head.ids(beams.last_columns), parents)


class _Beams:
    """The running and the finished beams of every sentence that still runs."""

    def __init__(self, head: Head, prefix: Tensor, search: Search, *, limit: int, ends: Tensor | None) -> None:
        sentences, beams, device = len(prefix), search.num_beams, prefix.device
        self._head, self._search, self._limit, self._ends = head, search, limit, ends
        self._candidates = 2 * beams  # at most one `</s>` per beam, so enough of these go on
        self._per_beam = min(self._candidates, head.width)
        self.outputs: list[list[Generated]] = [[] for _ in range(sentences)]
        self._names = list(range(sentences))  # which output each row becomes
        self._number = 0  # of the last new token
        self._running = prefix.new_full((sentences, beams, PREFIX + limit), head.end)
        self._running[:, :, :PREFIX] = prefix.unsqueeze(1)
        # all beams start alike: only the first one's candidates count
        self._scores = torch.full((sentences, beams), NO_SCORE, device=device)
        self._scores[:, 0] = 0.0
        self._finished = self._running.clone()
        self._finished_scores = torch.full((sentences, beams), NO_SCORE, device=device)
        self._finished_lengths = torch.zeros((sentences, beams), dtype=torch.long, device=device)
        self._are_finished = torch.zeros((sentences, beams), dtype=torch.bool, device=device)

    @property
    def last_columns(self) -> Tensor:
        """What each running beam said last: (sentences, beams)."""
        return self._running[:, :, PREFIX + self._number - 1]

    def advance(self, logits: Tensor) -> Tensor:
        """One more token for every beam; returns which beam each running one continues (sentences, beams).

        `logits` (sentences * beams, columns); at the first token, where beams are alike, (sentences, columns).
        """
        log_probs, columns = self._best_continuations(logits)
        beams, self._number = self._search.num_beams, self._number + 1
        totals = (self._scores.unsqueeze(2) + log_probs).flatten(1)  # (sentences, beams * candidates)
        scores, places = totals.topk(self._candidates, dim=1)
        parents, columns = places // self._per_beam, columns.flatten(1).gather(1, places)
        if self._number == 1:
            parents = torch.zeros_like(parents)  # the beams are alike, and the decoder holds one
        ended = columns == self._head.end if self._number < self._limit else torch.ones_like(columns, dtype=torch.bool)
        if ended[:, :beams].any():
            self._finish(scores, parents, columns, ended)
        running, chosen = (scores + ended * NO_SCORE).topk(beams, dim=1)
        parents = parents.gather(1, chosen)
        self._running = _of_beams(self._running, parents)
        self._running[:, :, PREFIX + self._number - 1] = columns.gather(1, chosen)
        self._scores = running
        return parents

    def leave(self) -> list[int] | None:
        """Write down the sentences for which nothing can change; the rows that go on in their new order, or None if
        all do."""
        done = self._cannot_improve()
        if self._number == self._limit:
            done = torch.ones_like(done)
        elif self._search.early_stopping:
            done |= self._are_finished.all(dim=1)
        gone = done.tolist()
        if not any(gone):
            return None
        for row in (row for row, left in enumerate(gone) if left):
            self.outputs[self._names[row]] = self._output(row)
        kept = gaps_filled([row for row, left in enumerate(gone) if not left])
        self._names = [self._names[row] for row in kept]
        index = torch.tensor(kept, dtype=torch.long, device=done.device)
        self._running, self._scores = self._running[index], self._scores[index]
        self._finished, self._finished_scores = self._finished[index], self._finished_scores[index]
        self._finished_lengths, self._are_finished = self._finished_lengths[index], self._are_finished[index]
        self._ends = None if self._ends is None else self._ends[index]
        return kept

    def _best_continuations(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities and columns of each beam's best next tokens: (sentences, beams, candidates)."""
        beams = len(logits) // len(self._running)  # 1 at the first token
        history = self._running[:, :beams, : PREFIX + self._number].flatten(0, 1)
        ends = None if self._ends is None else self._ends.repeat_interleave(beams)
        found = []
        for part, scores in few_rows(logits):
            scores = scores.log_softmax(dim=1)
            constrain(
                scores,
                history[part],
                None if ends is None else ends[part],
                search=self._search,
                end=self._head.end,
            )
            found.append(best(scores, self._per_beam))
        shape = (len(self._running), beams, self._per_beam)
        wide = (-1, self._search.num_beams, -1)
        log_probs = torch.cat([part for part, _ in found]).view(shape).expand(wide)
        return log_probs, torch.cat([part for _, part in found]).view(shape).expand(wide)

    def _finish(self, scores: Tensor, parents: Tensor, columns: Tensor, ended: Tensor) -> None:
        """Keep the best of the finished beams and of those that just ended among the best."""
        beams = self._search.num_beams
        scores, parents, columns = scores[:, :beams], parents[:, :beams], columns[:, :beams]
        just, length = ended[:, :beams], PREFIX + self._number
        scores = scores / (self._number**self._search.length_penalty) + ~just * NO_SCORE
        sequences = _of_beams(self._running, parents)
        sequences[:, :, length - 1] = columns
        scores, chosen = torch.cat([self._finished_scores, scores], dim=1).topk(beams, dim=1)
        lengths = torch.full_like(self._finished_lengths, self._number)
        self._finished_scores = scores
        self._finished = _of_beams(torch.cat([self._finished, sequences], dim=1), chosen)
        self._finished_lengths = torch.cat([self._finished_lengths, lengths], dim=1).gather(1, chosen)
        self._are_finished = torch.cat([self._are_finished, just], dim=1).gather(1, chosen)

    def _cannot_improve(self) -> Tensor:
        """Whether the best running beam, at its present length, beats none of the finished ones: (sentences,)."""
        hope = self._scores[:, :1] / (self._number**self._search.length_penalty)
        worst = self._finished_scores.amin(dim=1, keepdim=True)
        can: Tensor = hope > torch.where(self._are_finished, worst, NO_SCORE)
        return ~can.any(dim=1)

    def _output(self, row: int) -> list[Generated]:
        outputs = []
        for beam in range(self._search.n_best):
            score = float(self._finished_scores[row, beam])
            if beam == 0 or score > NO_SCORE / 10:  # fewer beams than asked for may have finished
                ids = self._head.ids(
                    self._finished[row, beam, PREFIX : PREFIX + int(self._finished_lengths[row, beam])]
                )
                outputs.append(Generated(tuple(ids.tolist()), score))
        return outputs


def _of_beams(tensor: Tensor, beams: Tensor) -> Tensor:
    """Rows of (sentences, beams, length) by beam: (sentences, chosen, length)."""
    chosen: Tensor = tensor.gather(1, beams.unsqueeze(2).expand(-1, -1, tensor.shape[2]))
    return chosen
