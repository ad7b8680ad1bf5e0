//! The form that is evaluated: the tree with patterns compiled and literal texts prepared.

use memchr::memmem::Finder;

use crate::{
    pattern::Pattern,
    syntax::{Case, Comparison, Expression, MatchKind, Operand, Path},
    text::folded,
    weekly::WeeklySchedule,
};

/// An expression ready for evaluation.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Any(Box<[Node]>),
    All(Box<[Node]>),
    Not(Box<Node>),
    /// A comparison and its number in the order of the text.
    Factor(usize, Factor),
}

#[derive(Clone, Debug)]
pub(crate) enum Factor {
    Constant(bool),
    Compare {
        left: Operand,
        comparison: Comparison,
        right: Operand,
    },
    Whole {
        left: Operand,
        case: Case,
        right: Operand,
    },
    Part {
        left: Operand,
        case: Case,
        right: Operand,
    },
    /// `matches part` with a text that is already known; folded where case is ignored.
    PartOf {
        left: Operand,
        case: Case,
        needle: Box<Finder<'static>>,
    },
    Regex {
        left: Operand,
        pattern: Pattern,
    },
    Exists(Path),
    During(WeeklySchedule),
}

impl Factor {
    /// Whether the comparison hangs on a count.
    pub(crate) fn asks_for_counts(&self) -> bool {
        let operands = match self {
            Self::Compare { left, right, .. }
            | Self::Whole { left, right, .. }
            | Self::Part { left, right, .. } => [Some(left), Some(right)],
            Self::PartOf { left, .. } | Self::Regex { left, .. } => [Some(left), None],
            Self::Constant(_) | Self::Exists(_) | Self::During(_) => [None, None],
        };
        operands
            .into_iter()
            .flatten()
            .any(|operand| matches!(operand, Operand::Count(_)))
    }
}

/// What the parser hands over beside the tree: both are used up in the order of the text.
pub(crate) struct Supply {
    next_factor: usize,
    patterns: std::vec::IntoIter<Pattern>,
}

impl Supply {
    pub(crate) fn new(patterns: Vec<Pattern>) -> Self {
        Self {
            next_factor: 0,
            patterns: patterns.into_iter(),
        }
    }

    fn numbered(&mut self, factor: Factor) -> Node {
        let number = self.next_factor;
        self.next_factor += 1;
        Node::Factor(number, factor)
    }
}

/// Compiles a tree from the parser; `None` where a pattern is missing, which the parser rules out.
pub(crate) fn compile(expression: &Expression, supply: &mut Supply) -> Option<Node> {
    let factor = match expression {
        Expression::Any(members) => return Some(Node::Any(compile_all(members, supply)?)),
        Expression::All(members) => return Some(Node::All(compile_all(members, supply)?)),
        Expression::Not(inner) => return Some(Node::Not(Box::new(compile(inner, supply)?))),
        Expression::Constant(value) => Factor::Constant(*value),
        Expression::Compare {
            left,
            comparison,
            right,
        } => Factor::Compare {
            left: left.clone(),
            comparison: *comparison,
            right: right.clone(),
        },
        Expression::Match {
            left,
            kind: MatchKind::Regex,
            ..
        } => Factor::Regex {
            left: left.clone(),
            pattern: supply.patterns.next()?,
        },
        Expression::Match {
            left,
            kind: MatchKind::Part,
            case,
            right,
        } => part(left, *case, right),
        Expression::Match {
            left,
            kind: MatchKind::Whole,
            case,
            right,
        } => Factor::Whole {
            left: left.clone(),
            case: *case,
            right: right.clone(),
        },
        Expression::Exists(path) => Factor::Exists(path.clone()),
        Expression::During(schedule) => Factor::During(schedule.clone()),
    };
    Some(supply.numbered(factor))
}

fn compile_all(members: &[Expression], supply: &mut Supply) -> Option<Box<[Node]>> {
    members.iter().map(|member| compile(member, supply)).collect()
}

fn part(left: &Operand, case: Case, right: &Operand) -> Factor {
    let left = left.clone();
    let needle = match (right, case) {
        (Operand::Text(text), Case::Exact) => Finder::new(text.as_str()).into_owned(),
        (Operand::Text(text), Case::Ignored) => Finder::new(folded(text).as_ref()).into_owned(),
        _ => {
            return Factor::Part {
                left,
                case,
                right: right.clone(),
            };
        }
    };
    Factor::PartOf {
        left,
        case,
        needle: Box::new(needle),
    }
}
