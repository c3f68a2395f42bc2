#!/usr/bin/env bash
# dist_train.sh CONFIG GPUS [arguments of train.py]; NNODES, NODE_RANK, PORT
# and MASTER_ADDR as in mmpretrain; LTVL_PYTHON names the interpreter. Without GPUs: CPU processes with gloo.
CONFIG=$1
GPUS=$2
TOOLS=$(dirname "$0")
. "$TOOLS/find_python.sh"
exec "$LTVL_PYTHON" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" --nproc_per_node="$GPUS" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "${@:3}"
