import pytest
import torch

from ltvl_mm.models.backbones.identity_backbone import IdentityBackbone


def test_features_pass_unchanged():
    features = torch.randn(3, 4)
    assert IdentityBackbone(4)(features)[-1] is features


@pytest.mark.parametrize('shape', [(3, 5), (3, 3, 8, 8)])
def test_anything_else_is_refused(shape):
    with pytest.raises(ValueError, match=r'expects \(B, 4\) features'):
        IdentityBackbone(4)(torch.zeros(shape))
