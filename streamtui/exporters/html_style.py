"""The style sheet of exported HTML pages."""

from streamtui.exporters.theme_colors import Colors, complete, is_dark, mix

_LAYOUT = """\
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 50rem;
  background: var(--background); color: var(--foreground);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
body > header { margin-bottom: 2rem; border-bottom: 1px solid var(--line); }
h1, h2, h3, h4, h5, h6 { line-height: 1.3; margin: 1.5em 0 .5em; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 0; }
h3 { font-size: 1.3rem; color: var(--primary); }
h4 { font-size: 1.15rem; color: var(--primary); }
h5, h6 { font-size: 1rem; color: var(--secondary); }
.facts, article > header span, footer { color: var(--faint); font-size: .875rem; }
.facts { margin: 0 0 1rem; }
article { margin: 0 0 1.75rem; padding-left: 1rem; border-left: 3px solid var(--accent); }
article > header { display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; margin-bottom: .25rem; }
article h2 { color: var(--accent); }
.user {
  border-color: var(--primary); background: var(--surface); padding: .75rem 1rem; border-radius: 0 .5rem .5rem 0;
}
.user h2 { color: var(--primary); }
.system { border-color: var(--line); }
.system h2 { color: var(--faint); }
.text > :first-child { margin-top: 0; }
.text > :last-child { margin-bottom: 0; }
p, ul, ol, blockquote, pre, table, .wide, dl { margin: 0 0 1em; }
ul, ol { padding-left: 1.6em; }
li > p { margin-bottom: .4em; }
li.task { list-style: none; }
a { color: var(--secondary); }
blockquote { padding-left: 1rem; border-left: 3px solid var(--line); color: var(--soft); }
hr { border: 0; border-top: 1px solid var(--line); margin: 1.5em 0; }
code, pre, .tex { font-family: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .9em; background: var(--panel); color: var(--warning); padding: .1em .3em; border-radius: .25em; }
.user :not(pre) > code { background: var(--background); }
pre {
  background: var(--panel); border-radius: .5rem; padding: .75rem 1rem; overflow-x: auto;
  line-height: 1.45; tab-size: 4; overflow-wrap: normal;
}
pre code { background: none; color: var(--foreground); padding: 0; font-size: .875rem; }
pre[data-language]::before {
  content: attr(data-language); float: right; margin-left: 1rem; color: var(--faint); font-size: .75rem;
}
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0; overflow-wrap: normal; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--panel); }
.center { text-align: center; }
.right { text-align: right; }
.tex { color: var(--secondary); }
details { margin: 0 0 1em; color: var(--soft); }
summary { cursor: pointer; color: var(--faint); font-style: italic; }
details[open] > .text { margin-top: .5rem; padding-left: 1rem; border-left: 1px solid var(--line); }
figure { margin: .5rem 0 1em; }
img { max-width: 100%; height: auto; border-radius: .5rem; }
figcaption, .file { color: var(--faint); font-size: .875rem; }
.ending, .failed { margin: .5rem 0 0; }
.ending { color: var(--warning); }
.failed { color: var(--error); }
.recap { margin: 0 0 1.75rem; color: var(--warning); border-top: 1px dashed var(--line); padding-top: .5rem; }
.branch { margin: 0 0 .75rem; color: var(--faint); font-size: .875rem; }
.c { color: var(--faint); font-style: italic; }
.k { color: var(--accent); }
.s, .gi { color: var(--success); }
.sd { color: var(--success); font-style: italic; }
.n { color: var(--warning); }
.nf { color: var(--primary); }
.nc { color: var(--warning); font-weight: bold; }
.nd, .nb { color: var(--secondary); }
.gd, .err { color: var(--error); }
.gh { color: var(--primary); font-weight: bold; }
@media (max-width: 40rem) { body { padding: 1rem .75rem 3rem; } article { padding-left: .75rem; } }
"""

_PRINT = """\
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  h2, h3, h4, h5, h6, article > header { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .wide { overflow: visible; }
"""


def style(colors: Colors, printed: Colors) -> str:
    """Return the style sheet with `colors` for screens and `printed` for white paper."""
    scheme = "dark" if is_dark(complete(colors)["background"]) else "light"
    on_paper = _variables({**printed, "background": "#ffffff"})
    return (
        f":root {{ color-scheme: {scheme}; {_variables(colors)} }}\n{_LAYOUT}"
        f"@media print {{\n  :root {{ color-scheme: light; {on_paper} }}\n{_PRINT}}}\n"
    )


def _variables(colors: Colors) -> str:
    whole = dict(complete(colors))
    for name, share in (("soft", 0.8), ("faint", 0.6), ("line", 0.25)):
        whole[name] = mix(whole["foreground"], whole["background"], share)
    return " ".join(f"--{name}: {color};" for name, color in whole.items())
