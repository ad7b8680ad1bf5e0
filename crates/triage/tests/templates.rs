//! Templates from outside: what varies is learned, what does not stays.

use proptest::prelude::*;
use triage::Templates;

#[test]
fn a_word_that_varies_becomes_a_value_once_it_was_seen_to() {
    let mut templates = Templates::default();
    let ids: Vec<_> = ["anna", "ben", "carla", "dora", "emil"]
        .iter()
        .map(|name| templates.learn(&format!("password of user {name} was refused")))
        .collect();
    assert_ne!(ids[0], ids[1], "two names prove nothing");
    let whole = templates.current(ids[0]);
    assert!(ids.iter().all(|id| templates.current(*id) == whole));
    assert_eq!(
        templates.text(whole).as_deref(),
        Some("password of user <*> was refused")
    );
    assert_eq!(templates.find("password of user fritz was refused"), Some(whole));
}

#[test]
fn two_words_at_a_place_stay_two_messages() {
    let mut templates = Templates::default();
    let opened = templates.learn("session opened for the user");
    let closed = templates.learn("session closed for the user");
    assert_ne!(templates.current(opened), templates.current(closed));
}

#[test]
fn a_word_beside_a_value_is_a_value() {
    let mut templates = Templates::default();
    let named = templates.learn("connection refused from host mail.example.org today");
    let numbered = templates.learn("connection refused from host 10.1.2.3 today");
    assert_eq!(templates.current(named), templates.current(numbered));
}

#[test]
fn memory_is_bounded_and_the_used_survive() {
    let mut templates = Templates::with_capacity(100);
    let kept = templates.learn("the message that always comes");
    for number in 0..5000_u32 {
        let word: String = number
            .to_string()
            .bytes()
            .map(|digit| char::from(b'a' + digit - b'0'))
            .collect();
        templates.learn(&format!("{word} {word} {word} once"));
        assert_eq!(templates.learn("the message that always comes"), kept);
        assert!(templates.len() <= 101);
    }
}

fn messages() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        Just("disk"),
        Just("full"),
        Just("node7"),
        Just("a=b"),
        Just("<*>"),
        Just("()"),
        Just("10")
    ];
    let message = prop_oneof![
        8 => prop::collection::vec(word, 0..6).prop_map(|words| words.join(" ")),
        1 => "\\PC{0,40}",
    ];
    prop::collection::vec(message, 0..60)
}

proptest! {
    #[test]
    fn a_restart_changes_no_later_template(messages in messages(), restart in 0_usize..60) {
        let mut steady = Templates::with_capacity(16);
        let mut restarted = Templates::with_capacity(16);
        for (index, message) in messages.iter().enumerate() {
            if index == restart {
                restarted = serde_json::from_str(&serde_json::to_string(&restarted).unwrap()).unwrap();
            }
            prop_assert_eq!(steady.learn(message), restarted.learn(message));
        }
    }

    #[test]
    fn what_was_learned_is_found(messages in messages()) {
        let mut templates = Templates::default();
        for message in &messages {
            let id = templates.learn(message);
            prop_assert_eq!(templates.find(message).map(|found| templates.current(found)), Some(templates.current(id)));
        }
    }
}
