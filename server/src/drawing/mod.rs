//! The parts that the console and the public pages both draw: a line of rich text, and the states.
//!
//! A part is a plain value that draws itself. What only the console shows is in its kit.

mod harmless;
mod rich;
mod state;

pub use harmless::harmless_html;
pub use rich::*;
pub use state::*;

/// Marks parts whose template has already escaped what it prints.
macro_rules! drawn {
    ($($part:ty),+ $(,)?) => { $(impl askama::filters::HtmlSafe for $part {})+ };
}
pub(crate) use drawn;

/// Takes out the marks that turn the direction of letters: a name that holds one would turn the words behind it. Text
/// from right to left needs none of them.
pub fn unturned(html: String) -> String {
    const TURNING: [char; 9] = [
        '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}', '\u{2066}', '\u{2067}', '\u{2068}',
        '\u{2069}',
    ];
    if html.contains(TURNING) {
        html.replace(TURNING, "")
    } else {
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_turn_the_words_behind_it() {
        let page = unturned("<h1>\u{202E}gnp.exe hurts 1 touchpoint متجر</h1>".to_owned());
        assert_eq!(page, "<h1>gnp.exe hurts 1 touchpoint متجر</h1>");
    }
}
