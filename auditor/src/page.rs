//! The report as one page that stands by itself: for a commissioner, in Japanese and English.

use std::fmt::Write as _;

use crate::report::Report;
use crate::strand::Strand;

const STYLE: &str = "body{font:16px/1.7 'VL Gothic',sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;\
text-align:left;vertical-align:top}td.n{text-align:right}.ok{color:#0a5c2b}.no{color:#a11212}.en{color:#555}\
.verdict{font-size:1.3rem;border:2px solid;padding:.6rem 1rem;display:inline-block}";

const ABOUT: &str = "<p>この報告は、各施設から持ち出した資料だけをもとに、監査ツールが計算したものです。同じ資料があれば、誰でも\
計算し直せます。<br><span class=en>This report was computed by the audit tool from the artefacts carried away from the \
institutions, and from nothing else. Whoever has the artefacts can compute it again: \
<code>hibiki-audit verify report.json DIR</code>.</span></p>";

/// The page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut page = String::new();
    let (mark, ja, en) = verdict(report.passed);
    let _ = write!(
        page,
        "<!DOCTYPE html><html lang=\"ja\"><meta charset=\"utf-8\"><title>響き 監査報告 / Hibiki audit report</title>\
         <style>{STYLE}</style><h1>響き 監査報告 <span class=en>/ Hibiki audit report</span></h1>\
         <p class=\"verdict {mark}\">{ja} <span class=en>/ {en}</span></p>{ABOUT}"
    );
    page.push_str("<h2>何を動かしたか <span class=en>/ What was run</span></h2><table>");
    for (name, value) in report.run.as_object().into_iter().flatten().filter(|(name, _)| *name != "limits") {
        let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = write!(page, "<tr><td>{}<td>{}", escape(name), escape(&said));
    }
    page.push_str("</table><h2>何を問い、何がわかったか <span class=en>/ What was asked, and what was found</span></h2>");
    for strand in &report.strands {
        part(&mut page, strand);
    }
    page.push_str("<h2>わざと漏らすノード <span class=en>/ Deliberately leaking nodes</span></h2><table><tr><th>名前 / name<th>何をするか / what it does<th>見つけた問い / caught by");
    for mutant in &report.mutants {
        let (mark, said) = match &mutant.caught {
            Some(_) => ("ok", mutant.strand.clone()),
            None => ("no", format!("見逃し / NOT CAUGHT ({})", mutant.strand)),
        };
        let (name, what) = (escape(&mutant.name), escape(&mutant.what));
        let _ = write!(page, "<tr><td>{name}<td>{what}<td class={mark}>{}", escape(&said));
    }
    page.push_str("</table><h2>示していないこと <span class=en>/ What was NOT shown</span></h2><ul>");
    for limit in &report.limits {
        let _ = write!(page, "<li>{}", escape(limit));
    }
    page.push_str("</ul></html>\n");
    page
}

fn verdict(passed: bool) -> (&'static str, &'static str, &'static str) {
    if passed {
        ("ok", "合格", "PASSED")
    } else {
        ("no", "不合格（または資料不足）", "NOT PASSED")
    }
}

fn part(page: &mut String, strand: &Strand) {
    let (mark, ja, en) = verdict(strand.passed);
    let [asked_ja, asked_en] = &strand.asked;
    let _ = write!(
        page,
        "<h3>{} <span class=en>{}</span></h3><p class={mark}>{ja} / {en} <code>{}</code></p><table>",
        escape(asked_ja),
        escape(asked_en),
        escape(&strand.name)
    );
    for (what, count) in &strand.figures {
        let _ = write!(page, "<tr><td class=n>{count}<td>{}", escape(what));
    }
    page.push_str("</table><ul>");
    for problem in &strand.problems {
        let _ = write!(page, "<li class=no>{}", escape(problem));
    }
    if strand.more_problems > 0 {
        let _ = write!(page, "<li class=no>… {} more", strand.more_problems);
    }
    for missing in &strand.missing {
        let _ = write!(page, "<li class=no>資料がありません / missing: {}", escape(missing));
    }
    page.push_str("</ul>");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
