//! COMPUTE DIGITAL SIGNATURE, the card's own `80 2A` (JPKI).

use super::Applet;
use super::apdu::{Answer, Command, StatusWord};
use super::files::File;
use super::rsa_key::Scheme;

impl Applet {
    /// Signs with the selected key, or the one P2 names. One VERIFY allows any number of signatures.
    pub(super) fn sign(&mut self, command: &Command<'_>) -> Answer {
        let File::Key(slot) = self.referenced(command.p2)? else {
            return Err(StatusWord::NOT_THIS_KIND_OF_FILE);
        };
        let scheme = Scheme::from_p1(command.p1).ok_or(StatusWord::WRONG_P1_P2)?;
        let key = self.open.get(&slot).ok_or(StatusWord::NOT_VERIFIED)?;
        key.sign(scheme, command.data)
    }
}
