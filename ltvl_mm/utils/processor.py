"""bfloat16 support of the CPU."""

import torch

# Names in torch.cpu.get_capabilities(): x86 with AMX, ARM.
_INSTRUCTIONS = ('amx_bf16', 'bf16')


def prefers_bfloat16(device: str | torch.device) -> bool:
    """Return whether a device computes faster in bfloat16 than in float32.

    An x86 processor does if it has AMX. With ``avx512_bf16`` alone (an Intel
    Xeon, torch 2.14) a training step of the toy ResNet took 1.2, of the toy
    CLIP 1.3 and of a small ViT 2.4 times as long in bfloat16. Without either,
    convolutions in bfloat16 are computed one number at a time: on an AMD EPYC
    with AVX2 a step took 2.1 s instead of 0.12 s. Devices other than CPUs are
    taken to be faster.

    Args:
        device: Device of the computation.
    """
    if torch.device(device).type != 'cpu':
        return True
    return _has_any(_INSTRUCTIONS)


def has_amx() -> bool:
    """Return whether the processor multiplies matrices of bfloat16 by AMX."""
    return _has_any(('amx_bf16',))


def _has_any(instructions: tuple[str, ...]) -> bool:
    if hasattr(torch.cpu, 'get_capabilities'):
        found = torch.cpu.get_capabilities()
        return any(found.get(name, False) for name in instructions)
    # An older torch lists none.
    return getattr(torch.cpu, '_is_amx_tile_supported', bool)()
