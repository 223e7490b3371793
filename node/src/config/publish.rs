//! Whether the settings of the ledger's publication make sense.

use super::Publish;
use super::check::Checker;

impl Checker<'_> {
    pub(super) fn publish(&mut self) -> Option<Publish> {
        let ledger = &self.shape.ledger;
        let token_file = ledger.publish_token_file.as_ref().map(|path| self.folder.join(path));
        let Some(address) = ledger.publish else {
            if token_file.is_some() {
                let next = "name the address with publish = \"IP:PORT\", or take the token out";
                self.warning("ledger.publish-token-file", "not used: the ledger is not published", next);
            }
            return None;
        };
        if !address.ip().is_loopback() {
            if token_file.is_none() {
                let next = "set publish-token-file, or use 127.0.0.1 or [::1]";
                self.problem("ledger.publish", "anybody on the network could follow the ledger", next);
            } else {
                let what = "the token crosses the network in the clear";
                let next = "use 127.0.0.1 with a TLS proxy in front, or let the regulator in by VPN alone";
                self.warning("ledger.publish", what, next);
            }
        }
        Some(Publish { address, token_file })
    }
}
