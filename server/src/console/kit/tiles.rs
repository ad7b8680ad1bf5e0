//! The wall of tiles: one per location, grouped by region. Working ones are nearly nothing, so the hurt ones
//! are the picture. The order inside a group never changes: a shop is found where it was.

use std::collections::BTreeMap;

use askama::Template;

use super::{State, StateMark, drawn};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Unique on the page, so that a live update finds it.
    pub id: String,
    /// "Manchester Market Street, offline, 2 of 6 terminals answer".
    pub label: String,
    pub state: State,
    pub to: String,
    pub chosen: Chosen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chosen {
    #[default]
    No,
    Yes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileGroup {
    pub name: String,
    pub count: usize,
    /// How many are in which state, without those that work.
    pub hurt: Vec<StateMark>,
    pub tiles: Vec<Tile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/wall.html")]
pub struct TileWall {
    pub groups: Vec<TileGroup>,
    /// More than four hundred tiles are drawn smaller.
    pub density: Density,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Density {
    Plain,
    Dense,
}

/// Groups tiles in the order in which their groups first appear; inside a group the order is kept.
pub fn tile_wall(tiles: Vec<(String, Tile)>) -> TileWall {
    let density = if tiles.len() > 400 {
        Density::Dense
    } else {
        Density::Plain
    };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<TileGroup> = Vec::new();
    for (name, tile) in tiles {
        let place = *places.entry(name.clone()).or_insert_with(|| {
            groups.push(TileGroup {
                name,
                count: 0,
                hurt: Vec::new(),
                tiles: Vec::new(),
            });
            groups.len() - 1
        });
        groups[place].count += 1;
        groups[place].tiles.push(tile);
    }
    for group in &mut groups {
        group.hurt = hurt(group.tiles.iter().map(|tile| tile.state));
    }
    TileWall { groups, density }
}

/// Counts of the states that somebody must look at, in the order of the legend.
fn hurt(states: impl Iterator<Item = State>) -> Vec<StateMark> {
    let mut counts: BTreeMap<State, u64> = BTreeMap::new();
    for state in states {
        *counts.entry(state).or_default() += 1;
    }
    [State::Triggered, State::Slow, State::Recovering, State::Resolved]
        .into_iter()
        .filter_map(|state| counts.get(&state).map(|count| state.says(count.to_string())))
        .collect()
}

/// Terminals of one shop: filled ones answer.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/terminals.html")]
pub struct Terminals {
    pub state: State,
    pub up: usize,
    pub all: usize,
}

impl Terminals {
    /// At most this many are drawn; the figure beside it stays true.
    const DRAWN: usize = 10;

    fn boxes(&self) -> impl Iterator<Item = (usize, bool)> {
        let up = if self.all > Self::DRAWN {
            self.up * Self::DRAWN / self.all
        } else {
            self.up
        };
        (0..self.all.min(Self::DRAWN)).map(move |index| (index * 8, index < up))
    }

    fn width(&self) -> usize {
        self.all.min(Self::DRAWN) * 8
    }
}

drawn!(TileWall, Terminals);

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(name: &str, state: State) -> Tile {
        Tile {
            id: name.to_owned(),
            label: name.to_owned(),
            state,
            to: String::new(),
            chosen: Chosen::No,
        }
    }

    #[test]
    fn groups_keep_the_order_in_which_they_come() {
        let wall = tile_wall(vec![
            ("Wales".to_owned(), tile("a", State::Triggered)),
            ("France".to_owned(), tile("b", State::Working)),
            ("Wales".to_owned(), tile("c", State::Working)),
        ]);
        let names: Vec<_> = wall
            .groups
            .iter()
            .map(|group| (group.name.as_str(), group.count))
            .collect();
        assert_eq!(names, [("Wales", 2), ("France", 1)]);
        assert_eq!(wall.groups[0].hurt, [State::Triggered.says("1")]);
        assert!(wall.groups[1].hurt.is_empty(), "working shops are quiet");
    }

    #[test]
    fn a_big_wall_is_dense() {
        let tiles = (0..401)
            .map(|index| ("x".to_owned(), tile(&index.to_string(), State::Working)))
            .collect();
        assert_eq!(tile_wall(tiles).density, Density::Dense);
    }

    #[test]
    fn terminals_beyond_ten_are_drawn_in_proportion() {
        let terminals = Terminals {
            state: State::Triggered,
            up: 20,
            all: 40,
        };
        assert_eq!(terminals.boxes().filter(|(_, up)| *up).count(), 5);
    }
}
