"""A PatchVit says what is where: each patch has numbers of its own in the vector."""

from __future__ import annotations

import pytest
import torch

from sonar_slt.errors import UserError
from tests.adapter.tiny import SIDE, patch_vit, pictures, vit

ONE = torch.zeros(1, 1, dtype=torch.long)


@torch.no_grad()
def test_a_vector_holds_every_patch_narrowed_in_reading_order() -> None:
    backbone, picture = patch_vit(), pictures(1).values[0]
    assert backbone.width == 3 * (SIDE // 8) ** 2
    states = backbone.model.forward_features(backbone._normalised(picture))[0, backbone.prefix :]
    torch.testing.assert_close(backbone(picture, ONE)[0], backbone.narrow(states).flatten())


def test_weights_are_a_matter_of_the_seed_and_all_are_in_the_fingerprint() -> None:
    first, again, other = patch_vit(), patch_vit(), patch_vit(seed=1)
    assert torch.equal(first.narrow.weight, again.narrow.weight) and first.fingerprint == again.fingerprint
    assert first.fingerprint not in (other.fingerprint, vit().fingerprint, patch_vit(narrow=4).fingerprint)
    assert first.described()["pooling"] == "patches of 3"
    assert not any(weight.requires_grad for weight in first.parameters())


def test_a_patch_has_a_number_at_least() -> None:
    with pytest.raises(UserError, match="narrow=0"):
        patch_vit(narrow=0)
