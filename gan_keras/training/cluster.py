"""The cluster of processes that train together, as their surroundings describe it.

Two ways, which are those of TensorFlow: `TF_CONFIG`, as Kubernetes' training operators, cloud services or a user set it
for each process; and Slurm's own environment, where `srun` started the processes. The first process is the chief.
"""

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.distribute.cluster_resolver import slurm_cluster_resolver

from gan_keras.errors import UserError

_JOBS = ("chief", "worker")
_FIRST_PORT, _PORTS = 20000, 20000
"""Under Slurm each job has ports of its own, by its number."""
_EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


class Cluster(NamedTuple):
    """Processes that train together.

    Attributes:
        resolver: as `tf.distribute` takes it.
        addresses: HOST:PORT of each process, the chief first, by the name that TensorFlow gives it in messages.
        process: which of them this is.
    """

    resolver: tf.distribute.cluster_resolver.ClusterResolver
    addresses: Mapping[str, str]
    process: int


def find_cluster() -> Cluster:
    """The cluster that the environment describes.

    Raises:
        UserError: it describes none, or one that cannot be.
    """
    if os.environ.get("TF_CONFIG"):
        spec, task_type, index = _from_tf_config(os.environ["TF_CONFIG"])
    elif "SLURM_PROCID" in os.environ:
        spec, task_type, index = _from_slurm()
    else:
        raise UserError(f"`strategy` multi_worker needs each process to know the others: by TF_CONFIG, as in "
                        f"TF_CONFIG='{_EXAMPLE}', the index another one in each; or by starting them with Slurm's "
                        f"srun. docs/scaling.md has both. Received: strategy=multi_worker, TF_CONFIG=")
    jobs = [(job, i) for job in _JOBS if job in spec.jobs for i in range(spec.num_tasks(job))]
    gpus = {"GPU": len(tf.config.list_physical_devices("GPU"))}
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        spec, task_type=task_type, task_id=index, num_accelerators=gpus, rpc_layer="grpc")
    addresses = {f"/job:{job}/replica:0/task:{i}": spec.task_address(job, i) for job, i in jobs}
    return Cluster(resolver, addresses, jobs.index((task_type, index)))


def _from_tf_config(text: str) -> tuple[tf.train.ClusterSpec, str, int]:
    try:
        config = json.loads(text)
        jobs = {str(job): [str(address) for address in addresses] for job, addresses in config["cluster"].items()}
        task_type, index = str(config["task"]["type"]), int(config["task"]["index"])
        if not (set(jobs) <= set(_JOBS) and len(jobs.get("chief", [])) <= 1 and 0 <= index < len(jobs[task_type])):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"TF_CONFIG must name the processes by job (one chief or none, and workers), and which of them "
                        f"this is, as in {_EXAMPLE}. Received: TF_CONFIG={text}") from error
    return tf.train.ClusterSpec(jobs), task_type, index


def _from_slurm() -> tuple[tf.train.ClusterSpec, str, int]:
    """Processes of a job step, one after the other on each node; which GPUs each sees is Slurm's to say.

    Not by TensorFlow's own resolver: it sorts the nodes by name, which is not the order of ranks (node9, node10), and
    fails where there are no GPUs.
    """
    environment = {name: os.environ.get(f"SLURM_{name}", "") for name in (
        "PROCID", "STEP_NODELIST", "STEP_TASKS_PER_NODE", "JOB_ID")}
    try:
        nodes = slurm_cluster_resolver.expand_hostlist(environment["STEP_NODELIST"])
        tasks = slurm_cluster_resolver.expand_tasks_per_node(environment["STEP_TASKS_PER_NODE"])
        port = _FIRST_PORT + int(environment["JOB_ID"] or 0) % _PORTS
        workers = [f"{node}:{port + i}" for node, count in zip(nodes, tasks, strict=True) for i in range(count)]
        rank = int(environment["PROCID"])
        if not rank < len(workers):
            raise ValueError(f"rank {rank} of {len(workers)}")
    except ValueError as error:
        raise UserError(f"Slurm's description of this job step cannot be read: {error}. Start the processes with srun. "
                        f"Received: {environment}") from error
    here = os.environ.get("SLURMD_NODENAME")
    if here and workers[rank].rpartition(":")[0] != here:
        raise UserError("Slurm must number the processes node by node: srun --distribution=block. Received: rank "
                        f"{rank} on {here}, where {workers[rank]} was expected")
    return tf.train.ClusterSpec({"worker": workers}), "worker", rank
