//! What is attached to a notice: files that a guardian may keep, and names of what cannot be offered.
//!
//! Only kinds are offered that every browser shows or saves without running anything, whose content is what it says it
//! is, and that are small enough to travel in a record. Must not know how a file is offered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::redacted::redacted;
use crate::words::tidy;

/// Most files and names taken of one notice.
pub(super) const ATTACHMENTS_MAX: usize = 20;
/// Longest file, in bytes: a scanned page.
pub const FILE_MAX_BYTES: usize = 300 << 10;
/// Longest file name without its ending, in characters.
const NAME_MAX_CHARS: usize = 60;

/// A file attached to a notice. Its content is from whoever wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What the school calls it.
    pub title: String,
    /// One of [`FileKind`]'s media types.
    pub media_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

redacted!(Attachment);

/// Kinds of files that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// PDF
    Pdf,
    /// PNG
    Png,
    /// JPEG
    Jpeg,
    /// Plain text in UTF-8.
    Text,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pdf, Self::Png, Self::Jpeg, Self::Text];

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Text => "text/plain",
        }
    }

    /// How a file name ends.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Text => "txt",
        }
    }

    /// The kind of a file by its content; `None` for what is not offered.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        let text = || std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
        Some(match bytes {
            [] => return None,
            _ if bytes.starts_with(b"%PDF-") => Self::Pdf,
            _ if bytes.starts_with(PNG) => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            _ if text() => Self::Text,
            _ => return None,
        })
    }
}

impl Attachment {
    /// A name to keep the file under: the title without what file systems or their readers take otherwise.
    pub fn file_name(&self) -> String {
        let kind = FileKind::ALL.into_iter().find(|kind| kind.media_type() == self.media_type);
        let ending = kind.map_or("bin", FileKind::ending);
        let lower = self.title.to_ascii_lowercase();
        let known = [".pdf", ".png", ".jpg", ".jpeg", ".txt"].into_iter().find(|it| lower.ends_with(it));
        let stem = known.and_then(|it| self.title.get(..self.title.len() - it.len())).unwrap_or(&self.title);
        let plain = |c: char| if c.is_control() || r#"/\:*?"<>|.'`$&;%"#.contains(c) { '_' } else { c };
        let stem: String = stem.chars().map(plain).take(NAME_MAX_CHARS).collect();
        let stem = stem.trim();
        format!("{}.{ending}", if stem.is_empty() { "file" } else { stem })
    }
}

/// The files among the payloads of a Communication, and the names of what is attached and not offered.
pub(super) fn attached<'a>(payloads: impl Iterator<Item = &'a Value>) -> (Vec<Attachment>, Vec<String>) {
    let (mut files, mut names) = (Vec::new(), Vec::new());
    for attachment in payloads.filter_map(|part| part.get("contentAttachment")).take(ATTACHMENTS_MAX) {
        let title = attachment.get("title").and_then(Value::as_str).map(tidy).filter(|it| !it.is_empty());
        match content(attachment) {
            Some((kind, bytes)) => files.push(Attachment {
                title: title.unwrap_or_else(|| format!("添付ファイル.{}", kind.ending())),
                media_type: kind.media_type(),
                bytes,
            }),
            None => names.extend(title),
        }
    }
    (files, names)
}

/// The content of an attachment, where it is of the kind it says it is.
fn content(attachment: &Value) -> Option<(FileKind, Vec<u8>)> {
    let said = attachment.get("contentType")?.as_str()?.split(';').next()?.trim().to_ascii_lowercase();
    let data = attachment.get("data")?.as_str()?;
    // FHIR lets base64 be broken into lines.
    let data: String = data.split_ascii_whitespace().collect();
    if data.len() > FILE_MAX_BYTES.div_ceil(3) * 4 {
        return None;
    }
    let bytes = STANDARD.decode(data).ok().filter(|bytes| bytes.len() <= FILE_MAX_BYTES)?;
    let kind = FileKind::ALL.into_iter().find(|kind| kind.media_type() == said)?;
    let is_it = match kind {
        // A text may begin as it likes.
        FileKind::Text => {
            std::str::from_utf8(&bytes).is_ok_and(|text| !text.is_empty() && !text.contains('\0'))
        }
        _ => FileKind::of(&bytes) == Some(kind),
    };
    is_it.then_some((kind, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn part(title: &str, media_type: &str, bytes: &[u8]) -> Value {
        json!({ "contentAttachment": { "title": title, "contentType": media_type, "data": STANDARD.encode(bytes) } })
    }

    #[test]
    fn files_are_offered_that_are_what_they_say() {
        let pdf = b"%PDF-1.7 x";
        let mut broken = part("行をまたぐ", "Application/PDF", pdf);
        let data = broken["contentAttachment"]["data"].as_str().unwrap().to_owned();
        broken["contentAttachment"]["data"] = json!(format!("{}\r\n {}", &data[..4], &data[4..]));
        let parts = [
            part("学年だより", "application/pdf", pdf),
            broken,
            part("持ち物.txt", "text/plain; charset=utf-8", "水筒".as_bytes()),
            part("\u{202E}", "image/jpeg", b"\xff\xd8\xff\xe0"),
            part("画像", "image/png", b"\x89PNG\r\n\x1a\nx"),
            // Names only.
            part("ページ", "text/html", b"<script>"),
            part("にせもの", "application/pdf", b"<html>"),
            part("大きい", "text/plain", &vec![b'x'; FILE_MAX_BYTES + 1]),
            part("空", "text/plain", b""),
            json!({ "contentAttachment": { "title": "壊れた", "contentType": "text/plain", "data": "x" } }),
            json!({ "contentAttachment": { "title": "リンク", "contentType": "application/pdf", "url": "https://x" } }),
            json!({ "contentString": "本文" }),
        ];
        let (files, names) = attached(parts.iter());
        let told: Vec<_> = files.iter().map(|it| (it.title.as_str(), it.media_type)).collect();
        assert_eq!(
            told,
            [
                ("学年だより", "application/pdf"),
                ("行をまたぐ", "application/pdf"),
                ("持ち物.txt", "text/plain"),
                ("添付ファイル.jpg", "image/jpeg"),
                ("画像", "image/png"),
            ]
        );
        assert_eq!(files[1].bytes, pdf);
        assert_eq!(names, ["ページ", "にせもの", "大きい", "空", "壊れた", "リンク"]);
        let whole = part("ちょうど", "text/plain", &vec![b'x'; FILE_MAX_BYTES]);
        assert_eq!(attached(std::iter::once(&whole)).0.len(), 1);
        assert_eq!(format!("{:?}", files[0]), "Attachment(***)");
        let many = vec![whole; ATTACHMENTS_MAX + 5];
        assert_eq!(attached(many.iter()).0.len(), ATTACHMENTS_MAX);
    }

    #[test]
    fn file_names_lead_nowhere_else() {
        let name = |title: &str| {
            Attachment { title: title.to_owned(), media_type: "application/pdf", bytes: Vec::new() }
                .file_name()
        };
        assert_eq!(name("学年だより 4月"), "学年だより 4月.pdf");
        assert_eq!(name("たより.PDF"), "たより.pdf");
        assert_eq!(name("../../etc/passwd"), "______etc_passwd.pdf");
        assert_eq!(name("たより.pdf.exe"), "たより_pdf_exe.pdf");
        assert_eq!(name(".pdf"), "file.pdf");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn whatever_is_attached_is_told_once(data in "\\PC{0,40}|[A-Za-z0-9+/=]{0,80}", kind in "application/pdf|text/plain|\\PC{0,12}", title in "\\PC{1,200}") {
            let part = json!({ "contentAttachment": { "title": title, "contentType": kind, "data": data } });
            let (files, names) = attached(std::iter::once(&part));
            let titled = usize::from(!tidy(&title).is_empty());
            prop_assert!(files.len() + names.len() <= 1 && files.len() + names.len() >= titled);
            for file in files {
                let name = file.file_name();
                prop_assert!(!name.contains(['/', '\\', '\0', '"']) && !name.starts_with('.'));
            }
        }
    }
}
