//! Which part of the data is for choosing and which for judging, frozen on 2026-11-22 before anything was tuned on it.
//!
//! Variants are compared on the development part; the held-out part is run to report, not to choose. The whole is what
//! targets and published baselines speak of. Every task says in its own documentation where its border lies; the borders
//! depend on names, order and time in the data, never on the seed. Constants from before the freeze were partly chosen with all
//! data in view, so a held-out figure is honest about what changed since then, and only as good as memory about the rest
//! (`docs/performance/triage.md` says which).

use std::collections::BTreeMap;

/// The part of a data set that a run looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// For comparing variants.
    Development,
    /// For reporting.
    HeldOut,
    /// Both together, as targets and published figures have it.
    Whole,
}

impl Part {
    /// The first half of `all` for development, the rest held out; the middle one of an odd number is for development.
    pub(crate) fn half<T>(self, all: &[T]) -> &[T] {
        let (first, second) = all.split_at(all.len().div_ceil(2));
        match self {
            Self::Development => first,
            Self::HeldOut => second,
            Self::Whole => all,
        }
    }

    /// Divides labelled texts: what is learned from and what is asked. For development every fifth example of a label
    /// in `taught` is asked instead of `asked`; otherwise `asked` is.
    pub(crate) fn questions(
        self,
        taught: Vec<(String, String)>,
        asked: Vec<(String, String)>,
    ) -> (Vec<(String, String)>, Vec<(String, String)>) {
        if self != Self::Development {
            return (taught, asked);
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        taught.into_iter().partition(|(_, label)| {
            let number = seen.entry(label.clone()).or_default();
            *number += 1;
            !number.is_multiple_of(5)
        })
    }

    /// True for what belongs to this part, when `development` says on which side it lies.
    pub(crate) fn takes(self, development: bool) -> bool {
        match self {
            Self::Development => development,
            Self::HeldOut => !development,
            Self::Whole => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn the_parts_are_apart_and_make_up_the_whole() {
        let all = [1, 2, 3, 4, 5];
        let parts = [Part::Development.half(&all), Part::HeldOut.half(&all)];
        assert_eq!(parts, [&[1, 2, 3][..], &[4, 5][..]]);
        assert_eq!(Part::Whole.half(&all), parts.concat());
        for development in [true, false] {
            let taking = [Part::Development, Part::HeldOut].map(|part| part.takes(development));
            assert_ne!(taking[0], taking[1]);
        }
    }
}
