//! From RE2's syntax to the syntax of the `regex` crate.
//!
//! The reference's regular expressions are RE2. The engines agree on what they can do, but not on how it is
//! written: RE2's `\d`, `\w`, `\s` and `\b` know ASCII only, `a{` and `a{,3}` are plain text, `\Q…\E` quotes,
//! octal escapes exist, and in a bracketed class `[`, `&&`, `--` and `~~` mean nothing special. Each piece
//! of a pattern is read the RE2 way and written in a form that has only that meaning here. What it passes
//! on unjudged (repetitions without anything to repeat, unknown scripts, reversed ranges) the compiler of
//! the `regex` crate refuses.
//!
//! Source of the rules: <https://github.com/google/re2/wiki/Syntax>.

use std::{fmt::Arguments, iter::Peekable, str::Chars};

/// RE2 repeats at most so often.
const REPEATED: u32 = 1_000;

const DIGIT: &str = "0-9";
const SPACE: &str = r"\t\n\f\r ";
const WORD: &str = "0-9A-Za-z_";

/// Translates a pattern, or says what RE2 would not understand.
pub(crate) fn translate(pattern: &str) -> Result<String, String> {
    let mut translation = Translation {
        rest: pattern.chars().peekable(),
        output: String::new(),
    };
    while let Some(character) = translation.rest.next() {
        match character {
            '\\' => translation.escape()?,
            '[' => translation.class()?,
            '(' => translation.group()?,
            '{' => translation.repetition()?,
            '*' | '+' | '?' | '^' | '$' | '.' | '|' | ')' => translation.output.push(character),
            plain => translation.literal(plain),
        }
    }
    Ok(translation.output)
}

struct Translation<'p> {
    rest: Peekable<Chars<'p>>,
    output: String,
}

/// What a backslash and its successors stand for, in a class or outside.
enum Escape {
    Literal(char),
    /// The members of an ASCII class, and whether all others are meant.
    Perl(&'static str, bool),
    /// A Unicode class, ready to be written.
    Unicode(String),
    /// A letter with a meaning only outside a class.
    Other(char),
}

impl Translation<'_> {
    /// Writes a character so that it stands for itself everywhere.
    fn literal(&mut self, character: char) {
        if character.is_ascii() && !character.is_ascii_alphanumeric() {
            let code = u32::from(character);
            self.write(format_args!("\\x{code:02X}"));
        } else {
            self.output.push(character);
        }
    }

    fn write(&mut self, text: Arguments<'_>) {
        self.output.push_str(&text.to_string());
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.read_escape()? {
            Escape::Literal(character) => self.literal(character),
            // Letters of these classes are not folded: \w does not match the long s or the Kelvin sign.
            Escape::Perl(members, false) => self.write(format_args!("(?-i:[{members}])")),
            Escape::Perl(members, true) => self.write(format_args!("(?-i:[^{members}])")),
            Escape::Unicode(class) => self.output.push_str(&class),
            Escape::Other('A') => self.output.push_str(r"\A"),
            Escape::Other('z') => self.output.push_str(r"\z"),
            Escape::Other('b') => self.output.push_str(r"(?-u:\b)"),
            Escape::Other('B') => self.output.push_str(r"(?-u:\B)"),
            Escape::Other('Q') => self.quotation(),
            Escape::Other('E') => return Err(r"`\E` without `\Q`".to_owned()),
            Escape::Other(other) => return Err(unknown_escape(other)),
        }
        Ok(())
    }

    fn quotation(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                return;
            }
            self.literal(character);
        }
    }

    fn read_escape(&mut self) -> Result<Escape, String> {
        let Some(character) = self.rest.next() else {
            return Err("it ends with a backslash".to_owned());
        };
        Ok(match character {
            'd' => Escape::Perl(DIGIT, false),
            'D' => Escape::Perl(DIGIT, true),
            's' => Escape::Perl(SPACE, false),
            'S' => Escape::Perl(SPACE, true),
            'w' => Escape::Perl(WORD, false),
            'W' => Escape::Perl(WORD, true),
            'a' => Escape::Literal('\u{7}'),
            'f' => Escape::Literal('\u{c}'),
            't' => Escape::Literal('\t'),
            'n' => Escape::Literal('\n'),
            'r' => Escape::Literal('\r'),
            'v' => Escape::Literal('\u{b}'),
            'p' => Escape::Unicode(self.unicode_class("p", "P")?),
            'P' => Escape::Unicode(self.unicode_class("P", "p")?),
            'x' => Escape::Literal(self.hexadecimal()?),
            '0'..='7' => Escape::Literal(self.octal(character)?),
            '8' | '9' => return Err(no_backreference()),
            letter if letter.is_ascii_alphabetic() => Escape::Other(letter),
            other if other.is_ascii() => Escape::Literal(other),
            other => return Err(unknown_escape(other)),
        })
    }

    fn unicode_class(&mut self, letter: &str, opposite: &str) -> Result<String, String> {
        let unfinished = || "a Unicode class is not complete".to_owned();
        let first = self.rest.next().ok_or_else(unfinished)?;
        if first != '{' {
            return Ok(format!(
                "\\{letter}{{{}}}",
                class_name_part(first).ok_or_else(unfinished)?
            ));
        }
        let mut letter = letter;
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            letter = opposite;
        }
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('}') => return Ok(format!("\\{letter}{{{name}}}")),
                Some(part) => name.push(class_name_part(part).ok_or_else(unfinished)?),
                None => return Err(unfinished()),
            }
        }
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let wrong = || r"after \x stand two hexadecimal digits, or any number of them in braces".to_owned();
        let mut code: u32 = 0;
        if self.rest.peek() == Some(&'{') {
            self.rest.next();
            let mut length = 0;
            loop {
                let digit = self.rest.next().ok_or_else(wrong)?;
                if digit == '}' && length > 0 {
                    break;
                }
                let value = digit.to_digit(16).ok_or_else(wrong)?;
                code = code.saturating_mul(16).saturating_add(value);
                length += 1;
            }
        } else {
            for _ in 0..2 {
                let value = self
                    .rest
                    .next()
                    .and_then(|digit| digit.to_digit(16))
                    .ok_or_else(wrong)?;
                code = code * 16 + value;
            }
        }
        char::from_u32(code).ok_or_else(|| "there is no character of that number".to_owned())
    }

    /// `\0`, `\12`, `\123`; a single digit from 1 on would be a back-reference.
    fn octal(&mut self, first: char) -> Result<char, String> {
        let mut code = first.to_digit(8).unwrap_or_default();
        let mut length = 1;
        while length < 3 {
            let Some(digit) = self.rest.peek().and_then(|digit| digit.to_digit(8)) else {
                break;
            };
            self.rest.next();
            code = code * 8 + digit;
            length += 1;
        }
        if first != '0' && length == 1 {
            return Err(no_backreference());
        }
        char::from_u32(code).ok_or_else(no_backreference)
    }

    /// After an opening parenthesis: a capture, a name or flags.
    fn group(&mut self) -> Result<(), String> {
        self.output.push('(');
        if self.rest.peek() != Some(&'?') {
            return Ok(());
        }
        self.rest.next();
        let mut inside = String::new();
        while let Some(character) = self.rest.peek().copied() {
            match character {
                'i' | 'm' | 's' | 'U' | '-' => inside.push(character),
                ':' | ')' => {
                    self.rest.next();
                    self.output.push('?');
                    self.output.push_str(&inside);
                    self.output.push(character);
                    return Ok(());
                }
                'P' | '<' if inside.is_empty() => return self.group_name(),
                _ => break,
            }
            self.rest.next();
        }
        Err(not_a_group())
    }

    fn group_name(&mut self) -> Result<(), String> {
        if self.rest.peek() == Some(&'P') {
            self.rest.next();
        }
        if self.rest.next() != Some('<') || matches!(self.rest.peek(), Some('=' | '!')) {
            return Err(not_a_group());
        }
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('>') if !name.is_empty() => break,
                Some(part) if part.is_ascii_alphanumeric() || part == '_' => name.push(part),
                _ => return Err("the name of a group is made of letters, digits and _".to_owned()),
            }
        }
        // Only the order of groups matters to us, and RE2 lets names begin with a digit.
        Ok(())
    }

    /// After an opening brace: `{2}`, `{2,}` or `{2,3}`; anything else is plain text.
    fn repetition(&mut self) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        let mut inside = String::new();
        let closed = loop {
            match ahead.next() {
                Some('}') => break true,
                Some(part) if (part.is_ascii_digit() || part == ',') && inside.len() < 16 => {
                    inside.push(part);
                }
                _ => break false,
            }
        };
        let (least, most) = inside.split_once(',').unwrap_or((&inside, ""));
        let numbers = !least.is_empty() && !most.contains(',');
        if !(closed && numbers) {
            self.literal('{');
            return Ok(());
        }
        let too_many = |number: &str| !number.is_empty() && number.parse::<u32>().is_ok_and(|n| n > REPEATED);
        if too_many(least) || too_many(most) {
            return Err(format!("it repeats something more than {REPEATED} times"));
        }
        self.rest = ahead;
        self.output.push('{');
        self.output.push_str(&inside);
        self.output.push('}');
        Ok(())
    }

    /// After an opening bracket.
    fn class(&mut self) -> Result<(), String> {
        self.output.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.output.push('^');
        }
        let mut first = true;
        loop {
            let Some(character) = self.rest.next() else {
                return Err("a bracket is not closed".to_owned());
            };
            if character == ']' && !first {
                self.output.push(']');
                return Ok(());
            }
            first = false;
            let low = match character {
                '[' if self.rest.peek() == Some(&':') => {
                    if self.posix_class()? {
                        continue;
                    }
                    '['
                }
                '\\' => match self.class_escape()? {
                    Some(literal) => literal,
                    None => continue,
                },
                plain => plain,
            };
            self.literal(low);
            self.range_end()?;
        }
    }

    /// `-z` after `a`; a dash before the closing bracket stands for itself.
    fn range_end(&mut self) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.next(), Some(']') | None) {
            return Ok(());
        }
        self.rest.next();
        let high = match self.rest.next() {
            Some('\\') => match self.read_escape()? {
                Escape::Literal(literal) => literal,
                _ => return Err("a range ends with a class".to_owned()),
            },
            Some(plain) => plain,
            None => return Err("a bracket is not closed".to_owned()),
        };
        self.output.push('-');
        self.literal(high);
        Ok(())
    }

    /// Writes a class within the class, or gives the character that is meant.
    fn class_escape(&mut self) -> Result<Option<char>, String> {
        match self.read_escape()? {
            Escape::Literal(literal) => return Ok(Some(literal)),
            Escape::Perl(members, false) => self.output.push_str(members),
            Escape::Perl(members, true) => self.write(format_args!("[^{members}]")),
            Escape::Unicode(class) => self.output.push_str(&class),
            Escape::Other(other) => return Err(unknown_escape(other)),
        }
        Ok(None)
    }

    /// `[:alpha:]` within a class. Whether there was one; if not, the bracket is plain.
    fn posix_class(&mut self) -> Result<bool, String> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
            "space", "upper", "word", "xdigit",
        ];
        let mut ahead = self.rest.clone();
        ahead.next();
        let negated = ahead.peek() == Some(&'^');
        if negated {
            ahead.next();
        }
        let mut name = String::new();
        while let Some(letter) = ahead.peek().copied().filter(char::is_ascii_alphabetic)
            && name.len() < 8
        {
            name.push(letter);
            ahead.next();
        }
        if ahead.next() != Some(':') || ahead.next() != Some(']') {
            return Ok(false);
        }
        if !NAMES.contains(&name.as_str()) {
            return Err(format!("there is no class called [:{name}:]"));
        }
        self.rest = ahead;
        let sign = if negated { "^" } else { "" };
        self.write(format_args!("[:{sign}{name}:]"));
        Ok(true)
    }
}

fn class_name_part(part: char) -> Option<char> {
    (part.is_ascii_alphanumeric() || part == '_').then_some(part)
}

fn unknown_escape(character: char) -> String {
    let shown = if character.is_control() { ' ' } else { character };
    format!("`\\{shown}` has no meaning")
}

fn no_backreference() -> String {
    "backreferences are not supported".to_owned()
}

fn not_a_group() -> String {
    "after (? stand flags, a name or a colon; look-around is not supported".to_owned()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::translate;

    #[track_caller]
    fn matches(pattern: &str, text: &str) -> bool {
        let translated = translate(pattern).unwrap_or_else(|reason| panic!("{pattern}: {reason}"));
        Regex::new(&translated)
            .unwrap_or_else(|error| panic!("{pattern}: {error}"))
            .is_match(text)
    }

    #[test]
    fn perl_classes_know_ascii_only() {
        assert!(matches(r"^\d\s\w$", "7 x"));
        assert!(!matches(r"\d", "٣"));
        assert!(!matches(r"\w", "é"));
        assert!(!matches(r"(?i)^\w$", "ſ"));
        assert!(!matches(r"\s", "\u{b}"));
        assert!(matches(r"^\W\D\S$", "éxé"));
        assert!(matches(r"^[\D]$", "é") && !matches(r"^[\D]$", "1"));
    }

    #[test]
    fn word_boundaries_know_ascii_only() {
        assert!(matches(r"ace\b", "the ace"));
        assert!(!matches(r"ace\b", "aces"));
        assert!(matches(r"ace\b", "aceé"));
        assert!(matches(r"ace\B", "aces"));
    }

    #[test]
    fn braces_that_repeat_nothing_are_plain() {
        assert!(matches("^a{$", "a{"));
        assert!(matches("^a{,2}$", "a{,2}"));
        assert!(matches("^{{x}}$", "{{x}}"));
        assert!(matches("^a{2,}b{1}c{0,1}$", "aaab"));
        assert!(translate("a{1001}").is_err());
    }

    #[test]
    fn classes_have_no_set_operations() {
        assert!(matches("^[a&&b]$", "&") && matches("^[a&&b]$", "a"));
        assert!(matches("^[[a]b]$", "[b]") && matches("^[[a]b]$", "ab]"));
        assert!(matches("^[a~~b]$", "~") && matches("^[--/]$", "."));
        assert!(matches("^[]x]$", "]") && matches("^[^]x]$", "y"));
        assert!(matches(r"^[\]\-a-]$", "-") && matches(r"^[\]\-a-]$", "]"));
        assert!(matches("^[[:alpha:][:^ascii:]]+$", "aé"));
        assert!(matches("^[[:a]+$", ":[a"));
        assert!(translate("[[:nope:]]").is_err());
        assert!(translate("[abc").is_err());
    }

    #[test]
    fn escapes_are_those_of_re2() {
        assert!(matches(r"^\Qa.b*\E.$", "a.b*c"));
        assert!(matches(r"^\x41\x{1F600}\101\0$", "A😀A\0"));
        assert!(matches(r"^\_\/\#\ $", "_/# "));
        assert!(matches(r"^\pL\p{Greek}\P{Greek}\p{^Greek}$", "aαaa"));
        for refused in [
            r"\1",
            r"\C",
            r"\Z",
            r"\y",
            r"[\b]",
            r"\",
            r"\x4",
            r"\x{}",
            r"\x{110000}",
            r"\E",
        ] {
            assert!(translate(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn groups_are_those_of_re2() {
        assert!(matches(
            r"^(?P<first>a)(?<second>b)(?:c)(?i)D(?-i:e)(f)$",
            "abcdef"
        ));
        for refused in [
            "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?#c)", "(?x)a", "(?u)a", "(?P=n)", "(?",
        ] {
            assert!(translate(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn what_is_plain_stays_plain() {
        let text = r#"]}#~&-"'/é <>=!%@,;:`"#;
        assert!(matches(&format!("^{text}$"), text));
    }
}
