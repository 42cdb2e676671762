"""Report of an evaluation as a page, as text and as numbers, and its plots."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics.inputs import PairedClips
from gan_keras.evaluation.metrics.types import AS_REAL, HIGHER, LOWER, Measurement, Metric, Plot
from gan_keras.evaluation.report.page import Results, distances, flat, groups, html_report, number, text_report
from gan_keras.evaluation.report.plots import draw, multiples
from gan_keras.reports import html

MEASUREMENTS = {"frechet/appearance": Measurement(12.345, 11.2, 13.9, 4.0, 5.125),
            "kernel/motion": Measurement(-0.0123, -0.02, 0.004, 0.05),
            "precision": Measurement(0.75, 0.7, 0.8, 0.9, 0.85),
            "recall": Measurement(0.5, 0.4, 0.6, 0.9, 0.8),
            "motion/speed": Measurement(np.nan, np.nan, np.nan, 1.25, np.nan)}
METRICS = {"frechet/appearance": Metric(LOWER, "Distance between the distributions of appearance."),
           "kernel/motion": Metric(LOWER, "The same of motion, without bias."),
           "precision": Metric(HIGHER, "Share of the clips that lie among real ones."),
           "recall": Metric(HIGHER, "Share of real clips that lie among the clips."),
           "motion/speed": Metric(AS_REAL, "Mean length of the optical flow.")}
LINES = Plot("Spectrum", "cycles a frame", "power", "lines",
             {"generated": np.array([3.0, 2, np.nan]), "real": np.array([3.0, 2.5, 1])}, [0.0, 0.25, 0.5])
BARS = Plot("Colours", "", "share", "bars", {"generated": np.array([0.2, 0.8]), "real": np.array([0.5, 0.5])},
            ["red", "blue"])
HISTOGRAM = Plot("Speeds", "pixels a frame", "share", "histogram",
                 {"generated": np.arange(50.0), "real": np.arange(80.0), "held out": np.array([np.nan, 3.0])})


@pytest.fixture(scope="module")
def results():
    drawn = np.stack([moving_shapes.render(1, index, 4, 16, 16)[0] for index in range(8)])
    return Results("Evaluation of shapes", MEASUREMENTS, METRICS, {"clips_per_second": 1234.5}, drawn[:4], drawn[4:],
                   [(drawn[0], drawn[5], 0.75), (drawn[1], drawn[6], 0.25)], [LINES, BARS, HISTOGRAM],
                   {"generated clips": "256", "seed": "0"}, ["Only 256 clips: FVD wants 2048."], 4.0)


@pytest.fixture(scope="module")
def page(results):
    return html_report(results)


def cells(page):
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]


def test_the_page_has_all_numbers(page):
    rows = cells(page)
    assert ["frechet/appearance", "12.3", "[11.2, 13.9]", "4.00", "5.12", "3.09 ×"] in rows
    assert ["kernel/motion", "-0.0123", "[-0.0200, 0.00400]", "0.0500", "–", "-0.246 ×"] in rows
    assert ["precision", "0.750", "[0.700, 0.800]", "0.900", "0.850", "↑ higher", METRICS["precision"].meaning] in rows
    assert ["motion/speed", "–", "–", "1.25", "–", "≈ as real", "Mean length of the optical flow."] in rows
    assert ["clips_per_second", "1,234"] in rows and ["generated clips", "256"] in rows
    assert "nan" not in re.sub(r"base64,[^\"]*", "", page).lower() and "None" not in page


def test_the_page_has_notes_first_then_clips_pairs_and_plots(page):
    assert page.index("Only 256 clips") < page.index("<table")
    # Two grids, two pairs; two sheets of samples, one of pairs; multiples and three plots.
    assert (page.count("<video "), page.count("<img "), page.count("<svg ")) == (4, 3, 4)
    assert page.index("distance 0.250") < page.index("distance 0.750")
    assert all(re.search('(aria-label|alt)="[^"]', tag) for tag in re.findall("<(?:video|img|svg) [^>]*>", page))


def test_what_was_given_made_and_true_is_shown_where_it_is_known(results, page):
    clips = results.samples
    paired = PairedClips(clips, clips[:, ::-1], np.arange(4), clips[:, :2, ::2, ::2])
    shown = html_report(replace(results, paired=paired))
    assert shown.count('<div class="split">') == 4 and shown.count("<canvas ") == 4 and "Given, made, true" in shown
    # Two frames of half the size, enlarged to 96 pixels, beside the others.
    assert shown.count(f'<canvas width="{2 * 96 + 8}" height="96"') == 4
    unknown = html_report(replace(results, paired=PairedClips(clips, clips, np.arange(4))))
    assert "<canvas" not in unknown and "<canvas" not in page


def test_the_page_refers_to_no_address_and_no_other_file(page):
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    assert "http://" not in outside and "https://" not in outside and "@import" not in page
    assert all(source.startswith("data:") for source in re.findall(r'\bsrc="([^"]*)"', page))
    assert "<script" not in page and "<link" not in page


def test_plots_of_one_page_share_no_ids(page):
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(set(ids)) == len(ids)
    referenced = set(re.findall(r'(?:url\(|href=")#([^")]+)', page))
    assert referenced and referenced <= set(ids)
    assert "<style" not in page[page.index("<body") if "<body" in page else page.index("</style>"):]


def test_text_is_escaped(results):
    evil = '<script>alert("&")</script>'
    plot = Plot(evil, evil, evil, "bars", {evil: np.array([1.0])}, [evil])
    page = html_report(replace(
        results, title=evil, notes=[evil], metrics={evil: Metric(LOWER, evil)}, speed={evil: 1.0}, plots=[plot],
        measurements={evil: MEASUREMENTS["precision"], f"{evil}/a": MEASUREMENTS["recall"]}, protocol={evil: evil}))
    assert "<script" not in page and page.count("&lt;script&gt;") > 10


def test_a_page_without_results(results):
    none = np.empty((0, 4, 16, 16, 3), np.uint8)
    empty = replace(results, measurements={}, metrics={}, speed={}, samples=none, real_samples=none, pairs=[], plots=[],
                    protocol={}, notes=[])
    page = html_report(empty)
    assert "Evaluation of shapes" in page and "<h2>" not in page
    assert text_report(empty) == ""


def test_columns_on_the_terminal_are_aligned(results):
    note, *lines = text_report(results).splitlines()
    assert note == "Note: Only 256 clips: FVD wants 2048."
    head, first = lines[1], lines[2]
    assert first.split() == ["frechet/appearance", "12.3", "[11.2,", "13.9]", "4.00", "3.09", "5.12"]
    assert head.index("value") + len("value") == first.index("12.3") + len("12.3")
    assert lines[-1].split() == ["clips_per_second", "1,234"]
    assert "nan" not in "\n".join(lines) and max(map(len, lines)) <= 100


def test_flat_numbers_are_finite_and_rounded():
    numbers = flat(MEASUREMENTS | {"zero": Measurement(1 / 3, 0.0, np.inf, 0.0)}, {"seconds": 1 / 3, "unknown": np.nan})
    assert numbers["frechet/appearance"] == 12.345 and numbers["frechet/appearance.multiple"] == 3.08625
    assert {name for name in numbers if name.startswith("kernel")} == {
        "kernel/motion", *(f"kernel/motion.{part}" for part in ("low", "high", "floor", "multiple"))}
    assert {name for name in numbers if name.startswith("motion")} == {"motion/speed.floor"}
    assert {name: numbers[name] for name in numbers if name.startswith("zero")} == {
        "zero": 0.333333, "zero.low": 0.0, "zero.floor": 0.0}
    assert numbers["seconds"] == 0.333333 and "unknown" not in numbers
    assert all(type(value) is float for value in numbers.values())


def test_groups_are_by_prefix_and_coverage_is_one_group():
    assert {group: list(grouped) for group, grouped in groups(MEASUREMENTS).items()} == {
        "frechet": ["frechet/appearance"], "kernel": ["kernel/motion"], "coverage": ["precision", "recall"],
        "motion": ["motion/speed"]}


def test_only_distances_are_in_the_first_table(results):
    share = Measurement(0.01, 0.0, 0.03, 0.01)
    measurements = MEASUREMENTS | {"memorization/copied": share}
    assert list(distances(measurements)) == ["frechet/appearance", "kernel/motion"]
    none = results.samples[:0]
    page = html_report(replace(results, measurements=measurements, samples=none, real_samples=none, pairs=[], plots=[]))
    assert page.count(">memorization/copied<") == 1 and page.count(">frechet/appearance<") == 3


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (np.nan, "–"), (np.inf, "∞"), (0.0, "0"), (1.0, "1.00"), (0.5, "0.500"), (99.96, "100"),
    (123.4, "123"), (999.7, "1,000"), (12345.6, "12,346"), (1.5e9, "1.5e+09"), (0.0123456, "0.0123"),
    (-0.5, "-0.500"), (1.234e-7, "1.23e-07"), (0.00023, "0.000230"), (np.float32(0.25), "0.250"), (256, "256")])
def test_numbers_have_three_or_four_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize("plot", [LINES, BARS, HISTOGRAM, Plot("", "", "", "histogram", {"real": np.array([])}),
                                  Plot("漢字 $x", "5 $", "_", "bars", {"_a": np.array([np.nan])}, ["日本"])])
def test_a_plot_is_well_formed_and_deterministic(plot):
    assert draw(plot) == draw(plot)
    root = ElementTree.fromstring(draw(plot))
    assert root.tag.endswith("svg") and len(draw(plot)) < 60_000
    texts = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {plot.title, plot.x_label, plot.y_label} - {""} <= texts


def test_a_logarithmic_plot_has_plain_numbers_at_both_axes():
    plot = Plot("", "", "", "lines", {"real": np.array([2e4, 1.0, 0.0, 2e-3])}, [0.4, 0.5, 1.0, 2.0], logarithmic=True)
    labels = set(re.findall(r"<text[^>]*>([^<]+)</text>", draw(plot)))
    assert labels == {"0.001", "0.01", "0.1", "1", "10", "100", "1000", "10000", "0.5", "2", "real"}


def test_a_logarithmic_plot_without_a_value_above_0_is_empty():
    assert "<svg" in draw(Plot("", "", "", "lines", {"real": np.zeros(2)}, [1.0, 2.0], logarithmic=True))


def test_series_keep_their_colours():
    both = Plot("", "", "", "lines", {"generated": np.ones(2), "real": np.ones(2)}, [0, 1])
    alone = replace(both, series={"real": np.ones(2)})
    colours = [set(re.findall("stroke: (#[0-9a-f]{6})", draw(plot))) for plot in (both, alone)]
    assert (len(colours[0]), len(colours[1])) == (2, 1) and colours[1] < colours[0]


def test_a_series_of_another_length_is_refused():
    with pytest.raises(ValueError, match="3 of 'real' for 2 in the plot 'Colours'"):
        draw(replace(BARS, series={"real": np.ones(3)}))


def test_multiples_leave_out_measurements_without_a_unit():
    drawn = multiples(MEASUREMENTS | {"other": Measurement(1.0, 0.5, 2.0), "flat": Measurement(1.0, 0.5, 2.0, 0.0),
                                  "huge": Measurement(1e30, 1e29, 1e31, 1.0)})
    assert all(f">{name}<" in drawn for name in ("frechet/appearance", "kernel/motion", "huge"))
    assert not any(f">{name}<" in drawn for name in ("other", "flat", "motion/speed"))
    assert ">3.09×<" in drawn
    assert multiples({"other": Measurement(1.0, 0.5, 2.0)}) == ""


def test_tables_as_markdown_html_and_text():
    head, rows = ("metric", "blur"), [("a|b", "two\nlines"), ("<b>", 3)]
    assert html.markdown_table(head, rows) == "| metric | blur |\n|---|---|\n| a\\|b | two lines |\n| &lt;b&gt; | 3 |"
    assert cells(html.table(rows, head)) == [[], ["a|b", "two\nlines"], ["&lt;b&gt;", "3"]]
    assert html.text_table([("a", "x"), ("bb", "yy")], right=(1,)) == "a    x\nbb  yy"
