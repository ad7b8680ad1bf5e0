//! What conditions mean, by the examples of the reference.

use condition::{Condition, Scope, Threshold, ThresholdKind};
use jiff::Timestamp;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2022-01-03T20:00:00Z".parse().unwrap()
}

fn event() -> Value {
    json!({
        "summary": "[PROD] Disk space low",
        "severity": "critical",
        "class": null,
        "custom_details": {
            "load": 3.5,
            "cores": 4,
            "big": u64::MAX,
            "ok": false,
            "system diagnosis": {"important_field": "This is an important value"},
            "tags": ["eu", "db"],
            "lines": "This has a newline\nin it",
            "Straße": "STRASSE Ünïcode ΣΊΣΥΦΟΣ"
        }
    })
}

fn parse(text: &str) -> Condition {
    text.parse().unwrap_or_else(|error| panic!("{text}\n{error}"))
}

#[track_caller]
fn check(text: &str, expected: bool) {
    let event = event();
    let scope = Scope::at(now()).with("event", &event);
    let outcome = parse(text).evaluate(&scope);
    assert_eq!(outcome.matched, expected, "{text} {:?}", outcome.warnings);
    assert_eq!(parse(text).matches(&scope), expected, "{text}");
}

#[track_caller]
fn warnings(text: &str) -> Vec<String> {
    let event = event();
    let scope = Scope::at(now()).with("event", &event);
    parse(text)
        .evaluate(&scope)
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    let loose = parse("event.x > 5 and not event.y < 6 or event.z == 2");
    let tight = parse("((event.x > 5) and (not (event.y < 6))) or (event.z == 2)");
    assert_eq!(loose.expression(), tight.expression());
    let regrouped = parse("event.x > 5 and (not event.y < 6 or event.z == 2)");
    assert_ne!(loose.expression(), regrouped.expression());
    assert_eq!(
        regrouped.expression().to_string(),
        "event.x > 5 and (not event.y < 6 or event.z == 2)"
    );
}

#[test]
fn matches_compares_whole_texts_and_ignores_case() {
    check("'this is a test' matches 'This Is A Test'", true);
    check("'this is a test' matches exactly 'This Is A Test'", false);
    check("'trailing whitespace ' matches 'trailing whitespace'", false);
    check("event.severity matches 'CRITICAL'", true);
}

#[test]
fn matches_part_finds_a_text_anywhere() {
    check("event.summary matches part 'prod'", true);
    check("event.summary matches part exactly 'prod'", false);
    check("event.summary matches part exactly 'PROD'", true);
    check("event.summary matches part 'disk space lower'", false);
    check("event.summary matches part ''", true);
    check("'a critical thing' matches part event.severity", true);
    check(
        "event.custom_details['Straße'] matches part 'ünÏcode σίσυφος'",
        true,
    );
}

#[test]
fn matches_regex_ignores_case_and_sees_lines() {
    let field = "event.custom_details['system diagnosis'].important_field";
    check(&format!("{field} matches regex 'this'"), true);
    check(&format!("{field} matches regex exactly 'this'"), false);
    check(&format!("{field} matches regex exactly '(?i)this'"), true);
    check(&format!("{field} matches regex '(?-i)this'"), false);
    check("event.custom_details.lines matches regex '.in it'", true);
    check("event.custom_details.lines matches regex '(?-s).in it'", false);
    check("event.custom_details.lines matches regex '^in it'", true);
    check("event.custom_details.lines matches regex '(?-m)^in it'", false);
}

#[test]
fn matches_regex_reads_the_pattern_as_re2_does() {
    check(r"'7' matches regex '^\\d$'", true);
    check(r"'٣' matches regex '^\\d$'", false);
    check(r"'a{b' matches regex '^\\Qa{\\Eb$'", true);
    check("'a{,2}' matches regex '^a{,2}$'", true);
}

#[test]
fn matches_turns_values_into_texts() {
    check("event.custom_details.cores matches '4'", true);
    check("event.custom_details.load matches '3.5'", true);
    check("event.custom_details.ok matches 'false'", true);
    check(r#"event.custom_details.tags matches '["eu","db"]'"#, true);
    check(
        r#"event.custom_details['system diagnosis'] matches part '"important_field":'"#,
        true,
    );
    check("event.class matches ''", false);
    check("event.missing matches regex '.*'", false);
}

#[test]
fn matches_sees_the_first_64_kib() {
    let event = json!({"text": format!("{}needle", "x".repeat(64 * 1024 - 6)), "more": format!("{}needle", "x".repeat(64 * 1024))});
    let scope = Scope::at(now()).with("event", &event);
    assert!(parse("event.text matches part 'needle'").matches(&scope));
    assert!(!parse("event.more matches part 'needle'").matches(&scope));
    assert!(!parse("event.more matches regex 'needle'").matches(&scope));
}

#[test]
fn equality_converts_nothing() {
    check("event.severity == 'critical'", true);
    check("event.severity == 'Critical'", false);
    check("event.custom_details.cores == 4.0", true);
    check("event.custom_details.cores == '4'", false);
    check("event.custom_details.big == 18446744073709551616.0", false);
    check("event.custom_details.big > 9223372036854775807", true);
    check("event.custom_details.ok == false", true);
    check("event.class == event.missing", true);
    check("event.custom_details.tags == event.custom_details.tags", true);
    check("event.custom_details.tags == event.custom_details", false);
}

#[test]
fn numbers_and_dates_are_ordered() {
    check("event.custom_details.load > 3", true);
    check("event.custom_details.load >= 3.5", true);
    check("event.custom_details.load < -1", false);
    check("4.5e10 <= 45000000000", true);
    check("now > 2020-01-01 00:00:00 Etc/UTC", true);
    check("now == 2022-01-03 12:00:00 America/Los_Angeles", true);
    check("now < 2022-01-03 12:00:00 America/Los_Angeles", false);
}

#[test]
fn what_makes_no_sense_is_false_and_its_negation_true() {
    check("event.custom_details.absent > 2", false);
    check("not event.custom_details.absent > 2", true);
    check("not 2 > 'two'", true);
    check("2 >= 'two' or 2 < 10", true);
    check("2 <= 'two' and 2 < 10", false);
    assert_eq!(
        warnings("not 2 > 'two'"),
        ["`2 > 'two'` counts as false: `>` compares two numbers or two dates, not a number and a text"]
    );
    assert_eq!(
        warnings("event.absent matches 'hello' or event.summary matches 'x'"),
        ["`event.absent matches 'hello'` counts as false: `matches` compares texts, not nil and a text"]
    );
}

#[test]
fn and_and_or_stop_at_what_decides() {
    assert!(warnings("event.severity matches 'www' and event.absent matches 'hello'").is_empty());
    assert!(warnings("event.severity matches 'critical' or event.absent matches 'hello'").is_empty());
    assert_eq!(
        warnings("event.absent matches 'hello' and event.severity matches 'www'").len(),
        1
    );
}

#[test]
fn a_path_exists_even_when_its_value_is_null() {
    check("event.class exists", true);
    check("event.custom_details.absent exists", false);
    check("event.custom_details.tags[1] exists", true);
    check("event.custom_details.tags[2] exists", false);
    check("event.custom_details.tags['1'] exists", false);
    check("raw_event.links[0].href exists", false);
    check("not event.missing exists and event.summary exists", true);
}

#[test]
fn words_of_the_language_may_be_fields() {
    let event = json!({"matches": {"exists": {"now": 1}}, "if": 2, "a.b": {"it's \\": 3}});
    let scope = Scope::at(now()).with("event", &event);
    assert!(parse("event.matches.exists.now == 1").matches(&scope));
    assert!(parse("event['if'] == 2").matches(&scope));
    assert!(parse(r"event['a.b']['it\'s \\'] == 3").matches(&scope));
}

#[test]
fn blanks_and_line_ends_are_free_between_words() {
    check("event.severity=='critical'and\n\t( event.class  exists )", true);
    check("not(event.custom_details.cores>5)or false", true);
}

#[test]
fn counts_are_the_callers() {
    let counts = |threshold: Threshold| u64::from(threshold.window_seconds);
    let scope = Scope::at(now()).with_trigger_counts(&counts);
    assert!(parse("trigger_count over 1 hour 30 minutes == 5400").matches(&scope));
    let condition =
        parse("trigger_count over 10 seconds > 5 or resetting_trigger_count over 2 days 1 second > 50");
    assert_eq!(
        condition.thresholds(),
        [
            Threshold {
                kind: ThresholdKind::Sliding,
                window_seconds: 10
            },
            Threshold {
                kind: ThresholdKind::Resetting,
                window_seconds: 172_801
            },
        ]
    );
}

#[test]
fn a_count_that_nobody_keeps_is_nil() {
    check("trigger_count over 10 seconds >= 1", false);
    assert_eq!(warnings("trigger_count over 10 seconds >= 1").len(), 1);
}

#[test]
fn the_paths_of_a_condition_can_be_listed() {
    let condition = parse("event.a matches raw_event.b[0] and (variables.c exists or now > 1)");
    let paths: Vec<String> = condition.paths().iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["event.a", "raw_event.b[0]", "variables.c"]);
}

#[test]
fn a_tree_can_be_made_into_a_condition_within_the_same_limits() {
    let settings = condition::Settings::default();
    let tree = parse("event.a == 1 or (event.b == 2 or event.c == 3)")
        .expression()
        .clone();
    let condition = Condition::from_expression(&tree, &settings).unwrap();
    assert_eq!(
        condition.source(),
        "event.a == 1 or (event.b == 2 or event.c == 3)"
    );
    let broken = condition::Expression::Any(Vec::new());
    assert!(Condition::from_expression(&broken, &settings).is_err());
}

#[test]
fn conditions_as_they_are_written_in_the_field() {
    for text in [
        "event.severity matches 'info' and not (now in Mon,Tue,Wed,Thu,Fri 09:00:00 to 17:00:00 America/Santiago)",
        "event.custom_details.probe matches 'service' and event.custom_details.key matches regex 'check_\\\\S*'",
        "trigger_count over 5 minute > 10",
        "raw_event.payload.custom_details.firing matches part  'Severity: critical'",
        "event.source matches regex '.*-(stage|test)\\\\d{0,2}\\\\.example\\\\.com$'",
        "incident.priority matches 'P1' or incident.urgency matches 'high'",
        "cache_var.recent_host matches exactly event.source",
        "(event.summary matches part 'a' or event.summary matches part 'b') and not event.class exists",
    ] {
        assert!(text.parse::<Condition>().is_ok(), "{text}");
    }
}

#[test]
fn findings_quote_the_comparisons_without_what_is_around_them() {
    let event = event();
    let scope = Scope::at(now()).with("event", &event);
    let text = "not ( event.a  exists ) and (true or 'x' matches part 'y' ) and\n 1 < trigger_count over 2 hours  or \
        now in Mon 00:00:00 to 23:59:59 Etc/UTC ";
    let findings = parse(text).evaluate(&scope).findings;
    let texts: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "event.a  exists",
            "true",
            "'x' matches part 'y'",
            "1 < trigger_count over 2 hours",
            "now in Mon 00:00:00 to 23:59:59 Etc/UTC",
        ]
    );
    let held: Vec<Option<bool>> = findings.iter().map(|finding| finding.held).collect();
    assert_eq!(held, [Some(false), Some(true), None, Some(false), Some(true)]);
}

#[test]
fn conditions_can_be_shared_between_threads() {
    fn shareable<T: Send + Sync + Clone>() {}
    shareable::<Condition>();
    shareable::<condition::Extraction>();
    shareable::<condition::Template>();
}
