//! Times of resolution that nobody answers for: a sentence that says when it will be over needs the estimate that stands
//! among the facts, with both of its ends.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use regex::Regex;

use super::{Against, Field, Finding, FindingKind, Weight, finding, pattern};
use crate::updates::model::Phase;
use crate::updates::promised_words;
use crate::updates::readability::sentences;

static REPAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:fix(?:ed)?|resol(?:ve|ved|ution)|restor(?:e|ed|ation)|repair(?:ed)?|recover(?:ed|y)?|solved|sorted|back to normal|back up|be back|come back|work(?:ing)? again|up and running|running again|be over|all clear)\b",
    )
});

static FORECAST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?:by|within|before|in|until|around|about|between|after|at)\s+(?:about\s+|around\s+|approximately\s+|the\s+next\s+|the\s+end\s+of\s+)?(?:\d{1,2}[:.]\d{2}|\d{1,2}\s?(?:am|pm|o.clock)|(?:\d+|an?|one|two|three|four|five|six|ten|twelve|a\s+few|a\s+couple\s+of|half\s+an)\s+(?:minutes?|mins?|hours?|hrs?|days?)|noon|midday|midnight|tomorrow|tonight|today|monday|tuesday|wednesday|thursday|friday|saturday|sunday|this\s+(?:morning|afternoon|evening)|the\s+(?:day|week|morning|afternoon|evening))|shortly|very\s+soon|soon|any\s+minute|momentarily|imminently|tomorrow|tonight)\b",
    )
});

static ETA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:eta|etr|estimated (?:time|resolution)|expected (?:fix|resolution))\b")
});

/// A past event is no forecast.
static PAST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:was|were|has been|have been|since|is over|works again)\b"));

pub(super) fn find(field: Field, text: &str, against: &Against<'_>, findings: &mut Vec<Finding>) {
    if against.phase == Phase::Resolved {
        return;
    }
    let zone = TimeZone::get(&against.audience.time_zone).unwrap_or(TimeZone::UTC);
    for sentence in sentences(text) {
        let Some(words) = text.get(sentence.place.clone()) else {
            continue;
        };
        let forecast = ETA.is_match(words)
            || (REPAIR.is_match(words)
                && FORECAST.is_match(words)
                && !PAST.is_match(words)
                && !promised_words::is_about_next_word(words));
        if !forecast {
            continue;
        }
        let grounded = against.estimate.is_some_and(|estimate| {
            estimate.ends_at() > against.now && estimate.is_said_in(words, against.now, &zone)
        });
        if !grounded {
            let mut refused = finding(
                FindingKind::EstimateWithoutGround,
                Weight::Refuse,
                field,
                text,
                sentence.place,
                "A time of resolution needs a range, a confidence, somebody who approves it and an expiry.",
            );
            refused.remedy = Some(
                "State the estimate among the facts and say both ends of it, or say only when you will speak again."
                    .to_owned(),
            );
            findings.push(refused);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&REPAIR, &FORECAST, &ETA, &PAST] {
            assert!(!pattern.is_match(""));
        }
    }
}
