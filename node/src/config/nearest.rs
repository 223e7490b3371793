//! "Did you mean …?": the nearest of the words that would have been right.

/// Furthest a word may be from what was written and still be offered, as a share of its length in percent.
const DISTANCE_MAX_PERCENT: usize = 40;

/// The candidate nearest to `written`, if one is near enough to be meant: by Damerau-Levenshtein distance,
/// taking `-`, `_` and case for the same.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', ' '], "-");
    let written = plain(written);
    let (distance, near) = candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&written, &plain(candidate)), candidate))
        .min()?;
    let length = written.chars().count().max(near.chars().count());
    (distance * 100 <= length * DISTANCE_MAX_PERCENT).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["data-dir", "name-ja", "name-en", "kind", "id"];
        for (written, expected) in [
            ("data_dir", Some("data-dir")),
            ("datadir", Some("data-dir")),
            ("DATA-DIR", Some("data-dir")),
            ("name-jp", Some("name-ja")),
            ("knid", Some("kind")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, keys), expected, "{written}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
