//! What a path names. Pure: a path is understood as a whole and in one spelling, or it names nothing; no part of it
//! ever becomes the name of a file.

use hibiki_protocol::tlog::Tile;

/// Longest path that is looked at, in bytes: the last tile of a ledger of 2^64 entries has 45.
const PATH_BYTES_MAX: usize = 64;

/// Something that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// The newest head.
    Checkpoint,
    /// The newest head with cosignatures.
    Cosigned,
    /// A tile of hashes.
    Hashes(Tile),
    /// The bundle of leaves under this tile of level 0.
    Entries(Tile),
    /// The trust list in force.
    TrustList,
}

impl Resource {
    /// What an HTTP path names, if anything.
    pub(super) fn parse(path: &str) -> Option<Self> {
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        match path.strip_prefix('/')? {
            "checkpoint" => Some(Self::Checkpoint),
            "cosigned" => Some(Self::Cosigned),
            "trust-list" => Some(Self::TrustList),
            path => match path.strip_prefix("tile/entries/") {
                Some(number) => format!("tile/0/{number}").parse().ok().map(Self::Entries),
                None => path.parse().ok().map(Self::Hashes),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_published_is_found() {
        assert_eq!(Resource::parse("/checkpoint"), Some(Resource::Checkpoint));
        assert_eq!(
            Resource::parse("/tile/0/x001/234.p/8"),
            Some(Resource::Hashes(Tile::partial(0, 1234, 8)))
        );
        assert_eq!(Resource::parse("/tile/entries/000"), Some(Resource::Entries(Tile::full(0, 0))));
        let last = Tile::partial(63, u64::MAX, 255);
        assert_eq!(Resource::parse(&format!("/{}", last.path())), Some(Resource::Hashes(last)));
        let last = Tile::partial(0, u64::MAX, 255);
        assert_eq!(Resource::parse(&format!("/{}", last.entries_path())), Some(Resource::Entries(last)));
    }

    #[test]
    fn nothing_else_is() {
        for path in [
            "",
            "/",
            "checkpoint",
            "//checkpoint",
            "/checkpoint/",
            "/./checkpoint",
            "/checkpoints",
            "/journal/00000001",
            "/lock",
            "/tile/../journal/00000001",
            "/tile/entries/../../journal/00000001",
            "/tile/entries/%2e%2e/journal",
            "/tile/entries/0",
            "/tile/entries/0000",
            "/tile/entries/x000/000",
            "/tile/0/000.p/0",
            "/tile/0/000.p/256",
            "/tile/64/000",
            "/tile/00/000",
            "/tile/0/000.p/8/",
            "/tile/0/000\0",
            "/tile/0/０００",
            "/trust-list/1",
        ] {
            assert_eq!(Resource::parse(path), None, "{path}");
        }
        assert_eq!(Resource::parse(&format!("/tile/0/{}000", "x001/".repeat(20))), None);
    }

    proptest! {
        #[test]
        fn a_path_has_one_spelling(path in "/(tile/)?(entries/|[0-9]{1,2}/)?[x./%0-9a-z-]{0,20}(.p/[0-9]{1,3})?") {
            match Resource::parse(&path) {
                Some(Resource::Hashes(tile)) => prop_assert_eq!(path, format!("/{}", tile.path())),
                Some(Resource::Entries(tile)) => prop_assert_eq!(path, format!("/{}", tile.entries_path())),
                Some(_) => prop_assert!(["/checkpoint", "/cosigned", "/trust-list"].contains(&path.as_str())),
                None => {}
            }
        }
    }
}
