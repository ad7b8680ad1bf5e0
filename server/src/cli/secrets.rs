//! The stored secrets and the key that they are sealed with. `check` and `restore` read the key that is there and never make
//! one, and neither does a start where something is sealed already: a new key would stand where the missing one belongs and
//! open nothing.

use std::path::Path;

use store::Store;

use crate::config::Settings;
use crate::outbox::signing;
use crate::services::store::keys;
use crate::vault::{KeyFileError, Unreadable, Vault};

/// What the database holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    /// What webhooks are signed with.
    pub(super) signing: Option<String>,
    /// Some key of an integration that is sealed.
    pub(super) integration: Option<String>,
}

impl Stored {
    pub(super) async fn read(store: &Store) -> Result<Self, store::Error> {
        let read = store.read(|tx| -> Result<Self, store::Error> {
            Ok(Self {
                signing: signing::stored(tx)?,
                integration: keys::some_sealed(tx)?,
            })
        });
        read.await
    }

    fn unreadable_with(&self, vault: &Vault) -> Option<Unreadable> {
        let of_integration = self.integration.as_deref().map(|one| vault.has_key_of(one));
        let of_webhooks = self
            .signing
            .as_deref()
            .map(|one| signing::try_to_open(vault, one));
        [of_integration, of_webhooks]
            .into_iter()
            .flatten()
            .find_map(Result::err)
    }

    /// What is kept, if anything is.
    fn example(&self) -> Option<&str> {
        self.signing.as_deref().or(self.integration.as_deref())
    }
}

/// The settings of a process that works on this database. A key is made where none is and nothing has been sealed; what
/// cannot be read is said, and events are taken all the same.
pub(super) async fn unlock(settings: Settings, store: &Store) -> anyhow::Result<Settings> {
    let stored = Stored::read(store).await?;
    let key_file = settings.key_file();
    let without_key = settings.secret_key_file.is_none()
        && key_file.as_deref().is_some_and(|path| !path.exists())
        && stored.unreadable_with(&Vault::default()).is_some();
    let settings = if without_key {
        settings
    } else {
        settings.with_vault()?
    };
    if let Some(reason) = stored.unreadable_with(&settings.vault) {
        tracing::error!("{}", unreadable(&reason, key_file.as_deref()));
    }
    Ok(settings)
}

/// One line for people.
pub(super) struct Look {
    pub(super) words: String,
    pub(super) is_readable: bool,
}

/// `key_file` is where the key belongs.
pub(super) fn look(stored: &Stored, key_file: Option<&Path>) -> Result<Look, KeyFileError> {
    let present = match key_file {
        Some(path) if exists(path)? => Some(path),
        _ => None,
    };
    let vault = match present {
        Some(path) => Vault::with_key_file(path)?,
        None => Vault::default(),
    };
    if let Some(reason) = stored.unreadable_with(&vault) {
        return Ok(Look {
            words: unreadable(&reason, key_file),
            is_readable: false,
        });
    }
    let words = match (present, key_file, stored.example()) {
        (Some(path), _, Some(stored)) if vault.wants_sealing(stored) => format!(
            "secrets: not sealed yet; `muster serve` seals them with {} when it next reads them",
            path.display()
        ),
        (Some(path), _, _) => format!(
            "secrets: sealed with {}; keep that file apart from copies of the database",
            path.display()
        ),
        (None, Some(path), _) => format!(
            "secrets: none is sealed yet; the key belongs in {}, which is not there",
            path.display()
        ),
        (None, None, _) => {
            "secrets: NOT sealed in the database; set secret_key_file, the same for every node".to_owned()
        }
    };
    Ok(Look {
        words,
        is_readable: true,
    })
}

fn exists(path: &Path) -> Result<bool, KeyFileError> {
    path.try_exists()
        .map_err(|error| KeyFileError::Unusable(path.display().to_string(), error))
}

fn unreadable(reason: &Unreadable, key_file: Option<&Path>) -> String {
    let what = match reason {
        Unreadable::NoKey(key) => format!("sealed with the key {key}, which is missing"),
        Unreadable::OtherKey(key) => format!("sealed with the key {key}, and the key file holds another"),
        Unreadable::Damaged => return format!("secrets: UNREADABLE; {reason}"),
    };
    let remedy = match key_file {
        Some(path) => format!("put the file with that key at {}", path.display()),
        None => "name the file with that key as secret_key_file".to_owned(),
    };
    format!(
        "secrets: UNREADABLE; {what}. To mend it, {remedy}; until then no webhook is sent and no key of an integration shown; events are taken"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed_with(path: &Path) -> String {
        let vault = Vault::with_own_key_file(path).unwrap();
        vault.seal("webhook_signing_secret", "a secret").unwrap()
    }

    fn of_webhooks(stored: &str) -> Stored {
        Stored {
            signing: Some(stored.to_owned()),
            integration: None,
        }
    }

    fn said(stored: &Stored, path: Option<&Path>) -> String {
        look(stored, path).unwrap().words
    }

    #[test]
    fn a_missing_key_is_named_with_its_place_and_never_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        let stored = sealed_with(&path);
        std::fs::remove_file(&path).unwrap();
        let key = stored.split(':').nth(2).unwrap();
        let words = said(&of_webhooks(&stored), Some(&path));
        assert!(words.contains("UNREADABLE") && words.contains(key), "{words}");
        assert!(words.contains(&path.display().to_string()), "{words}");
        assert!(!path.exists(), "a key was made");
        let nowhere = said(&of_webhooks(&stored), None);
        assert!(nowhere.contains("secret_key_file"), "{nowhere}");
    }

    #[test]
    fn another_key_is_said_to_be_another() {
        let directory = tempfile::tempdir().unwrap();
        let stored = sealed_with(&directory.path().join("ours"));
        let theirs = directory.path().join("theirs");
        Vault::with_own_key_file(&theirs).unwrap();
        let words = said(&of_webhooks(&stored), Some(&theirs));
        assert!(words.contains("holds another"), "{words}");
    }

    #[test]
    fn sealed_is_said_only_of_what_opens() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        assert!(said(&Stored::default(), Some(&path)).contains("none is sealed yet"));
        assert!(said(&of_webhooks("plain"), None).contains("NOT sealed"));
        assert!(!path.exists(), "a key was made");
        let stored = sealed_with(&path);
        assert!(said(&of_webhooks(&stored), Some(&path)).starts_with("secrets: sealed with"));
        let plain = said(&of_webhooks("plain"), Some(&path));
        assert!(plain.contains("not sealed yet"), "{plain}");
        let moved = stored.replace("sealed:1:", "sealed:1:x");
        assert!(said(&of_webhooks(&moved), Some(&path)).contains("UNREADABLE"));
    }
}
