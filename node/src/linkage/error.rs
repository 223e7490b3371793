//! Why links could not be read or changed. No message names a person.

use super::token::TokenFault;
use crate::admin::AdminError;
use crate::admin::body::BodyError;
use crate::ledger::NotLogged;
use crate::vault::VaultError;

/// Why an act on links was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// The record book.
    #[error("the persons of this institution cannot be read: {0}")]
    Persons(String),
    /// A token that is not usable here.
    #[error("{0}")]
    Token(#[from] TokenFault),
    /// The upload.
    #[error("{0}")]
    Body(#[from] BodyError),
    /// Nobody here has this number.
    #[error("nobody here has this local number; import the person first / その番号の人は登録されていません")]
    NoSuchPerson,
    /// She is not linked.
    #[error("this person is not linked; see `hibiki-node link add --help` / 連携されていません")]
    NotLinked,
    /// Somebody else is.
    #[error(
        "this person is linked to another resident of the same registry already; look at both with `hibiki-node link list`, and remove the wrong link first / すでに別の住民と連携されています"
    )]
    LinkedOtherwise,
    /// Birth date, sex or kana do not agree.
    #[error(
        "the registry means a person with another {0}; the token is in quarantine, nothing is shown to anybody; correct the person here and try again / 台帳と一致しません"
    )]
    Mismatch(String),
    /// Nothing of this id waits.
    #[error(
        "nothing with this id is in quarantine; see `hibiki-node link quarantine list` / 該当する保留がありません"
    )]
    NoSuchId,
}

impl From<LinkError> for AdminError {
    fn from(error: LinkError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}
