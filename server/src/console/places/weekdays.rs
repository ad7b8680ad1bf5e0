//! Days of the week as people type them: `Mon to Fri`, `Mon, Wed, Sat to Sun`, `every day`. Days are counted from
//! Monday, which is 1.

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LONGEST_TEXT: usize = 120;

/// The words for some days; days that follow each other are said as a stretch.
pub(super) fn written(days: &[u8]) -> String {
    let has = |day: u8| days.contains(&day);
    let mut parts = Vec::new();
    let mut day = 1;
    while day <= 7 {
        if !has(day) {
            day += 1;
            continue;
        }
        let last = (day..=7).take_while(|next| has(*next)).last().unwrap_or(day);
        parts.push(match last - day {
            0 => name(day).to_owned(),
            _ => format!("{} to {}", name(day), name(last)),
        });
        day = last + 1;
    }
    parts.join(", ")
}

fn name(day: u8) -> &'static str {
    DAYS.get(usize::from(day.saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// The days in their order, each once. Nothing where it cannot be read.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST_TEXT {
        return None;
    }
    let plain = text.trim().to_lowercase().replace(['–', '—', '-'], " to ");
    if plain == "every day" {
        return Some((1..=7).collect());
    }
    let mut days = Vec::new();
    for part in plain.replace(" and ", ",").split(',') {
        let words: Vec<&str> = part.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [one] => days.push(day(one)?),
            [first, "to", last] => {
                let (first, last) = (day(first)?, day(last)?);
                let steps = (last + 7 - first) % 7;
                days.extend((0..=steps).map(|step| (first - 1 + step) % 7 + 1));
            }
            _ => return None,
        }
    }
    days.sort_unstable();
    days.dedup();
    (!days.is_empty()).then_some(days)
}

/// "mon", "monday" and whatever is between them: 1 for Monday.
pub(super) fn day(word: &str) -> Option<u8> {
    const WHOLE: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let found = WHOLE
        .iter()
        .position(|whole| word.len() >= 3 && whole.starts_with(word))?;
    u8::try_from(found + 1).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_are_read_as_people_type_them() {
        assert_eq!(read("Mon to Fri"), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(read("mon-wed, saturday"), Some(vec![1, 2, 3, 6]));
        assert_eq!(read("Fri to Mon"), Some(vec![1, 5, 6, 7]));
        assert_eq!(read("Tue and Thurs"), Some(vec![2, 4]));
        assert_eq!(read("every day"), Some(vec![1, 2, 3, 4, 5, 6, 7]));
    }

    #[test]
    fn what_is_no_day_is_not_guessed() {
        for text in ["", "someday", "M", "Mon to", "Mon Tue"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(days in prop::collection::btree_set(1..=7_u8, 1..=7)) {
            let days: Vec<u8> = days.into_iter().collect();
            prop_assert_eq!(read(&written(&days)), Some(days));
        }
    }
}
