//! Reading found topics back, or refusing what contradicts itself.

use serde::Deserialize;

use super::{Cluster, Discovery, Settings, Terms};

/// As it is written down.
#[derive(Deserialize)]
pub(super) struct Stored {
    settings: Settings,
    clusters: Vec<Cluster>,
    next_id: u64,
    texts: u64,
    seen: Terms,
}

/// Counts stay below this, so that counting on never runs over.
const HIGHEST: u64 = u64::MAX / 2;

#[derive(Debug, thiserror::Error)]
pub(super) enum Spoiled {
    #[error("the clusters have more texts than were gathered, or later ones")]
    Texts,
    #[error("a number would be given twice")]
    Numbers,
}

impl TryFrom<Stored> for Discovery {
    type Error = Spoiled;

    fn try_from(stored: Stored) -> Result<Self, Spoiled> {
        let Stored {
            settings,
            clusters,
            next_id,
            texts,
            seen,
        } = stored;
        let gathered = clusters
            .iter()
            .try_fold(0_u64, |sum, cluster| sum.checked_add(cluster.texts));
        let is_later = clusters.iter().any(|cluster| cluster.last > texts);
        if texts > HIGHEST || is_later || gathered.is_none_or(|gathered| gathered > texts) {
            return Err(Spoiled::Texts);
        }
        if next_id > HIGHEST || clusters.iter().any(|cluster| cluster.id >= next_id) {
            return Err(Spoiled::Numbers);
        }
        Ok(Self {
            settings,
            clusters,
            next_id,
            texts,
            seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_contradict_each_other_are_refused() {
        let mut discovery = Discovery::default();
        discovery.observe("the card was refused at the till");
        discovery.observe("where is my parcel");
        let written = serde_json::to_string(&discovery).unwrap();
        assert_eq!(serde_json::from_str::<Discovery>(&written).unwrap(), discovery);
        for (was, spoiled) in [
            (r#""next_id":2"#, r#""next_id":1"#),
            (r#""next_id":2"#, r#""next_id":18446744073709551615"#),
            (r#""texts":2"#, r#""texts":1"#),
            (r#""texts":2"#, r#""texts":18446744073709551615"#),
            (r#""last":2"#, r#""last":3"#),
        ] {
            let written = written.replace(was, spoiled);
            assert!(written.contains(spoiled), "{was} is not in {written}");
            assert!(serde_json::from_str::<Discovery>(&written).is_err(), "{spoiled}");
        }
    }
}
