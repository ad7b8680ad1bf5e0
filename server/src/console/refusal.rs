//! What a refusal says to a person: one place for all its words. What happened, what was kept, what to do.

use askama::Template;
use axum::http::StatusCode;

/// A refusal as a page.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "console/refusal.html")]
pub struct Refusal {
    pub title: &'static str,
    pub words: Vec<String>,
}

/// What somebody who is refused was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    ToSee,
    ToChange,
}

/// The words for a status and what the API says of it.
pub fn of(status: StatusCode, errors: &[String], wanted: Wanted) -> Refusal {
    let title = match status {
        StatusCode::FORBIDDEN => match wanted {
            Wanted::ToSee => "This is not yours to see",
            Wanted::ToChange => "This is not yours to change",
        },
        StatusCode::NOT_FOUND => "This is not here",
        StatusCode::CONFLICT => "Somebody was faster",
        StatusCode::TOO_MANY_REQUESTS => "That was too often",
        StatusCode::SERVICE_UNAVAILABLE => "Muster cannot store anything just now",
        _ if status.is_client_error() => "This could not be done",
        _ => "Muster made a mistake",
    };
    let mut words: Vec<String> = match status {
        // The API says here what a program reads: a limit and its name.
        StatusCode::TOO_MANY_REQUESTS => {
            vec!["Nothing was changed. Wait a minute, then try again.".to_owned()]
        }
        _ => errors.iter().map(|error| in_plain_words(error)).collect(),
    };
    if words.is_empty() {
        words.push(
            "Nothing was changed. Go back and try once more; if it happens again, tell whoever runs Muster."
                .to_owned(),
        );
    }
    Refusal { title, words }
}

/// The API names fields by their path ("status_page.slug must …"); a person reads "Slug must …".
fn in_plain_words(error: &str) -> String {
    let (first, rest) = error.split_once(' ').unwrap_or((error, ""));
    let is_path = first.contains('.')
        && first
            .chars()
            .all(|one| one.is_ascii_lowercase() || one == '.' || one == '_');
    match first.rsplit('.').next().filter(|_| is_path) {
        Some(field) if !field.is_empty() => {
            let words = field.replace('_', " ");
            let (head, tail) = words.split_at(1);
            format!("{}{tail} {rest}", head.to_uppercase())
        }
        _ => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_api_are_named_as_people_name_them() {
        assert_eq!(
            in_plain_words("status_page.time_zone must be one."),
            "Time zone must be one."
        );
        assert_eq!(in_plain_words("Name can't be blank."), "Name can't be blank.");
        assert_eq!(in_plain_words("Nothing."), "Nothing.");
    }

    #[test]
    fn every_refusal_says_what_happened_and_what_to_do() {
        let limit = ["Rate Limit Exceeded".to_owned()];
        let often = of(StatusCode::TOO_MANY_REQUESTS, &limit, Wanted::ToSee);
        assert_eq!(often.title, "That was too often");
        assert!(often.words[0].contains("Wait a minute"), "{often:?}");
        let broken = of(StatusCode::INTERNAL_SERVER_ERROR, &[], Wanted::ToChange);
        assert!(broken.words[0].starts_with("Nothing was changed."), "{broken:?}");
    }
}
