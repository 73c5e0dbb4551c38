/// The look of every report: light or dark as the reader's system is, one column on a phone.
///
/// The colours of series follow Okabe and Ito's palette, which colour-blind readers can tell apart, made
/// darker on white and lighter on black; the eighth is grey.
let stylesheet = """
  :root{--back:#fff;--card:#f7f8fa;--text:#1b1f24;--soft:#57606a;--edge:#d5dae0;--grid:#e6e9ed;--link:#0757a8;
  --c1:#0b62b0;--c2:#c65a00;--c3:#00805c;--c4:#a8457f;--c5:#8a6d00;--c6:#2f8fc7;--c7:#7a4fc4;--c8:#7d8590}
  @media (prefers-color-scheme:dark){:root{--back:#0f1318;--card:#171c23;--text:#e4e8ed;--soft:#9aa5b1;
  --edge:#303843;--grid:#262d36;--link:#79b8ff;--c1:#62adf5;--c2:#f2a04e;--c3:#3fc79a;--c4:#e38abf;--c5:#e3c84f;
  --c6:#8fd0f5;--c7:#b89cf2;--c8:#87919d}}
  *{box-sizing:border-box}
  html{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--text);
  background:var(--back);-webkit-text-size-adjust:100%}
  body{margin:0 auto;max-width:62rem;padding:1.5rem 1rem 4rem}
  header p{color:var(--soft);margin:.25rem 0 0}
  h1{font-size:1.7rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
  h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--edge)}
  h3{font-size:1rem;margin:1.75rem 0 .5rem}
  p{margin:.5rem 0;max-width:46rem}
  a{color:var(--link)}
  nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:1rem 0 0}
  figure{margin:1rem 0;padding:.75rem;background:var(--card);border:1px solid var(--edge);border-radius:8px}
  figcaption{font-weight:600;font-size:.9rem}
  svg{display:block;width:100%;height:auto;font-size:12px}
  .narrow{display:none}
  .row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:0 1rem}
  .two{grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}
  .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1rem;margin:.35rem 0 0;padding:0;font-size:.85rem}
  .legend li::before{content:"";display:inline-block;width:.7rem;height:.7rem;border-radius:50%;
  background:var(--c);margin-right:.4rem;vertical-align:-.05rem}
  .c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}
  .c7{--c:var(--c7)}.c8{--c:var(--c8)}
  .label{fill:var(--soft)}.middle{text-anchor:middle}.end{text-anchor:end}.label.strong{fill:var(--text);font-weight:600}
  .grid{stroke:var(--grid)}.axis,.tick{stroke:var(--edge)}.reference{stroke:var(--soft);stroke-dasharray:4 4}
  .line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
  .d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 3}.d3{stroke-dasharray:8 3 2 3}
  .mark{fill:var(--c);stroke:var(--card);stroke-width:1}
  .hover{fill:transparent}.hover:hover{fill:var(--c)}
  .whisker{stroke:var(--c);stroke-width:2.5;stroke-linecap:round}.thin{stroke-width:1.2}.stem{stroke:var(--c);stroke-width:1;opacity:.35}
  .bar{fill:var(--c);opacity:.85}.dot{fill:var(--c);opacity:.65}.dot:hover{opacity:1;stroke:var(--text)}
  .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1rem 0}
  .tiles div{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.6rem .75rem;
  display:flex;flex-direction:column-reverse;justify-content:flex-end}
  .tiles dt{color:var(--soft);font-size:.82rem;line-height:1.3}
  .tiles dd{margin:0;font-size:1.35rem;font-weight:600;line-height:1.3;overflow-wrap:anywhere}
  .scroll{overflow-x:auto;margin:.75rem 0}
  table{border-collapse:collapse;font-size:.88rem;width:100%}
  caption{text-align:left;color:var(--soft);padding-bottom:.4rem}
  th,td{padding:.32rem .6rem;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top}
  thead th{color:var(--soft);font-weight:600;border-bottom:1px solid var(--edge);white-space:nowrap}
  tbody th{font-weight:400}
  .numbers td,.numbers thead th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
  .strong th,.strong td{font-weight:650}
  details{margin:.5rem 0}summary{cursor:pointer;color:var(--soft);font-size:.88rem}
  @media (max-width:36rem){.wide{display:none}.narrow{display:block}figure{padding:.5rem}h1{font-size:1.4rem}
  .tiles{grid-template-columns:repeat(2,1fr)}}
  @media print{details{display:block}figure{break-inside:avoid}}
  """
