//! Rules as data.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// Rules that belong together, such as those of a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulePack {
    /// Such as `eu`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The day on which the rules were last compared with their sources.
    pub as_of: Date,
    /// What of stand-by is working time.
    pub stand_by: StandBy,
    /// The rules.
    pub rules: Vec<WorkingRule>,
}

/// What of stand-by is working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandBy {
    /// All of it.
    Wholly,
    /// Only the interventions; the rest is rest.
    InterventionsOnly,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingRule {
    /// Unique in its pack, such as `daily-rest`.
    pub id: String,
    /// Where it is written, such as `Directive 2003/88/EC, art. 3`.
    pub source: String,
    /// What it demands.
    #[serde(flatten)]
    pub limit: Limit,
}

/// What a rule demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "snake_case")]
pub enum Limit {
    /// Within 24 hours of the beginning of work, a rest without a break.
    DailyRest {
        /// Of so many hours.
        hours: u32,
    },
    /// A long rest for every week, on average over reference periods of whole weeks, one after the other from the first
    /// Monday that is known.
    WeeklyRest {
        /// Of so many hours without a break.
        hours: u32,
        /// Over so many weeks.
        reference_weeks: u32,
    },
    /// Work in a week, on average over every reference period of whole weeks.
    WeeklyWork {
        /// At most so many hours.
        hours: u32,
        /// Over so many weeks.
        reference_weeks: u32,
        /// Whether a person may agree to more.
        opt_out: OptOut,
    },
    /// Work of night workers in a day, on average over the reference period; a day of each week is left out as rest.
    NightWork {
        /// At most so many hours; in any one day, where the work is hazardous.
        hours: u32,
        /// Over so many weeks.
        reference_weeks: u32,
        /// When it is night.
        night: NightHours,
    },
    /// Rest right after an intervention that broke the daily rest, in place of it.
    CompensatoryRest {
        /// Of so many hours without a break.
        hours: u32,
    },
}

/// Whether a person may agree to work more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOut {
    /// They may, in writing and revocably.
    Possible,
    /// They may not.
    Impossible,
}

/// When it is night, on the worker's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NightHours {
    /// From.
    pub begins: Time,
    /// To, the morning after.
    pub ends: Time,
}

impl RulePack {
    /// The minimum that Directive 2003/88/EC demands in the European Union; `stand_by` as the facts of the stand-by
    /// decide (Court of Justice, C-580/19 and C-344/19: wholly, if having to respond within minutes and often "objectively
    /// and very significantly" limits the use of free time). Reference periods are the longest that need no derogation:
    /// 14 days (art. 16(a)) and 4 months, as 17 weeks (art. 16(b)). Breaks within a working day (art. 4) are not part of a
    /// rota and not judged.
    pub fn european_union(stand_by: StandBy) -> Self {
        let rule = |id: &str, articles: &str, limit: Limit| WorkingRule {
            id: id.to_owned(),
            source: format!("Directive 2003/88/EC, {articles}"),
            limit,
        };
        let night = NightHours {
            begins: jiff::civil::time(0, 0, 0, 0),
            ends: jiff::civil::time(7, 0, 0, 0),
        };
        Self {
            id: "eu".to_owned(),
            name: "European Union, minimum".to_owned(),
            as_of: jiff::civil::date(2026, 11, 22),
            stand_by,
            rules: vec![
                rule("daily-rest", "art. 3", Limit::DailyRest { hours: 11 }),
                rule(
                    "weekly-rest",
                    "art. 5 and 16(a)",
                    Limit::WeeklyRest {
                        hours: 35,
                        reference_weeks: 2,
                    },
                ),
                rule(
                    "weekly-work",
                    "art. 6, 16(b) and 22",
                    Limit::WeeklyWork {
                        hours: 48,
                        reference_weeks: 17,
                        opt_out: OptOut::Possible,
                    },
                ),
                rule(
                    "night-work",
                    "art. 2(3) and 8",
                    Limit::NightWork {
                        hours: 8,
                        reference_weeks: 17,
                        night,
                    },
                ),
                rule(
                    "compensatory-rest",
                    "art. 17(2), and Court of Justice, C-151/02",
                    Limit::CompensatoryRest { hours: 11 },
                ),
            ],
        }
    }
}
