"""Embed the images of shards into a store, one shard at a time."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log
from PIL import Image

from ltvl_mm.retrieval.dealing.local_engine import LocalEngine
from ltvl_mm.retrieval.dealing.work_engine import WorkEngine
from ltvl_mm.retrieval.reading.embedding_job import EmbeddingJob
from ltvl_mm.retrieval.reading.part_plan import plan_parts
from ltvl_mm.retrieval.reading.shards import Shard
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.structures.encoder_identity import find_difference
from ltvl_mm.structures.store_decoder import describe_old_decoder
from ltvl_mm.structures.store_files import map_matrix
from ltvl_mm.structures.store_reader import open_store, read_parts
from ltvl_mm.structures.store_writer import (
    begin_store,
    finish_store,
)
from ltvl_mm.utils.hash_recipes import HASH_RECIPE, PLAIN_RECIPE
from ltvl_mm.utils.image_decoding import DECODER_VERSION
from ltvl_mm.utils.io import read_json
from ltvl_mm.utils.launch import broadcast_object
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.remote_paths import as_path

# Settings that a new store begins with.
_VERSIONS: dict[str, Any] = {
    'decoder': DECODER_VERSION,
    'hash_recipe': HASH_RECIPE,
}


@locks_output('out')
def embed_shards(
    shards: Sequence[Shard],
    out: str | Path,
    encode: Callable[[torch.Tensor], torch.Tensor],
    preprocess: Callable[[Image.Image], torch.Tensor],
    encoder: dict[str, str],
    *,
    batch_size: int = 256,
    workers: int = 2,
    prefetch: int = 2,
    precision: str = 'float32',
    check_content: bool = False,
    remove_missing: bool = False,
    title: str = 'embed',
    engine: WorkEngine | None = None,
) -> EmbeddingStore:
    """Write the store of ``shards`` to ``out``, or complete an existing one.

    A part is written when its shard is done, so that a kill costs at most
    the shards being embedded. A batch never mixes shards: the numbers of a
    part do not depend on which others are done. The ranks of a process group
    share what is missing, so that the next start, with any number of ranks,
    takes over what a dead one left.

    Shards that ``out`` does not have are added, and shards whose files have
    changed since are embedded again. The store equals one that is made from
    all shards in one go.

    Args:
        shards: All shards of the store, as
            :func:`ltvl_mm.retrieval.reading.shards.find_shards` lists them.
        out: Folder of the store; all ranks see it.
        encode: (B, 3, S, S) -> (B, D), any device, any norm.
        preprocess: RGB image -> (3, S, S).
        encoder: Names architecture, weights and preprocessing.
        batch_size: Images encoded at a time.
        workers: Processes that read and decode, per rank; 0 does it here.
        prefetch: Decoded batches that each worker keeps ready.
        precision: Precision of ``encode``; a store has one precision.
        check_content: True to compare the images of finished shards by their
            bytes, besides size and time of the files.
        remove_missing: True to remove shards of ``out`` that are not among
            ``shards``; otherwise they are an error.
        title: Title of the progress bar.
        engine: Engine that deals the shards to processes; None for those of
            this machine or process group. It does not change the result.

    Raises:
        ValueError: If ``out`` was begun with another encoder, batch size or
            precision, has shards that are not given, or no image at all
            could be read.
    """
    out = as_path(out)
    rank = get_rank()
    store, plan = '', None
    settings: dict[str, Any] = {}
    if rank == 0:  # alone: what exists changes from now on
        begun = _read_settings(out)
        encoder = _find_begun_encoder(begun, encoder)
        settings = {
            'encoder': encoder,
            'batch_size': batch_size,
            'precision': precision,
            **_find_begun_versions(begun),
        }
        store = begin_store(out, settings)
        plan = plan_parts(
            out,
            shards,
            store,
            check_content=check_content,
            remove_missing=remove_missing,
        )
        if plan.missing:
            _warn_of_decoder(out, encoder)
    store, plan, recipe = broadcast_object(
        (store, plan, settings.get('hash_recipe', PLAIN_RECIPE))
    )
    job = EmbeddingJob(
        dict(enumerate(shards)),
        dict(enumerate(plan.sources)),
        len(shards),
        out,
        store,
        encode,
        preprocess,
        batch_size,
        workers,
        title,
        recipe,
        prefetch,
    )
    (engine or LocalEngine()).embed(job, plan.missing)
    if rank == 0:
        versions = {name: settings.get(name) for name in _VERSIONS}
        _finish(out, encoder, len(shards), versions)
    barrier()
    return open_store(out)


def _read_settings(out: Path) -> dict:
    """Return the settings that ``out`` was begun with; {} if it is new."""
    file = out / 'settings.json'
    return read_json(file) if file.exists() else {}


def _find_begun_encoder(begun: dict, encoder: dict[str, str]) -> dict:
    """Return the encoder of a begun store, if it is the same.

    An earlier version may have worded the same preprocessing differently.
    """
    before = begun.get('encoder')
    if before is None or find_difference(before, encoder) is not None:
        return encoder
    return before


def _find_begun_versions(begun: dict) -> dict[str, Any]:
    """Return decoder and hash recipe: those of a begun store, or the present.

    The settings are the identity of a store. One that was begun before they
    were recorded keeps its identity, so that it can be completed, and its
    recipe: the hashes of a store are comparable.
    """
    if not begun:
        return _VERSIONS
    return {name: begun[name] for name in _VERSIONS if name in begun}


def _warn_of_decoder(out: Path, encoder: dict[str, str]) -> None:
    warning = describe_old_decoder(out, encoder.get('arch', 'ARCH'))
    if warning is not None:
        print_log(warning, 'current', level=logging.WARNING)


def _finish(
    out: Path, encoder: dict[str, str], total: int, versions: dict[str, Any]
) -> None:
    parts = []
    for number, part in enumerate(read_parts(out, total)):
        if part is None:
            raise ValueError(
                f'part {number} of {total} has disappeared from {out} while '
                f'the others were written; run again'
            )
        parts.append(part)
    for part in parts:
        if part.rows:
            dim = map_matrix(part.matrix).shape[1]
            finish_store(out, encoder, dim, parts, **versions)
            return
    bad = [entry for part in parts for entry in part.bad]
    if not bad:
        raise ValueError(
            'the inputs hold no image; give tars or folders of image files'
        )
    reasons = '; '.join(f'{key}: {reason}' for key, reason in bad[:3])
    raise ValueError(f'no image could be read; the first: {reasons}')
