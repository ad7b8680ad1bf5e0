//! What customers write: cut into words, matched to known topics, and gathered into new ones.
//!
//! A customer's sentence is short, misspelt and about one thing. The modules here read it without any downloaded
//! model: [`tokens`] cuts it, [`Classifier`] learns topics from the few examples that agents give by linking cases,
//! says when none fits, and names the words that decided. [`discovery`] gathers texts about things that nobody named
//! yet. All of it is deterministic, bounded in memory and
//! serialisable, and no text can make it fail.
//!
//! ```
//! use triage::words::{Classifier, Decision, Settings};
//!
//! let mut classifier = Classifier::new(Settings::default());
//! for (topic, text) in [
//!     ("card-declined", "my card was declined in the shop"),
//!     ("card-declined", "payment refused although there is money on my card"),
//!     ("login", "the app will not let me sign in"),
//!     ("login", "I forgot my password and cannot log in"),
//! ] {
//!     classifier.teach(topic, text)?;
//! }
//! classifier.fit();
//! let verdict = classifier.classify("Why was my card DECLINED?");
//! assert_eq!(verdict.decision, Decision::Topic("card-declined".to_owned()));
//! assert!(verdict.candidates[0].words.iter().any(|word| word.text == "declined"));
//! # Ok::<(), triage::words::TeachError>(())
//! ```

mod classifier;
pub mod discovery;
mod families;
mod features;
mod linear;
mod model;
mod text;

pub use classifier::{Candidate, Classifier, DecidingWord, Decision, Settings, TeachError, Verdict};
pub use text::{BYTES_READ, Kind, TOKENS_READ, Token, tokens};
pub(crate) use text::{first_characters, is_glue, stem};
