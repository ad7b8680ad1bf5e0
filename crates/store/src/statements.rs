//! Finds every statement of a crate in its source, so that one test can prepare all of them on both engines.
//!
//! `forbid(unsafe_code)` rules out registering statements while linking, so the source is read instead: every `sql!`
//! and `query!` in any `.rs` file. Pieces that are constants are looked up by name, first in the same file and then in
//! all files; they must be `const NAME: &str = "literal";`. What cannot be read is an error, never skipped.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::{Statement, Store, query};

/// A statement and where it stands.
#[derive(Debug, Clone)]
pub struct FoundStatement {
    /// The file.
    pub file: PathBuf,
    /// The line of the macro.
    pub line: usize,
    /// The statement; a query with optional parts yields several.
    pub statement: Statement,
}

/// Constants by name, each with the file where it is defined.
type Constants = HashMap<String, Vec<(PathBuf, String)>>;

/// Finds all statements below this directory.
///
/// # Panics
/// When a file or a statement cannot be read; the message says where.
pub fn in_source(directory: &Path) -> Vec<FoundStatement> {
    let sources: Vec<(PathBuf, TokenStream)> = source_files(directory)
        .into_iter()
        .map(|file| {
            let text =
                std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let tokens =
                TokenStream::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            (file, tokens)
        })
        .collect();
    let mut constants = Constants::new();
    for (file, tokens) in &sources {
        collect_constants(file, tokens.clone(), &mut constants);
    }
    let mut found = Vec::new();
    for (file, tokens) in &sources {
        collect_statements(file, tokens.clone(), &constants, &mut found);
    }
    found
}

fn source_files(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
            .path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Finds `const NAME: &str = "literal"`, wherever it stands.
fn collect_constants(file: &Path, tokens: TokenStream, constants: &mut Constants) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            collect_constants(file, group.stream(), constants);
        }
        if !is_word(token, "const") {
            continue;
        }
        let Some(TokenTree::Ident(name)) = tokens.get(index + 1) else {
            continue;
        };
        let definition = tokens[index + 2..]
            .iter()
            .take_while(|token| !is_mark(token, ';'));
        let mut after = definition.skip_while(|token| !is_mark(token, '='));
        if let (Some(_), Some(value), None) = (after.next(), after.next(), after.next())
            && let Some(text) = literal(value)
        {
            constants
                .entry(name.to_string())
                .or_default()
                .push((file.to_owned(), text));
        }
    }
}

fn collect_statements(
    file: &Path,
    tokens: TokenStream,
    constants: &Constants,
    found: &mut Vec<FoundStatement>,
) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let is_macro = index >= 2 && is_mark(&tokens[index - 1], '!');
        let line = token.span().start().line;
        let statements = match is_macro.then(|| &tokens[index - 2]) {
            Some(name) if is_word(name, "sql") => read_statement(group.stream(), file, constants),
            Some(name) if is_word(name, "query") => {
                joined(&group.stream().into_iter().collect::<Vec<_>>(), file, constants)
                    .and_then(|text| query::variants(&text))
            }
            _ => {
                collect_statements(file, group.stream(), constants, found);
                continue;
            }
        }
        .unwrap_or_else(|reason| panic!("{}:{line}: {reason}", file.display()));
        found.extend(statements.into_iter().map(|statement| FoundStatement {
            file: file.to_owned(),
            line,
            statement,
        }));
    }
}

fn read_statement(tokens: TokenStream, file: &Path, constants: &Constants) -> Result<Vec<Statement>, String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_twin = tokens.len() > 1 && is_word(&tokens[0], "sqlite") && is_mark(&tokens[1], ':');
    if !is_twin {
        return Ok(vec![Statement::composed(joined(&tokens, file, constants)?)]);
    }
    let parts: Vec<&[TokenTree]> = tokens.split(|token| is_mark(token, ',')).collect();
    let text = |engine: &str| {
        let part = parts
            .iter()
            .find(|part| part.first().is_some_and(|token| is_word(token, engine)));
        let part = part.ok_or_else(|| format!("no text for {engine}"))?;
        joined(part.get(2..).unwrap_or_default(), file, constants)
    };
    Ok(vec![Statement::twins(&text("sqlite")?, text("postgres")?)])
}

/// Joins literals and constants that are separated by commas.
fn joined(tokens: &[TokenTree], file: &Path, constants: &Constants) -> Result<String, String> {
    let mut text = String::new();
    for piece in tokens
        .split(|token| is_mark(token, ','))
        .filter(|piece| !piece.is_empty())
    {
        text.push_str(&match piece.last() {
            Some(TokenTree::Ident(name)) => constant(&name.to_string(), file, constants)?,
            Some(token) if piece.len() == 1 => {
                literal(token).ok_or_else(|| format!("not a literal: {token}"))?
            }
            _ => return Err("a piece is neither a literal nor a constant".to_owned()),
        });
    }
    Ok(text)
}

fn constant(name: &str, file: &Path, constants: &Constants) -> Result<String, String> {
    let known = constants.get(name).map(Vec::as_slice).unwrap_or_default();
    let here: Vec<_> = known.iter().filter(|(place, _)| place == file).collect();
    match (here.as_slice(), known) {
        ([(_, text)], _) | ([], [(_, text)]) => Ok(text.clone()),
        ([], []) => Err(format!("the constant {name} is not a literal of this crate")),
        _ => Err(format!(
            "the constant {name} is defined more than once; give it a name of its own"
        )),
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(name) if name == word)
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punctuation) if punctuation.as_char() == mark)
}

/// The text of a string literal, also within the invisible group of a macro.
fn literal(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Literal(literal) => syn::parse_str::<syn::LitStr>(&literal.to_string())
            .ok()
            .map(|text| text.value()),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            group.stream().into_iter().next().as_ref().and_then(self::literal)
        }
        _ => None,
    }
}

impl Store {
    /// Prepares each statement on this engine and returns those it refuses, one line each. Nothing is run.
    pub async fn prepare_all(&self, statements: &[FoundStatement]) -> Vec<String> {
        let mut refused = Vec::new();
        for FoundStatement {
            file,
            line,
            statement,
        } in statements
        {
            let statement = statement.clone();
            if let Err(error) = self.read(move |tx| tx.prepare(&statement)).await {
                refused.push(format!("{}:{line}: {error}", file.display()));
            }
        }
        refused
    }
}
