//! Printing and reading back.

use condition::{Condition, Limits, Path, Segment, Settings};
use proptest::prelude::*;

use crate::programs;

fn generous() -> Settings {
    let limits = Limits {
        bytes: 1 << 20,
        factors: 1 << 16,
        depth: 60,
        ..Limits::default()
    };
    Settings {
        limits,
        ..Settings::default()
    }
}

proptest! {
    #[test]
    fn a_printed_condition_reads_back_the_same(text in programs::condition()) {
        let settings = generous();
        let condition = Condition::parse_with(&text, &settings)
            .unwrap_or_else(|error| panic!("{text}\n{error}"));
        let printed = condition.expression().to_string();
        let again = Condition::parse_with(&printed, &settings)
            .unwrap_or_else(|error| panic!("{text}\n{printed}\n{error}"));
        prop_assert_eq!(condition.expression(), again.expression());
        prop_assert_eq!(&printed, &again.expression().to_string());
        prop_assert_eq!(condition.cost().factors, again.cost().factors);
    }

    #[test]
    fn a_printed_path_reads_back_the_same(text in programs::path()) {
        let path: Path = text.parse().unwrap();
        prop_assert_eq!(&path, &path.to_string().parse::<Path>().unwrap());
    }

    #[test]
    fn every_field_name_can_be_part_of_a_path(key in ".{0,20}", index in any::<u32>()) {
        let segments = vec![Segment::Key(key), Segment::Index(index)];
        let path = Path::new("event", segments.clone()).unwrap();
        prop_assert_eq!(path.segments(), &segments[..]);
        prop_assert_eq!(&path.to_string().parse::<Path>().unwrap(), &path);
    }

    #[test]
    fn every_quoted_text_means_itself(text in programs::quoted()) {
        let condition: Condition = format!("{text} == {text}").parse().unwrap();
        prop_assert!(condition.matches(&condition::Scope::at(jiff::Timestamp::UNIX_EPOCH)));
    }
}

#[test]
fn the_root_of_a_path_is_a_plain_word() {
    for root in [
        "", "a.b", "and", "if", "a-b", "now", " a", "a ", "'a'", "1", "ü", "a[0]",
    ] {
        assert!(Path::new(root, Vec::new()).is_err(), "{root}");
    }
    assert!(Path::new("event", vec![Segment::Index(0); 32]).is_err());
}
