"""How a process finds those that it trains with."""

import json
import re

import pytest

from gan_keras.errors import UserError
from gan_keras.training.cluster import find_cluster
from tests.processes import ROOT

SLURM = {"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NODELIST": "node[9-10]",
         "SLURM_STEP_TASKS_PER_NODE": "2(x2)", "SLURM_JOB_ID": "40007"}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    """An environment that describes no cluster."""
    for name in ("TF_CONFIG", "SLURMD_NODENAME", *SLURM):
        monkeypatch.delenv(name, raising=False)


def task(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_tf_config_names_the_processes_and_which_one_this_is(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", task({"worker": ["a:1", "b:2"]}, index=1))
    cluster = find_cluster()
    assert cluster.addresses == {"/job:worker/replica:0/task:0": "a:1", "/job:worker/replica:0/task:1": "b:2"}
    assert cluster.process == 1
    assert (cluster.resolver.task_type, cluster.resolver.task_id) == ("worker", 1)


def test_a_chief_comes_first(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", task({"worker": ["a:1", "b:2"], "chief": ["c:3"]}, index=1))
    cluster = find_cluster()
    assert list(cluster.addresses.values()) == ["c:3", "a:1", "b:2"] and cluster.process == 2


@pytest.mark.parametrize("text", [
    "{", "[]", "{}", task({"worker": ["a:1"]}, index=1), task({"worker": ["a:1"]}, "evaluator"),
    task({"worker": ["a:1"], "ps": ["b:2"]}), task({"worker": ["a:1"], "chief": ["b:2", "c:3"]})])
def test_a_tf_config_that_names_no_such_process_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="TF_CONFIG must name the processes by job") as raised:
        find_cluster()
    assert str(raised.value).endswith(f"Received: TF_CONFIG={text}")


def test_slurm_says_where_its_tasks_run_with_ports_of_the_job(monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    cluster = find_cluster()
    assert list(cluster.addresses.values()) == ["node9:20007", "node9:20008", "node10:20007", "node10:20008"]
    assert cluster.process == 2 and cluster.resolver.num_accelerators() == {"GPU": 0}


def test_ranks_that_go_round_the_nodes_are_refused(monkeypatch):
    for name, value in {**SLURM, "SLURM_PROCID": "1", "SLURMD_NODENAME": "node10"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=r"srun --distribution=block. Received: rank 1 on node10, where node9:20008"):
        find_cluster()


def test_a_slurm_job_without_srun_is_told_what_to_do(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    with pytest.raises(UserError, match="Start the processes with srun"):
        find_cluster()


def test_without_a_description_both_ways_are_told():
    with pytest.raises(UserError, match=r"by TF_CONFIG, as in TF_CONFIG='\{.*srun"):
        find_cluster()


@pytest.mark.parametrize("page", ["scaling.md", "clusters/compose.yaml", "clusters/kubernetes.yaml"])
def test_every_worker_of_the_docs_finds_the_other(monkeypatch, page):
    text = (ROOT / "docs" / page).read_text()
    configs = re.findall(r"TF_CONFIG[=:] *'(\{.*?\})'(?:\n|$)", text, re.DOTALL)
    found = []
    for index, config in enumerate(configs * (2 // len(configs))):
        monkeypatch.setenv("TF_CONFIG", config.replace("'$JOB_COMPLETION_INDEX'", str(index)))
        found.append(find_cluster())
    assert [cluster.process for cluster in found] == [0, 1]
    assert found[0].addresses == found[1].addresses and len(found[0].addresses) == 2
