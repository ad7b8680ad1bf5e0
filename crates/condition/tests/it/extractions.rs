//! What is taken out of events.

use condition::{Extraction, Path, Scope, Template};
use serde_json::{Value, json};

fn event() -> Value {
    json!({
        "summary": "High CPU on db-7 server",
        "source": null,
        "custom_details": {
            "host-name": "db-7", "load": 97.5, "cores": 4, "tags": ["eu", "db"],
            "nested": {"a": [1, {"b": "ü"}]}, "quote": "it's {{ fine }}", "ratio": 0.423,
        }
    })
}

#[track_caller]
fn extract(extraction: &Extraction) -> Option<String> {
    let event = event();
    let variables = json!({"host": "db-7"});
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH)
        .with("event", &event)
        .with("variables", &variables);
    extraction
        .extract(&scope)
        .unwrap_or_else(|error| panic!("{extraction:?} {error}"))
}

#[track_caller]
fn capture(source: &str, regex: &str) -> Option<String> {
    extract(&Extraction::capture(source, regex).unwrap())
}

#[track_caller]
fn render(template: &str) -> String {
    extract(&Extraction::template(template).unwrap()).unwrap()
}

#[track_caller]
fn refuse_rendering(template: &str) -> String {
    let event = event();
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
    Template::parse(template)
        .unwrap()
        .render(&scope)
        .unwrap_err()
        .to_string()
}

#[test]
fn groups_are_joined_and_without_groups_the_whole_match_counts() {
    assert_eq!(
        capture("event.summary", "High CPU on (.*) server").as_deref(),
        Some("db-7")
    );
    assert_eq!(
        capture("event.summary", r"(\w+) \w+ on (\w+)-(\d)").as_deref(),
        Some("Highdb7")
    );
    assert_eq!(capture("event.summary", r"db-\d").as_deref(), Some("db-7"));
    assert_eq!(capture("event.summary", "(absent)?CPU").as_deref(), Some(""));
}

#[test]
fn a_capture_heeds_case_and_gives_nothing_without_a_match() {
    assert_eq!(capture("event.summary", "high"), None);
    assert_eq!(capture("event.absent", ".*"), None);
    assert_eq!(capture("event.source", ".*"), None);
    assert_eq!(
        capture("event.custom_details.load", r"\d+").as_deref(),
        Some("97")
    );
    assert_eq!(
        capture("event.custom_details.nested", r#""b":"(.)""#).as_deref(),
        Some("ü")
    );
}

#[test]
fn placeholders_are_filled_with_values() {
    assert_eq!(
        render("High CPU on {{event.custom_details['host-name']}}: {{ event.custom_details.load }}%"),
        "High CPU on db-7: 97.5%"
    );
    assert_eq!(
        render("{{variables.host}}{{event.custom_details.tags[1]}}"),
        "db-7db"
    );
    assert_eq!(
        render("{{event.custom_details.nested}}"),
        r#"{"a":[1,{"b":"ü"}]}"#
    );
    assert_eq!(
        render("no placeholder, {one} {% brace %} {# #} }}"),
        "no placeholder, {one} {% brace %} {# #} }}"
    );
    assert_eq!(render(""), "");
}

#[test]
fn what_is_inserted_is_not_read_again() {
    assert_eq!(render("{{event.custom_details.quote}}"), "it's {{ fine }}");
}

#[test]
fn a_path_that_leads_nowhere_gives_nothing_and_is_reported() {
    let event = event();
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
    let template = Template::parse("[{{event.absent.deep}}|{{event.source}}|{{cache_var.x}}]").unwrap();
    let rendered = template.render(&scope).unwrap();
    assert_eq!(rendered.text, "[||]");
    let missing: Vec<String> = rendered.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["event.absent.deep", "cache_var.x"]);
}

#[test]
fn expressions_compute() {
    for (template, expected) in [
        (
            "{{ event.summary | upper | replace('CPU', 'load') | truncate(9) }}",
            "HIGH load",
        ),
        ("{{ event.absent | default('none') }}", "none"),
        ("{{ event.source | default('null') }}", "null"),
        ("{{ event.custom_details.tags | join(', ') }}", "eu, db"),
        ("{{ event.custom_details.tags | length }}", "2"),
        ("{{ event.summary | split(' ') | last | trim | lower }}", "server"),
        (
            "{{ event.custom_details.ratio | times(100) | round(1) }}%",
            "42.3%",
        ),
        ("{{ event.custom_details.cores - 1 }}", "3"),
        ("{{ event.custom_details.load > 90 }}", "true"),
        ("{{ 'hot' if event.custom_details.load > 90 else 'cool' }}", "hot"),
        ("{{ 'a' ~ variables.host ~ '}}' }}", "adb-7}}"),
        ("{{ event.custom_details.nested.a[1] }}", r#"{"b":"ü"}"#),
        (
            "{{ event.custom_details.nested | json }}",
            r#"{"a":[1,{"b":"ü"}]}"#,
        ),
        ("{{ [1, 'x', none] }}", r#"[1,"x",null]"#),
        ("{{ '42' | number }}", "42"),
        ("{{ '{{' }}", "{{"),
        ("{{ 'yes' if event.absent is defined else 'no' }}", "no"),
        ("{{ '|unknown*' }}", "|unknown*"),
    ] {
        assert_eq!(render(template), expected, "{template}");
    }
}

#[test]
fn a_missing_value_within_an_expression_is_an_error() {
    assert!(refuse_rendering("{{ event.absent | upper }}").contains("undefined"));
    assert!(refuse_rendering("{{ event.absent.deeper | default('x') }}").contains("undefined"));
    assert!(refuse_rendering("{{ 'a' ~ event.absent }}").contains("undefined"));
    let error = refuse_rendering("{{ event.custom_details.tags | number }}");
    assert!(error.contains("not a number"), "{error}");
    assert!(refuse_rendering("{{ [] | first }}").contains("undefined"));
}

#[test]
fn what_could_run_away_is_refused() {
    for (template, reason) in [
        ("{{ 'a' * 1000000000 }}", "`times`"),
        ("{{ [1] * 1000000000 }}", "`times`"),
        ("{{ range(10) }}", "range"),
        ("{{ event.a", "not closed"),
        ("{{ }}", "empty"),
        ("{{ event.a | unknown }}", "unknown"),
        ("{{ event. }}", "unexpected"),
    ] {
        let error = match Extraction::template(template) {
            Err(error) => error.to_string(),
            Ok(_) => refuse_rendering(template),
        };
        assert!(error.contains(reason), "{template}: {error}");
    }
    let doubling = format!("{{{{ {} }}}}", vec!["event"; 40].join("~"));
    assert!(Extraction::template(&doubling).is_err());
    assert!(Extraction::template(&"{{ event.a ~ event.b ~ event.c }}".repeat(16)).is_ok());
    assert!(Extraction::template(&"{{ event.a ~ event.b ~ event.c ~ '' }}".repeat(11)).is_err());
    assert!(Extraction::template(&"{{ event.a | upper }}".repeat(17)).is_err());
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(250), ")".repeat(250));
    assert!(Extraction::template(&deep).is_err());
    assert!(Extraction::template(&"{{event.a}}".repeat(65)).is_err());
    assert!(Extraction::template(&"x".repeat(16 * 1024 + 1)).is_err());
}

#[test]
fn what_grows_is_bounded() {
    let event = json!({"text": "a".repeat(100_000)});
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
    let long = Template::parse(&"{{event.text}}".repeat(10))
        .unwrap()
        .render(&scope)
        .unwrap();
    assert_eq!(long.text.len(), 65_536);
    let growing = format!("{{{{ 'aaaa' {} }}}}", "| replace('a', 'aaaaaaaa')".repeat(12));
    let error = Template::parse(&growing).unwrap().render(&scope).unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

#[test]
fn a_value_is_put_at_its_target() {
    let target = |text: &str| text.parse::<Path>().unwrap();
    let mut document = event();
    target("event.summary")
        .assign(&mut document, json!("new"))
        .unwrap();
    target("event.source.made.here")
        .assign(&mut document, json!(1))
        .unwrap();
    target("event.custom_details.tags[1]")
        .assign(&mut document, json!("web"))
        .unwrap();
    assert_eq!(document["summary"], "new");
    assert_eq!(document["source"], json!({"made": {"here": 1}}));
    assert_eq!(document["custom_details"]["tags"], json!(["eu", "web"]));
}

#[test]
fn what_is_in_the_way_of_a_target_is_named_and_nothing_changes() {
    let before = event();
    for (target, obstacle) in [
        ("event.summary.deeper", "`event.summary` is a text"),
        (
            "event.custom_details.tags[2]",
            "`event.custom_details.tags` is a list",
        ),
        (
            "event.custom_details.new.list[0]",
            "`event.custom_details.new.list` is not there",
        ),
    ] {
        let mut document = before.clone();
        let error = target
            .parse::<Path>()
            .unwrap()
            .assign(&mut document, json!(0))
            .unwrap_err();
        assert!(error.to_string().contains(obstacle), "{error}");
        assert_eq!(document, before);
    }
}

#[test]
fn a_source_must_be_a_path() {
    for source in [
        "",
        "'text'",
        "event.a == 1",
        "now",
        "event.a event.b",
        "12",
        "true",
    ] {
        assert!(Extraction::capture(source, ".*").is_err(), "{source}");
    }
    assert!(Extraction::capture("event.a", "(").is_err());
}
