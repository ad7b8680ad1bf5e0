//! An answer's words, made from facts that the public may know.
//!
//! [`Facts`] has room for nothing else: what the house says about itself comes as [`PublicText`], and what
//! remains are times and the reporter's own words. The incident's title, notes and causes are internal texts
//! and do not fit in. What comes out is a draft and internal until somebody approves exactly these words.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::context;

use super::answers::Kind;
use crate::cases::Case;
use crate::http::Problem;
use crate::words::{InternalText, PublicText, template};

/// What an answer may be made of.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The reporter's own name.
    pub reporter_name: Option<String>,
    pub touchpoint: Option<PublicText>,
    pub reported_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    /// What is said about it at present.
    pub words_now: Option<PublicText>,
    pub next_update_by: Option<Timestamp>,
    /// Where the reporter's clock hangs.
    pub time_zone: TimeZone,
}

const RESOLUTION: &str = "{% if touchpoint %}{{ touchpoint }}{% else %}What you reported{% endif %} should be working \
again{% if resolved %} since {{ resolved }}{% endif %}. You told us at {{ reported }}; thank you, and we are sorry for \
the trouble.\n\nDoes it work for you now? Please tell us. If it is still broken, say so and we go on.";

const PROGRESS: &str = "Thank you for telling us. {% if words_now %}{{ words_now }}{% else %}We know about it, it is us \
and not you, and we are working on it.{% endif %}{% if next_update %}\n\nWe will tell you more by {{ next_update }}.{% endif %}";

const REPLY: &str = "Thank you for telling us.";

/// The part of an answer that is the same for everybody with the same facts.
pub fn common_part(kind: Kind, facts: &Facts) -> Result<InternalText, Problem> {
    let words = match kind {
        Kind::Resolution => RESOLUTION,
        Kind::Progress => PROGRESS,
        Kind::Reply => REPLY,
    };
    let clock = |at: Timestamp| spoken(at, facts.reported_at, &facts.time_zone);
    let words_now = facts.words_now.as_ref().map(PublicText::as_str);
    // What is said at present usually ends with the promise already.
    let unsaid = |at: &Timestamp| {
        let time = at.to_zoned(facts.time_zone.clone()).strftime("%H:%M").to_string();
        !words_now.is_some_and(|words| words.contains(&time))
    };
    let context = context! {
        touchpoint => facts.touchpoint.as_ref().map(PublicText::as_str),
        words_now => words_now,
        reported => clock(facts.reported_at),
        resolved => facts.resolved_at.map(clock),
        next_update => facts.next_update_by.filter(unsaid).map(clock),
    };
    template::fill(words, context)
        .map(InternalText::new)
        .map_err(|reason| Problem::internal(anyhow::Error::msg(reason)))
}

/// How every answer begins.
pub fn greeting(case: &Case) -> String {
    match &case.reporter_name {
        Some(name) => format!("Hello {name},"),
        None => "Hello,".to_owned(),
    }
}

/// The whole answer: greeting, the agent's own part, the common part.
pub fn whole(case: &Case, personal_part: Option<&str>, common_part: &str) -> InternalText {
    let greeting = greeting(case);
    let parts = [Some(greeting.as_str()), personal_part, Some(common_part)];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    InternalText::new(parts.join("\n\n"))
}

/// "06:20 GMT", with the day when it is another one.
fn spoken(at: Timestamp, beside: Timestamp, zone: &TimeZone) -> String {
    let (at, beside) = (at.to_zoned(zone.clone()), beside.to_zoned(zone.clone()));
    if at.date() == beside.date() {
        at.strftime("%H:%M %Z").to_string()
    } else if at.year() != beside.year() {
        at.strftime("%H:%M %Z on %-d %B %Y").to_string()
    } else {
        at.strftime("%H:%M %Z on %-d %B").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            reporter_name: None,
            touchpoint: Some(PublicText::fixed("Card payments")),
            reported_at: "2026-11-17T06:02:00Z".parse().unwrap(),
            resolved_at: Some("2026-11-17T06:58:00Z".parse().unwrap()),
            words_now: Some(PublicText::fixed("Cards do not work in {{ 24 }} shops.")),
            next_update_by: Some("2026-11-18T06:20:00Z".parse().unwrap()),
            time_zone: TimeZone::get("Europe/London").unwrap(),
        }
    }

    #[test]
    fn recovery_is_asked_about_and_never_claimed() {
        let words = common_part(Kind::Resolution, &facts()).unwrap();
        assert_eq!(
            words.for_insiders(),
            "Card payments should be working again since 06:58 GMT. You told us at 06:02 GMT; thank you, and we are \
             sorry for the trouble.\n\nDoes it work for you now? Please tell us. If it is still broken, say so and we go on."
        );
    }

    #[test]
    fn a_promise_is_made_once() {
        let mut facts = facts();
        facts.words_now = Some(PublicText::fixed(
            "Cards do not work. We will tell you more by 06:20 GMT on 18 November.",
        ));
        let words = common_part(Kind::Progress, &facts).unwrap();
        assert_eq!(words.for_insiders().matches("We will tell you more").count(), 1);
    }

    #[test]
    fn while_it_lasts_the_approved_words_and_the_next_promise_are_given() {
        let words = common_part(Kind::Progress, &facts()).unwrap();
        assert_eq!(
            words.for_insiders(),
            "Thank you for telling us. Cards do not work in {{ 24 }} shops.\n\nWe will tell you more by 06:20 GMT on 18 November."
        );
    }
}
