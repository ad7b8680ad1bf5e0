//! Secrets that must be readable again, sealed with a key that is not in the database.
//!
//! Most secrets are kept as hashes; a few, such as the one that webhooks are signed with, Muster must be able to
//! read. They are stored as `sealed:1:<key>:<text>`: ChaCha20-Poly1305 (RFC 8439) under a fresh nonce, bound to
//! what the secret is for, so that one cannot be put in the place of another. Whoever has a copy of the database
//! and not the key file has none of them. Without a key file secrets are stored as they are; they are sealed
//! when they are next read after a key has been given.

use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

const KEY_LENGTH: usize = 32;
const MARK: &str = "sealed:1:";

/// Why a stored secret cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is sealed with the key {0}, and no key file is configured (secret_key_file)")]
    NoKey(String),
    #[error("it is sealed with the key {0}, which is not the one in the key file")]
    OtherKey(String),
    #[error("it has been damaged, or stands where it does not belong")]
    Damaged,
}

/// A secret that could not be sealed, and is not to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it could not be sealed")]
pub struct NotSealed;

impl From<NotSealed> for store::Error {
    fn from(error: NotSealed) -> Self {
        Self::Invalid {
            reason: error.to_string(),
        }
    }
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the key file {0} cannot be read or made: {1}")]
    Unusable(String, std::io::Error),
    #[error("the key file {0} must hold 64 hexadecimal characters; `openssl rand -hex 32` makes them")]
    NoKey(String),
    #[error("the system gives no randomness")]
    NoRandomness,
}

/// Seals and opens. Does nothing where there is no key.
#[derive(Clone, Default)]
pub struct Vault {
    key: Option<Key>,
}

#[derive(Clone)]
struct Key {
    sealing: LessSafeKey,
    /// The beginning of the key's hash: tells keys apart and says nothing about them.
    name: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            Some(key) => write!(formatter, "Vault(key {})", key.name),
            None => formatter.write_str("Vault(no key)"),
        }
    }
}

impl Vault {
    /// With the key in a file of 64 hexadecimal characters. Warns of a file that others can read.
    pub fn with_key_file(path: &Path) -> Result<Self, KeyFileError> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| KeyFileError::Unusable(name(), error))?;
        if is_open_to_others(path) {
            tracing::warn!(
                "others on this machine can read the key file {}; give it to its owner alone: chmod 600",
                path.display()
            );
        }
        let bytes = HEXLOWER
            .decode(text.trim().to_lowercase().as_bytes())
            .ok()
            .filter(|bytes| bytes.len() == KEY_LENGTH)
            .ok_or_else(|| KeyFileError::NoKey(name()))?;
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| KeyFileError::NoKey(name()))?;
        let hash = HEXLOWER.encode(&Sha256::digest(&bytes));
        Ok(Self {
            key: Some(Key {
                sealing: LessSafeKey::new(unbound),
                name: hash.get(..8).unwrap_or_default().to_owned(),
            }),
        })
    }

    /// The same, making the file with a fresh key, readable by its owner only, where there is none.
    pub fn with_own_key_file(path: &Path) -> Result<Self, KeyFileError> {
        let unusable = |error| KeyFileError::Unusable(path.display().to_string(), error);
        if !path.try_exists().map_err(unusable)? {
            let mut bytes = [0_u8; KEY_LENGTH];
            SystemRandom::new()
                .fill(&mut bytes)
                .map_err(|_| KeyFileError::NoRandomness)?;
            match write_new(path, &format!("{}\n", HEXLOWER.encode(&bytes))) {
                // Another process was faster; its key counts.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                written => written.map_err(unusable)?,
            }
        }
        Self::with_key_file(path)
    }

    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The secret as it is to be stored. `purpose` says what it is for and never changes.
    pub fn seal(&self, purpose: &str, secret: &str) -> Result<String, NotSealed> {
        let Some(key) = &self.key else {
            return Ok(secret.to_owned());
        };
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut text = secret.as_bytes().to_vec();
        key.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| NotSealed)?;
        let mut whole = nonce.to_vec();
        whole.extend(text);
        Ok(format!("{MARK}{}:{}", key.name, BASE64.encode(&whole)))
    }

    /// Whether a stored secret is still to be sealed.
    pub fn wants_sealing(&self, stored: &str) -> bool {
        self.has_key() && !stored.starts_with(MARK)
    }

    /// Whether a stored secret is open, or sealed with the key that is here. Says nothing about damage.
    pub fn has_key_of(&self, stored: &str) -> Result<(), Unreadable> {
        let Some(sealed) = stored.strip_prefix(MARK) else {
            return Ok(());
        };
        let (name, _) = sealed.split_once(':').ok_or(Unreadable::Damaged)?;
        match &self.key {
            None => Err(Unreadable::NoKey(name.to_owned())),
            Some(key) if key.name != name => Err(Unreadable::OtherKey(name.to_owned())),
            Some(_) => Ok(()),
        }
    }

    /// The secret as it was before it was stored.
    pub fn open(&self, purpose: &str, stored: &str) -> Result<String, Unreadable> {
        let Some(sealed) = stored.strip_prefix(MARK) else {
            return Ok(stored.to_owned());
        };
        let (name, text) = sealed.split_once(':').ok_or(Unreadable::Damaged)?;
        self.has_key_of(stored)?;
        let Some(key) = &self.key else {
            return Err(Unreadable::NoKey(name.to_owned()));
        };
        let whole = BASE64.decode(text.as_bytes()).map_err(|_| Unreadable::Damaged)?;
        let (nonce, text) = whole
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(Unreadable::Damaged)?;
        let mut text = text.to_vec();
        let secret = key
            .sealing
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(purpose.as_bytes()),
                &mut text,
            )
            .map_err(|_| Unreadable::Damaged)?;
        String::from_utf8(secret.to_vec()).map_err(|_| Unreadable::Damaged)
    }
}

/// Writes a file that must not exist yet, for its owner's eyes only. It appears whole or not at all: whoever is
/// interrupted leaves at most a file beside it that nobody reads.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let draft = draft_beside(path);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        std::fs::remove_file(&draft)?;
        return Err(error);
    }
    put_in_place(&draft, path)?;
    #[cfg(unix)]
    std::fs::File::open(folder(path))?.sync_all()?;
    Ok(())
}

/// A link never takes the place of a file that is there. Where the file system knows no links, the file is moved.
fn put_in_place(draft: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(draft, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists && !path.try_exists()? => {
            std::fs::rename(draft, path)
        }
        linked => {
            std::fs::remove_file(draft)?;
            linked
        }
    }
}

#[cfg(unix)]
fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A name that no other process takes.
fn draft_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}", rand::random::<u64>()));
    path.with_file_name(name)
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(directory: &tempfile::TempDir, name: &str) -> Vault {
        Vault::with_own_key_file(&directory.path().join(name)).unwrap()
    }

    #[test]
    fn what_is_sealed_is_read_again_with_the_same_key_only() {
        let directory = tempfile::tempdir().unwrap();
        let ours = vault(&directory, "ours");
        let sealed = ours.seal("webhooks", "a secret").unwrap();
        assert!(sealed.starts_with(MARK) && !sealed.contains("secret"), "{sealed}");
        assert_ne!(
            sealed,
            ours.seal("webhooks", "a secret").unwrap(),
            "each sealing has its own nonce"
        );
        let again = vault(&directory, "ours");
        assert_eq!(again.open("webhooks", &sealed), Ok("a secret".to_owned()));
        let theirs = vault(&directory, "theirs").open("webhooks", &sealed);
        assert!(matches!(theirs, Err(Unreadable::OtherKey(_))), "{theirs:?}");
        let without = Vault::default().open("webhooks", &sealed);
        assert!(matches!(without, Err(Unreadable::NoKey(_))), "{without:?}");
    }

    #[test]
    fn a_sealed_text_cannot_be_altered_or_put_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(&directory, "key");
        let sealed = vault.seal("webhooks", "a secret").unwrap();
        assert_eq!(vault.open("something else", &sealed), Err(Unreadable::Damaged));
        let (head, text) = sealed.rsplit_once(':').unwrap();
        let mut bytes = BASE64.decode(text.as_bytes()).unwrap();
        for position in 0..bytes.len() {
            bytes[position] ^= 1;
            let altered = format!("{head}:{}", BASE64.encode(&bytes));
            assert_eq!(
                vault.open("webhooks", &altered),
                Err(Unreadable::Damaged),
                "{position}"
            );
            bytes[position] ^= 1;
        }
        for cut in ["", "AAAA", "%"] {
            assert_eq!(
                vault.open("webhooks", &format!("{head}:{cut}")),
                Err(Unreadable::Damaged)
            );
        }
    }

    #[test]
    fn without_a_key_secrets_stay_readable_and_are_sealed_once_there_is_one() {
        let none = Vault::default();
        assert_eq!(none.seal("webhooks", "a secret").unwrap(), "a secret");
        assert!(!none.wants_sealing("a secret"));
        let directory = tempfile::tempdir().unwrap();
        let vault = vault(&directory, "key");
        assert_eq!(vault.open("webhooks", "a secret"), Ok("a secret".to_owned()));
        assert!(vault.wants_sealing("a secret"));
        assert!(!vault.wants_sealing(&vault.seal("webhooks", "a secret").unwrap()));
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_and_must_hold_a_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        Vault::with_own_key_file(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim().len(), 64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        Vault::with_own_key_file(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        std::fs::write(&path, "too short").unwrap();
        assert!(matches!(
            Vault::with_own_key_file(&path),
            Err(KeyFileError::NoKey(_))
        ));
        let missing = Vault::with_key_file(&directory.path().join("missing"));
        assert!(matches!(missing, Err(KeyFileError::Unusable(..))));
    }

    #[test]
    fn a_key_file_appears_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        write_new(&path, "first").unwrap();
        let again = write_new(&path, "second").unwrap_err();
        assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        Vault::with_own_key_file(&path).unwrap();
        assert!(!is_open_to_others(&path));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(is_open_to_others(&path));
    }

    #[test]
    fn the_key_is_never_printed() {
        let directory = tempfile::tempdir().unwrap();
        let key = vault(&directory, "key");
        let text = std::fs::read_to_string(directory.path().join("key")).unwrap();
        assert!(!format!("{key:?}").contains(text.trim()));
    }
}
