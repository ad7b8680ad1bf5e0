//! The picture of a report: lanes on one clock (machines, people, customers, what was said), with the lines
//! "began" and "resolved" through all. Across is in percent, so one drawing serves a wall and a phone.

use askama::Template;
use jiff::{Timestamp, ToSpan};

use super::words::{coordinate, path_through};
use super::{Reading, State, drawn};

/// What is to be drawn.
#[derive(Debug, Clone)]
pub struct LaneChartInput {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Lines through all lanes: "05:41 began".
    pub through: Vec<(Timestamp, String)>,
    pub lanes: Vec<LaneInput>,
}

#[derive(Debug, Clone)]
pub struct LaneInput {
    pub name: &'static str,
    pub note: String,
    pub content: LaneContent,
}

#[derive(Debug, Clone)]
pub enum LaneContent {
    /// A number over time, filled; labels stand where they are put.
    Area {
        state: Option<State>,
        points: Vec<(Timestamp, f64)>,
        labels: Vec<(Timestamp, String)>,
    },
    /// Spans, one below the other.
    Spans(Vec<Span>),
    /// What was said and when; `kept` tells whether the promise before it was kept.
    Chain {
        told: Vec<(Timestamp, String, Promise)>,
        last_answer: Option<(Timestamp, String)>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    Kept,
    Missed,
}

#[derive(Debug, Clone)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
    pub label: String,
    pub look: SpanLook,
    /// A moment inside it worth a dot: "06:05 approves the way back".
    pub moment: Option<(Timestamp, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanLook {
    Person,
    Solid(State),
    Tinted(State),
    /// A burst of alerts: ticks instead of a block.
    Burst(State),
}

#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "kit/lanes.html")]
pub struct LaneChart {
    /// Percent and words.
    pub through: Vec<Label>,
    pub lanes: Vec<Lane>,
    pub axis: Vec<Label>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    pub name: &'static str,
    pub note: String,
    pub height: u32,
    pub area: Option<AreaDrawing>,
    pub blocks: Vec<Block>,
    pub links: Vec<ChainLink>,
    pub marks: Vec<ChainMark>,
    pub labels: Vec<Label>,
}

impl Lane {
    /// What is written inside the drawing where there is room for it: a phone shows it as a list below.
    fn told(&self) -> Vec<String> {
        let blocks = self.blocks.iter().filter_map(|block| match &block.moment {
            Some(moment) => Some(format!("{}: {}", block.label, moment.words)),
            None if block.label_class.starts_with("wide") => Some(block.label.clone()),
            None => None,
        });
        let labels = self.labels.iter().filter(|label| label.class.starts_with("wide"));
        blocks.chain(labels.map(|label| label.words.clone())).collect()
    }
}

/// Path in a box of 1000 by the lane's height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaDrawing {
    pub class: &'static str,
    pub filled: String,
    pub line: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub across: String,
    pub down: u32,
    pub words: String,
    pub class: &'static str,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub class: String,
    pub across: String,
    pub width: String,
    pub down: u32,
    pub height: u32,
    pub label: String,
    /// Inside the block or behind its end.
    pub label_across: String,
    pub label_class: &'static str,
    pub ticks: Vec<String>,
    /// A moment inside.
    pub moment: Option<BlockMoment>,
}

/// A dot with its words behind it, or before it where the drawing ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMoment {
    /// In percent.
    pub across: String,
    pub words: String,
    /// `start` or `end`.
    pub anchor: &'static str,
}

impl BlockMoment {
    fn shift(&self) -> i32 {
        if self.anchor == "end" { -9 } else { 9 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    pub from: String,
    pub to: String,
    pub class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainMark {
    pub across: String,
    pub promise: Option<Promise>,
}

const AREA_HEIGHT: u32 = 64;
const ROW: u32 = 22;
const CHAIN_HEIGHT: u32 = 68;
/// Percent of the width that one letter of a label takes on a desk's screen.
const LETTER: f64 = 0.72;
/// How much more of the width letters take on a phone.
const PHONE: f64 = 2.5;
/// Where labels below a chain stand: the first line that has room.
const CHAIN_LINES: [u32; 2] = [46, 62];

/// Times to percent of the width.
struct Axis {
    from: i64,
    length: i64,
}

impl Axis {
    fn percent(&self, at: Timestamp) -> f64 {
        ((at.as_second() - self.from) as f64 / self.length as f64 * 100.0).clamp(0.0, 100.0)
    }

    fn text(&self, at: Timestamp) -> String {
        coordinate(self.percent(at))
    }
}

/// Lays out a chart for a reader.
pub fn lane_chart(input: &LaneChartInput, reading: &Reading) -> LaneChart {
    let axis = Axis {
        from: input.from.as_second(),
        length: (input.to.as_second() - input.from.as_second()).max(1),
    };
    LaneChart {
        through: lines_through(&input.through, &axis),
        lanes: input.lanes.iter().map(|lane| lay_lane(lane, &axis)).collect(),
        axis: axis_labels(input, &axis, reading),
    }
}

/// The words stand over their lines; where two lines are close, on either side of them.
fn lines_through(lines: &[(Timestamp, String)], axis: &Axis) -> Vec<Label> {
    let mut labels: Vec<Label> = lines
        .iter()
        .map(|(at, words)| Label {
            across: axis.text(*at),
            down: 12,
            words: words.clone(),
            class: "strong",
            anchor: "middle",
        })
        .collect();
    if let ([first, second], [(from, _), (to, _)]) = (labels.as_mut_slice(), lines)
        && (to.as_second() - from.as_second()) * 100 < axis.length * 28
    {
        first.anchor = "end";
        second.anchor = "start";
    }
    labels
}

fn lay_lane(input: &LaneInput, axis: &Axis) -> Lane {
    let mut lane = Lane {
        name: input.name,
        note: input.note.clone(),
        height: AREA_HEIGHT,
        area: None,
        blocks: Vec::new(),
        links: Vec::new(),
        marks: Vec::new(),
        labels: Vec::new(),
    };
    match &input.content {
        LaneContent::Area {
            state,
            points,
            labels,
        } => lay_area(&mut lane, *state, points, labels, axis),
        LaneContent::Spans(spans) => {
            lane.height = (spans.len() as u32 * ROW + 18).max(AREA_HEIGHT / 2);
            lane.blocks = spans
                .iter()
                .enumerate()
                .map(|(row, span)| lay_span(span, row as u32, axis))
                .collect();
        }
        LaneContent::Chain { told, last_answer } => lay_chain(&mut lane, told, last_answer.as_ref(), axis),
    }
    lane
}

fn lay_area(
    lane: &mut Lane,
    state: Option<State>,
    points: &[(Timestamp, f64)],
    labels: &[(Timestamp, String)],
    axis: &Axis,
) {
    let highest = points
        .iter()
        .map(|(_, value)| *value)
        .fold(f64::MIN_POSITIVE, f64::max);
    let floor = f64::from(AREA_HEIGHT) - 6.0;
    let down = |value: f64| floor - (value / highest) * (floor - 10.0);
    let line = path_through(
        points
            .iter()
            .map(|(at, value)| (axis.percent(*at) * 10.0, down(*value))),
    );
    let filled = match (points.first(), points.last()) {
        (Some((first, _)), Some((last, _))) => format!(
            "{line}L{} {floor}L{} {floor}Z",
            coordinate(axis.percent(*last) * 10.0),
            coordinate(axis.percent(*first) * 10.0)
        ),
        _ => String::new(),
    };
    lane.area = Some(AreaDrawing {
        class: state.map_or("neutral", State::class),
        filled,
        line,
    });
    lane.labels = labels
        .iter()
        .enumerate()
        .map(|(index, (at, words))| Label {
            across: axis.text(*at),
            // The first stands in the area where that has a ground of its own, or beside its peak.
            down: match (index, state) {
                (0, Some(_)) => 34,
                (0, None) => 14,
                _ => 40,
            },
            words: words.clone(),
            class: if index == 0 && state.is_some() {
                "wide inside"
            } else {
                "wide"
            },
            anchor: "start",
        })
        .collect();
}

fn lay_span(span: &Span, row: u32, axis: &Axis) -> Block {
    let (from, to) = (axis.percent(span.from), axis.percent(span.to));
    let class = match span.look {
        SpanLook::Person => "block person".to_owned(),
        SpanLook::Solid(state) => format!("block solid {}", state.class()),
        SpanLook::Tinted(state) => format!("block {}", state.class()),
        SpanLook::Burst(state) => format!("burst {}", state.class()),
    };
    let inside = matches!(span.look, SpanLook::Person | SpanLook::Tinted(_)) && to - from > 24.0;
    let ticks = match span.look {
        SpanLook::Burst(_) => (0..14)
            .map(|index| coordinate(from + (to - from) * f64::from(index) / 13.0))
            .collect(),
        _ => Vec::new(),
    };
    Block {
        class,
        across: coordinate(from),
        width: coordinate((to - from).max(0.3)),
        down: 8 + row * ROW,
        height: 14,
        label: span.label.clone(),
        label_across: coordinate(if inside { from } else { to }),
        label_class: match (inside, span.label.chars().count() as f64 * LETTER) {
            (true, _) => "on-bar",
            (false, width) if to + width > 100.0 => "wide before",
            (false, width) if to + width * PHONE > 100.0 => "wide",
            (false, _) => "",
        },
        ticks,
        moment: span.moment.as_ref().map(|(at, words)| BlockMoment {
            across: axis.text(*at),
            words: words.clone(),
            anchor: if axis.percent(*at) + words.chars().count() as f64 * LETTER > 100.0 {
                "end"
            } else {
                "start"
            },
        }),
    }
}

fn lay_chain(
    lane: &mut Lane,
    told: &[(Timestamp, String, Promise)],
    last: Option<&(Timestamp, String)>,
    axis: &Axis,
) {
    lane.height = CHAIN_HEIGHT;
    for pair in told.windows(2) {
        let class = if pair[1].2 == Promise::Kept {
            "chain"
        } else {
            "chain missed"
        };
        lane.links.push(ChainLink {
            from: axis.text(pair[0].0),
            to: axis.text(pair[1].0),
            class,
        });
    }
    let mut free = [f64::MIN; CHAIN_LINES.len()];
    for (at, words, promise) in told {
        lane.marks.push(ChainMark {
            across: axis.text(*at),
            promise: Some(*promise),
        });
        label_below(lane, &mut free, axis.percent(*at), words);
    }
    if let Some((at, words)) = last {
        if let Some((from, _, _)) = told.last() {
            lane.links.push(ChainLink {
                from: axis.text(*from),
                to: axis.text(*at),
                class: "chain open",
            });
        }
        lane.marks.push(ChainMark {
            across: axis.text(*at),
            promise: None,
        });
        label_below(lane, &mut free, axis.percent(*at), words);
    }
}

/// Puts words below a mark where nothing else stands, or leaves them out: the mark and its story remain.
fn label_below(lane: &mut Lane, free: &mut [f64; CHAIN_LINES.len()], across: f64, words: &str) {
    let width = words.chars().count() as f64 * LETTER;
    let at_the_end = across + width > 100.0;
    let (from, to) = if at_the_end {
        (across - width, across)
    } else {
        (across, across + width)
    };
    let Some(line) = free.iter().position(|end| *end < from) else {
        return;
    };
    free[line] = to + 1.0;
    lane.labels.push(Label {
        across: coordinate(across),
        down: CHAIN_LINES[line],
        words: words.to_owned(),
        class: "wide",
        anchor: if at_the_end { "end" } else { "start" },
    });
}

/// About eight round times along the axis.
fn axis_labels(input: &LaneChartInput, axis: &Axis, reading: &Reading) -> Vec<Label> {
    const STEPS: [i64; 11] = [1, 5, 10, 15, 30, 60, 120, 240, 720, 1440, 2880];
    let minutes = axis.length / 60;
    let step = STEPS
        .into_iter()
        .find(|step| minutes / step <= 8)
        .unwrap_or(minutes / 8 + 1)
        * 60;
    let first = (axis.from + step - 1).div_euclid(step) * step;
    (0..=10)
        .filter_map(|index| {
            input
                .from
                .checked_add((first - axis.from + index * step).seconds())
                .ok()
        })
        .filter(|at| *at <= input.to)
        .map(|at| Label {
            across: axis.text(at),
            down: 14,
            words: if step >= 86_400 {
                reading.day(at)
            } else {
                reading.zoned(at).strftime("%H:%M").to_string()
            },
            class: "",
            anchor: "middle",
        })
        .collect()
}

drawn!(LaneChart);

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-17T{text}:00Z").parse().unwrap()
    }

    fn chart(content: LaneContent) -> LaneChart {
        let input = LaneChartInput {
            from: at("05:30"),
            to: at("07:10"),
            through: vec![(at("05:40"), "05:40 began".to_owned())],
            lanes: vec![LaneInput {
                name: "Shops",
                note: String::new(),
                content,
            }],
        };
        lane_chart(&input, &Reading::new(at("10:12"), TimeZone::UTC))
    }

    #[test]
    fn all_lanes_share_one_clock() {
        let drawn = chart(LaneContent::Spans(vec![Span {
            from: at("05:40"),
            to: at("06:20"),
            label: "Priya Raman".to_owned(),
            look: SpanLook::Person,
            moment: None,
        }]));
        assert_eq!(drawn.through[0].across, "10");
        assert_eq!(
            (
                drawn.lanes[0].blocks[0].across.as_str(),
                drawn.lanes[0].blocks[0].width.as_str()
            ),
            ("10", "40")
        );
    }

    #[test]
    fn the_axis_names_round_times() {
        let drawn = chart(LaneContent::Spans(Vec::new()));
        let words: Vec<_> = drawn.axis.iter().map(|label| label.words.as_str()).collect();
        assert_eq!(
            words,
            ["05:30", "05:45", "06:00", "06:15", "06:30", "06:45", "07:00"]
        );
    }

    #[test]
    fn a_missed_promise_is_seen() {
        let drawn = chart(LaneContent::Chain {
            told: vec![
                (at("05:52"), "not working".to_owned(), Promise::Kept),
                (at("06:30"), "nearly".to_owned(), Promise::Missed),
            ],
            last_answer: None,
        });
        assert_eq!(drawn.lanes[0].links[0].class, "chain missed");
    }

    #[test]
    fn words_below_a_chain_never_stand_on_each_other() {
        let told = |clock: &str| (at(clock), "05:52 Customers".to_owned(), Promise::Kept);
        let drawn = chart(LaneContent::Chain {
            told: vec![told("05:52"), told("05:53"), told("05:54"), told("07:09")],
            last_answer: None,
        });
        let places: Vec<_> = drawn.lanes[0]
            .labels
            .iter()
            .map(|label| (label.down, label.anchor))
            .collect();
        assert_eq!(places, [(46, "start"), (62, "start"), (46, "end")]);
    }

    #[test]
    fn what_lies_outside_is_drawn_at_the_edge() {
        let drawn = chart(LaneContent::Area {
            state: None,
            points: vec![(at("05:00"), 1.0), (at("09:00"), 1.0)],
            labels: vec![],
        });
        assert_eq!(drawn.lanes[0].area.as_ref().unwrap().line, "M0 10L1000 10");
    }
}
