//! Accounts of staff: names, roles, passwords (argon2id, RFC 9106), and how often somebody guessed wrong.
//!
//! ```text
//! Staff  a ‖ name's index     the account, sealed under the node's key
//! ```

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::Staff;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] = &[sealed::<Account>("account", TABLE, b"a", &[Part::Digest])];

/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in bytes: hashing more would be work for nothing.
const PASSWORD_BYTES_MAX: usize = 256;
/// Longest name of an account.
const NAME_CHARS_MAX: usize = 40;
/// Wrong passwords before the next must wait.
const FREE_TRIES: u32 = 3;
/// Longest wait, in milliseconds.
const WAIT_MAX_MS: u64 = 60_000;
/// Memory in KiB, passes and lanes (OWASP Password Storage Cheat Sheet).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// What everybody tries first.
const WORST: [&str; 8] = [
    "password",
    "123456789012",
    "qwertyuiop",
    "administrator",
    "schoolschool",
    "hibiki",
    "letmein",
    "passw0rd",
];

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 教員
    Teacher,
    /// 栄養教諭・栄養士
    Nutritionist,
    /// 事務
    Office,
}

impl Role {
    /// What staff read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Teacher => "教員 / teacher",
            Self::Nutritionist => "栄養教諭 / nutritionist",
            Self::Office => "事務 / office",
        }
    }
}

/// An account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name, for the ledger.
    pub name: String,
    /// What others read.
    pub display: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Hash of the password, PHC string.
    password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(***)")
    }
}

/// Why an account could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// The name.
    #[error(
        "the name must be 1 to 40 letters, digits, '-', '_' or '.'; choose another / 名前に使えない文字があります"
    )]
    Name,
    /// The name is taken.
    #[error(
        "there is an account of this name; change it with `hibiki-node staff password` or remove it / その名前はもうあります"
    )]
    Taken,
    /// There is no such account.
    #[error("there is no such account; see `hibiki-node staff list` / その名前の職員はいません")]
    NoSuchAccount,
    /// The password.
    #[error(
        "the password must have 12 characters or more, and be neither the name nor one everybody tries; choose another / 合言葉は12文字以上で、名前やありふれた語は使えません"
    )]
    Password,
    /// Without a role there is nothing to do.
    #[error("at least one role is needed; say teacher, nutritionist or office / 役割が要ります")]
    NoRole,
    /// Hashing failed.
    #[error("the password could not be hashed; repeat the command")]
    Hash,
}

/// Why somebody is not let in. The page says the same to both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIn {
    /// Name or password.
    Wrong,
    /// Too many wrong ones of late: wait so many seconds.
    Wait(u64),
    /// The tables.
    Fault,
}

/// The accounts. Shared behind an [`Arc`](std::sync::Arc).
pub struct Accounts {
    means: Means,
    /// Wrong passwords by name, and when the last one was; gone with the process.
    wrong: Mutex<BTreeMap<String, (u32, u64)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Accounts {
    /// The accounts in these tables.
    pub fn new(means: Means) -> Self {
        Self { means, wrong: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Makes an account.
    ///
    /// # Errors
    /// The name is taken or unfit, the password too, there is no role, or it could not be logged or stored.
    pub async fn add(
        &self,
        name: &str,
        display: &str,
        roles: &[Role],
        password: Zeroizing<String>,
        by: &str,
    ) -> Result<(), AccountError> {
        let _turn = self.turn.lock().await;
        let name = fit(name)?;
        if roles.is_empty() {
            return Err(AccountError::NoRole);
        }
        if self.get(&name)?.is_some() {
            return Err(AccountError::Taken);
        }
        let hash = self.hash(&name, password).await?;
        self.log(super::commands::ADD, by).await?;
        let mut roles = roles.to_vec();
        roles.sort();
        roles.dedup();
        let display = display.split_whitespace().collect::<Vec<_>>().join(" ");
        let display = if display.is_empty() || display.chars().count() > 60 { name.clone() } else { display };
        let mut change = self.means.vault.change();
        change.insert(TABLE, &self.place(&name), &Account { name, display, roles, password: hash })?;
        Ok(change.commit().await?)
    }

    /// Gives an account another password.
    ///
    /// # Errors
    /// There is no such account, the password is unfit, or it could not be logged or stored.
    pub async fn set_password(
        &self,
        name: &str,
        password: Zeroizing<String>,
        by: &str,
    ) -> Result<(), AccountError> {
        let _turn = self.turn.lock().await;
        let row = self.get(name)?.ok_or(AccountError::NoSuchAccount)?;
        let hash = self.hash(&row.value.name, password).await?;
        self.log(super::commands::PASSWORD, by).await?;
        let mut change = self.means.vault.change();
        change.replace(TABLE, &row, &Account { password: hash, ..row.value.clone() })?;
        Ok(change.commit().await?)
    }

    /// Removes an account.
    ///
    /// # Errors
    /// There is no such account, or it could not be logged or stored.
    pub async fn remove(&self, name: &str, by: &str) -> Result<(), AccountError> {
        let _turn = self.turn.lock().await;
        let row = self.get(name)?.ok_or(AccountError::NoSuchAccount)?;
        self.log(super::commands::REMOVE, by).await?;
        let mut change = self.means.vault.change();
        change.delete(TABLE, row.key());
        Ok(change.commit().await?)
    }

    /// The accounts by name.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn list(&self) -> Result<Vec<Account>, AccountError> {
        let rows: Vec<Row<Account>> = self.means.vault.rows(TABLE, b"a")?;
        let mut accounts: Vec<Account> = rows.into_iter().map(|row| row.value).collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(accounts)
    }

    /// The account as it stands, for a session that is open.
    #[must_use]
    pub fn standing(&self, name: &str) -> Option<Account> {
        self.get(name).ok().flatten().map(|row| row.value)
    }

    /// Lets somebody in. A name nobody has takes as long as one with a wrong password.
    ///
    /// # Errors
    /// Why not.
    pub async fn enter(&self, name: &str, password: Zeroizing<String>) -> Result<Account, NotIn> {
        let name = name.trim().to_owned();
        let now = self.means.now().0;
        if let Some(wait) = self.wait(&name, now) {
            return Err(NotIn::Wait(wait));
        }
        let account = self.get(&name).map_err(|_| NotIn::Fault)?.map(|row| row.value);
        let hash = account.as_ref().map(|account| account.password.clone());
        let right =
            self.means.env.blocking(move || verify(hash.as_deref(), &password)).await.unwrap_or(false);
        match account.filter(|_| right) {
            Some(account) => {
                self.wrong().remove(&name);
                Ok(account)
            }
            None => {
                let mut wrong = self.wrong();
                // Made-up names must not fill the memory.
                if wrong.len() > 10_000 {
                    wrong.clear();
                }
                let (count, last) = wrong.entry(name).or_default();
                (*count, *last) = (count.saturating_add(1), now);
                Err(NotIn::Wrong)
            }
        }
    }

    /// Seconds to wait before the next try.
    fn wait(&self, name: &str, now: u64) -> Option<u64> {
        let (count, last) = self.wrong().get(name).copied()?;
        let beyond = count.checked_sub(FREE_TRIES)?;
        let wait = (1_000_u64 << beyond.min(10)).min(WAIT_MAX_MS);
        let left = last.saturating_add(wait).checked_sub(now)?;
        (left > 0).then_some(left.div_ceil(1_000))
    }

    fn wrong(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (u32, u64)>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hash(&self, name: &str, password: Zeroizing<String>) -> Result<String, AccountError> {
        let lower = password.to_lowercase();
        let unfit = password.chars().count() < PASSWORD_CHARS_MIN
            || password.len() > PASSWORD_BYTES_MAX
            || lower.contains(&name.to_lowercase())
            || WORST.iter().any(|word| lower.starts_with(word));
        if unfit {
            return Err(AccountError::Password);
        }
        let salt = self.means.env.random::<16>();
        let hashed = self.means.env.blocking(move || hash(&password, &salt)).await;
        hashed.flatten().ok_or(AccountError::Hash)
    }

    fn get(&self, name: &str) -> Result<Option<Row<Account>>, VaultError> {
        self.means.vault.get(TABLE, &self.place(name.trim()))
    }

    fn place(&self, name: &str) -> Vec<u8> {
        [b"a".as_slice(), &self.means.vault.index("staff", name.as_bytes())].concat()
    }

    async fn log(&self, action: &str, by: &str) -> Result<(), NotLogged> {
        let entry = details::Administration {
            by: by.to_owned(),
            action: action.to_owned(),
            outcome: "done".to_owned(),
        };
        self.means.log(None, &entry).await.map(drop)
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts(***)")
    }
}

fn fit(name: &str) -> Result<String, AccountError> {
    let name = name.trim();
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && name.chars().all(letter);
    if fits { Ok(name.to_owned()) } else { Err(AccountError::Name) }
}

fn argon() -> Option<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, salt: &[u8; 16]) -> Option<String> {
    let salt = SaltString::encode_b64(salt).ok()?;
    Some(argon()?.hash_password(password.as_bytes(), &salt).ok()?.to_string())
}

/// Compares; without a hash to compare with it takes as long and is never right.
fn verify(hash_of: Option<&str>, password: &str) -> bool {
    let Some(argon) = argon() else { return false };
    match hash_of.and_then(|text| PasswordHash::new(text).ok()) {
        Some(known) => argon.verify_password(password.as_bytes(), &known).is_ok(),
        None => {
            let _ = hash(password, &[0; 16]);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::institution::town::Town;

    fn word(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn an_account_lets_in_with_its_password_and_nobody_else() {
        let town = Town::new(Vec::new());
        let accounts = Accounts::new(town.means("school"));
        accounts
            .add("tanaka", "田中", &[Role::Nutritionist], word("けんこうなきゅうしょくを"), "root")
            .await
            .unwrap();
        assert_eq!(accounts.enter("tanaka", word("けんこうなきゅうしょくを")).await.unwrap().display, "田中");
        assert_eq!(accounts.enter("tanaka", word("x")).await.unwrap_err(), NotIn::Wrong);
        assert_eq!(accounts.enter("nobody", word("x")).await.unwrap_err(), NotIn::Wrong);
        accounts.set_password("tanaka", word("another long password"), "root").await.unwrap();
        assert!(accounts.enter("tanaka", word("けんこうなきゅうしょくを")).await.is_err());
        accounts.remove("tanaka", "root").await.unwrap();
        assert!(accounts.enter("tanaka", word("another long password")).await.is_err());
        let raw = format!("{:?}", town.house("school").store);
        assert!(!raw.contains("tanaka"));
    }

    #[tokio::test]
    async fn whoever_guesses_waits_longer_and_longer_and_is_never_shut_out() {
        let town = Town::new(Vec::new());
        let accounts = Accounts::new(town.means("school"));
        accounts.add("sato", "", &[Role::Office], word("a long enough word"), "root").await.unwrap();
        let mut waited = 0;
        for _ in 0..8 {
            if let Err(NotIn::Wait(seconds)) = accounts.enter("sato", word("wrong")).await {
                town.clock.advance(seconds * 1_000);
                waited += seconds;
            }
        }
        assert!(waited >= 3, "{waited}");
        town.clock.advance(WAIT_MAX_MS);
        assert!(accounts.enter("sato", word("a long enough word")).await.is_ok());
    }

    #[tokio::test]
    async fn unfit_names_and_passwords_are_refused() {
        let town = Town::new(Vec::new());
        let accounts = Accounts::new(town.means("school"));
        for (name, password) in [
            ("", "a long enough word"),
            ("a b", "a long enough word"),
            ("sato", "short"),
            ("sato", "sato2026sato2026"),
            ("sato", "password12345"),
        ] {
            assert!(
                accounts.add(name, "", &[Role::Office], word(password), "root").await.is_err(),
                "{name} {password}"
            );
        }
        assert!(accounts.add("sato", "", &[], word("a long enough word"), "root").await.is_err());
        accounts.add("sato", "", &[Role::Office], word("a long enough word"), "root").await.unwrap();
        let again = accounts.add("sato", "", &[Role::Office], word("a long enough word"), "root").await;
        assert!(matches!(again, Err(AccountError::Taken)));
    }
}
