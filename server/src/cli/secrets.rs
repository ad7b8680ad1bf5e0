//! What `check` and `restore` say of the stored secret and its key. They read the key that is there and never make
//! one: a new key would stand where the missing one belongs and open nothing.

use std::path::Path;

use crate::outbox::signing;
use crate::vault::{KeyFileError, Unreadable, Vault};

/// One line. `stored` is the secret as the database holds it; `key_file` is where its key belongs.
pub(super) fn look(stored: Option<&str>, key_file: Option<&Path>) -> Result<String, KeyFileError> {
    let present = match key_file {
        Some(path) if exists(path)? => Some(path),
        _ => None,
    };
    let vault = match present {
        Some(path) => Vault::with_key_file(path)?,
        None => Vault::default(),
    };
    if let Some(Err(reason)) = stored.map(|stored| signing::try_to_open(&vault, stored)) {
        return Ok(unreadable(&reason, key_file));
    }
    Ok(match (present, key_file, stored) {
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
    format!("secrets: UNREADABLE; {what}. Before you start Muster, {remedy}; until then no webhook is sent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed_with(path: &Path) -> String {
        let vault = Vault::with_own_key_file(path).unwrap();
        vault.seal("webhook_signing_secret", "a secret").unwrap()
    }

    #[test]
    fn a_missing_key_is_named_with_its_place_and_never_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        let stored = sealed_with(&path);
        std::fs::remove_file(&path).unwrap();
        let key = stored.split(':').nth(2).unwrap();
        let said = look(Some(&stored), Some(&path)).unwrap();
        assert!(said.contains("UNREADABLE") && said.contains(key), "{said}");
        assert!(said.contains(&path.display().to_string()), "{said}");
        assert!(!path.exists(), "a key was made");
        let nowhere = look(Some(&stored), None).unwrap();
        assert!(nowhere.contains("secret_key_file"), "{nowhere}");
    }

    #[test]
    fn another_key_is_said_to_be_another() {
        let directory = tempfile::tempdir().unwrap();
        let stored = sealed_with(&directory.path().join("ours"));
        let theirs = directory.path().join("theirs");
        Vault::with_own_key_file(&theirs).unwrap();
        let said = look(Some(&stored), Some(&theirs)).unwrap();
        assert!(said.contains("holds another"), "{said}");
    }

    #[test]
    fn sealed_is_said_only_of_what_opens() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        assert!(look(None, Some(&path)).unwrap().contains("none is sealed yet"));
        assert!(look(Some("plain"), None).unwrap().contains("NOT sealed"));
        assert!(!path.exists(), "a key was made");
        let stored = sealed_with(&path);
        assert!(
            look(Some(&stored), Some(&path))
                .unwrap()
                .starts_with("secrets: sealed with")
        );
        let plain = look(Some("plain"), Some(&path)).unwrap();
        assert!(plain.contains("not sealed yet"), "{plain}");
        let moved = stored.replace("sealed:1:", "sealed:1:x");
        assert!(look(Some(&moved), Some(&path)).unwrap().contains("UNREADABLE"));
    }
}
