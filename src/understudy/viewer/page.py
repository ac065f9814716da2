"""The report's page: style, script and frame. One file that asks the network for nothing, and says so to the browser."""

STYLE = """
:root{--paper:#f6f7f9;--card:#fff;--ink:#15181d;--faint:#69717d;--line:#e2e5ea;--bar:#3d7dd8;--good:#2e9d5b;--warn:#d2592b}
@media(prefers-color-scheme:dark){:root{--paper:#0f1115;--card:#181b21;--ink:#e8eaed;--faint:#8b929e;--line:#2a2e36;
--bar:#5b9bf0;--good:#4cc07c;--warn:#f0875c}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}main{max-width:1480px;margin:0 auto;padding:22px}
h1{font-size:25px;margin:0 0 2px;letter-spacing:-.01em}h2{font-size:17px;margin:34px 0 12px}
h3{font-size:12.5px;margin:0 0 8px;font-weight:600;overflow-wrap:anywhere}.faint{color:var(--faint)}
.facts{display:flex;flex-wrap:wrap;gap:10px;margin:16px 0}.fact{background:var(--card);border:1px solid var(--line);
border-radius:9px;padding:9px 15px}.fact b{display:block;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
.bar{position:sticky;top:0;z-index:5;background:var(--paper);padding:8px 0;display:flex;flex-wrap:wrap;gap:6px 14px;
align-items:center;border-bottom:1px solid var(--line);margin-bottom:12px}
.bar label{cursor:pointer;user-select:none;white-space:nowrap}.bar input{accent-color:var(--bar);vertical-align:-2px}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:12px}
.sample{background:var(--card);border:1px solid var(--line);border-radius:9px;overflow:hidden}
.sample.wide{grid-column:1/-1}.stage{position:relative;cursor:zoom-in;background:#000;line-height:0}
.wide .stage{cursor:zoom-out}.stage>img:first-child{width:100%;height:auto}
.stage .layer,.stage .view{position:absolute;inset:0;width:100%;height:100%}.stage .view{display:none}
.sample p{margin:7px 11px;display:flex;gap:9px;align-items:baseline}.sample p b{font-variant-numeric:tabular-nums}
details{margin:0 11px 9px;font-size:12px}summary{cursor:pointer;color:var(--faint)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
td,th{padding:2px 8px 2px 0;text-align:left;vertical-align:top}
td{overflow-wrap:anywhere}.shares td,.shares th{white-space:nowrap;overflow-wrap:normal}.shares td:nth-child(-n+3){width:1%}
.shares td:first-child{max-width:110px;overflow:hidden;text-overflow:ellipsis}
th{color:var(--faint);font-weight:500}.scroll{max-height:260px;overflow:auto}
.charts{display:grid;align-items:start;grid-template-columns:repeat(auto-fill,minmax(285px,1fr));gap:12px}
.card{background:var(--card);border:1px solid var(--line);border-radius:9px;padding:12px 14px}
.chart{width:100%;height:auto;display:block}.chart rect,.share rect{fill:var(--bar)}
.chart text{fill:var(--faint);font-size:10.5px}.chart line{stroke:var(--line)}.heat .frame{fill:none;stroke:var(--line)}
rect.seen{fill:var(--good)}rect.hidden{fill:#e2a53b}rect.outside{fill:var(--line)}
.share{width:100%;max-width:170px;height:14px;vertical-align:-2px;overflow:visible}
.share .whisker{stroke:var(--ink);stroke-width:1.4}
.share .wanted{stroke:var(--warn);stroke-width:2}.off{color:var(--warn);font-weight:600}.fine{color:var(--good)}
.stage svg text{font:600 11px system-ui,sans-serif;fill:#fff;paint-order:stroke;stroke:rgba(0,0,0,.75);stroke-width:3px}
body.no-masks .masks,body.no-amodal .amodal,body.no-boxes .boxes,body.no-points .points,body.no-captions .captions
{display:none}
"""

SCRIPT = """
const body=document.body;
for(const box of document.querySelectorAll('input[data-layer]')){
const apply=()=>body.classList.toggle('no-'+box.dataset.layer,!box.checked);box.addEventListener('change',apply);apply();}
for(const pick of document.querySelectorAll('input[name=view]'))pick.addEventListener('change',()=>{
for(const v of document.querySelectorAll('.stage .view'))v.style.display=v.dataset.view===pick.value?'block':'none';});
for(const stage of document.querySelectorAll('.stage'))stage.addEventListener('click',()=>
stage.parentElement.classList.toggle('wide'));
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';img-src data:;style-src 'unsafe-inline';\
script-src 'unsafe-inline'">
<title>{title}</title><style>{style}</style></head><body><main>
{content}
</main><script>{script}</script></body></html>
"""
