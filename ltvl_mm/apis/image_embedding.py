"""Images to an embedding store."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

import torch
from mmengine.dist import is_main_process

from ltvl_mm.apis.lazy_encoder import LazyImageEncoder
from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.dealing.engine_choice import open_engine
from ltvl_mm.retrieval.reading.downloads import save_downloads
from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.retrieval.reading.shards import find_shards
from ltvl_mm.structures.embedding_store import EmbeddingStore
from ltvl_mm.utils.command_line import choose_device
from ltvl_mm.utils.lock import locks_output


@locks_output('out')
def embed(
    images: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    root: str | Path | None = None,
    arch: str = 'ViT-B-16-quickgelu',
    pretrained: str | None = None,
    preprocess: str | Mapping[str, object] | None = None,
    device: str | None = None,
    amp: bool = False,
    compile: bool = False,
    batch_size: int = 256,
    workers: int = 2,
    prefetch: int = 2,
    shard_size: int = 10_000,
    check_content: bool = False,
    remove_missing: bool = False,
    engine: str = 'local',
    address: str | None = None,
    encoders: int | None = None,
) -> EmbeddingStore:
    """Embed images with a frozen CLIP into a store; resumes when killed.

    As ``tools/embed_images.py``. The ranks of a process group share the work.
    Shards that an existing store lacks are added to it, and shards whose
    files have changed are embedded again.

    Args:
        images: Tars as img2dataset writes them (paths, globs,
            ``{00000..00099}``), folders of tars or of images, or ``.txt``
            lists of paths; one of these or several.
        out: Folder of the store.
        root: Folder of the paths in lists; None for a list's own.
        arch: An open_clip architecture, a model config (``my_clip.json``),
            ``'local-dir:FOLDER'`` or ``'hf-hub:NAME'``.
        pretrained: Its weights, tag or file; None for those of a
            ``local-dir:`` or ``hf-hub:`` name, and for OpenAI's of any other.
        preprocess: Replacement for the preprocessing that the weights were
            trained with: a tag of ``arch`` or some of ``mean``, ``std``,
            ``resize_mode``, ``interpolation``; see
            :func:`ltvl_mm.clip.preprocessing.find_preprocessing`.
        device: Device of the encoder; None for a GPU if there is one.
        amp: Run the image tower in bfloat16.
        compile: Compile the image tower: minutes first, then faster.
        batch_size: Images encoded at a time.
        workers: Processes that read and decode, per rank; 0 does it here.
        prefetch: Decoded batches that each worker keeps ready, so that the
            encoder need not wait; each takes ``batch_size`` images of memory.
        shard_size: Images that a kill may cost, of folders and lists.
        check_content: True to compare the images of finished shards by their
            bytes, besides size and time of the files.
        remove_missing: True to remove shards of the store that are no longer
            given; otherwise they are an error.
        engine: ``'local'`` for this process or its process group; ``'ray'``
            for a Ray cluster. The store has the same bytes.
        address: Address of the Ray cluster, ``'auto'`` for the one that this
            machine belongs to; None for RAY_ADDRESS, else a cluster of this
            machine alone.
        encoders: Maximum number of encoders on the Ray cluster; None for its
            GPUs, else its CPUs.

    Raises:
        ImportError: If ``engine`` is ``'ray'`` and Ray is not installed.
        ValueError: If an input does not exist, the encoder is unknown, no
            image can be read, or ``out`` was begun with another encoder or
            has shards that are not given.

    Examples:
        >>> import ltvl_mm
        >>> store = ltvl_mm.embed(
        ...     'web',
        ...     'stores/web',
        ...     arch='ltvl-toy',
        ...     pretrained='clip.pth',
        ...     workers=0,
        ... )
        >>> len(store), store.dim
        (6, 128)
    """
    for name, value, low in (
        ('batch_size', batch_size, 1),
        ('shard_size', shard_size, 1),
        ('workers', workers, 0),
        ('prefetch', prefetch, 1),
    ):
        if value < low:
            raise ValueError(f'{name} must be >= {low}, got {value}')
    inputs = [images] if isinstance(images, (str, PurePath)) else images
    shards = find_shards(
        [str(one) for one in inputs], root=root, files_per_shard=shard_size
    )
    with open_engine(
        engine, address=address, encoders=encoders, device=device
    ) as opened:
        clip, encode = _build_encoder(
            arch,
            pretrained,
            lazy=engine == 'ray',
            preprocess=preprocess,
            device=device,
            amp=amp,
            compile=compile,
        )
        store = embed_shards(
            shards,
            out,
            encode,
            clip.preprocess,
            clip.identity,
            batch_size=batch_size,
            workers=workers,
            prefetch=prefetch,
            precision=('bfloat16' if amp else 'float32')
            + (', compiled' if compile else ''),
            check_content=check_content,
            remove_missing=remove_missing,
            engine=opened,
        )
    if is_main_process():
        save_downloads(store.root, shards)
    return store


def _build_encoder(
    arch: str,
    pretrained: str | None,
    *,
    lazy: bool,
    preprocess: str | Mapping[str, object] | None,
    device: str | None,
    amp: bool,
    compile: bool,
) -> tuple[FrozenCLIP, Callable[[torch.Tensor], torch.Tensor]]:
    """Return a CLIP, and the function that encodes images.

    With ``lazy``, the function builds its own CLIP where it runs. This
    process, which may have no GPU, then only needs identity and
    preprocessing.
    """
    if not lazy:
        clip = FrozenCLIP(
            arch,
            pretrained,
            preprocess=preprocess,
            device=choose_device(device),
            amp=amp,
            compile=compile,
        )
        return clip, clip.encode_images
    clip = FrozenCLIP(arch, pretrained, preprocess=preprocess)
    return clip, LazyImageEncoder(
        clip.identity,
        arch,
        pretrained,
        preprocess=preprocess,
        device=device,
        amp=amp,
        compile=compile,
    )
