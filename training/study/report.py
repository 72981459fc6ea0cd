"""Write the report of a study, as Markdown and as one HTML page with its pictures; its text is in report.md.j2."""

from __future__ import annotations

import base64
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any, Callable

import jinja2
import numpy as np
from markdown import markdown
from matplotlib.figure import Figure

from training.monitor.probe import SHARE
from training.run.files import write_bytes, write_text
from training.study import clusters, heads, inputs
from training.study.curve import ARMS, FOREST, FROZEN, LONGER, RANDOM_FROZEN, SCRATCH, TUNED
from training.study.experiment import Experiment
from training.study.figures import draw_curves, draw_gallery, draw_heat, draw_position
from training.study.networks import PRETRAINED
from training.study.patches import attention_all
from training.study.position import sources
from training.study.probes import DESCRIPTIONS, PROBES
from training.study.settings import StudyConfig
from training.study.summary import Cells, bold_best, gain, mean_spread, table, values

FIGURES = "figures"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.25em .6em;text-align:right}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}pre{background:#f5f5f5;padding:1em;overflow:auto}"
)
# Returns the Markdown that shows a figure, for its name and the figure.
Place = Callable[[str, Figure], str]
Section = dict[str, str]


def write_report(out: Path, results: dict[str, Any], experiment: Experiment) -> None:
    """Write figures/, report.md and report.html.

    Args:
        out: Folder of the study.
        results: Content of results.json.
        experiment: The study.
    """
    (out / FIGURES).mkdir(exist_ok=True)

    def place(name: str, figure: Figure) -> str:
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        write_bytes(out / FIGURES / f"{name}.png", buffer.getvalue())
        return f"![{name.replace('-', ' ')}]({FIGURES}/{name}.png)"

    config, cells = experiment.config, results["cells"]
    names, arch = experiment.material.names, experiment.networks.model.arch
    sections: dict[str, Callable[[], Section]] = {
        "curve": lambda: _curve(cells, config, place),
        "probes": lambda: _probes(cells, names, place),
        "heads": lambda: _heads(cells, arch.heads, place),
        "clusters": lambda: _clusters(cells),
        "position": lambda: _position(cells, arch.depth, place),
        "inputs": lambda: _inputs(cells, config),
    }
    gallery = draw_gallery(experiment) if config.pictures else None
    text = _template().render(
        facts=results["facts"],
        config=config,
        config_text=json.dumps(results["config"], indent=1),
        names=[plain(name) for name in names],
        pictures=place("pictures", gallery) if gallery is not None else "",
        **{name: section() for name, section in sections.items() if name in config.parts},
    )
    write_text(out / "report.md", text)
    write_text(out / "report.html", as_html(text, out))


def _template() -> jinja2.Template:
    here = jinja2.FileSystemLoader(Path(__file__).parent)
    # The page is Markdown first; each text from a user's file is passed through `plain`.
    page = jinja2.Environment(loader=here, autoescape=False, keep_trailing_newline=True)  # nosec B701
    page.filters["plain"] = plain
    return page.get_template("report.md.j2")


def plain(text: str) -> str:
    """Replace the characters of a user's text that Markdown or HTML would interpret, and those without a picture."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return re.sub(r"[<>\[\]`*_|&\\]", " ", shown)


def as_html(text: str, folder: Path) -> str:
    """Convert Markdown to one HTML page with embedded pictures.

    Args:
        text: The page; texts from a user's files went through `plain`.
        folder: Folder of the pictures.
    """

    def embedded(match: re.Match[str]) -> str:
        return f'src="data:image/png;base64,{base64.b64encode((folder / match[1]).read_bytes()).decode()}"'

    body = markdown(text, extensions=["tables", "fenced_code"])
    body = re.sub(rf'src="({FIGURES}/[\w.-]+)"', embedded, body)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>What pre-training and attention add</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _curve(cells: Cells, config: StudyConfig, place: Place) -> Section:
    shares = sorted(config.curve.fractions)

    def runs(arm: str, share: float, name: str = "mean_iou") -> list[float]:
        return values(cells, f"curve/{arm}/{share:g}", name)

    def rows(name: str) -> list[list[str]]:
        return [[f"{100 * share:g} %", *bold_best([runs(arm, share, name) for arm in ARMS])] for share in shares]

    pairs = ((TUNED, SCRATCH), (FROZEN, RANDOM_FROZEN), (TUNED, FOREST))
    gains = [[f"{100 * s:g} %", *(gain(runs(a, s), runs(b, s)) for a, b in pairs)] for s in shares]
    titles = ["labels", *ARMS]
    found = {
        "table": table(titles, rows("mean_iou")),
        "figure": place("learning-curves", draw_curves(cells, config)),
        "gains": table(["labels", *(f"{a} less {b}" for a, b in pairs)], gains),
    }
    if runs(TUNED, shares[-1], "group_iou"):
        found["groups"] = table(titles, rows("group_iou"))
    if config.curve.longer:
        seed, times = config.curve.seeds[0], config.curve.longer
        pair = (f"{arm} {cells[f'curve/{arm}/{LONGER}/{seed}']['mean_iou']:.3f}" for arm in (TUNED, SCRATCH))
        found["longer"] = f"With all labels and {times:g} times the steps (one seed): {', '.join(pair)}."
    return found


def _probes(cells: Cells, names: list[str], place: Place) -> Section:
    rows, matrix = [], []
    for description in DESCRIPTIONS:
        prefix = f"probes/{description}"
        found = [mean_spread(values(cells, f"{prefix}/{probe}", "mean_iou")) for probe in PROBES]
        seeds = [cell for key, cell in cells.items() if key.startswith(f"{prefix}/{PROBES[0]}/")]
        rows.append([description, str(seeds[0]["dimensions"]), *found])
        matrix.append([float(np.mean([cell["classes"].get(name, 0.0) for cell in seeds])) for name in names])
    figure = draw_heat(np.array(matrix), DESCRIPTIONS, names, 0.0, f"F1 of each class, {PROBES[0]}")
    return {
        "table": table(["description of a patch", "numbers", *PROBES], rows),
        "figure": place("classes-by-description", figure),
        "share": f"{SHARE:.0%}",
    }


def _heads(cells: Cells, count: int, place: Place) -> Section:
    ours = attention_all(PRETRAINED)
    order = [ours, *(name for name in heads.SOURCES if name != ours)]
    found = [cells[f"heads/{name}"] for name in order]
    titles = [PRETRAINED, *(name.split(":")[0] for name in order[1:])]
    rows = []
    for name, aucs in found[0]["auc"].items():
        best = int(np.argmax(aucs))
        cell = [f"{aucs[best]:.2f} (block {best // count}, head {best % count + 1})"]
        cell += [f"{max(other['auc'][name]):.2f}" for other in found[1:]]
        rows.append([name, *cell, *(f"{max(each['iou'][name]):.2f}" for each in found), f"{found[0]['all'][name]:.2f}"])
    matrix = np.array(list(found[0]["auc"].values())).T
    labels = [f"block {i // count}, head {i % count + 1}" for i in range(len(matrix))]
    title = "area under the curve, heads of DINO"
    return {
        "table": table(["class", *(f"AUC: {t}" for t in titles), *(f"IoU: {t}" for t in titles), "IoU: all"], rows),
        "figure": place("heads", draw_heat(matrix, labels, list(found[0]["auc"]), 0.5, title)),
    }


def _clusters(cells: Cells) -> Section:
    def scores(source: str) -> list[str]:
        prefixes = [f"clusters/{source}/{times}" for times in clusters.TIMES]
        return [mean_spread(values(cells, prefix, name), 2) for prefix in prefixes for name in ("ari", "ami")]

    titles = [f"{name}, {times} a class" for times in clusters.TIMES for name in ("ARI", "AMI")]
    return {"table": table(["patches described by", *titles], [[name, *scores(name)] for name in clusters.SOURCES])}


def _position(cells: Cells, depth: int, place: Place) -> Section:
    found = {name: cells[f"position/{name}"] for name in sources(depth)}
    rows = [[name, f"{cell['r2']:.2f}", f"{cell['error']:.1f}"] for name, cell in found.items()]
    return {
        "table": table(["read from", "R²", "mean error (patches)"], rows),
        "figure": place("position", draw_position({name: cell["r2"] for name, cell in found.items()})),
    }


def _inputs(cells: Cells, config: StudyConfig) -> Section:
    def runs(kind: str, learner: str) -> list[float]:
        return [cells[inputs.input_key(kind, learner, seed)]["mean_iou"] for seed in config.curve.seeds]

    kinds = {"backscatter alone": "", **{f"with attention of {kind}": kind for kind in inputs.KINDS}}
    titles = ["input", *inputs.LEARNERS]
    rows = [[name, *(mean_spread(runs(kind, learner)) for learner in inputs.LEARNERS)] for name, kind in kinds.items()]
    gains = [
        [name, *(gain(runs(kind, learner), runs("", learner)) for learner in inputs.LEARNERS)]
        for name, kind in kinds.items()
        if kind
    ]
    return {"table": table(titles, rows), "gains": table(titles, gains)}
