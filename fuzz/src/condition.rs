//! Conditions, templates, extractions and paths from bytes. The first byte says which; a byte of zero parts the text from the
//! event that it is tried on.

use ::condition::{Condition, Extraction, Path, Scope, Template, TriggerCounts};
use serde_json::{Value, json};

/// Input to begin with.
pub const SEEDS: &[&[u8]] = &[
    b"cevent.summary matches part 'disk' and not event.severity == 'info'\0{\"summary\":\"a disk\",\"severity\":\"error\"}",
    b"cevent.a[1] > 5 or event['b c'] exists and (event.x matches regex '^a+(b|c)[0-9]{2,3}$')\0{\"a\":[1,7],\"x\":\"ab12\"}",
    b"cnow in Mon,Tue,Wed 09:00:00 to 17:00:00 America/New_York or trigger_count over 5 minutes > 10",
    b"cnow > 2021-12-04T00:00:00 Etc/UTC and event.t matches exactly 'X\\'y'",
    b"t{{ event.summary | upper }} on {{ event.custom_details.host | default('none') }}\0{\"summary\":\"x\"}",
    b"t{{ event.a[0] + 2 * 3 }} {{ 'a' ~ event.b }} {{ event.c if event.d else 'e' }}\0{\"a\":[1],\"b\":2}",
    b"x(\\w+)-(?P<n>\\d{1,3})\0{\"summary\":\"node-17 is down\"}",
    b"x[[:alpha:]]+|(?i)b{2,}?$",
    b"pevent.custom_details['a b'][0].c",
    b"nevent.a exists and not trigger_count over 1 hour > 3 or resetting_trigger_count over 1 day >= 2\0\0[{\"kind\":\"sliding\",\"count\":{\"window_seconds\":3600,\"grain\":1,\"entries\":[[1799999999000000,7]]}}]",
    b"ntrigger_count over 60 seconds >= 2\0{}\0[{\"kind\":\"sliding\",\"count\":{\"window_seconds\":60,\"grain\":468750,\"entries\":[[1,1],[1800000000000000,18446744073709551614]]}}]",
];

/// An evaluation may do so much at most, whatever the event: factors × what one may look at.
const CEILING: u64 = 64 * 4 * 65_536;

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let mut parts = rest.splitn(3, |byte| *byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let event: Value = parts
        .next()
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_else(
            || json!({"summary": "a disk", "a": {"a": [1, null, "x"]}, "custom_details": {"part": 4.5}}),
        );
    let now = jiff::Timestamp::from_second(1_800_000_000).unwrap_or_default();
    let scope = Scope::at(now).with("event", &event);
    match kind {
        b'c' => condition(&text, &scope),
        b'n' => counts(&text, &scope, parts.next().unwrap_or_default()),
        b't' => template(&text, &scope),
        b'x' => extraction(&text, &scope),
        _ => path(&text, &event),
    }
}

fn condition(text: &str, scope: &Scope<'_>) {
    match text.parse::<Condition>() {
        Ok(condition) => {
            let outcome = condition.evaluate(scope);
            assert_eq!(outcome.matched, condition.matches(scope));
            assert_eq!(outcome.findings.len(), condition.cost().factors);
            assert!(outcome.steps <= CEILING, "{} steps", outcome.steps);
            // Work in proportion to the text: counted, not timed.
            assert!(
                condition.cost().steps <= 8 * text.len() as u64 + 64,
                "{} steps to parse",
                condition.cost().steps
            );
            let printed = condition.expression().to_string();
            match printed.parse::<Condition>() {
                Ok(again) => assert_eq!(again.expression(), condition.expression(), "{printed}"),
                Err(error) => assert!(printed.len() > text.len(), "printed but not read again: {error}"),
            }
        }
        Err(error) => {
            assert!(
                error.offset <= text.len() && text.is_char_boundary(error.offset),
                "{error}"
            );
            assert_eq!(text[..error.offset].matches('\n').count() + 1, error.line);
            assert!(!error.to_string().is_empty());
        }
    }
}

/// A rule is judged again and again, from counts that may be spoiled, with a restart in the middle.
fn counts(text: &str, scope: &Scope<'_>, stored: &[u8]) {
    let Ok(condition) = text.parse::<Condition>() else {
        return;
    };
    let rule = [condition];
    let mut counts: TriggerCounts = serde_json::from_slice(stored).unwrap_or_default();
    for _ in 0..4 {
        let written = serde_json::to_vec(&counts).unwrap_or_default();
        let mut restored: TriggerCounts = serde_json::from_slice(&written).unwrap_or_default();
        assert_eq!(counts, restored);
        let thresholds = rule[0].thresholds();
        let before: Vec<u64> = thresholds
            .iter()
            .map(|asked| counts.count(*asked, scope.now()))
            .collect();
        assert_eq!(counts.judge(&rule, scope), restored.judge(&rule, scope));
        assert_eq!(counts, restored);
        for (threshold, before) in thresholds.into_iter().zip(before) {
            assert!(counts.count(threshold, scope.now()) <= before.saturating_add(1));
        }
    }
}

fn template(text: &str, scope: &Scope<'_>) {
    if let Ok(template) = Template::parse(text)
        && let Ok(rendered) = template.render(scope)
    {
        assert!(rendered.text.len() <= 64 * 1024);
    }
}

fn extraction(text: &str, scope: &Scope<'_>) {
    if let Ok(extraction) = Extraction::capture("event.summary", text) {
        assert!(extraction.extract(scope).is_ok());
    }
}

fn path(text: &str, event: &Value) {
    let Ok(path) = text.parse::<Path>() else {
        return;
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let before = Scope::at(now).with("event", event).look_up(&path).is_some();
    let mut document = event.clone();
    let assigned = path.root() == "event" && path.assign(&mut document, json!("new")).is_ok();
    let after = Scope::at(now).with("event", &document).look_up(&path).is_some();
    assert_eq!(after, before || assigned, "{text}");
}
