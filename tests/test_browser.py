"""What a person sees: TensorBoard's page, written videos and the report, in a real Chromium.

The pages are looked at through screenshots, because a clip that is stored well can still stand still on the screen.
"""

import re
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import cv2
import keras
import numpy as np
import pytest
from selenium import webdriver

from gan_keras.config.train import Config
from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics.inputs import PairedClips
from gan_keras.evaluation.metrics.types import LOWER, Measurement, Metric, Plot
from gan_keras.evaluation.report.page import Results, html_report
from gan_keras.runs.run_folder import RunFolder
from gan_keras.runs.summaries import Summaries
from gan_keras.video.contact_sheets import enlarge, grid
from gan_keras.video.decode import read_video
from gan_keras.video.encode import write_clip
from gan_keras.video.pictures import crop_and_resize
from tests.conftest import DATA

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (CHROMIUM and DRIVER),
                                reason="needs Chromium and its driver (Debian: apt install chromium chromium-driver)")]

SECONDS = 30
"""Longest wait for anything that a page should come to show."""

FPS = 4
"""So slow that screenshots, about ten a second, catch every frame."""

NUMBERS = ("loss/generator", "loss/clip", "accuracy_real/clip")

# TensorBoard's page keeps most of itself in shadow roots, which selectors and `text` do not look into.
VISIBLE = """
const found = [];
const walk = root => root.querySelectorAll("*").forEach(element => {
    if (!element.checkVisibility()) return;
    found.push(element);
    if (element.shadowRoot) walk(element.shadowRoot);
});
walk(document);
"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                     "disable-background-networking", "disable-component-update", "disable-sync",
                     # Nothing outside is found, so that a page that needs it is seen to fail.
                     "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                     "window-size=1400,1000", f"user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Given its path, Selenium looks for no driver to download.
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def clips():
    """Shapes that move over orange, which swapped channels would turn blue; 4 frames each."""
    drawn = np.stack([moving_shapes.render(7, index, 4, 32, 32)[0] for index in range(4)])
    return np.where(drawn.any(axis=-1, keepdims=True), drawn, np.uint8([200, 110, 30]))


@pytest.fixture(scope="session")
def tensorboard(tmp_path_factory, clips):
    """Address of a TensorBoard that shows a small run."""
    folder = tmp_path_factory.mktemp("tensorboard")
    write_run(folder / "run", clips)
    log = folder / "log"
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={folder / 'run'}", "--host=127.0.0.1", "--port=0"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            def announced():
                assert process.poll() is None, log.read_text()
                return re.search(r"at (http://127\.0\.0\.1:\d+/)", log.read_text())

            address = wait("TensorBoard's address", announced)[1]
            # A page opened before the events are read would show none until it is asked to reload.
            for plugin in ("scalars", "images", "text", "histograms"):
                wait(plugin, lambda path=f"data/plugin/{plugin}/tags": b'"."' in fetch(address + path))
            yield address
        finally:
            process.kill()


def write_run(path, clips):
    run = RunFolder(path)
    run.make()
    run.save_config(Config().replace(seed=1234), DATA)
    summaries = Summaries(run)
    summaries.settings(0)
    summaries.clips(0, "clips/real", clips, FPS)
    for step in (10, 20, 30):
        summaries.scalars(step, dict.fromkeys(NUMBERS, 1 / step))
    summaries.clips(30, "clips/generated", 255 - clips, FPS)
    summaries.weights(30, {f"ema/{name}": keras.Variable(np.linspace(-1, 1, 64).reshape(8, 8))
                           for name in ("dense/kernel", "dense/bias")})


def fetch(address):
    with urlopen(address) as answer:
        return answer.read()


def wait(what, condition):
    """What the condition gives as soon as it gives anything."""
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        if time.monotonic() > end:
            pytest.fail(f"Not seen in {SECONDS} s: {what}")
        time.sleep(0.05)
    return found


def visible(browser, tag):
    return browser.execute_script(VISIBLE + "return found.filter(element => element.matches(arguments[0]))", tag)


def texts(browser):
    """The pieces of text on the page."""
    return browser.execute_script(VISIBLE + """
        return found.flatMap(element => [...element.childNodes].filter(node => node.nodeType == Node.TEXT_NODE))
                    .map(node => node.data.trim())""")


def screenshot(element):
    image = cv2.imdecode(np.frombuffer(element.screenshot_as_png, np.uint8), cv2.IMREAD_COLOR_RGB)
    return image.astype(int)


def watch(element, frames):
    """Looks until the element has shown its frames and has started over; Chromium at times leaves one out for good."""
    seen = []

    def played():
        picture = screenshot(element)
        errors = [np.abs(picture - crop_and_resize(frame, *picture.shape[:2])).mean() for frame in frames]
        if min(errors) < 4:
            seen.append(int(np.argmin(errors)))
        return len(set(seen)) >= len(frames) - 1 and any(now < before for before, now in pairwise(seen))

    wait("the frames in their colours, and then the first again", played)


def test_tensorboard_plays_real_and_generated_clips(browser, tensorboard, clips, tmp_path):
    browser.get(f"{tensorboard}#images")
    images = wait("two clips", lambda: (found := visible(browser, "img")) and len(found) == 2 and found)
    for image, shown, name in zip(images, (255 - clips, clips), ("generated", "real"), strict=True):
        frames = grid(enlarge(shown))
        path = tmp_path / f"{name}.gif"
        path.write_bytes(fetch(image.get_property("src")))
        served = np.stack(list(read_video(path)))
        assert served.shape == frames.shape and np.abs(served.astype(int) - frames).mean() < 4
        assert image.size["width"] >= 200
        watch(image, frames)
    assert {"clips/generated", "clips/real"} <= set(texts(browser))


def test_tensorboard_lists_numbers_settings_and_weights(browser, tensorboard):
    for tab, wanted in (("scalars", set(NUMBERS)), ("histograms", {"ema/dense/kernel", "ema/dense/bias"})):
        browser.get(f"{tensorboard}#{tab}")
        wait(f"{wanted} in {tab}", lambda wanted=wanted: wanted <= set(texts(browser)))
    browser.get(f"{tensorboard}#text")
    wait("the flags", lambda: "--seed=1234" in "\n".join(texts(browser)).splitlines())


@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
def test_a_written_video_plays(browser, tmp_path, clips, suffix):
    write_clip(tmp_path / f"clip{suffix}", clips[0], FPS)
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><video src=clip{suffix} muted autoplay loop></video>")
    browser.get(page.as_uri())
    video, = visible(browser, "video")
    wait("playing", lambda: video.get_property("currentTime") > 0)
    assert (video.get_property("videoWidth"), video.get_property("videoHeight")) == (32, 32)
    watch(video, clips[0])


def test_the_report_shows_its_sheet_and_needs_no_network_and_no_other_file(browser, prepared, tmp_path):
    alone = Path(shutil.copy(prepared[0] / "report.html", tmp_path))
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(alone.as_uri())
    image, = wait("the sheet", lambda: visible(browser, "img"))
    assert wait("its pixels", lambda: image.get_property("naturalWidth")) >= 4 * 16
    shown = {"Clips of shapes:24", "24 of 24", "All videos that were read", "Clips"}
    assert shown <= set(texts(browser)), texts(browser)
    # Failed requests and scripts are noted there.
    assert browser.get_log("browser") == []


def test_the_report_of_an_evaluation_plays_and_draws_alone_in_a_folder(browser, clips, tmp_path):
    lines = Plot("Spectrum", "cycles", "power", "lines", {"generated": np.ones(3), "real": np.arange(3)}, range(3))
    measurements = {"frechet/joint": Measurement(3.0, 2.5, 4.0, 1.5, 2.0)}
    generated = 255 - clips
    path = tmp_path / "report.html"
    path.write_text(html_report(Results(
        "Evaluation of shapes", measurements, {"frechet/joint": Metric(LOWER, "")}, {}, generated, clips,
        [(generated[0], clips[1], 0.5)], [lines], {"seed": "0"}, ["Only 4 clips."], FPS)))
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(path.as_uri())
    videos = visible(browser, "video")
    shown = generated, clips, np.stack([generated[0], clips[1]])
    for video, played in zip(videos, shown, strict=True):
        watch(video, grid(enlarge(played), columns=2))
    drawings = visible(browser, "svg")
    assert len(drawings) == 2 and all(min(drawing.size.values()) > 100 for drawing in drawings)
    assert all(screenshot(drawing).std() > 5 for drawing in drawings)
    assert {"Evaluation of shapes", "Only 4 clips.", "2.00 ×", "Spectrum", "distance 0.500"} <= set(texts(browser))
    assert browser.get_log("browser") == []


def test_a_slider_moves_the_border_between_what_was_given_and_what_was_made(browser, clips, tmp_path):
    shades = {"given": 40, "made": 200, "true": 120}
    given, made, true = (np.full_like(clips, shade) for shade in shades.values())
    path = tmp_path / "report.html"
    path.write_text(html_report(Results("Evaluation of shapes", {}, {}, {}, clips[:0], clips[:0], [], [], {}, [], FPS,
                                        PairedClips(made, true, np.arange(len(clips)), given))))
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get(path.as_uri())
    canvas, slider = (visible(browser, tag)[0] for tag in ("canvas", "input"))

    def columns():
        """Shades at an eighth, at three eighths and at the right of the canvas."""
        picture = screenshot(canvas).mean((0, 2))
        return [float(picture[int(share * len(picture))]) for share in (0.125, 0.375, 0.75)]

    wait("the clips", lambda: np.allclose(columns(), [40, 200, 120], atol=12))
    for value, expected in ((slider.get_attribute("max"), [40, 40, 120]), ("0", [200, 200, 120])):
        browser.execute_script("arguments[0].value = arguments[1]", slider, value)
        wait("the border", lambda expected=expected: np.allclose(columns(), expected, atol=12))
    assert browser.get_log("browser") == []
