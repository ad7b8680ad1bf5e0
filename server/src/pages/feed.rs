//! The Atom feed of a page (RFC 4287): one entry for each incident, renewed with each update.

use std::fmt::Write as _;

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

pub fn feed(snapshot: &Snapshot, site: &Site) -> String {
    let page = &snapshot.page;
    let address = site.url(&format!("/status/{}", page.slug));
    let zone = snapshot.zone();
    let mut out = String::with_capacity(4_096);
    // Writing to a string does not fail.
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{address}</id>\n<title>{} status</title>\n<updated>{}</updated>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{address}\"/>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{address}/feed.atom\"/>\n\
         <author><name>{}</name></author>\n",
        escaped(&page.language),
        escaped(&page.name),
        page.updated_at,
        escaped(&page.name)
    )
    .ok();
    for incident in &snapshot.incidents {
        let link = format!("{address}/incidents/{}", incident.id);
        write!(
            out,
            "<entry>\n<id>{link}</id>\n<title>{}</title>\n<published>{}</published>\n<updated>{}</updated>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n<content type=\"text\">",
            escaped(incident.name.as_str()),
            incident.created_at,
            incident.updated_at
        )
        .ok();
        for update in snapshot.updates_of(incident) {
            let at = update.at.to_zoned(zone.clone()).strftime("%-d %B %Y, %H:%M %Z");
            write!(out, "{at}\n{}\n\n", escaped(update.body.as_str())).ok();
        }
        out.push_str("</content>\n</entry>\n");
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
