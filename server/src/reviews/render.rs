//! A report as Markdown and as a page that prints.

use std::fmt::Write as _;

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::facts::{Facts, Line, NoticedBy};
use super::store::Review;
use crate::impact::model::LossPerHour;
use crate::incidents::Incident;
use crate::timeline::Kind;

/// The whole report: facts as they stand, and the words.
pub fn markdown(review: &Review, incident: &Incident, facts: &Facts, words: &str) -> String {
    let mut text = format!("# {}\n\n", escaped(&review.title));
    // Writing to a string does not fail.
    writeln!(
        text,
        "Incident {}, began {} with {}{}. All times below count from then.\n",
        incident.number,
        clock(facts.began_at),
        match facts.noticed_by {
            NoticedBy::People => "what somebody here saw",
            noticed_by => noticed_by.beginning(),
        },
        facts
            .resolved_at
            .map_or_else(String::new, |at| format!(", resolved {}", clock(at)))
    )
    .ok();
    text.push_str("| Measure | Value |\n| --- | --- |\n");
    for (what, value) in figures(facts) {
        writeln!(text, "| {what} | {} |", escaped(&value)).ok();
    }
    text.push('\n');
    text.push_str(words.trim_end());
    text.push_str("\n\n## Timeline\n\nTimes are in UTC.\n\n");
    text.push_str(&told(&facts.timeline));
    text
}

/// The timeline, a line for each entry; a row of like reports is one.
fn told(mut lines: &[Line]) -> String {
    let mut text = String::new();
    while let Some((line, rest)) = lines.split_first() {
        let alike = 1 + rest.iter().take_while(|next| is_more_of(line, next)).count();
        let (told, more) = if alike > MOST_ALIKE {
            (1, alike - 1)
        } else {
            (alike, 0)
        };
        for line in &lines[..told] {
            // Writing to a string does not fail.
            writeln!(text, "- **{}** {}", time(line), said(line)).ok();
        }
        if more > 0 {
            let last = time(&lines[alike - 1]);
            writeln!(text, "- until **{last}** {more} more like it").ok();
        }
        lines = &lines[alike..];
    }
    text
}

/// Reports of machines in a row that are told one by one; of more the first is told, and how many followed.
const MOST_ALIKE: usize = 3;

/// Whether a line only says the same again: one more alert of the same sender, as a whole row of shops sends them.
fn is_more_of(line: &Line, next: &Line) -> bool {
    let repeats = matches!(
        line.kind,
        Kind::AlertAdded | Kind::AlertRepeated | Kind::AlertResolved | Kind::CaseLinked
    );
    repeats && next.kind == line.kind && next.who == line.who
}

fn time(line: &Line) -> String {
    line.at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string()
}

/// Who did it and what; once, where the words name who did it.
fn said(line: &Line) -> String {
    if line.text.starts_with(&line.who) {
        escaped(&line.text)
    } else {
        format!("{}: {}", escaped(&line.who), escaped(&line.text))
    }
}

/// The figures that a report leads with.
pub fn figures(facts: &Facts) -> Vec<(&'static str, String)> {
    let seconds = &facts.seconds;
    let took = |seconds: Option<i64>| seconds.map_or_else(|| "not yet".to_owned(), spoken);
    let mut figures = vec![
        ("To acknowledge", took(seconds.to_acknowledge)),
        ("To tell customers", took(seconds.to_first_update)),
        ("To put right", took(seconds.to_resolve)),
        ("To the last answer", took(seconds.to_last_answer)),
        ("Promises", facts.promises.figures()),
        (
            "Customers' reports",
            format!(
                "{} linked, {} still owed an answer",
                facts.cases.linked, facts.cases.owed
            ),
        ),
        ("Alerts", facts.alerts.to_string()),
        ("Hurt", facts.hurt.clone()),
    ];
    for cost in &facts.cost {
        figures.push(("Cost, estimated", money_range(cost)));
    }
    figures
}

/// "GBP 412.00 (270.00 to 560.00)".
pub(super) fn money_range(loss: &LossPerHour) -> String {
    let money = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    format!(
        "{} {} ({} to {})",
        loss.currency,
        money(loss.likely),
        money(loss.low),
        money(loss.high)
    )
}

/// "1 h 17 min", "1 min 48 s".
pub fn spoken(seconds: i64) -> String {
    match seconds {
        86_400.. => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
        3_600.. => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        60.. => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{seconds} s"),
    }
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%-d %B %Y, %H:%M UTC")
        .to_string()
}

/// Text from outside as Markdown that says just that text, on one line.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let text_after = |at: usize| text.get(at + 1..).unwrap_or_default();
    for (at, one) in text.char_indices() {
        match one {
            // Alone it says nothing else; before letters it could stand for another sign.
            '&' if !text_after(at).starts_with(|next: char| next.is_alphanumeric() || next == '#') => {
                safe.push(one);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' => {
                safe.push('\\');
                safe.push(one);
            }
            one if one.is_control() => safe.push(' '),
            one => safe.push(one),
        }
    }
    safe
}

/// Markdown as HTML that can do no harm: no scripts, no styles, no pictures from elsewhere.
pub fn html(markdown: &str) -> String {
    use pulldown_cmark::{Options, Parser, html::push_html};
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut raw = String::new();
    push_html(&mut raw, Parser::new_ext(markdown, options));
    crate::drawing::harmless_html(&raw)
}

/// The page that prints on A4.
#[derive(Debug, Template)]
#[template(path = "reviews/print.html")]
pub struct PrintPage {
    pub title: String,
    /// Made by [`html`].
    pub body: String,
}

impl PrintPage {
    pub fn style() -> &'static str {
        include_str!("../../templates/reviews/print.css")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_markdown_is_shown_harmlessly() {
        let page = html(
            "<script>alert(1)</script>\n\n**bold** <img src=x onerror=alert(1)> [x](javascript:alert(1)) \
             <a href=\"https://example.org\" onclick=\"a()\">ok</a> <style>*{}</style>",
        );
        assert!(page.contains("<strong>bold</strong>"));
        for evil in ["<script", "onerror", "javascript:", "onclick", "<style", "<img"] {
            assert!(!page.contains(evil), "{evil} in {page}");
        }
    }

    #[test]
    fn text_from_outside_does_not_become_markup() {
        assert_eq!(escaped("a|b\n# <b>*"), "a\\|b \\# \\<b\\>\\*");
        assert_eq!(escaped("Click & collect &lt;"), "Click & collect \\&lt;");
        let page = html(&escaped("<script>x</script> [a](b)"));
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("<a "));
    }

    fn line(second: i64, kind: Kind, who: &str, text: &str) -> Line {
        Line {
            at: Timestamp::from_second(second).unwrap(),
            entry_id: second.to_string(),
            kind,
            who: who.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_row_of_like_reports_is_one_line_and_a_name_is_said_once() {
        let mut lines = vec![line(0, Kind::Noted, "Maya", "It is the router.")];
        lines.extend((1..=5).map(|second| line(second, Kind::AlertAdded, "Probe", "Probe reported: silent")));
        lines.push(line(9, Kind::Acknowledged, "Ben", "Ben acknowledged"));
        assert_eq!(
            told(&lines),
            "- **00:00:00** Maya: It is the router.\n\
             - **00:00:01** Probe reported: silent\n\
             - until **00:00:05** 4 more like it\n\
             - **00:00:09** Ben acknowledged\n"
        );
    }

    #[test]
    fn durations_are_spoken() {
        let told: Vec<String> = [42, 108, 4_620, 90_000].map(spoken).into();
        assert_eq!(told, ["42 s", "1 min 48 s", "1 h 17 min", "1 d 1 h"]);
    }
}
