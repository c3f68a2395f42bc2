"""Two processes train on labels as one does on their joined batch."""

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from ranks import RANKS, run_ranks
from torch.nn.parallel import DistributedDataParallel

KINDS = ('symmetric', 'image_to_text', 'class_ce')
# Class 2 is on both ranks; the ranks have 3 and 2 different classes.
LABELS = [0, 2, 1, 2, 4, 2]


def run_step(kind, rank=0, ranks=1):
    """Return loss and gradients of a rank's share of the batch."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type='ltvl_mm.CLIPBackbone', arch='ltvl-toy'),
            head=dict(
                type='ltvl_mm.CLIPContrastiveHead',
                arch='ltvl-toy',
                class_names=['ox', 'cat', 'dog', 'owl', 'killer whale'],
                loss=kind,
            ),
        )
    )
    share = slice(rank * 6 // ranks, (rank + 1) * 6 // ranks)
    images = torch.randn(6, 3, 32, 32, generator=torch.manual_seed(1))[share]
    samples = [DataSample().set_gt_label(label) for label in LABELS[share]]
    trained = DistributedDataParallel(model) if ranks > 1 else model
    loss = trained(images, samples, mode='loss')['loss']
    loss.backward()
    grads = {name: p.grad for name, p in model.named_parameters()}
    return loss.detach(), grads


def run_rank(rank):
    return {kind: run_step(kind, rank, RANKS) for kind in KINDS}


@pytest.fixture(scope='module')
def ranks(tmp_path_factory):
    """What each of two processes got, by loss."""
    return run_ranks(tmp_path_factory.mktemp('ranks'), run_rank)


@pytest.mark.parametrize('kind', KINDS)
def test_loss_and_gradients_equal_those_of_one_process(ranks, kind):
    loss, grads = run_step(kind)
    shares = [rank[kind][0] for rank in ranks]
    # A contrastive loss spans the processes; cross-entropy is averaged.
    for share in (
        [torch.stack(shares).mean()] if kind == 'class_ce' else shares
    ):
        assert torch.allclose(share, loss, atol=1e-5)
    assert grads.keys() == ranks[0][kind][1].keys()
    for name, grad in grads.items():
        for rank in ranks:
            assert torch.allclose(
                rank[kind][1][name], grad, atol=1e-5, rtol=1e-5
            ), name
    assert grads['backbone.visual.conv1.weight'].abs().max() > 1e-4
    assert grads['head.text.token_embedding.weight'].abs().max() > 1e-4
