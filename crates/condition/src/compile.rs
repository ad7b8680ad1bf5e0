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

/// Compiles a tree from the parser; the numbers follow the order in which the parser met the comparisons.
///
/// `None` where a pattern does not compile, which the parser has ruled out.
pub(crate) fn compile(expression: &Expression, next: &mut usize) -> Option<Node> {
    let node = match expression {
        Expression::Any(members) => Node::Any(compile_all(members, next)?),
        Expression::All(members) => Node::All(compile_all(members, next)?),
        Expression::Not(inner) => Node::Not(Box::new(compile(inner, next)?)),
        Expression::Constant(value) => numbered(next, Factor::Constant(*value)),
        Expression::Compare {
            left,
            comparison,
            right,
        } => {
            let factor = Factor::Compare {
                left: left.clone(),
                comparison: *comparison,
                right: right.clone(),
            };
            numbered(next, factor)
        }
        Expression::Match {
            left,
            kind,
            case,
            right,
        } => numbered(next, matching(left, *kind, *case, right)?),
        Expression::Exists(path) => numbered(next, Factor::Exists(path.clone())),
        Expression::During(schedule) => numbered(next, Factor::During(schedule.clone())),
    };
    Some(node)
}

fn compile_all(members: &[Expression], next: &mut usize) -> Option<Box<[Node]>> {
    members.iter().map(|member| compile(member, next)).collect()
}

fn numbered(next: &mut usize, factor: Factor) -> Node {
    let number = *next;
    *next += 1;
    Node::Factor(number, factor)
}

fn matching(left: &Operand, kind: MatchKind, case: Case, right: &Operand) -> Option<Factor> {
    let left = left.clone();
    Some(match (kind, right) {
        (MatchKind::Regex, Operand::Text(text)) => Factor::Regex {
            left,
            pattern: Pattern::compile_condition(text, case).ok()?,
        },
        (MatchKind::Regex, _) => return None,
        (MatchKind::Part, Operand::Text(text)) => {
            let needle = match case {
                Case::Exact => Finder::new(text.as_str()).into_owned(),
                Case::Ignored => Finder::new(folded(text).as_ref()).into_owned(),
            };
            Factor::PartOf {
                left,
                case,
                needle: Box::new(needle),
            }
        }
        (MatchKind::Part, right) => Factor::Part {
            left,
            case,
            right: right.clone(),
        },
        (MatchKind::Whole, right) => Factor::Whole {
            left,
            case,
            right: right.clone(),
        },
    })
}
