"""Who of several people is the signer: the same person throughout, by the rule, whatever the order of the lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.pose.person import CROWD, MEMORY, RULES, chosen

BODY = np.random.default_rng(0).uniform(-40, 40, (137, 2)).astype("f4")


def somebody(at: tuple[float, float], confidence: float = 0.5) -> np.ndarray:
    """A person (137, 3) around a place."""
    return np.concatenate([BODY + np.float32(at), np.full((137, 1), confidence, "f4")], axis=1).astype("f4")


def choose(frames: list[list[np.ndarray]], rule: str = "confident", size=None) -> list[tuple[int, int]]:
    """(frame, place in the frame's list) of the signer."""
    rows = [(frame, place) for frame, people in enumerate(frames) for place in range(len(people))]
    people = np.array([frames[frame][place] for frame, place in rows], "f4").reshape(-1, 137, 3)
    frame = np.array([frame for frame, _ in rows], np.intp)
    return [rows[row] for row in chosen(people, frame, rule=rule, shoulders=OPENPOSE_137.shoulders, size=size)]


@pytest.mark.parametrize("rule", RULES)
def test_one_person_a_frame_needs_no_rule(rule):
    frames = [[somebody((100 * n, 0))] for n in range(5)]
    assert choose([*frames, [], *frames], rule) == [(n, 0) for n in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)]
    assert choose([], rule) == []


def test_the_surer_one_is_followed_through_every_order():
    frames = [[somebody((100 + n, 50), 0.9), somebody((500 - n, 50), 0.6)][:: 1 if n % 2 else -1] for n in range(20)]
    assert choose(frames) == [(n, 0 if n % 2 else 1) for n in range(20)]


def test_the_sum_over_the_clip_decides_and_not_one_frame():
    frames = [[somebody((100, 50), 0.9), somebody((500, 50), 0.6)] for _ in range(3)]
    frames += [[somebody((500, 50), 0.6)] for _ in range(10)]
    assert choose(frames) == [(0, 1), (1, 1), (2, 1), *((n, 0) for n in range(3, 13))]


def test_a_signer_who_is_lost_is_not_replaced_by_a_bystander():
    signer, other = somebody((100, 50), 0.9), somebody((500, 50), 0.4)
    frames = [[other, signer], [other], [other], [signer, other], [other, signer]]
    assert choose(frames) == [(0, 1), (3, 0), (4, 1)]


def test_a_cut_of_the_camera_goes_on_with_who_shares_no_frame():
    before = [[somebody((100, 50), 0.9), somebody((500, 50), 0.4)] for _ in range(6)]
    after = [[somebody((900, 400), 0.8)] for _ in range(4)]
    assert choose(before + after) == [(n, 0) for n in range(10)]


def test_the_central_one_is_nearest_to_the_middle_of_the_picture():
    frames = [[somebody((100, 300), 0.9), somebody((420, 90), 0.3)][:: 1 if n % 3 else -1] for n in range(6)]
    expected = [(n, 1 if n % 3 else 0) for n in range(6)]
    assert choose(frames, "central", size=(800, 600)) == expected
    without_size = [[*frame, somebody((720, 0), 0.9)] for frame in frames]
    assert choose(without_size, "central") == expected


def test_who_crosses_the_middle_for_a_moment_is_not_central():
    frames = [[somebody((300, 50))] for _ in range(10)]
    frames[4].insert(0, somebody((400, 50), 0.9))
    assert choose(frames, "central", size=(800, 600)) == [(n, 1 if n == 4 else 0) for n in range(10)]


def test_the_first_is_the_first_of_each_list():
    frames = [[somebody((100 * n % 300, 50)), somebody((500, 50), 0.9)] for n in range(5)]
    assert choose(frames, "first") == [(n, 0) for n in range(5)]


def test_shoulders_that_are_hidden_for_a_moment_do_not_lose_a_person():
    frames = [[somebody((500, 50), 0.4), somebody((100, 50), 0.9)] for _ in range(5)]
    frames[2][1][list(OPENPOSE_137.shoulders)] = 0
    assert choose(frames) == [(n, 1) for n in range(5)]


def test_somebody_who_comes_back_after_long_is_found_again():
    signer, other = somebody((100, 50), 0.9), somebody((500, 50), 0.4)
    frames = [[signer, other], *([[]] * (MEMORY + 5)), [other, signer]]
    assert choose(frames) == [(0, 0), (MEMORY + 6, 1)]


def test_a_crowd_is_followed_by_its_surest():
    crowd = [somebody((150 * n, 50), 0.3) for n in range(CROWD + 20)]
    assert choose([[*crowd, somebody((-500, 50), 0.9)] for _ in range(3)]) == [(n, CROWD + 20) for n in range(3)]


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), rule=st.sampled_from(list(RULES)))
def test_whatever_is_seen_the_choice_is_one_of_each_frame_at_most(data, rule):
    counts = data.draw(st.lists(st.integers(0, 4), max_size=8))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    frame = np.repeat(np.arange(len(counts)), counts)
    people = random.uniform(-900, 900, (len(frame), 137, 3)).astype("f4") * (
        random.uniform(size=(len(frame), 137, 1)) < 0.1
    )
    people[:, 0] = [1, 2, 0.5]  # nobody is not among them
    people[..., 2] = np.abs(people[..., 2])
    people = np.where(people[..., 2:] > 0, people, 0)
    rows = chosen(
        people, frame, rule=rule, shoulders=data.draw(st.sampled_from([(), OPENPOSE_137.shoulders])), size=None
    )
    found = frame[rows].tolist()
    assert found == sorted(set(found))
    if frame.size:
        assert found
