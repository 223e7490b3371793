//! Narrative of the document: XHTML that a person can read without any software.
//!
//! Every text is escaped, and what XML 1.0 does not allow is left out. Must not know FHIR resources.

use std::fmt::Write as _;

/// A `div` being written (FHIR R4, `Narrative.div`).
pub(super) struct Div(String);

impl Div {
    pub(super) fn new() -> Self {
        Self("<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"ja\" lang=\"ja\">".to_owned())
    }

    /// A paragraph in Japanese and the same in English.
    pub(super) fn paragraph(&mut self, ja: &str, en: &str) {
        let _ = write!(self.0, "<p>{}</p><p lang=\"en\" xml:lang=\"en\">{}</p>", escape(ja), escape(en));
    }

    /// A table with these headings.
    pub(super) fn table<const N: usize>(
        &mut self,
        headings: [&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) {
        let cells = |tag: &str, cells: &[String]| -> String {
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
        };
        self.0.push_str("<table><thead><tr>");
        self.0.push_str(&cells("th", &headings.map(str::to_owned)));
        self.0.push_str("</tr></thead><tbody>");
        for row in rows {
            let _ = write!(self.0, "<tr>{}</tr>", cells("td", &row));
        }
        self.0.push_str("</tbody></table>");
    }

    pub(super) fn close(mut self) -> String {
        self.0.push_str("</div>");
        self.0
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_becomes_markup() {
        let mut div = Div::new();
        div.paragraph("<script>alert('x')</script>&\u{0}\u{ffff}", "\"]]>");
        div.table(["日付"], [["<b>".to_owned()]].into_iter());
        assert_eq!(
            div.close(),
            "<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"ja\" lang=\"ja\">\
             <p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</p>\
             <p lang=\"en\" xml:lang=\"en\">&quot;]]&gt;</p>\
             <table><thead><tr><th>日付</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table></div>"
        );
    }
}
