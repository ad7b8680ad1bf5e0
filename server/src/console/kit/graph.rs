//! The dependency picture: columns from what engineers run, on the left, to who is hurt, on the right.
//!
//! Columns are given, they mean something; only the order and the height inside a column are worked out.
//! The order is the usual one for layered drawings: edges that skip columns get a stand-in in each column they
//! cross (so no line runs through a box), then sweeps put each box near the middle of its neighbours. Heights
//! come as close to the neighbours' middles as the order and the gaps allow (isotonic regression, least
//! squares). Across is in percent, down in pixels, so the drawing stretches without script.

use askama::Template;

use super::words::coordinate;
use super::{Shape, State, drawn};

const NODE_HEIGHT: f64 = 66.0;
const NODE_GAP: f64 = 28.0;
const STAND_IN_HEIGHT: f64 = 14.0;
const HEADING: f64 = 40.0;
/// Share of a column's width that a box takes.
const NODE_SHARE: f64 = 0.8;
const SWEEPS: usize = 12;

/// What stands in a box before its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeMark {
    State(State),
    Icon(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeTone {
    /// There, but not part of the story.
    Quiet,
    /// On the path of the incident.
    Lit,
    /// Where it began.
    Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub note: String,
    pub mark: NodeMark,
    pub tone: NodeTone,
    pub column: usize,
    pub to: String,
}

impl Node {
    fn class(&self) -> String {
        let tone = match self.tone {
            NodeTone::Quiet => "quiet",
            NodeTone::Lit => "lit",
            NodeTone::Origin => "lit origin",
        };
        match self.mark {
            NodeMark::State(state) => format!("{tone} {}", state.class()),
            NodeMark::Icon(_) => tone.to_owned(),
        }
    }
}

/// From one node to another, by their indices, with the state that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub passes: Option<State>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphInput {
    pub columns: Vec<&'static str>,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "kit/graph.html")]
pub struct Graph {
    /// In pixels.
    pub height: u32,
    /// In percent.
    pub node_width: String,
    pub columns: Vec<(String, &'static str)>,
    pub nodes: Vec<PlacedNode>,
    pub edges: Vec<PlacedEdge>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PlacedNode {
    pub node: Node,
    pub class: String,
    /// In percent.
    pub across: String,
    /// In pixels.
    pub down: String,
}

impl PlacedNode {
    fn shape(&self) -> Option<Shape> {
        match self.node.mark {
            NodeMark::State(state) => Some(state.shape()),
            NodeMark::Icon(_) => None,
        }
    }

    fn icon(&self) -> &'static str {
        match self.node.mark {
            NodeMark::State(_) => "",
            NodeMark::Icon(icon) => icon,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEdge {
    /// In a box of 1000 by the height.
    pub path: String,
    /// Where the arrow's point is: percent, pixels.
    pub tip: (String, String),
    pub class: String,
}

/// A box or a stand-in during the layout.
struct Cell {
    node: Option<usize>,
    column: usize,
    middle: f64,
}

impl Cell {
    fn height(&self) -> f64 {
        if self.node.is_some() {
            NODE_HEIGHT
        } else {
            STAND_IN_HEIGHT
        }
    }
}

struct Layout {
    cells: Vec<Cell>,
    /// Cells by column, from top to bottom.
    columns: Vec<Vec<usize>>,
    /// For each edge, the cells it runs through.
    routes: Vec<(Edge, Vec<usize>)>,
    neighbours: Vec<Vec<usize>>,
}

/// Lays out a graph. Nodes beyond the last column and edges to nowhere, backwards or within a column are left out.
pub fn graph(input: &GraphInput) -> Graph {
    let count = input.columns.len().max(1);
    let mut layout = Layout::new(input, count);
    layout.order();
    layout.place();
    layout.drawn(input, count)
}

impl Layout {
    fn new(input: &GraphInput, count: usize) -> Self {
        let mut cells: Vec<Cell> = Vec::new();
        let mut columns = vec![Vec::new(); count];
        let mut cell_of = vec![None; input.nodes.len()];
        let mut by_tone: Vec<usize> = (0..input.nodes.len()).collect();
        by_tone.sort_by_key(|index| input.nodes[*index].tone == NodeTone::Quiet);
        for index in by_tone {
            let column = input.nodes[index].column;
            if column < count {
                cell_of[index] = Some(cells.len());
                columns[column].push(cells.len());
                cells.push(Cell {
                    node: Some(index),
                    column,
                    middle: 0.0,
                });
            }
        }
        let mut routes = Vec::new();
        for edge in &input.edges {
            let ends = (
                cell_of.get(edge.from).copied().flatten(),
                cell_of.get(edge.to).copied().flatten(),
            );
            let (Some(from), Some(to)) = ends else { continue };
            if cells[from].column >= cells[to].column {
                continue;
            }
            let mut route = vec![from];
            let (first, last) = (cells[from].column + 1, cells[to].column);
            for (column, crossed) in columns.iter_mut().enumerate().take(last).skip(first) {
                route.push(cells.len());
                crossed.push(cells.len());
                cells.push(Cell {
                    node: None,
                    column,
                    middle: 0.0,
                });
            }
            route.push(to);
            routes.push((*edge, route));
        }
        let mut neighbours = vec![Vec::new(); cells.len()];
        for (_, route) in &routes {
            for pair in route.windows(2) {
                neighbours[pair[0]].push(pair[1]);
                neighbours[pair[1]].push(pair[0]);
            }
        }
        Self {
            cells,
            columns,
            routes,
            neighbours,
        }
    }

    /// Sweeps right and left; each cell goes where the mean rank of its neighbours on that side is. What has no
    /// neighbour there keeps its place.
    fn order(&mut self) {
        let last = self.columns.len();
        let mut best = (self.crossings(), self.columns.clone());
        for sweep in 0..SWEEPS {
            let rightwards = sweep % 2 == 0;
            let order: Vec<usize> = if rightwards {
                (1..last).collect()
            } else {
                (0..last.saturating_sub(1)).rev().collect()
            };
            for column in order {
                let beside = if rightwards { column - 1 } else { column + 1 };
                let ranks = self.ranks(beside);
                let mut keyed: Vec<(f64, usize)> = self.columns[column]
                    .iter()
                    .enumerate()
                    .map(|(place, cell)| {
                        let near: Vec<f64> = self.neighbours[*cell]
                            .iter()
                            .filter_map(|other| ranks[*other])
                            .collect();
                        let rank = if near.is_empty() {
                            place as f64
                        } else {
                            near.iter().sum::<f64>() / near.len() as f64
                        };
                        (rank, *cell)
                    })
                    .collect();
                keyed.sort_by(|(left, _), (right, _)| left.total_cmp(right));
                self.columns[column] = keyed.into_iter().map(|(_, cell)| cell).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn ranks(&self, column: usize) -> Vec<Option<f64>> {
        let mut ranks = vec![None; self.cells.len()];
        for (place, cell) in self.columns[column].iter().enumerate() {
            ranks[*cell] = Some(place as f64);
        }
        ranks
    }

    /// How many pairs of lines cross between neighbouring columns.
    fn crossings(&self) -> usize {
        let mut place = vec![0_usize; self.cells.len()];
        for column in &self.columns {
            for (index, cell) in column.iter().enumerate() {
                place[*cell] = index;
            }
        }
        let mut hops: Vec<(usize, usize, usize)> = Vec::new();
        for (_, route) in &self.routes {
            hops.extend(
                route
                    .windows(2)
                    .map(|pair| (self.cells[pair[0]].column, place[pair[0]], place[pair[1]])),
            );
        }
        let crosses = |one: &(usize, usize, usize), other: &(usize, usize, usize)| {
            one.0 == other.0 && (one.1 < other.1 && one.2 > other.2 || one.1 > other.1 && one.2 < other.2)
        };
        hops.iter()
            .enumerate()
            .map(|(index, hop)| {
                hops[index + 1..]
                    .iter()
                    .filter(|other| crosses(hop, other))
                    .count()
            })
            .sum()
    }

    fn place(&mut self) {
        for column in 0..self.columns.len() {
            self.settle(column, |_| None);
        }
        for sweep in 0..SWEEPS {
            let rightwards = sweep % 2 == 0;
            let columns: Vec<usize> = if rightwards {
                (0..self.columns.len()).collect()
            } else {
                (0..self.columns.len()).rev().collect()
            };
            for column in columns {
                let wanted: Vec<Option<f64>> = self.columns[column]
                    .iter()
                    .map(|cell| {
                        let near = &self.neighbours[*cell];
                        (!near.is_empty()).then(|| {
                            near.iter().map(|other| self.cells[*other].middle).sum::<f64>()
                                / near.len() as f64
                        })
                    })
                    .collect();
                self.settle(column, |place| wanted[place]);
            }
        }
        let top = self
            .cells
            .iter()
            .map(|cell| cell.middle - cell.height() / 2.0)
            .fold(f64::INFINITY, f64::min);
        for cell in &mut self.cells {
            cell.middle -= top;
        }
    }

    /// Puts a column's cells as near to where they want to be as order and gaps allow.
    fn settle(&mut self, column: usize, wanted: impl Fn(usize) -> Option<f64>) {
        let cells = &self.columns[column];
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(cells.len());
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                offset +=
                    self.cells[cells[place - 1]].height() / 2.0 + NODE_GAP + self.cells[*cell].height() / 2.0;
            }
            offsets.push(offset);
        }
        let goals: Vec<f64> = cells
            .iter()
            .enumerate()
            .map(|(place, cell)| {
                wanted(place).unwrap_or(self.cells[*cell].middle.max(offsets[place])) - offsets[place]
            })
            .collect();
        for (place, value) in rising(&goals).into_iter().enumerate() {
            self.cells[self.columns[column][place]].middle = value + offsets[place];
        }
    }

    fn drawn(&self, input: &GraphInput, count: usize) -> Graph {
        let pitch = 100.0 / (count as f64 - 1.0 + NODE_SHARE);
        let node_width = pitch * NODE_SHARE;
        let middle = |cell: usize| HEADING + self.cells[cell].middle;
        let bottom = self
            .cells
            .iter()
            .map(|cell| cell.middle + cell.height() / 2.0)
            .fold(0.0, f64::max);
        let nodes = self
            .columns
            .iter()
            .flatten()
            .filter_map(|cell| {
                let node = input.nodes[self.cells[*cell].node?].clone();
                Some(PlacedNode {
                    class: node.class(),
                    across: coordinate(node.column as f64 * pitch),
                    down: coordinate(middle(*cell) - NODE_HEIGHT / 2.0),
                    node,
                })
            })
            .collect();
        let mut edges: Vec<PlacedEdge> = self
            .routes
            .iter()
            .map(|(edge, route)| self.drawn_edge(*edge, route, pitch, node_width))
            .collect();
        edges.sort_by_key(|edge| edge.class.len());
        Graph {
            height: (HEADING + bottom + 4.0).ceil() as u32,
            node_width: coordinate(node_width),
            columns: input
                .columns
                .iter()
                .enumerate()
                .map(|(index, name)| (coordinate(index as f64 * pitch), *name))
                .collect(),
            nodes,
            edges,
        }
    }

    fn drawn_edge(&self, edge: Edge, route: &[usize], pitch: f64, node_width: f64) -> PlacedEdge {
        let left = |cell: usize| self.cells[cell].column as f64 * pitch * 10.0;
        let right = |cell: usize| left(cell) + node_width * 10.0;
        let down = |cell: usize| HEADING + self.cells[cell].middle;
        let mut steps = vec![format!(
            "M{} {}",
            coordinate(right(route[0])),
            coordinate(down(route[0]))
        )];
        for pair in route.windows(2) {
            let (from, to) = (right(pair[0]), left(pair[1]));
            let bend = coordinate(f64::midpoint(from, to));
            let (above, below) = (coordinate(down(pair[0])), coordinate(down(pair[1])));
            steps.push(format!(
                "C{bend} {above} {bend} {below} {} {below}",
                coordinate(to)
            ));
            if self.cells[pair[1]].node.is_none() {
                steps.push(format!("H{}", coordinate(right(pair[1]))));
            }
        }
        let end = route[route.len() - 1];
        PlacedEdge {
            path: steps.concat(),
            tip: (coordinate(left(end) / 10.0), coordinate(down(end))),
            class: edge
                .passes
                .map_or_else(|| "dim".to_owned(), |state| format!("lit {}", state.class())),
        }
    }
}

/// The non-decreasing sequence nearest to the given one, in the least squares (pool adjacent violators).
fn rising(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for value in values {
        let mut pool = (*value, 1);
        while let Some(before) = pools.last().filter(|before| before.0 > pool.0) {
            let count = before.1 + pool.1;
            pool = (
                (before.0 * before.1 as f64 + pool.0 * pool.1 as f64) / count as f64,
                count,
            );
            pools.pop();
        }
        pools.push(pool);
    }
    pools
        .into_iter()
        .flat_map(|(value, count)| std::iter::repeat_n(value, count))
        .collect()
}

drawn!(Graph);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn node(name: &str, column: usize) -> Node {
        Node {
            name: name.to_owned(),
            note: String::new(),
            mark: NodeMark::State(State::Working),
            tone: NodeTone::Lit,
            column,
            to: String::new(),
        }
    }

    fn edge(from: usize, to: usize) -> Edge {
        Edge {
            from,
            to,
            passes: None,
        }
    }

    #[test]
    fn rising_pools_what_falls() {
        assert_eq!(rising(&[1.0, 4.0, 2.0, 9.0]), [1.0, 3.0, 3.0, 9.0]);
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let input = GraphInput {
            columns: vec!["one", "two"],
            nodes: vec![node("a", 0), node("b", 0), node("x", 1), node("y", 1)],
            edges: vec![edge(0, 3), edge(1, 2)],
        };
        let mut layout = Layout::new(&input, 2);
        assert_eq!(layout.crossings(), 1);
        layout.order();
        assert_eq!(layout.crossings(), 0);
    }

    #[test]
    fn a_long_line_goes_round_the_boxes_between() {
        let input = GraphInput {
            columns: vec!["one", "two", "three"],
            nodes: vec![node("a", 0), node("b", 1), node("c", 2)],
            edges: vec![edge(0, 1), edge(1, 2), edge(0, 2)],
        };
        let drawn = graph(&input);
        let long = drawn
            .edges
            .iter()
            .find(|edge| edge.path.contains('H'))
            .expect("a line with a stand-in");
        let level: f64 = long
            .path
            .split('H')
            .next()
            .unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let between: f64 = drawn
            .nodes
            .iter()
            .find(|node| node.node.name == "b")
            .unwrap()
            .down
            .parse()
            .unwrap();
        assert!(
            level < between || level > between + NODE_HEIGHT,
            "{level} runs through the box at {between}"
        );
    }

    #[test]
    fn an_empty_graph_is_drawn_as_headings() {
        let drawn = graph(&GraphInput {
            columns: vec!["one"],
            ..GraphInput::default()
        });
        assert_eq!((drawn.nodes.len(), drawn.columns.len()), (0, 1));
    }

    proptest! {
        #[test]
        fn boxes_never_overlap_and_never_leave_the_picture(
            columns in prop::collection::vec(0_usize..4, 1..14),
            links in prop::collection::vec((0_usize..14, 0_usize..14), 0..30),
        ) {
            let input = GraphInput {
                columns: vec!["a", "b", "c", "d"],
                nodes: columns.iter().map(|column| node("n", *column)).collect(),
                edges: links.into_iter().map(|(from, to)| edge(from, to)).collect(),
            };
            let drawn = graph(&input);
            prop_assert_eq!(drawn.nodes.len(), input.nodes.len());
            for column in 0..4 {
                let mut tops: Vec<f64> = drawn.nodes.iter().filter(|placed| placed.node.column == column)
                    .map(|placed| placed.down.parse().unwrap()).collect();
                tops.sort_by(f64::total_cmp);
                prop_assert!(tops.windows(2).all(|pair| pair[1] - pair[0] >= NODE_HEIGHT + NODE_GAP - 0.1));
                prop_assert!(tops.iter().all(|top| *top >= HEADING - 0.1 && top + NODE_HEIGHT <= f64::from(drawn.height)));
            }
        }
    }
}
