//! The stable JSON of a guardian's choices.

use hibiki_protocol::act::Withdrawal;
use hibiki_protocol::ids::Category;
use serde::Serialize;

use super::history::EntryJson;
use super::{ReceiptJson, StandingJson, rfc3339};
use crate::change::ChangeReceipt;
use crate::consent::ConsentPart;

/// One institution's part.
#[derive(Serialize)]
pub struct ConsentJson<'a> {
    #[serde(flatten)]
    standing: StandingJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<Vec<WithdrawalJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ChangeReceiptJson<'a>>,
}

impl<'a> From<&'a ConsentPart> for ConsentJson<'a> {
    fn from(part: &'a ConsentPart) -> Self {
        let withdrawn =
            part.choices.as_ref().map(|choices| choices.withdrawn.iter().map(Into::into).collect());
        Self { standing: (&part.standing).into(), withdrawn, receipt: part.receipt.as_ref().map(Into::into) }
    }
}

#[derive(Serialize)]
struct WithdrawalJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    reach: &'static str,
    at: String,
}

impl<'a> From<&'a Withdrawal> for WithdrawalJson<'a> {
    fn from(withdrawal: &'a Withdrawal) -> Self {
        Self {
            category: withdrawal.category.as_ref().map(Category::as_str),
            reach: withdrawal.reach.as_str(),
            at: rfc3339(withdrawal.at),
        }
    }
}

/// The receipt of a change.
#[derive(Serialize)]
pub(super) struct ChangeReceiptJson<'a> {
    #[serde(flatten)]
    receipt: ReceiptJson<'a>,
    entry: EntryJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tlog_proof: Option<&'a str>,
}

impl<'a> From<&'a ChangeReceipt> for ChangeReceiptJson<'a> {
    fn from(receipt: &'a ChangeReceipt) -> Self {
        Self {
            receipt: (&receipt.receipt).into(),
            entry: (&receipt.entry).into(),
            tlog_proof: receipt.file.as_deref(),
        }
    }
}
