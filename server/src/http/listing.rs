//! Paging as the field's clients expect it: `limit` and `offset`, `more`, and `total` only when asked.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Faults, Problem};

const DEFAULT_LIMIT: i64 = 25;
const LARGEST_LIMIT: i64 = 100;
const FURTHEST: i64 = 10_000;

/// What a caller asked of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// How many to return: 25 unless told, at most 100.
    pub limit: Option<String>,
    /// How many to skip. Limit and offset together reach at most 10,000.
    pub offset: Option<String>,
    /// `true` to have the whole number counted.
    #[param(value_type = Option<bool>)]
    pub total: Option<String>,
}

/// A checked [`Listing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub limit: i64,
    pub offset: i64,
    pub counted: Counted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Yes,
    /// As far as this; what is given beyond it means that there are more.
    UpTo(i64),
    No,
}

/// The paging fields of an answer, flattened beside the list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Paging {
    pub limit: i64,
    pub offset: i64,
    pub more: bool,
    pub total: Option<i64>,
}

impl Listing {
    /// Too large a limit is brought down to the largest; what is no number, or reaches too far, is refused.
    pub fn page(&self) -> Result<Page, Problem> {
        let limit = whole_number("limit", self.limit.as_deref())?
            .unwrap_or(DEFAULT_LIMIT)
            .clamp(1, LARGEST_LIMIT);
        let offset = whole_number("offset", self.offset.as_deref())?.unwrap_or(0);
        if offset.saturating_add(limit) > FURTHEST {
            return Err(Problem::invalid([format!(
                "offset and limit together may reach at most {FURTHEST}; narrow the search instead."
            )]));
        }
        let mut faults = Faults::new();
        let counted = match faults.yes_or_no("total", self.total.as_deref()) {
            Some(true) => Counted::Yes,
            Some(false) | None => Counted::No,
        };
        faults.done()?;
        Ok(Page {
            limit,
            offset,
            counted,
        })
    }
}

impl Page {
    /// One more than the limit: the extra row tells whether there is more.
    pub fn rows_to_read(&self) -> i64 {
        self.limit + 1
    }

    /// How many rows are looked at to count them; all, where the whole number is wanted.
    pub fn most_counted(&self) -> Option<i64> {
        match self.counted {
            Counted::UpTo(most) => Some(most + 1),
            Counted::Yes | Counted::No => None,
        }
    }

    /// Takes the extra row off again and says how the list stands. `count` is called only when the
    /// caller asked for the total.
    pub fn finish<T, E>(
        &self,
        mut rows: Vec<T>,
        count: impl FnOnce() -> Result<i64, E>,
    ) -> Result<(Vec<T>, Paging), E> {
        let more = rows.len() as i64 > self.limit;
        rows.truncate(self.limit as usize);
        let total = match self.counted {
            Counted::Yes | Counted::UpTo(_) => Some(count()?),
            Counted::No => None,
        };
        Ok((
            rows,
            Paging {
                limit: self.limit,
                offset: self.offset,
                more,
                total,
            },
        ))
    }
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// Fields one list may be sorted by.
const MOST_SORTED_BY: usize = 2;

/// Reads `sort_by` of a list that is sorted by some of these fields, such as `urgency,created_at:desc`: the fields in
/// the order in which they count. What cannot be understood is said of `what`, such as incidents.
pub fn sorted_by(
    sort_by: Option<&str>,
    fields: &[&'static str],
    what: &str,
    errors: &mut Vec<String>,
) -> Vec<(&'static str, Direction)> {
    let Some(text) = sort_by.filter(|text| !text.is_empty()) else {
        return Vec::new();
    };
    let asked: Vec<&str> = text.split(',').map(str::trim).collect();
    if asked.len() > MOST_SORTED_BY {
        errors.push(format!("sort_by may name at most {MOST_SORTED_BY} fields."));
        return Vec::new();
    }
    let mut sorted = Vec::new();
    for one in asked {
        let (name, direction) = match one.split_once(':') {
            Some((name, "asc")) => (name, Direction::Ascending),
            Some((name, "desc")) => (name, Direction::Descending),
            None | Some(_) => (one, Direction::Ascending),
        };
        let Some(field) = fields.iter().find(|field| **field == name) else {
            errors.push(format!(
                "sort_by: \"{}\" is not a field that {what} are sorted by; {} are, with :asc or :desc.",
                shown(one),
                fields.join(", ")
            ));
            continue;
        };
        if sorted.iter().any(|(other, _)| other == field) {
            errors.push(format!("sort_by names {field} twice."));
            continue;
        }
        sorted.push((*field, direction));
    }
    sorted
}

/// What was sent, fit to be repeated in an answer: short, and without what a terminal would obey.
pub fn shown(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect()
}

/// Reads a list of words such as `statuses[]`; what is not known is said of `name`.
pub fn parse_all<T>(
    name: &str,
    texts: &[String],
    parse: impl Fn(&str) -> Option<T>,
    errors: &mut Vec<String>,
) -> Vec<T> {
    let mut parsed = Vec::new();
    for text in texts {
        match parse(text) {
            Some(value) => parsed.push(value),
            None => errors.push(format!("{name}: \"{}\" is not known.", shown(text))),
        }
    }
    parsed
}

/// Reads `sort_by` of a list that is sorted by its names.
pub fn sorted_by_name(sort_by: Option<&str>) -> Result<Direction, Problem> {
    match sort_by {
        None | Some("" | "name" | "name:asc") => Ok(Direction::Ascending),
        Some("name:desc") => Ok(Direction::Descending),
        Some(_) => Err(Problem::invalid(["sort_by must be name, name:asc or name:desc."])),
    }
}

/// A pattern for `ILIKE … ESCAPE '!'` that finds `text` anywhere.
pub fn anywhere(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for one in text.chars().take(255) {
        if matches!(one, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(one);
    }
    pattern.push('%');
    pattern
}

fn whole_number(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            _ => Err(Problem::invalid([format!(
                "{name} must be a whole number, zero or more."
            )])),
        },
    }
}
