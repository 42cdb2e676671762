"""How a run begins."""

import numpy as np
import pytest

from gan_keras.errors import UserError
from gan_keras.trainer import Trainer
from tests.conftest import make_run


@pytest.fixture(scope="module")
def small(tiny, prepared):
    return tiny.replace(generator="dcgan3d", discriminators=("frame",), strategy="single", data=str(prepared[0]))


@pytest.fixture(scope="module")
def other(tmp_path_factory, small):
    """A run whose weights are all its own."""
    return make_run(tmp_path_factory.mktemp("other") / "run", small)


def begin(config, prepared, folder):
    config = config.replace(run_dir=str(folder))
    trainer = Trainer(config, *prepared)
    trainer.run.make()
    return trainer.gan


def test_a_run_begins_with_the_weights_of_another_and_optimizers_of_its_own(small, other, prepared, tmp_path, capsys):
    run, theirs = other
    (tmp_path / "run").mkdir()
    gan = begin(small.replace(init_from=str(run.path)), prepared, tmp_path / "run")
    for name, weight in gan.weights.items():
        np.testing.assert_array_equal(weight, theirs.variables[name], err_msg=name)
    assert f"Begins with {len(gan.weights)} of {len(gan.weights)} weights" in capsys.readouterr().out


def test_what_does_not_fit_begins_anew(small, other, prepared, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    gan = begin(small.replace(init_from=str(other[0].path), discriminators=("frame", "pair")), prepared,
                tmp_path / "run")
    pair = sum(name.startswith("discriminator/pair/") for name in gan.weights)
    assert pair > 0
    assert f"Begins with {len(gan.weights) - pair} of {len(gan.weights)} weights" in capsys.readouterr().out


def test_to_begin_with_what_is_no_run_is_refused(small, prepared, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(UserError, match="is not a run folder"):
        begin(small.replace(init_from=str(tmp_path / "nothing")), prepared, tmp_path / "run")
