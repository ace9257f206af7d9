"""Sphinx's settings for the site, which is built from the repository's root: addresses of pages are paths of files.

Nothing is run and nothing is fetched, neither while it is built nor when it is read: notebooks show their stored
outputs, formulas become MathML, scripts and fonts are the theme's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from importlib.metadata import version as installed_version  # noqa: E402 - the two paths come first

project = "bayes_sp"
author = "The bayes_sp developers"
copyright = "The bayes_sp developers, MIT licence"
version = release = installed_version("bayes_sp")
language = "en"
smartquotes_action = "qe"  # quotation marks and ellipses; two hyphens begin an option

extensions = [
    "myst_nb",  # Markdown, and notebooks
    "sphinx.ext.autodoc",
    "numpydoc",
    "_site.formulas",
    "_site.generated",
    "_site.links",
]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md", "notebooks/*.ipynb", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
]  # fmt: skip
exclude_patterns = [".*", "bayes_sp", "benchmarks", "build", "dist", "models", "runs", "tests"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # no output has a widget, and these would be fetched
nb_mime_priority_overrides = [("html", "text/html", 0)]

autodoc_typehints = "signature"
autodoc_member_order = "groupwise"
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
add_module_names = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "bayes_sp"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = ["_templates"]
html_additional_pages = {"index": "to_the_first_page.html"}
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_theme_options = {
    "logo": {"text": "bayes_sp"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_nav_level": 1,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
