//! The lines of an iCalendar text: unfolded and taken apart.

use crate::work;

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property<'text> {
    /// Line of the text on which it begins, from 1.
    pub(super) line: usize,
    /// In capitals.
    pub(super) name: String,
    parameters: Vec<(String, String)>,
    pub(super) value: std::borrow::Cow<'text, str>,
}

impl Property<'_> {
    /// A parameter's value, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value as text, with escapes resolved.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut characters = self.value.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => text.push('\\'),
                },
                other => text.push(other),
            }
        }
        text
    }
}

/// The properties of a text, in order. Lines that are none are left out.
pub(super) fn properties(text: &str) -> impl Iterator<Item = Property<'_>> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (number, first) = lines.next()?;
        work::count(first.len());
        let mut whole = std::borrow::Cow::Borrowed(first.trim_end_matches('\r'));
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with([' ', '\t'])) {
            work::count(next.len());
            let continued = next.trim_end_matches('\r').get(1..).unwrap_or_default();
            whole.to_mut().push_str(continued);
        }
        Some((number + 1, whole))
    })
    .filter_map(|(number, whole)| property(number, whole))
}

fn property(line: usize, whole: std::borrow::Cow<'_, str>) -> Option<Property<'_>> {
    let mut quoted = false;
    let end_of_head = whole.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    })?;
    let mut parts = split_outside_quotes(whole.get(..end_of_head)?).into_iter();
    let name = parts
        .next()?
        .trim()
        .trim_start_matches('\u{feff}')
        .to_ascii_uppercase();
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=')?;
        Some((
            name.trim().to_ascii_uppercase(),
            value.trim_matches('"').to_owned(),
        ))
    };
    let parameters = parts.filter_map(parameter).collect();
    let value = match whole {
        std::borrow::Cow::Borrowed(whole) => std::borrow::Cow::Borrowed(whole.get(end_of_head + 1..)?),
        std::borrow::Cow::Owned(whole) => std::borrow::Cow::Owned(whole.get(end_of_head + 1..)?.to_owned()),
    };
    Some(Property {
        line,
        name,
        parameters,
        value,
    })
}

fn split_outside_quotes(head: &str) -> Vec<&str> {
    let mut quoted = false;
    head.split(move |character| {
        quoted ^= character == '"';
        character == ';' && !quoted
    })
    .collect()
}
