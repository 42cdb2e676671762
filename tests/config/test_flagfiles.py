"""Flagfiles as people write them, and as a run folder writes them."""

import json
import os
import subprocess
import sys

import pytest

from gan_keras.config.flagfiles import format_flag, read_flagfile
from gan_keras.config.settings import parse_list
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder, TrainingData
from tests.processes import ROOT

NAMES = ("Putting something, something", "a:b", 'x"y', "ä #1", " leading", "trailing ", "it's", "'quoted'", '"all"',
         "k=v", "#1", "-- steps=3", "a --steps=3", "C:\\new\\", "ends \\", "\\", "", "two\nlines", "//x", "[*]`$HOME`",
         "日本 語", "\u2028\x85", "~")


def read(folder, text):
    """The arguments that a flagfile stands for."""
    path = folder / "test.flags"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [line.argument for line in read_flagfile(str(path))]


@pytest.mark.parametrize(("text", "argument"), [
    ("--data=a b", "--data=a b"), ("--data a b", "--data=a b"), ("  --data = a b  ", "--data=a b"),
    ("-data=a", "-data=a"), ("--data=", "--data="), ("--export", "--export"), ("--noexport # why", "--noexport"),
    ("--export false", "--export=false"), ('--data="my videos/a b"', "--data=my videos/a b"),
    ("--data='my videos'  # mine", "--data=my videos"), ('--data "my videos"', "--data=my videos"),
    ("--steps=5 # half", "--steps=5"), ("--steps=5\t#half", "--steps=5"), ("--data=a#1", "--data=a#1"),
    ("--data=#1 clips", "--data=#1 clips"), ("--data= # none", "--data="), ('--data="a #1" # x', "--data=a #1"),
    ('--classes=a,"b #1" # x', '--classes=a,"b #1"'), ("--data=Bob's 12\" clips # x", "--data=Bob's 12\" clips"),
    ('--data="say ""hi"""', '--data=say "hi"'), ("--data='it''s'", "--data=it's"), ("--data=''", "--data="),
    ('--classes=\'"a, b",c\'', '--classes="a, b",c'), ("--beta=-5", "--beta=-5"), ("--beta -5", "--beta=-5"),
    ("--data=C:\\my videos\\new", "--data=C:\\my videos\\new"), ("--data='C:\\my videos\\'", "--data=C:\\my videos\\"),
    ('--data="C:\\my videos\\" # x', "--data=C:\\my videos\\"), ("--data=\\\\server\\new", "--data=\\\\server\\new"),
    ("--data='two\nlines'", "--data=two\nlines"), ("--data=shapes:count=20,label=colour",
                                                   "--data=shapes:count=20,label=colour")])
def test_a_line_is_a_flag(tmp_path, text, argument):
    assert read(tmp_path, text) == [argument]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_comments_blank_lines_byte_order_marks_and_line_ends_of_windows_are_passed_over(tmp_path, encoding, end):
    lines = ["# a comment", "", "--data=Vögel", "   ", "  # another", "// a third", "--run_dir='a b'", "--steps=3", ""]
    assert read(tmp_path, end.join(lines).encode(encoding)) == ["--data=Vögel", "--run_dir=a b", "--steps=3"]


@pytest.mark.parametrize(("text", "line", "message"), [
    ("# x\n\ndata=a", 3, "A line must be a flag, as in --name=value. Received: data=a"),
    ("--=x", 1, "A line must be a flag"), ("–-data=x", 1, "A line must be a flag"),
    ('--steps=3\n--data="a', 2, "A value that begins with a quote must end with it"),
    ("--data='a'b", 1, "A value that begins with a quote must end with it"),
    ('--classes="a, b",c', 1, """as in 'red,"light, blue"'. Received: --classes="a, b",c"""),
    ("--data='two\nlines'\n--data='a", 3, "must end with it"),
    ("--data=x \\\n--steps=3", 1, "must not end in a backslash"), ("--export \\", 1, "must not end in a backslash"),
    ("--steps=3 --data=x", 1, "A line must be one flag"), ("--data=a\r--steps=3", 1, "A line must be one flag")])
def test_a_line_that_is_no_flag_is_named(tmp_path, text, line, message):
    with pytest.raises(UserError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'test.flags'}, line {line}: ") and message in str(raised.value)


@pytest.mark.parametrize(("content", "reason"), [
    (b"--data=a\n--data=V\xf6gel", "line 2 is not UTF-8"), (b"\x00\x01\x02", "not text"),
    (b"\xff\xfea", "line 1 is not UTF-16"), (b"#" * (2**20 + 1), "more than 1048576 bytes"),
    (None, "No such file or directory"), ("folder", "Is a directory")])
def test_what_is_no_flagfile_is_refused(tmp_path, content, reason):
    path = tmp_path / "x.flags"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        list(read_flagfile(str(path)))
    assert str(raised.value) == ("`flagfile` must name a text file in UTF-8 with a flag on each line. "
                                 f"Received: flagfile={path} ({reason})")


def test_a_flagfile_may_name_others_beside_it(tmp_path, monkeypatch):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "size.flags").write_text("--resolution=32\n--flagfile='more flags' # and these\n")
    (tmp_path / "parts" / "more flags").write_text("--steps=3")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "home.flags").write_text("--seed=1")
    text = "--data=a\n--flagfile=parts/size.flags\n--flagfile ~/home.flags\n--flagfile=parts/size.flags\n"
    inner = ["--resolution=32", "--steps=3"]
    assert read(tmp_path, text) == ["--data=a", *inner, "--seed=1", *inner]
    (tmp_path / "parts" / "more flags").write_text("\n--steps 3 --x")
    with pytest.raises(UserError, match="^" + str(tmp_path / "parts" / "more flags") + ", line 2: A line must be one"):
        read(tmp_path, text)


@pytest.mark.parametrize(("name", "message"), [
    ("test.flags", "not lead back"), ("b.flags", "not lead back"), ("nowhere", "No such file"),
    ("", "Is a directory"), ("~nobody-of-this-name/x", "there is no user nobody-of-this-name")])
def test_a_flagfile_that_cannot_be_followed_is_named_with_the_line_that_names_it(tmp_path, name, message):
    (tmp_path / "b.flags").write_text("--flagfile=test.flags")
    with pytest.raises(UserError, match=rf"\.flags, line [12]: `flagfile` must .*{message}"):
        read(tmp_path, f"# x\n--flagfile={name}")


@pytest.mark.parametrize("value", [*NAMES, NAMES, (), ("",), True, False, 3, 1e-5, -0.5])
def test_what_is_written_reads_back(tmp_path, value):
    (argument,) = read(tmp_path, f"# x\n{format_flag('name', value)}\n\n")
    text = argument.removeprefix("--name=")
    expected = str(value).lower() if isinstance(value, bool) else value
    assert (parse_list(text) if isinstance(value, tuple) else text if isinstance(value, str) else type(value)(text)
            if not isinstance(value, bool) else text) == expected


# ---- command lines ----

CODE = """
import json, sys
from gan_keras.config import flags
flags.define_config()
flags.run(lambda: print(json.dumps(flags.named_settings())), ["train.py", *sys.argv[1:]], "Help.")
"""


def settings(folder, *arguments, home=None):
    """Settings that a command line names by name; or exit code and message."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **({"HOME": str(home)} if home else {})}
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], cwd=folder, env=environment, capture_output=True,
                          text=True, check=False)
    return (done.returncode, done.stderr) if done.returncode else json.loads(done.stdout)


def test_the_command_line_wins_over_flagfiles_wherever_they_stand(tmp_path):
    (tmp_path / "a").write_text("--steps=1\n--seed=1\n--batch_size=1\n--noexport\n")
    (tmp_path / "b").write_text("--seed=2")
    expected = {"steps": 9, "seed": 2, "batch_size": 1, "export": True}
    for arguments in (["--flagfile=a", "--steps=9", "--export", "--flagfile=b"],
                      ["--steps", "9", "--export", "--flagfile", "a", "-flagfile=b"]):
        assert settings(tmp_path, *arguments) == expected


@pytest.mark.parametrize(("text", "message"), [
    ("--bacth_size=3", "x, line 2: Unknown command line flag 'bacth_size'. Did you mean: batch_size ?"),
    ("--steps=5x", "x, line 2: `steps` must be a whole number. Received: steps=5x"),
    ("--steps", "x, line 2: Missing value for flag --steps"),
    ("--beta_1=half", "x, line 2: `beta_1` must be a number. Received: beta_1=half"),
    ("--export=maybe", "x, line 2: `export` must be true or false. Received: export=maybe"),
    ("--noexport=1", "x, line 2: --noexport=1 does not take an argument"),
    ("--data=~nobody-x/a", "x, line 2: `data` must be a path, where ~NAME is the home folder of that user and ./~NAME "
                           "a file or folder. Received: data=~nobody-x/a"),
    ("--classes=a,\"b", "x, line 2: `classes` must be names between commas, a name with commas in double quotes, as in "
                        "red,\"light, blue\". Received: classes=a,\"b")])
def test_a_flag_of_a_flagfile_that_cannot_be_set_is_named_with_its_line(tmp_path, text, message):
    (tmp_path / "x").write_text(f"--steps=4\n{text}\n")
    assert settings(tmp_path, "--flagfile=x") == (2, f"train.py: {message}\n")


@pytest.mark.parametrize(("arguments", "message"), [
    (["--steps=5x"], "`steps` must be a whole number. Received: steps=5x"),
    (["my  videos"], "Not a flag: my  videos. Flags look like --name=value, a value with spaces in quotes; --help "
                     "lists them."),
    (["--", "x"], "Not a flag: --. "), (["--data"], "`data` must have a value, as in --data=VALUE. Received: --data"),
    (["--flagfile"], "`flagfile` must have a value"), (["--colour=red"], "Unknown command line flag 'colour'")])
def test_a_command_line_that_cannot_be_read_is_one_line(tmp_path, arguments, message):
    code, printed = settings(tmp_path, *arguments)
    assert code == 2 and printed.startswith(f"train.py: {message}") and printed.count("\n") == 1


def test_a_tilde_is_the_home_folder_in_every_path(tmp_path):
    (tmp_path / "x").write_text("--init_from=~/runs/a b # x")
    named = settings(tmp_path, "--data=~/videos", "--run_dir", "~", "--flagfile=~/x", "--perceptual_network=a/~",
                     "--classes=~", home=tmp_path)
    assert named == {"data": f"{tmp_path}/videos", "run_dir": str(tmp_path), "init_from": f"{tmp_path}/runs/a b",
                     "perceptual_network": "a/~", "classes": ["~"]}
    assert settings(tmp_path, "--data=shapes:20", "--run_dir=./~x") == {"data": "shapes:20", "run_dir": "./~x"}


def test_the_flagfile_of_a_run_gives_its_settings_back(tmp_path):
    config = Config().replace(classes=NAMES, data="my videos #1\\", run_dir=' "a" ', export=False, learning_rate=1e-5,
                              discriminators=("frame:0.5", "clip"))
    run = RunFolder(tmp_path / "run")
    run.make()
    run.save_config(config, TrainingData("videos", 12.0, list(NAMES), {"train": 1}))
    named = settings(tmp_path, f"--flagfile={run.flag_file}")
    assert named["run_dir"] == str(run.path)
    assert Config().replace(**{name: tuple(value) if isinstance(value, list) else value
                               for name, value in named.items()}) == config.replace(run_dir=str(run.path))
    assert run.load_config() == config and run.load_data().classes == list(NAMES)
