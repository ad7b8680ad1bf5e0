//! How the reader is paged.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{capitalised, page, row, table, title, words};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::console::screens::settings::SettingsPart;
use crate::people::store::{contact_methods_of, notification_rules_of};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/settings/me", get(show))
}

async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let below = "Where pages reach you, and after how long.";
    page(&app, &visitor, "How I am paged", below, |tx, _, caller| {
        let Some(user) = caller.user() else {
            return Ok(Vec::new());
        };
        let found = contact_methods_of(tx, &[&user.id])?;
        let mut rules = notification_rules_of(tx, &[&user.id])?;
        rules.sort_by_key(|rule| (rule.urgency.as_text(), rule.start_delay_in_minutes));
        let label_of = |rule: &crate::people::model::NotificationRule| {
            found
                .iter()
                .find(|method| method.id == rule.contact_method_id)
                .map(|method| method.label.clone())
                .unwrap_or_default()
        };
        let order = rules
            .iter()
            .map(|rule| {
                let when = match rule.start_delay_in_minutes {
                    0 => "at once".to_owned(),
                    delay => format!("after {delay} min"),
                };
                let cells = vec![
                    words(capitalised(rule.urgency.as_text())),
                    words(when),
                    words(label_of(rule)),
                ];
                row("rule", rule.id.as_str(), cells)
            })
            .collect();
        let methods = found
            .iter()
            .map(|method| {
                let kind = capitalised(&method.kind.as_text().replace('_', " "));
                let described = title(method.label.clone(), method.address.clone());
                row("method", method.id.as_str(), vec![described, words(kind)])
            })
            .collect();
        let facts = SettingsPart::Facts {
            title: "You".to_owned(),
            facts: vec![
                ("Name".to_owned(), user.name.clone().into()),
                ("E-mail".to_owned(), user.email.clone().into()),
                ("Time zone".to_owned(), user.time_zone.clone().into()),
            ],
        };
        let columns = vec!["Name", "Kind"];
        let places = table("Where pages reach you", columns, methods, "Add one by the API.");
        let columns = vec!["Urgency", "When", "By"];
        let order = table("When", columns, order, "Without a rule nobody can page you.");
        Ok(vec![facts, places, order])
    })
    .await
}
