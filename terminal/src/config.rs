//! The terminal's settings: which federation, which gateway. No secret and no person stands in them.

use std::path::{Path, PathBuf};

use hibiki_protocol::ids::MemberId;
use serde::Deserialize;

use crate::trouble::Trouble;

/// The settings file, TOML.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The federation's root, as the council handed it out.
    pub root: PathBuf,
    /// The trust list to begin with; newer ones are fetched from the gateway.
    pub trust_list: PathBuf,
    /// The gateway: the home node of this town.
    #[serde(deserialize_with = "member")]
    pub gateway: MemberId,
    /// Where to reach it, if not where the trust list says.
    pub gateway_address: Option<String>,
}

fn member<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<MemberId, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Config {
    /// Reads settings; paths in them are relative to the file's folder.
    ///
    /// # Errors
    /// The file is missing, or has a key it should not have; the message names line and column.
    pub fn load(path: &Path) -> Result<Self, Trouble> {
        let fail = |reason: String| Trouble::File { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| fail(error.to_string()))?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        config.root = folder.join(&config.root);
        config.trust_list = folder.join(&config.trust_list);
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_loads_with_every_setting() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples/terminal.toml");
        let config = Config::load(&example).unwrap();
        assert_eq!(config.gateway.as_str(), "maebashi/city-hall");
        let text = std::fs::read_to_string(&example).unwrap().replace("#gateway-address", "gateway-address");
        let config: Config = toml::from_str(&text).unwrap();
        assert!(config.gateway_address.is_some());
    }

    #[test]
    fn an_unknown_setting_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.toml");
        std::fs::write(
            &path,
            "root = \"r\"\ntrust-list = \"t\"\ngateway = \"a/b\"\ngatewayaddress = \"x\"\n",
        )
        .unwrap();
        let refused = Config::load(&path).unwrap_err().to_string();
        assert!(refused.contains("line 4") && refused.contains("gatewayaddress"), "{refused}");
        std::fs::write(&path, "root = \"r\"\ntrust-list = \"t\"\ngateway = \"City Hall\"\n").unwrap();
        assert!(Config::load(&path).is_err());
    }
}
