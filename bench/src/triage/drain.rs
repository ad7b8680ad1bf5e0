//! The baseline for templates: Drain (He and others 2017) with the generic masks and the default parameters of
//! its best-known implementation, one configuration for all sources.

use std::collections::HashMap;

const DEPTH: usize = 1;
const SIMILARITY: f64 = 0.4;
const CHILDREN: usize = 100;
const VALUE: &str = "<*>";

#[derive(Default)]
pub(super) struct Drain {
    clusters: Vec<Vec<String>>,
    leaves: HashMap<Vec<String>, Vec<usize>>,
    children: HashMap<Vec<String>, Vec<String>>,
}

impl Drain {
    /// The number of the cluster that the line belongs to.
    pub(super) fn learn(&mut self, line: &str) -> usize {
        let tokens: Vec<String> = mask(line).split_whitespace().map(str::to_owned).collect();
        let leaf = self.leaf(&tokens);
        let found = self.leaves.get(&leaf).and_then(|ids| self.best(ids, &tokens));
        if let Some(id) = found {
            for (known, token) in self.clusters[id].iter_mut().zip(&tokens) {
                if known != token {
                    VALUE.clone_into(known);
                }
            }
            return id;
        }
        self.clusters.push(tokens);
        self.leaves.entry(leaf).or_default().push(self.clusters.len() - 1);
        self.clusters.len() - 1
    }

    fn leaf(&mut self, tokens: &[String]) -> Vec<String> {
        let mut path = vec![tokens.len().to_string()];
        for token in tokens.iter().take(DEPTH) {
            let children = self.children.entry(path.clone()).or_default();
            let child = if children.contains(token) {
                token.clone()
            } else if token.bytes().any(|byte| byte.is_ascii_digit()) || children.len() + 1 >= CHILDREN {
                VALUE.to_owned()
            } else {
                children.push(token.clone());
                token.clone()
            };
            path.push(child);
        }
        path
    }

    fn best(&self, ids: &[usize], tokens: &[String]) -> Option<usize> {
        let score = |id: usize| {
            let known = &self.clusters[id];
            let same = known
                .iter()
                .zip(tokens)
                .filter(|(known, token)| *known == *token && *known != VALUE)
                .count();
            let values = known.iter().filter(|token| *token == VALUE).count();
            (
                if tokens.is_empty() {
                    1.0
                } else {
                    same as f64 / tokens.len() as f64
                },
                values,
            )
        };
        ids.iter()
            .map(|id| (*id, score(*id)))
            .filter(|(_, (similarity, _))| *similarity >= SIMILARITY)
            .reduce(|best, next| {
                let better = next.1.0 > best.1.0 || (next.1.0 >= best.1.0 && next.1.1 > best.1.1);
                if better { next } else { best }
            })
            .map(|(id, _)| id)
    }
}

/// Addresses, hexadecimal numbers, and numbers that stand alone.
fn mask(line: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, masked: &mut String| {
        let dots = word.matches('.').count();
        let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let hexadecimal = word
            .strip_prefix("0x")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if dots == 3 && word.split('.').all(numeric) {
            masked.push_str("<IP>");
        } else if hexadecimal {
            masked.push_str("<HEX>");
        } else {
            let parts: Vec<&str> = word
                .split('.')
                .map(|part| if numeric(part) { "<NUM>" } else { part })
                .collect();
            masked.push_str(&parts.join("."));
        }
        word.clear();
    };
    for letter in line.chars() {
        if letter.is_ascii_alphanumeric() || letter == '.' {
            word.push(letter);
        } else {
            flush(&mut word, &mut masked);
            masked.push(letter);
        }
    }
    flush(&mut word, &mut masked);
    masked
}
