//! The words of a report as chapters: Markdown that is parted at its second-level headings, and joined again.
//! A heading inside a block of code parts nothing.

/// One chapter. What stands before the first heading is a chapter without a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    pub title: String,
    /// Markdown.
    pub words: String,
}

impl Chapter {
    /// Whether somebody has written something: marks of an empty list or table are nothing.
    pub fn is_written(&self) -> bool {
        self.words.lines().any(|line| {
            let is_head_of_table = line.trim_start().starts_with('|');
            !is_head_of_table && line.chars().any(char::is_alphabetic)
                || is_head_of_table && self.has_filled_row()
        })
    }

    /// A table's rows after its head and the line below that.
    fn has_filled_row(&self) -> bool {
        self.words
            .lines()
            .filter(|line| line.trim_start().starts_with('|'))
            .skip(2)
            .any(|row| row.chars().any(char::is_alphanumeric))
    }
}

/// Parts Markdown into chapters, in order.
pub fn part(markdown: &str) -> Vec<Chapter> {
    let mut chapters = vec![Chapter {
        title: String::new(),
        words: String::new(),
    }];
    let mut in_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        match line.strip_prefix("## ").filter(|_| !in_code) {
            Some(title) => chapters.push(Chapter {
                title: title.trim().to_owned(),
                words: String::new(),
            }),
            None => {
                if let Some(chapter) = chapters.last_mut() {
                    chapter.words.push_str(line);
                    chapter.words.push('\n');
                }
            }
        }
    }
    for chapter in &mut chapters {
        chapter.words = chapter.words.trim_matches('\n').trim_end().to_owned();
    }
    chapters.retain(|chapter| !chapter.title.is_empty() || !chapter.words.is_empty());
    chapters
}

/// The words as they leave the house: a chapter that nobody has written says so, and shows no empty list.
pub fn handed_out(markdown: &str) -> String {
    let mut chapters = part(markdown);
    for chapter in &mut chapters {
        if !chapter.title.is_empty() && !chapter.is_written() {
            "Nobody has written this yet.".clone_into(&mut chapter.words);
        }
    }
    join(&chapters)
}

/// Joins chapters to Markdown. Those that hold nothing at all are left out.
pub fn join(chapters: &[Chapter]) -> String {
    let mut markdown = String::new();
    for chapter in chapters {
        let title: String = chapter.title.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = chapter.words.replace("\r\n", "\n");
        let words = words.trim_matches('\n').trim_end();
        if title.is_empty() && words.is_empty() {
            continue;
        }
        if !title.is_empty() {
            markdown.push_str(&format!("## {title}\n\n"));
        }
        if !words.is_empty() {
            markdown.push_str(&format!("{words}\n\n"));
        }
    }
    markdown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(title: &str, words: &str) -> Chapter {
        Chapter {
            title: title.to_owned(),
            words: words.to_owned(),
        }
    }

    #[test]
    fn words_part_at_headings_and_join_to_the_same() {
        let markdown =
            "Before.\n\n## What happened\n\nCards failed.\n\n### Detail\n\n- a\n\n## Why\n\n1. Because.\n\n";
        let chapters = part(markdown);
        assert_eq!(
            chapters,
            [
                chapter("", "Before."),
                chapter("What happened", "Cards failed.\n\n### Detail\n\n- a"),
                chapter("Why", "1. Because."),
            ]
        );
        assert_eq!(join(&chapters), markdown);
    }

    #[test]
    fn a_heading_inside_code_parts_nothing() {
        let markdown = "## Log\n\n```\n## not a heading\n```\n\n";
        assert_eq!(part(markdown).len(), 1);
        assert_eq!(join(&part(markdown)), markdown);
    }

    #[test]
    fn what_a_browser_sends_is_put_in_order() {
        let sent = [
            chapter("What\n happened", "one\r\ntwo\r\n"),
            chapter("", " \n"),
            chapter("", "more"),
        ];
        assert_eq!(join(&sent), "## What happened\n\none\ntwo\n\nmore\n\n");
    }

    #[test]
    fn the_marks_of_an_empty_list_or_table_are_not_words() {
        for empty in ["", "1. ", "- ", "| Action | Owner |\n| --- | --- |\n| | |"] {
            assert!(!chapter("x", empty).is_written(), "{empty}");
        }
        for written in ["1. Because", "Yes.", "| Action |\n| --- |\n| Test it |"] {
            assert!(chapter("x", written).is_written(), "{written}");
        }
    }
}
