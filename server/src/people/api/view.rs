//! How people look over the API.

use ::store::Tx;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{Expandable, Include, Problem, Reference, Site};
use crate::people::model::{
    ContactKind, ContactMethod, NotificationRule, Role, Team, TeamId, Urgency, User, UserId,
};
use crate::people::store;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    #[serde(flatten)]
    pub head: Reference,
    pub name: String,
    pub email: String,
    pub time_zone: String,
    pub color: String,
    /// The nearest role of the field's dialect.
    pub role: &'static str,
    /// The role as Muster knows it.
    pub muster_role: Role,
    pub avatar_url: Option<String>,
    pub description: Option<String>,
    pub job_title: Option<String>,
    pub invitation_sent: bool,
    pub created_via_sso: bool,
    pub teams: Vec<Expandable>,
    pub contact_methods: Vec<Expandable>,
    pub notification_rules: Vec<Expandable>,
    /// Only for oneself, or with `include[]=calendar_urls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_cal_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_cal_url: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactMethodView {
    #[serde(flatten)]
    pub head: Reference,
    pub label: String,
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_short_email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
    /// Of push notifications. Muster has none of its own, so this is always empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sounds: Option<Vec<String>>,
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blacklisted: Option<bool>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NotificationRuleView {
    #[serde(flatten)]
    pub head: Reference,
    pub start_delay_in_minutes: i64,
    pub contact_method: Expandable,
    pub urgency: Urgency,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TeamView {
    #[serde(flatten)]
    pub head: Reference,
    pub name: String,
    pub description: Option<String>,
    pub default_role: String,
    pub parent: Option<Reference>,
}

/// A reference to a user.
pub fn user_reference(site: &Site, id: impl AsRef<str>, name: &str) -> Reference {
    site.reference("user", "users", id, name)
}

/// A reference to a team.
pub fn team_reference(site: &Site, id: impl AsRef<str>, name: &str) -> Reference {
    site.reference("team", "teams", id, name)
}

pub fn team_view(site: &Site, team: &Team, parent: Option<&Team>) -> TeamView {
    TeamView {
        head: site.resource("team", "teams", &team.id, &team.name),
        name: team.name.clone(),
        description: team.description.clone(),
        default_role: team.default_role.clone(),
        parent: parent.map(|parent| team_reference(site, &parent.id, &parent.name)),
    }
}

/// Whole teams, with their parents.
pub fn team_views(tx: &mut Tx, site: &Site, teams: &[Team]) -> Result<Vec<TeamView>, Problem> {
    let parent_ids: Vec<&TeamId> = teams.iter().filter_map(|team| team.parent_id.as_ref()).collect();
    let parents = store::find_teams(tx, &parent_ids)?;
    Ok(teams
        .iter()
        .map(|team| {
            let parent = parents
                .iter()
                .find(|one| Some(&one.id) == team.parent_id.as_ref());
            team_view(site, team, parent)
        })
        .collect())
}

pub fn contact_method_view(site: &Site, method: &ContactMethod) -> ContactMethodView {
    let kind = method.kind.as_text();
    let is_email = method.kind == ContactKind::EmailContactMethod;
    ContactMethodView {
        head: site.part(
            kind,
            &format!("users/{}/contact_methods", method.user_id),
            &method.id,
            &method.label,
        ),
        label: method.label.clone(),
        address: method.address.clone(),
        country_code: method.country_code,
        send_short_email: is_email.then_some(method.send_short_email),
        device_type: method.device_type.clone(),
        sounds: (method.kind == ContactKind::PushNotificationContactMethod).then(Vec::new),
        enabled: true,
        blacklisted: (!is_email).then_some(false),
        created_at: method.created_at,
    }
}

pub fn notification_rule_view(
    site: &Site,
    rule: &NotificationRule,
    method: Option<&ContactMethod>,
    include: &Include,
) -> Result<NotificationRuleView, Problem> {
    let contact_method = match method {
        Some(method) => {
            let view = contact_method_view(site, method);
            if include.asks_for("contact_methods") {
                Expandable::whole(&view)?
            } else {
                view.head.as_reference().into()
            }
        }
        None => site
            .part(
                "contact_method_reference",
                &format!("users/{}/contact_methods", rule.user_id),
                &rule.contact_method_id,
                rule.contact_method_id.as_str(),
            )
            .into(),
    };
    let minutes = rule.start_delay_in_minutes;
    Ok(NotificationRuleView {
        head: site.part(
            "assignment_notification_rule",
            &format!("users/{}/notification_rules", rule.user_id),
            &rule.id,
            match minutes {
                0 => "at once".to_owned(),
                1 => "after 1 minute".to_owned(),
                minutes => format!("after {minutes} minutes"),
            },
        ),
        start_delay_in_minutes: minutes,
        contact_method,
        urgency: rule.urgency,
    })
}

/// Whole users, their relations read in one go for all of them.
pub fn user_views(
    tx: &mut Tx,
    site: &Site,
    users: &[User],
    include: &Include,
) -> Result<Vec<UserView>, Problem> {
    let ids: Vec<&UserId> = users.iter().map(|user| &user.id).collect();
    let methods = store::contact_methods_of(tx, &ids)?;
    let rules = store::notification_rules_of(tx, &ids)?;
    let memberships = store::teams_of_users(tx, &ids)?;
    let team_ids: Vec<&TeamId> = memberships.iter().map(|(_, team)| team).collect();
    let teams = store::find_teams(tx, &team_ids)?;
    let team_views = team_views(tx, site, &teams)?;
    users
        .iter()
        .map(|user| {
            let own_methods: Vec<&ContactMethod> = methods
                .iter()
                .filter(|method| method.user_id == user.id)
                .collect();
            let contact_methods = own_methods
                .iter()
                .map(|method| {
                    let view = contact_method_view(site, method);
                    expand(include, "contact_methods", view.head.as_reference(), &view)
                })
                .collect::<Result<_, _>>()?;
            let notification_rules = rules
                .iter()
                .filter(|rule| rule.user_id == user.id)
                .map(|rule| {
                    let method = own_methods
                        .iter()
                        .find(|method| method.id == rule.contact_method_id);
                    let view = notification_rule_view(site, rule, method.copied(), include)?;
                    expand(include, "notification_rules", view.head.as_reference(), &view)
                })
                .collect::<Result<_, _>>()?;
            let teams = memberships
                .iter()
                .filter(|(member, _)| *member == user.id)
                .filter_map(|(_, team)| team_views.iter().find(|view| view.head.id == team.as_str()))
                .map(|view| expand(include, "teams", view.head.as_reference(), view))
                .collect::<Result<_, _>>()?;
            Ok(UserView {
                head: site.resource("user", "users", &user.id, &user.name),
                name: user.name.clone(),
                email: user.email.clone(),
                time_zone: user.time_zone.clone(),
                color: user.color.clone(),
                role: user.role.in_dialect(),
                muster_role: user.role,
                avatar_url: None,
                description: user.description.clone(),
                job_title: user.job_title.clone(),
                invitation_sent: false,
                created_via_sso: false,
                teams,
                contact_methods,
                notification_rules,
                http_cal_url: None,
                web_cal_url: None,
            })
        })
        .collect()
}

/// The reference, or the whole resource if the caller asked for `relation`.
pub fn expand(
    include: &Include,
    relation: &str,
    reference: Reference,
    whole: &impl Serialize,
) -> Result<Expandable, Problem> {
    if include.asks_for(relation) {
        Expandable::whole(whole)
    } else {
        Ok(reference.into())
    }
}

/// The addresses of a calendar feed: for browsers, and for calendar programs.
pub fn calendar_urls(site: &Site, calendar_key: &str) -> (String, String) {
    let http = site.url(&format!("/calendars/{calendar_key}.ics"));
    let web = http
        .split_once("://")
        .map_or_else(|| http.clone(), |(_, rest)| format!("webcal://{rest}"));
    (http, web)
}
