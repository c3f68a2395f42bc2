"""RIDE's expert assignment: whether an image needs one more expert."""

import torch
import torch.nn.functional as F
from torch import nn


def average_experts(logits: torch.Tensor) -> torch.Tensor:
    """Map (N, E, K) logits to the means of the first 1, ..., E experts'."""
    counts = torch.arange(1, logits.shape[1] + 1, device=logits.device)
    return logits.cumsum(1) / counts[:, None]


def find_helped(means: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Say which images more experts than e would put right.

    After e experts the answer is wrong, after some later one it is right.
    Source: RIDE, Wang et al. 2021 (arXiv 2010.01809), section 3, and its code.

    Args:
        means: (N, E, K), see :func:`average_experts`.
        target: (N,) classes.

    Returns:
        (N, E - 1) of bool, for e = 1, ..., E - 1.
    """
    right = means.argmax(2) == target[:, None]  # (N, E)
    later = [right[:, e:].any(1) for e in range(1, right.shape[1])]
    return ~right[:, :-1] & torch.stack(later, 1)


class ExpertRouter(nn.Module):
    """Score images by whether they need an expert more; > 0 is yes.

    After each of the first E - 1 experts, a linear layer and ReLU see its
    features, L2-normalized; one linear layer, the same for all, sees what
    comes out and the largest logits. Source: RIDE, Wang et al. 2021 (arXiv
    2010.01809), section 3, and its code for the sizes.

    Args:
        in_channels: Width F of an expert's features.
        num_experts: E, >= 2.
        num_logits: The largest T logits are seen, T <= K.
        width: Width of the hidden layer.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        num_experts: int,
        num_logits: int,
        width: int = 16,
    ) -> None:
        super().__init__()
        self.num_logits = num_logits
        self.hidden = nn.ModuleList(
            [nn.Linear(in_channels, width) for _ in range(num_experts - 1)]
        )
        self.score = nn.Linear(num_logits + width, 1)

    def forward(
        self, feat: torch.Tensor, mean: torch.Tensor, number: int = 0
    ) -> torch.Tensor:
        """Return the (N,) scores after an expert.

        Args:
            feat: (N, F) features of that expert.
            mean: (N, K) mean logits of the experts until then.
            number: Index of the expert, from 0.
        """
        hidden = F.relu(self.hidden[number](F.normalize(feat, dim=1)))
        largest = mean.topk(self.num_logits, dim=1).values
        return self.score(torch.cat([largest, hidden], 1)).squeeze(1)
