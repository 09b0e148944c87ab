"""The style sheet of a page."""

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1c2126; --soft: #59636e;
  --line: #d5dbe1; --box: #f4f6f8; --own: #fdf0ef; --link: #0a56b0; --good: #1a7f37;
  --doubt: #9a5b00; --bad: #b3261e; --shade: rgba(28, 33, 38, 0.3); }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --line: #333b44; --box: #1d2329;
    --own: #362022; --link: #7db7ff; --good: #56d07a; --doubt: #e5a848; --bad: #ff8a80;
    --shade: rgba(228, 232, 236, 0.35); }
  figure img { filter: invert(0.93) hue-rotate(180deg) saturate(1.5) brightness(1.12); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 78rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.3rem; }
h3 { margin: 1.25rem 0 0.25rem; font-size: 1rem; }
p, ul { margin: 0.5rem 0; max-width: 48rem; }
ul { padding-left: 1.25rem; }
a { color: var(--link); }
header p, figcaption, caption, dt { color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none;
  max-width: none; }
nav a { display: inline-block; padding: 0.2rem 0; }
.sentence { padding: 0.9rem 1.1rem; border-left: 0.35rem solid var(--soft);
  background: var(--box); font-size: 1.15rem; }
.sentence.claimed { border-color: var(--good); }
.sentence.doubtful { border-color: var(--doubt); }
.warning { color: var(--bad); }
/* a shade at the right edge says that there is more; at the end of the table its cover hides it */
.scroll { overflow-x: auto; margin: 0.75rem 0 1.25rem; border: 1px solid var(--line);
  background: linear-gradient(to left, var(--page) 40%, transparent) right / 3rem 100% local,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100%;
  background-repeat: no-repeat; }
.scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: separate; border-spacing: 0; width: 100%;
  font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { padding: 0.5rem 0.6rem; text-align: left; }
caption span { position: sticky; left: 0.6rem; display: inline-block;
  max-width: min(100%, calc(100vw - 4rem)); }
th, td { padding: 0.35rem 0.6rem; border-top: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child { position: sticky; left: 0; background: var(--page); text-align: left;
  border-right: 1px solid var(--line); }
tbody th { font-weight: 400; }
th.long { min-width: 14rem; max-width: 20rem; white-space: normal; overflow-wrap: anywhere; }
.text, thead .text { text-align: left; }
.sort { margin: 0; padding: 0; border: 0; background: none; color: inherit; font: inherit;
  text-align: inherit; cursor: pointer; }
.sort:hover { color: var(--text); text-decoration: underline; }
.sort:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
[aria-sort="ascending"] .sort::after { content: " \\2191"; }
[aria-sort="descending"] .sort::after { content: " \\2193"; }
#strategies th, #strategies td { padding-left: 0.4rem; padding-right: 0.4rem; }
.own th, .own td { background: var(--own); font-weight: 600; }
.own th:first-child { background: var(--own); }
figure { margin: 0.75rem 0 1.25rem; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { margin-top: 0.4rem; font-size: 0.9rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr));
  gap: 0 1.5rem; }
dl { margin: 0.75rem 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; }
.facts dt { font-size: 0.85rem; }
.facts dd { font-size: 1.1rem; font-variant-numeric: tabular-nums; }
.alarms > div { margin: 0.75rem 0; padding-left: 0.9rem; border-left: 0.35rem solid var(--doubt);
  max-width: 48rem; }
.alarms dt { color: var(--text); font-weight: 600; }
.gain-1 { background: rgba(60, 130, 200, 0.12); } .loss-1 { background: rgba(225, 120, 30, 0.12); }
.gain-2 { background: rgba(60, 130, 200, 0.25); } .loss-2 { background: rgba(225, 120, 30, 0.25); }
.gain-3 { background: rgba(60, 130, 200, 0.38); } .loss-3 { background: rgba(225, 120, 30, 0.38); }
.gain-4 { background: rgba(60, 130, 200, 0.5); } .loss-4 { background: rgba(225, 120, 30, 0.5); }
.file { max-height: 24rem; overflow: auto; padding: 0.75rem; background: var(--box);
  font-size: 0.85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.provenance > div { padding: 0.4rem 0; border-top: 1px solid var(--line); font-size: 0.9rem; }
@media (min-width: 48rem) {
  .provenance > div { display: grid; grid-template-columns: 15rem 1fr; gap: 1rem; }
}
@media (max-width: 40rem) {
  body { padding: 1rem 1rem 3rem; }
  .scroll th, .scroll td { padding: 0.35rem 0.55rem; }
  #strategies tbody th { max-width: 8.5rem; white-space: normal; }
  tbody th.long { min-width: 8.5rem; max-width: 8.5rem; font-size: 0.8rem; }
  h1.long { font-size: 1.1rem; }
}
@media print {
  nav { display: none; }
  body { max-width: none; padding: 0; font-size: 0.85rem; }
  h2 { margin-top: 1.75rem; }
  h2, h3, caption { break-after: avoid; }
  figure, tr, .scroll, .alarms > div, .facts { break-inside: avoid; }
  .scroll { overflow: visible; background: none; }
  .scroll table { font-size: 0.7rem; }
  .scroll th, .scroll td { padding: 0.2rem 0.3rem; position: static; }
  .file { max-height: none; }
}
"""
