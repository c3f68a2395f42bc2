"""Search several embedding stores as one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.encoder_identity import find_difference
from ltvl_mm.structures.store_parts import Part


def join_stores(stores: Sequence[EmbeddingStore]) -> EmbeddingStore:
    """Return one store with the rows of several; nothing is copied.

    The parts are in the order of their shards' names, as in a store that is
    made from all shards in one go. A shard whose name is in several stores
    gets the name of its store's folder and a slash before its name and keys.

    Args:
        stores: One or more stores of one encoder.

    Raises:
        ValueError: If encoders or widths differ, a store is given twice, or
            two stores with shards of one name have folders of one name.
    """
    first, *others = stores
    if not others:
        return first
    check_encoders(stores)
    roots = [store.root.resolve() for store in stores]
    twice = next((root for root in roots if roots.count(root) > 1), None)
    if twice is not None:
        raise ValueError(f'the store {twice} is given twice; give it once')
    shards = Counter(part.shard for store in stores for part in store.parts)
    parts: dict[str, Part] = {}
    for store in stores:
        for part in store.parts:
            if shards[part.shard] > 1:
                prefix = f'{store.root.resolve().name}/'
                shard = prefix + part.shard
                part = replace(part, shard=shard, prefix=prefix)
            other = parts.setdefault(part.shard, part)
            if other is not part:
                raise ValueError(
                    f'{other.matrix} and {part.matrix} are both of the shard '
                    f'{part.shard!r}, and keys are told apart by the name of '
                    f"the store's folder; rename the folder of one store"
                )
    ordered = [parts[name] for name in sorted(parts)]
    return EmbeddingStore(
        first.root,
        first.encoder,
        first.dim,
        tuple(
            replace(part, number=number) for number, part in enumerate(ordered)
        ),
        tuple(store.root for store in others),
    )


def check_encoders(stores: Sequence[EmbeddingStore]) -> None:
    """Raise ValueError if two stores have different encoders or widths."""
    first, *others = stores
    for other in others:
        name = find_difference(first.encoder, other.encoder)
        if name is not None:
            raise ValueError(
                f'the stores {first.name} and {other.name} come from '
                f'different encoders: {name} is {first.encoder.get(name)!r} '
                f'and {other.encoder.get(name)!r}; embed the images of one '
                f'again with the encoder of the other'
            )
        if first.dim != other.dim:
            raise ValueError(
                f'the stores {first.name} and {other.name} have different '
                f'widths: {first.dim} and {other.dim}'
            )
