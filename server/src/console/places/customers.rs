//! *Customers*: who they are and what they use.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::{customer_change, situation, standing as told};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::cases::store as case_rows;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{
    Pagination, Pick, Place, Reading, Rich, State as Shape, counted, language_name, money, thousands,
};
use crate::console::screens::people::{Customer, CustomerRow, Customers};
use crate::console::screens::room::Figure;
use crate::customers::accounts::{self, Account, Sought, Tier};
use crate::customers::model::Used;
use crate::customers::{AccountId, locations};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};

const ROWS: i64 = 50;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/customers", get(list))
        .route("/console/customers/{id}", get(one))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Filter {
    words: String,
    tier: String,
    from: String,
}

const TIERS: [(Tier, &str, &str); 3] = [
    (Tier::Business, "business", "Business"),
    (Tier::Gold, "gold", "Gold"),
    (Tier::Standard, "standard", "Standard"),
];

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Account)?;
    let page = Page {
        limit: ROWS,
        offset: filter.from.parse().unwrap_or(0).clamp(0, 10_000_000),
        counted: Counted::Yes,
    };
    let sought = Sought {
        words: Some(filter.words.trim().to_owned()).filter(|words| !words.is_empty()),
        tier: TIERS
            .iter()
            .find(|(_, value, _)| *value == filter.tier)
            .map(|(tier, _, _)| *tier),
        ..Sought::default()
    };
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, mut found, used, open, total) = app
        .read(move |tx| -> Result<_, Problem> {
            let found = accounts::list(tx, &sought, page)?;
            let ids: Vec<AccountId> = found.iter().map(|account| account.id.clone()).collect();
            let used = accounts::used(tx, &ids)?;
            let ids: Vec<&str> = ids.iter().map(AccountId::as_str).collect();
            Ok((
                situation::read(tx, &caller, now)?,
                found,
                used,
                case_rows::open_of_accounts(tx, &ids)?,
                accounts::count(tx, &sought)?,
            ))
        })
        .await?;
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let turn = |offset: i64| {
        let words = super::escaped(&filter.words);
        format!(
            "/console/customers?words={words}&tier={}&from={offset}",
            super::escaped(&filter.tier)
        )
    };
    Ok(show(&Customers {
        frame: visitor.frame(&app, Place::Customers, "Customers", situation),
        headline: match total {
            0 => "Customers".to_owned(),
            total => counted(total.unsigned_abs(), "customer", "customers"),
        },
        words: filter.words.clone(),
        tiers: TIERS
            .iter()
            .map(|(_, value, words)| {
                let pick = Pick::new(*value, *words);
                if *value == filter.tier {
                    pick.current()
                } else {
                    pick
                }
            })
            .collect(),
        add: customer_change::way_to_add(&visitor.0),
        rows: found
            .iter()
            .map(|account| row(account, &used, &open, &reading))
            .collect(),
        pagination: Pagination {
            words: format!(
                "{} to {} of {}",
                page.offset + 1,
                page.offset + found.len() as i64,
                thousands(total.unsigned_abs())
            ),
            earlier: (page.offset > 0).then(|| turn((page.offset - ROWS).max(0))),
            later: more.then(|| turn(page.offset + ROWS)),
        },
    }))
}

fn row(account: &Account, used: &[Used], open: &[(String, i64, i64)], reading: &Reading) -> CustomerRow {
    let (open, owed) = open
        .iter()
        .find(|(id, _, _)| id == account.id.as_str())
        .map_or((0, 0), |(_, open, owed)| (*open, *owed));
    CustomerRow {
        id: format!("customer-{}", account.id.as_str()),
        to: format!("/console/customers/{}", account.id.as_str()),
        name: account.name.clone(),
        standing: standing(account, reading),
        uses: used_by(&account.id, used),
        open_cases: if open > 0 { open.to_string() } else { String::new() },
        state: (owed > 0).then(|| Shape::Acknowledged.says("Owed an answer")),
    }
}

fn used_by(id: &AccountId, used: &[Used]) -> String {
    let names: Vec<&str> = used
        .iter()
        .filter(|one| one.used_by == id.as_str())
        .map(|one| one.name.as_str())
        .collect();
    names.join(", ")
}

/// "Gold, since 2017, £2,140 a year".
fn standing(account: &Account, reading: &Reading) -> String {
    let tier = TIERS
        .iter()
        .find(|(tier, _, _)| *tier == account.tier)
        .map_or("", |(_, _, words)| *words);
    let mut parts = vec![tier.to_owned()];
    if let Some(since) = account.customer_since {
        parts.push(format!("since {}", reading.zoned(since).year()));
    }
    if account.value_per_year > 0 {
        parts.push(format!(
            "{} a year",
            money(account.value_per_year, &account.currency)
        ));
    }
    parts.join(", ")
}

async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<AccountId>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Account)?;
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, account, location, used, told) = app
        .read(move |tx| -> Result<_, Problem> {
            let account = accounts::find(tx, &id)?.ok_or_else(|| Problem::not_found("The customer"))?;
            let location = match &account.location_id {
                Some(id) => locations::find(tx, id)?.map(|location| (location.id.to_string(), location.name)),
                None => None,
            };
            let sought = case_rows::Sought {
                account_ids: vec![id.to_string()],
                ..case_rows::Sought::default()
            };
            let told = told::read(tx, &sought)?;
            let used = accounts::used(tx, std::slice::from_ref(&account.id))?;
            Ok((situation::read(tx, &caller, now)?, account, location, used, told))
        })
        .await?;
    let mut facts: Vec<(String, Rich)> = Vec::new();
    if let Some((id, name)) = location {
        let to = format!("/console/locations/{id}");
        facts.push(("Where".to_owned(), Rich::default().link(name, to)));
    }
    let mut fact = |name: &str, words: Option<String>| {
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            facts.push((name.to_owned(), words.into()));
        }
    };
    fact("Uses", Some(used_by(&account.id, &used)));
    fact("E-mail", account.email.clone());
    fact("Telephone", account.telephone.clone());
    fact("Language", Some(language_name(&account.language)));
    fact("Their number", account.external_id.clone());
    let mut figures = told.figures();
    if account.value_per_year > 0 {
        let value = money(account.value_per_year, &account.currency);
        figures.push(Figure::new("Worth a year", value, Vec::new()));
    }
    Ok(show(&Customer {
        frame: visitor.frame(&app, Place::Customers, account.name.clone(), situation),
        name: account.name.clone(),
        standing: standing(&account, &reading),
        state: None,
        about: "About them",
        nothing_reported: "They have reported nothing.",
        figures,
        facts,
        cases: told.rows(&reading),
        story: told.story(&reading),
        change: customer_change::way_to_change(&visitor.0, &account.id),
    }))
}
