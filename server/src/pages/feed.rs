//! The Atom feed of a page (RFC 4287): one entry for each incident and each planned work, renewed with each
//! word about it.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::model::MaintenanceStatus::{Completed, InProgress, Scheduled};
use super::snapshot::Snapshot;
use crate::http::Site;

/// Text for XML. Characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            character if character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}') => {}
            character => out.push(character),
        }
    }
    out
}

/// What happened, or is planned, with all that was said about it, the latest first.
struct Entry {
    link: String,
    id: String,
    title: String,
    published: Timestamp,
    updated: Timestamp,
    said: Vec<(Timestamp, TimeZone, String)>,
}

impl Entry {
    fn write(&self, out: &mut String) {
        // Writing to a string does not fail.
        write!(
            out,
            "<entry>\n<id>{}</id>\n<title>{}</title>\n<published>{}</published>\n<updated>{}</updated>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n<content type=\"text\">",
            self.id,
            escaped(&self.title),
            self.published,
            self.updated,
            self.link
        )
        .ok();
        for (at, zone, words) in &self.said {
            let at = at.to_zoned(zone.clone()).strftime("%-d %B %Y, %H:%M %Z");
            write!(out, "{at}\n{}\n\n", escaped(words)).ok();
        }
        out.push_str("</content>\n</entry>\n");
    }
}

pub fn feed(snapshot: &Snapshot, site: &Site) -> String {
    let page = &snapshot.page;
    let address = site.url(&format!("/status/{}", page.slug));
    let zone = snapshot.zone();
    let mut out = String::with_capacity(4_096);
    // Writing to a string does not fail.
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{address}</id>\n<title>{}</title>\n<updated>{}</updated>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{address}\"/>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{address}/feed.atom\"/>\n\
         <author><name>{}</name></author>\n",
        escaped(&page.language),
        escaped(&page.title()),
        page.updated_at,
        escaped(&page.name)
    )
    .ok();
    let mut entries: Vec<Entry> = snapshot
        .incidents
        .iter()
        .map(|incident| {
            let said = snapshot.updates_of(incident).iter();
            Entry {
                link: format!("{address}/incidents/{}", incident.id),
                id: format!("{address}/incidents/{}", incident.id),
                title: incident.name.to_string(),
                published: incident.created_at,
                updated: incident.updated_at,
                said: said
                    .map(|update| (update.at, update.zone(&zone), update.body.to_string()))
                    .collect(),
            }
        })
        .collect();
    let planned = snapshot.planned(&[Completed, InProgress, Scheduled]);
    entries.extend(planned.into_iter().map(|work| {
        let steps = work.steps().into_iter();
        Entry {
            link: format!("{address}/history"),
            id: format!("{address}/history#{}", work.id),
            title: snapshot.title_of(work),
            published: work.created_at,
            updated: work.updated_at(),
            said: steps
                .map(|(step, at)| (at, zone.clone(), snapshot.step_words(work, step)))
                .collect(),
        }
    }));
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.updated));
    for entry in &entries {
        entry.write(&mut out);
    }
    out.push_str("</feed>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<b>&\"\u{1}\n</b>"), "&lt;b&gt;&amp;&quot;\n&lt;/b&gt;");
    }
}
