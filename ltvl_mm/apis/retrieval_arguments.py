"""Options of a retrieval from the arguments of its command."""

import argparse

from ltvl_mm.retrieval.metadata_filter import read_hosts
from ltvl_mm.retrieval.options import (
    CopyRule,
    MetadataRule,
    RetrievalOptions,
)


def make_options(args: argparse.Namespace) -> RetrievalOptions:
    """Return the options that the arguments of the command hold."""
    copies = CopyRule(args.copy_cosine, args.copy_bits, args.copy_cosine_alone)
    return RetrievalOptions(
        temperature=args.temperature,
        min_probability=args.min_probability,
        min_precision=args.min_precision,
        score=args.score,
        assign=args.assign,
        oversample_factor=args.oversample_factor,
        max_rounds=args.max_rounds,
        duplicates=copies,
        exclude=copies,
        metadata_filter=MetadataRule(
            min_size=args.min_size,
            max_aspect=args.max_aspect,
            least=dict(args.min_column),
            most=dict(args.max_column),
            values=dict(args.column),
            allowed_hosts=read_hosts(args.allow_host),
            denied_hosts=read_hosts(args.deny_host),
        ),
        index_factor=args.index_factor,
        index_parameters=args.index_parameters,
        copy=args.copy,
    )
