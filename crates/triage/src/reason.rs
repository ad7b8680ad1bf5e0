//! Why something was decided: a kind and its figures for the program, a sentence for the reader.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One reason of a decision. `Display` gives one plain English sentence; serde gives the kind and the figures.
///
/// `weight` is the share that the evidence had in the score of a group, in natural-log odds: above zero it speaks
/// for joining, below zero against. The weights of one decision and the configured bias sum up to the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The key has an open alert already.
    SameDedupKey {
        /// The key, as the sender gave it.
        dedup_key: String,
        /// Which event of the alert this is, counted from 1.
        count: u64,
    },
    /// No open alert has the key.
    NewDedupKey {
        /// The key, as the sender gave it.
        dedup_key: String,
    },
    /// An acknowledgement or a resolution found no open alert, so there is nothing to do.
    NothingOpen {
        /// The key, as the sender gave it.
        dedup_key: String,
    },
    /// Grouping is switched off for the service.
    GroupingOff,
    /// No open group came into question.
    NoCandidate {
        /// The window, in seconds; `None` lasts until resolved.
        window_seconds: Option<i64>,
    },
    /// The last alert of the group lies within the time window. `None`: the window lasts until resolved.
    WithinWindow {
        /// Seconds since the last alert.
        gap_seconds: i64,
        /// The window, in seconds; `None` lasts until resolved.
        window_seconds: Option<i64>,
    },
    /// The fields of content-based grouping agree.
    SameContent {
        /// The names of the fields.
        fields: Vec<String>,
    },
    /// None of the open groups agrees in the fields.
    OtherContent {
        /// The names of the fields.
        fields: Vec<String>,
    },
    /// The alert lacks the fields that content-based grouping compares.
    ContentMissing {
        /// The names of the fields.
        fields: Vec<String>,
    },
    /// How long ago the group had its last alert.
    Gap {
        /// Seconds between the two.
        seconds: i64,
        /// In nats.
        weight: f64,
    },
    /// Alerts come quickly to the group; the count fades with a half-life of a minute.
    Busy {
        /// Number of alerts.
        alerts: f64,
        /// In nats.
        weight: f64,
    },
    /// The same service.
    SameService {
        /// In nats.
        weight: f64,
    },
    /// How long ago the group was opened; where all else is equal an alert belongs to the younger one.
    Age {
        /// Seconds between the two.
        seconds: i64,
        /// In nats.
        weight: f64,
    },
    /// The group had this very alert. Where others repeat themselves too, a second incident is more likely.
    Repeats {
        /// Other alerts that repeated themselves just now.
        others: u32,
        /// In nats.
        weight: f64,
    },
    /// So many alerts that came just before went with it, because the second incident had begun with them.
    TakenAlong {
        /// Number of alerts.
        alerts: u32,
    },
    /// How far apart the two are in the dependency graph.
    Hops {
        /// Where the alert is.
        from: String,
        /// Where the group has been.
        to: String,
        /// Steps along edges in either direction.
        hops: u8,
        /// In nats.
        weight: f64,
    },
    /// Both are known, but not connected within the hops that count.
    NoPath {
        /// Where the alert is.
        from: String,
        /// Where the group has been.
        to: String,
        /// In nats.
        weight: f64,
    },
    /// The same source reports again.
    SameSource {
        /// The source.
        source: String,
        /// In nats.
        weight: f64,
    },
    /// The same message, apart from values, was seen in the group.
    SameTemplate {
        /// In nats.
        weight: f64,
    },
    /// Words in common, as a share of all words of both.
    SimilarText {
        /// Between 0 and 1.
        share: f64,
        /// In nats.
        weight: f64,
    },
    /// Labels in common, as a share of all labels of both.
    SharedLabels {
        /// Between 0 and 1.
        share: f64,
        /// In nats.
        weight: f64,
    },
    /// People merged or split such alerts before.
    PeopleDecided {
        /// Times put together.
        together: u32,
        /// Times taken apart.
        apart: u32,
        /// In nats.
        weight: f64,
    },
    /// History says that the one brings about the other: how many times, and in what share of all cases.
    BroughtAbout {
        /// Effects put down to the cause.
        effects: f64,
        /// Between 0 and 1.
        share: f64,
        /// In nats.
        weight: f64,
    },
    /// The sum, compared with what is needed to join.
    Score {
        /// The sum of the weights and the bias.
        score: f64,
        /// The least that joins.
        needed: f64,
    },
    /// The alert opens and closes too often; the rate is in changes of state, fading with time.
    Flapping {
        /// Recent changes of state, fading.
        changes: f64,
        /// The height at which flapping starts.
        starts_at: f64,
    },
    /// The alert was flapping and has calmed down.
    Calm {
        /// Recent changes of state, fading.
        changes: f64,
        /// The height at which it stops.
        stops_at: f64,
    },
    /// Such alerts usually clear by themselves within the pause.
    UsuallyClears {
        /// Alerts that cleared by themselves within the pause.
        cleared: u32,
        /// Alerts seen long enough to tell.
        observed: u32,
        /// The share that surely clears, 0 to 1.
        lower_bound: f64,
        /// The pause, in seconds.
        pause_seconds: u32,
    },
    /// What the place shows was rare in the past; `rarest` is the surprise of its rarest symptom in nats.
    RareSymptoms {
        /// Kinds of symptoms.
        symptoms: u32,
        /// In nats.
        rarest: f64,
        /// In nats.
        weight: f64,
    },
    /// A place that this one depends on shows as much itself.
    ExplainedBy {
        /// The place.
        place: String,
        /// In nats.
        weight: f64,
    },
    /// Most parts of the place show symptoms.
    PartsAffected {
        /// Number of parts that show symptoms.
        parts: u32,
        /// In nats.
        weight: f64,
    },
    /// Its symptoms were, or were not, those of origins that people confirmed.
    SymptomsOfOrigins {
        /// In nats.
        weight: f64,
    },
    /// How long after the first symptom of the cascade it showed its first.
    Onset {
        /// Seconds after the first symptom of all.
        delay_seconds: i64,
        /// In nats.
        weight: f64,
    },
    /// People confirmed the place as the origin before.
    OriginBefore {
        /// Times confirmed.
        times: u32,
        /// In nats.
        weight: f64,
    },
    /// A change came shortly before the incident.
    ChangedShortlyBefore {
        /// Seconds between the two.
        seconds: i64,
        /// In nats.
        weight: f64,
    },
    /// How often people blamed such changes.
    ChangesBlamed {
        /// Such changes made.
        made: u32,
        /// Such changes blamed.
        blamed: u32,
        /// In nats.
        weight: f64,
    },
    /// It was changed shortly before the first symptom.
    ChangedBefore {
        /// What a person reads of the change.
        summary: String,
        /// Seconds between the two.
        seconds: i64,
        /// In nats.
        weight: f64,
    },
    /// More alerts are open than the memory holds; the one longest open was forgotten.
    Forgotten {
        /// The key, as the sender gave it.
        dedup_key: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameDedupKey { dedup_key, count } => {
                write!(
                    out,
                    "An alert with the key “{dedup_key}” is open; this is its event number {count}."
                )
            }
            Self::NewDedupKey { dedup_key } => write!(out, "No open alert has the key “{dedup_key}”."),
            Self::NothingOpen { dedup_key } => {
                write!(
                    out,
                    "No open alert has the key “{dedup_key}”, so there is nothing to do."
                )
            }
            Self::GroupingOff => out.write_str("Grouping is off for this service."),
            Self::NoCandidate {
                window_seconds: Some(seconds),
            } => {
                write!(
                    out,
                    "No open incident had an alert in the last {}.",
                    Span(*seconds)
                )
            }
            Self::NoCandidate { window_seconds: None } => out.write_str("No incident is open to join."),
            Self::WithinWindow {
                gap_seconds,
                window_seconds: Some(window),
            } => write!(
                out,
                "The last alert came {} ago, within the window of {}.",
                Span(*gap_seconds),
                Span(*window)
            ),
            Self::WithinWindow {
                gap_seconds,
                window_seconds: None,
            } => {
                write!(
                    out,
                    "The incident is still open; its last alert came {} ago.",
                    Span(*gap_seconds)
                )
            }
            Self::SameContent { fields } => write!(out, "The same {}.", List(fields)),
            Self::OtherContent { fields } => write!(out, "No open incident has the same {}.", List(fields)),
            Self::ContentMissing { fields } => write!(out, "The alert has no {} to compare.", List(fields)),
            Self::Gap { seconds, .. } => write!(out, "The last alert came {} ago.", Span(*seconds)),
            Self::Busy { alerts, .. } => {
                write!(out, "The incident had {alerts:.0} alerts in the last minutes.")
            }
            Self::SameService { .. } => out.write_str("The same service."),
            Self::Age { seconds, .. } => write!(out, "The incident was opened {} ago.", Span(*seconds)),
            Self::Repeats { others: 0, .. } => out.write_str("The incident had this very alert before."),
            Self::Repeats { others, .. } => write!(
                out,
                "The incident had this very alert before, and {others} others repeated themselves just now: \
                 this may be a second incident."
            ),
            Self::TakenAlong { alerts: 1 } => {
                out.write_str("The alert before it went along, because the second incident began with it.")
            }
            Self::TakenAlong { alerts } => write!(
                out,
                "{alerts} alerts that came just before went along, because the second incident began with them."
            ),
            Self::Hops {
                from, to, hops: 0, ..
            } if from == to => write!(out, "The same place, “{from}”."),
            Self::Hops {
                from, to, hops: 1, ..
            } => write!(out, "“{from}” and “{to}” depend on each other directly."),
            Self::Hops { from, to, hops, .. } => {
                write!(
                    out,
                    "“{from}” and “{to}” are {hops} steps apart in the service graph."
                )
            }
            Self::NoPath { from, to, .. } => {
                write!(out, "“{from}” and “{to}” are not close in the service graph.")
            }
            Self::SameSource { source, .. } => write!(out, "The same source, “{source}”."),
            Self::SameTemplate { .. } => out.write_str("The same message, apart from its values."),
            Self::SimilarText { share, .. } => write!(out, "{} of the words are the same.", Percent(*share)),
            Self::SharedLabels { share, .. } => {
                write!(out, "{} of the labels are the same.", Percent(*share))
            }
            Self::PeopleDecided { together, apart, .. } => {
                write!(
                    out,
                    "People put such alerts together {} and took them apart {}.",
                    Times(*together),
                    Times(*apart)
                )
            }
            Self::BroughtAbout { effects, share, .. } => write!(
                out,
                "In the past the one brought about the other {effects:.0} times, in {} of all cases.",
                Percent(*share)
            ),
            Self::Score { score, needed } if score >= needed => {
                write!(out, "The score is {score:.1}; {needed:.1} is needed to join.")
            }
            Self::Score { score, needed } => {
                write!(
                    out,
                    "The best score is {score:.1}; {needed:.1} would be needed to join."
                )
            }
            Self::Flapping { changes, starts_at } => {
                write!(
                    out,
                    "The alert is flapping: {changes:.1} recent changes, {starts_at:.1} are too many."
                )
            }
            Self::Calm { changes, stops_at } => {
                write!(
                    out,
                    "The alert has calmed down: {changes:.1} recent changes, below {stops_at:.1}."
                )
            }
            Self::UsuallyClears {
                cleared,
                observed,
                lower_bound,
                pause_seconds,
            } => write!(
                out,
                "{cleared} of {observed} such alerts cleared by themselves within {} (surely more than {}).",
                Span(i64::from(*pause_seconds)),
                Percent(*lower_bound)
            ),
            Self::RareSymptoms {
                symptoms: 1, rarest, ..
            } => {
                write!(
                    out,
                    "Its symptom was seen in {} of the cascades before.",
                    Percent((-rarest).exp())
                )
            }
            Self::RareSymptoms { symptoms, rarest, .. } => write!(
                out,
                "It shows {symptoms} kinds of symptoms; the rarest was seen in {} of the cascades before.",
                Percent((-rarest).exp())
            ),
            Self::ExplainedBy { place, .. } => {
                write!(out, "It depends on “{place}”, which shows symptoms itself.")
            }
            Self::PartsAffected { parts, .. } => write!(out, "{parts} of its parts show symptoms."),
            Self::SymptomsOfOrigins { weight } if *weight >= 0.0 => {
                out.write_str("Origins that people confirmed showed such symptoms.")
            }
            Self::SymptomsOfOrigins { .. } => {
                out.write_str("Such symptoms were seldom those of the origin that people confirmed.")
            }
            Self::Onset { delay_seconds: 0, .. } => out.write_str("It was among the first to show symptoms."),
            Self::Onset { delay_seconds, .. } => {
                write!(
                    out,
                    "Its first symptom came {} after the first of all.",
                    Span(*delay_seconds)
                )
            }
            Self::OriginBefore { times: 0, .. } => {
                out.write_str("It was never confirmed as an origin before.")
            }
            Self::OriginBefore { times, .. } => {
                write!(out, "It was confirmed as an origin {} before.", Times(*times))
            }
            Self::ChangedShortlyBefore { seconds, .. } => {
                write!(out, "It was made {} before.", Span(*seconds))
            }
            Self::ChangesBlamed { made, blamed, .. } => {
                write!(
                    out,
                    "{blamed} of {made} such changes were blamed for an incident."
                )
            }
            Self::ChangedBefore { summary, seconds, .. } => {
                write!(out, "It was changed {} before: “{summary}”.", Span(*seconds))
            }
            Self::Forgotten { dedup_key } => {
                write!(
                    out,
                    "Too many alerts are open; the one longest open, “{dedup_key}”, was forgotten."
                )
            }
        }
    }
}

/// Seconds as a reader says them.
pub(crate) struct Span(pub(crate) i64);

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.0 {
            seconds if seconds.abs() < 120 => (seconds, "second"),
            seconds if seconds.abs() < 7200 => (seconds / 60, "minute"),
            seconds if seconds.abs() < 172_800 => (seconds / 3600, "hour"),
            seconds => (seconds / 86_400, "day"),
        };
        write!(out, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.0} %", self.0 * 100.0)
    }
}

struct Times(u32);

impl fmt::Display for Times {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => out.write_str("once"),
            2 => out.write_str("twice"),
            count => write!(out, "{count} times"),
        }
    }
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let border = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(out, "{border}{item}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn a_reason_is_a_sentence_for_people_and_data_for_programs() {
        let reason = Reason::SameContent {
            fields: vec!["class".into(), "source".into()],
        };
        assert_eq!(reason.to_string(), "The same class and source.");
        assert_eq!(
            serde_json::to_string(&reason).unwrap(),
            r#"{"kind":"same_content","fields":["class","source"]}"#
        );
    }
}
