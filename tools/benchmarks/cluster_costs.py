"""Cost model of embedding and retrieval on a cluster."""

import math
from dataclasses import dataclass

# Images of a shard, as img2dataset writes them.
SHARD_IMAGES = 10_000
# Hashes of all keys, which one process compares: bytes an image.
KEY_BYTES = 8
# A candidate in a pool: row, class, score and flag.
CANDIDATE_BYTES = 17
# Candidates per wanted image, the default oversample factor of retrieval.
OVERSAMPLE = 1.5


@dataclass(frozen=True)
class Rates:
    """Rates of one machine, measured or given.

    Args:
        gpu_images: Images/s that a GPU encodes.
        cores: CPU cores of a machine.
        decode_ms: CPU milliseconds from the bytes of an image to its pixels
            and hashes.
        scan_us: CPU microseconds to scan an image for 1,000 classes.
        rank_us: CPU microseconds to score a candidate exactly for 1,000
            classes.
        check_us: CPU microseconds to verify an image of a store.
        image_bytes: Bytes of an encoded image.
        store_bytes: Bytes of an image's embedding and metadata.
        network: Bytes/s that a machine reads.
    """

    gpu_images: float
    cores: int
    decode_ms: float
    scan_us: float
    rank_us: float
    check_us: float
    image_bytes: float
    store_bytes: float
    network: float

    @property
    def embedded(self) -> float:
        """Images/s that a machine with one GPU embeds."""
        decoded = 1000 * self.cores / self.decode_ms
        return min(self.gpu_images, decoded, self.network / self.image_bytes)

    @property
    def embedding_limit(self) -> str:
        """Part of a machine that limits embedding."""
        limits = {
            'GPU': self.gpu_images,
            'decoding': 1000 * self.cores / self.decode_ms,
            'network': self.network / self.image_bytes,
        }
        return min(limits, key=lambda name: limits[name])


@dataclass(frozen=True)
class Plan:
    """Size of a run and of its cluster.

    Args:
        images: Web images.
        classes: Classes of the retrieval.
        budget: Images wanted per class.
        machines: Machines with one GPU each.
    """

    images: float
    classes: int
    budget: int
    machines: int


def compute_costs(
    plan: Plan, rates: Rates, *, hour_price: float, egress_price: float
) -> dict[str, float]:
    """Return hours, dollars and bytes of each stage.

    Args:
        plan: Size of the run.
        rates: Rates of one machine.
        hour_price: Dollars per hour of a machine.
        egress_price: Dollars per GB that leaves the cloud.
    """
    thousands = plan.classes / 1000
    cores = plan.machines * rates.cores
    shards = math.ceil(plan.images / SHARD_IMAGES)
    rounds = math.ceil(shards / plan.machines)
    embed_s = rounds * SHARD_IMAGES / rates.embedded
    # The embedding's share of a store is read, 1 KB for a width of 512.
    read_s = plan.images * 1024 / (rates.network * plan.machines)
    scan_s = plan.images * thousands * rates.scan_us / 1e6 / cores
    candidates = plan.classes * plan.budget * OVERSAMPLE
    copied = plan.classes * plan.budget * rates.image_bytes
    hours = (embed_s + max(read_s, scan_s)) / 3600
    return {
        'shards': shards,
        'embed_hours': embed_s / 3600,
        'embed_read_tb': plan.images * rates.image_bytes / 1e12,
        'store_tb': plan.images * rates.store_bytes / 1e12,
        'verify_minutes': plan.images * rates.check_us / 1e6 / cores / 60,
        'scan_minutes': max(read_s, scan_s) / 60,
        'finish_minutes': candidates * thousands * rates.rank_us / 1e6 / 60,
        'keys_gb': plan.images * KEY_BYTES / 1e9,
        'pool_gb': candidates * CANDIDATE_BYTES / 1e9,
        'egress_gb': copied / 1e9,
        'machine_hours': hours * plan.machines,
        'dollars': hours * plan.machines * hour_price
        + copied / 1e9 * egress_price,
    }
