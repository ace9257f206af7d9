"""Reports of finished runs: what stands in them, in which order, and that every format holds the same."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import docx
import docx.enum.text
import pandas as pd
import pytest

from bayes_sp.cli.main import OK, USER_MISTAKE, main
from bayes_sp.errors import RunError
from bayes_sp.model.reading.load import load_model, models_folder
from bayes_sp.report.document.content import document_of
from bayes_sp.report.document.markup import html_text, latex_text, markdown_text
from bayes_sp.report.document.parts import Document, Image, Paragraph, Table
from bayes_sp.report.document.tables import estimates_table
from bayes_sp.report.document.word import word_file
from bayes_sp.report.document.words import structure_words
from bayes_sp.report.document.write import write_report
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.folders.finished import read_run
from bayes_sp.report.text.summary import summary_text

ORDER = (
    "answer", "effects", "comparison", "coefficients", "assumptions", "model", "diagnostics", "checks", "sensitivity",
    "data", "text", "provenance", "cite", "guidelines",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(study_analysis, tmp_path_factory) -> Path:
    """A finished run of the published study."""
    place = tmp_path_factory.mktemp("runs") / "study"
    return save_analysis(study_analysis, place, summary=summary_text(study_analysis))


@pytest.fixture(scope="module")
def document(folder) -> Document:
    return document_of(folder)


class Page(HTMLParser):
    """What a page is made of: tags that are open, headings, images, and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def table_of(document: Document, name: str) -> Table:
    return next(table for table in document.tables if table.name == name)


def test_sections_stand_in_the_order_that_a_reader_asks_for_them(document):
    """The answer is first, guidelines are last, and no section is empty."""
    assert tuple(section.name for section in document.sections) == ORDER
    assert all(section.blocks for section in document.sections)


def test_the_answer_and_the_table_hold_the_runs_numbers(document, folder):
    """Medians and limits are those of effects.csv, rounded; made records say so above them."""
    effects = read_run(folder).effects
    own = effects[(effects["scale"] == "difference") & (effects["decomposition"] != "alone")].set_index("path")
    serial = own.loc["group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1"]
    said = " ".join(block.text for block in document.sections[0].blocks if isinstance(block, Paragraph))
    assert f"{serial['median']:.3f}".replace("-", "−") in said
    assert f"{serial['lower']:.3f}".replace("-", "−") in said
    assert "not public" in said
    assert "the article reported −0.04 [−0.09, −0.005]" in said
    rows = {row[0]: row for row in table_of(document, "effects").rows}
    assert rows["total"][1] == f"{own.loc['total', 'median']:.3f}".replace("-", "−")


def test_a_failed_fit_says_so_at_the_top_of_every_format(analyse_by_hand, small_model, make_user_survey, tmp_path):
    """Before any number."""
    analysis = analyse_by_hand(small_model, make_user_survey(), reasons=("R-hat of mood[walks] is 1.2",))
    failed = document_of(save_analysis(analysis, tmp_path / "run", summary=summary_text(analysis)))
    first = failed.sections[0].blocks[0]
    assert isinstance(first, Paragraph)
    assert first.kind == "alarm"
    assert "must not be used: R-hat of mood[walks] is 1.2" in first.text
    assert html_text(failed).index("must not be used") < html_text(failed).index("<table")
    assert "FAILED" in markdown_text(failed)


def test_the_page_needs_no_network_and_can_be_read_by_a_machine(document):
    """Well-formed, one title, headings without a gap, a text beside every picture, nothing fetched, below 5 MB."""
    text = html_text(document)
    page = Page(text)
    assert page.open == []
    assert len(text.encode()) < 5_000_000
    tags = [tag for tag, _ in page.seen]
    assert tags.count("h1") == 1
    assert tags.count("h2") == len(document.sections)
    assert not {"script", "link", "iframe"} & set(tags)
    images = [attributes for tag, attributes in page.seen if tag == "img"]
    assert images
    assert all(image["alt"] and str(image["src"]).startswith("data:image/png;base64,") for image in images)
    assert all(str(a["href"]).startswith("#") for tag, a in page.seen if tag == "a")
    targets = {a["id"] for _, a in page.seen if a.get("id")}
    assert {str(a["href"])[1:] for tag, a in page.seen if tag == "a"} <= targets


def test_every_format_holds_every_table(document):
    """Word has as many tables, LaTeX a label and Markdown a caption for each."""
    word = docx.Document(io.BytesIO(word_file(document)))
    assert len(word.tables) == len(document.tables)
    assert [p.text for p in word.paragraphs if p.style.name == "Heading 1"] == [s.title for s in document.sections]
    assert len(word.inline_shapes) == sum(isinstance(b, Image) for s in document.sections for b in s.blocks)
    latex, marked = latex_text(document), markdown_text(document)
    for table in document.tables:
        assert f"\\label{{tab:{table.name}}}" in latex
        assert marked.count(f"**{table.caption.split(' (')[0]}") == 1
    assert "group\\_change" in latex
    assert "−" not in latex


def test_methods_name_the_arrows_that_are_left_out_and_the_products():
    """Serial mediators have an order; without an arrow there is none, and both ends of it are told."""
    tables = tomllib.loads((models_folder() / "moderated.toml").read_text(encoding="utf-8"))
    serial = structure_words(load_model(tables))
    assert serial.startswith("Its chain goes from change in number of groups to primary-care appointments T1 through")
    assert "belonging T1 and loneliness T1, in this order, and each of them depends on all before it." in serial
    assert "loneliness T0 × change in number of groups in the equation of loneliness T1" in serial
    tables["equation"][1]["parents"] = ["group_change"]
    parallel = structure_words(load_model({**tables, "published": []}))
    assert "There is no arrow from community belonging T1 to loneliness T1." in parallel
    assert "in this order" not in parallel


def test_effects_at_levels_stand_below_their_level():
    """Headings have the moderator's label and level, rows the path, the numbers, and the probability last."""
    model = load_model("moderated")
    numbers = {"scale": "difference", "median": 0.2, "lower": 0.1, "upper": 0.4, "ci_prob": 0.95, "prob_negative": 0.0}
    rows = [
        {"moderator": "loneliness_t0", "at": at, "level": why, "path": path, **numbers}
        for at, why in ((1.0, "16th percentile"), (2.5, "given"))
        for path in ("total_indirect", "total")
    ]
    table = estimates_table(model, pd.DataFrame(rows), "conditional", "Effects at levels")
    assert table.head == ("effect", "median", "interval", "P(< 0)")
    assert [row[0].strip() for row in table.rows] == [
        "Loneliness T0: at 1 (16th percentile)", "total indirect", "total",
        "Loneliness T0: at 2.5", "total indirect", "total",
    ]  # fmt: skip
    assert table.rows[1][1:] == ("0.200", "[0.100, 0.400]", "<.001")
    assert "differences in appointments per patient per three months" in table.note


@pytest.mark.parametrize(
    ("about", "heading"),
    [
        ({"moderator": "gender, loneliness_t0", "at": "1, 2.5", "level": "category, 84th percentile"},
         "Gender (1 male, 2 female): at woman; Loneliness T0: at 2.5 (84th percentile)"),
        ({"moderator": "gender, loneliness_t0", "from": "0, 1", "to": "1, 1"},
         "Gender (1 male, 2 female): woman less man; Loneliness T0: at 1"),
        ({"moderator": "gender", "unit": "woman against man at loneliness_t0 = 1"},
         "Gender (1 male, 2 female): woman against man at loneliness_t0 = 1"),
        ({"moderator": "loneliness_t0", "unit": "one unit"}, "Loneliness T0: one unit"),
        ({"moderator": "loneliness_t0", "unit": "at home against at work"}, "Loneliness T0: at home against at work"),
    ],
)  # fmt: skip
def test_two_moderators_stand_in_words(about, heading, monkeypatch):
    """Each with its label and its level, a category by its name."""
    model = load_model("moderated")
    monkeypatch.setattr(type(model), "texts_of", lambda _, name: ("man", "woman") if name == "gender" else ())
    numbers = {"scale": "difference", "median": 0.2, "lower": 0.1, "upper": 0.4, "ci_prob": 0.95, "prob_negative": 0.0}
    rows = pd.DataFrame([{**about, "path": "total", **numbers}])
    assert estimates_table(model, rows, "conditional", "Effects at levels").rows[0][0] == heading


def test_latex_is_whole(document):
    """Braces and environments close, and every row has as many cells as its table has columns."""
    text = latex_text(document)
    signs = re.sub(r"\\[{}&\\%$#_]", "", text)
    assert signs.count("{") == signs.count("}")
    opened, closed = (re.findall(rf"\\{word}\b(?:{{(\w+)}})?", text) for word in ("begin(?:group)?", "end(?:group)?"))
    assert sorted(opened) == sorted(closed)
    parts = text.split(r"\begin{longtable}")[1:]
    assert len(parts) == len(document.tables)
    for table, part in zip(document.tables, parts, strict=True):
        body = part.split(r"\endhead")[1].split(r"\bottomrule")[0].strip().splitlines()
        assert len(body) == len(table.rows)
        for line in body:
            spanned = re.search(r"\\multicolumn{(\d+)}", line)
            cells = int(spanned.group(1)) if spanned else 1 + len(re.findall(r"(?<!\\)&", line))
            assert cells == len(table.head)
            assert line.endswith((r"\\", r"\\*"))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX")
def test_latex_compiles(document, tmp_path):
    """The tables go through LaTeX without an error, and none is wider than the page."""
    (tmp_path / "tables.tex").write_text(latex_text(document), encoding="utf-8")
    head = r"\usepackage[T1]{fontenc}\usepackage{array,booktabs,longtable}\usepackage[margin=1in]{geometry}"
    page = rf"\documentclass{{article}}{head}\begin{{document}}\input{{tables}}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    wide = [float(points) for points in re.findall(rb"Overfull \\hbox \(([\d.]+)pt", done.stdout)]
    assert max(wide, default=0.0) < 15


def test_names_from_a_specification_are_text_in_every_format(analyse_by_hand, small_tables, make_user_survey, tmp_path):
    """Tags, cells and commands in labels stay signs."""
    hostile = "<script>a|b</script> \\input{x} $1_2$"
    small_tables["variables"] = {**small_tables.get("variables", {}), "mood": {"label": hostile}}
    analysis = analyse_by_hand(load_model(small_tables, name="small"), make_user_survey())
    found = document_of(save_analysis(analysis, tmp_path / "run", summary=summary_text(analysis)))
    page = Page(html_text(found))
    assert "script" not in [tag for tag, _ in page.seen]
    assert any("<script>a|b</script>" in words for words in page.words)
    assert r"\<script\>a\|b\</script\>" in markdown_text(found)
    assert r"\input{x" not in latex_text(found)


def test_guidelines_name_every_item_once(document):
    """AGReMA has 25 items and BARG six; what was not done is not called covered."""
    agrema, barg = table_of(document, "agrema"), table_of(document, "barg")
    assert [row[0] for row in agrema.rows] == [str(number) for number in range(1, 26)]
    assert [row[0] for row in barg.rows] == [str(number) for number in range(1, 7)]
    states = {row[1]: row[2] for row in (*agrema.rows, *barg.rows)}
    assert states["Sensitivity parameters"] == "not done"
    assert states["Effects of interest"] == "covered"
    assert states["Ethical approval"] == "by the author"


def test_posterior_words_only(document):
    """No word of tests of hypotheses."""
    text = markdown_text(document).lower()
    assert "significan" not in text
    assert "p-value" not in text


def test_sensitivity_stands_in_the_report_where_it_was_done(folder, tmp_path):
    """Its summary as it was printed; a folder without one, or of another specification or records, is refused."""
    (tmp_path / "summary.txt").write_text("Everything <holds>.\n", encoding="utf-8")
    own = read_run(folder).info["specification_digest"]
    said = '[sensitivity]\nmodel = "primary"\n[data]\ndigest = "d"\n[fitted]\nspecification_digest = '
    (tmp_path / "run.toml").write_text(f'{said}"{own}"\n', encoding="utf-8")
    with_it = document_of(folder, tmp_path)
    assert "Everything &lt;holds&gt;." in html_text(with_it)
    states = {row[1]: row[2] for row in table_of(with_it, "agrema").rows}
    assert states["Sensitivity parameters"] == "covered"
    with pytest.raises(RunError, match=r"run\.toml of a sensitivity analysis cannot be read"):
        document_of(folder, tmp_path / "none")
    with pytest.raises(RunError, match="is not what python -m bayes_sp sensitivity wrote"):
        document_of(folder, folder)
    (tmp_path / "run.toml").write_text(f'{said}"other"\n', encoding="utf-8")
    with pytest.raises(RunError, match="analyses of another specification"):
        document_of(folder, tmp_path)


def test_the_command_writes_each_format_beside_the_run(folder, in_folder, capsys):
    """Without --out a page; existing files, other endings and folders without a run end with status 2."""
    assert main(["report", str(folder)]) == OK
    assert (folder.parent / "study-report.html").is_file()
    assert main(["report", str(folder)]) == USER_MISTAKE
    assert "exists already" in capsys.readouterr().err
    assert main(["report", str(folder), "--out", "r.docx", "--out", "r.tex"]) == OK
    assert sorted(path.name for path in in_folder.iterdir()) == ["r.docx", "r.tex"]
    assert main(["report", str(folder), "--out", "r.pdf"]) == USER_MISTAKE
    assert "must end in one of" in capsys.readouterr().err
    assert main(["report", str(folder), "--out", "two.md", "--out", "./two.md"]) == USER_MISTAKE
    assert "names one file twice" in capsys.readouterr().err
    assert not (in_folder / "two.md").exists()
    assert main(["report", str(in_folder)]) == USER_MISTAKE
    assert "is not a finished run" in capsys.readouterr().err


def test_a_run_that_is_read_back_reports_itself(folder, tmp_path):
    """From Python: read a run, write its report."""
    import bayes_sp as sp

    place = sp.read_run(folder).report(tmp_path / "page.html")
    assert place.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_report_leaves_nothing_half_written(folder, in_folder, monkeypatch):
    """Where a format fails no file is there."""
    monkeypatch.setattr("bayes_sp.report.document.write.html_text", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(folder, "r.html")
    assert list(in_folder.iterdir()) == []


def test_a_fit_that_is_not_saved_reports_itself(own_analysis, in_folder):
    """A page that says first that the fit failed; Markdown whose figures stand beside it; nothing else is left."""
    fit = own_analysis.fit
    page = fit.report("r.html", replicates=10).read_text(encoding="utf-8")
    assert page.index("must not be used") < page.index("<table")
    assert "Made from a fit that is not saved" in page
    text = fit.report("r.md", replicates=0).read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(<([^>]+)>\)", text)
    assert pictures
    assert all((in_folder / picture).stat().st_size > 10_000 for picture in pictures)
    assert sorted(path.name for path in in_folder.iterdir()) == ["r-figures", "r.html", "r.md"]
    with pytest.raises(RunError, match="exists already"):
        fit.report("r.html")


def test_word_divides_no_number_and_no_row(document):
    """Each column is as wide as its longest word; numbers stand on the right."""
    word = docx.Document(io.BytesIO(word_file(document)))
    table = word.tables[0]
    widths = [column.width.inches for column in table.columns]
    assert sum(widths) <= 6.5 + 1e-6
    size = table.rows[1].cells[1].paragraphs[0].runs[0].font.size.pt
    for place, width in enumerate(widths):
        longest = max(len(part) for row in table.rows for part in row.cells[place].text.split(" "))
        assert width * 112.0 / size >= longest
    assert all(row._tr.trPr is not None and row._tr.trPr.xpath("w:cantSplit") for row in table.rows)
    assert table.rows[1].cells[1].paragraphs[0].alignment == docx.enum.text.WD_ALIGN_PARAGRAPH.RIGHT
