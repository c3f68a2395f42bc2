"""Shards and tars that several tests read."""

from ltvl_mm.retrieval.reading.shards import Shard, iterate_shard


def read_shard(tar):
    return list(iterate_shard(Shard('s', tar=tar)))


def map_reasons(found):
    """Keys of what was read; for what was not, the reason."""
    return {image.key: image.reason or 'read' for image in found}


def write_samples(tar_of):
    """A tar of 5 samples of 2 members of 2 blocks of 512 bytes."""
    return tar_of(
        *(
            (f'{number}.{suffix}', bytes([number]) * 300)
            for number in range(5)
            for suffix in ('jpg', 'txt')
        )
    )
