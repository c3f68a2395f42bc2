"""Mixtures of two models that are tried by default; imports quickly."""

# Shares of the first model, in [0, 1].
ALPHAS = tuple(round(0.05 * step, 2) for step in range(21))
# Factors on the second model's logits.
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
