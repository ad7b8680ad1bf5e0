//! Services as they are sent, checked into their model.

use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;
use utoipa::ToSchema;

use crate::http::faults::{LONGEST_NAME, LONGEST_TEXT};
use crate::http::{Faults, Problem, ReferenceInput, Sent};
use crate::oncall::EscalationPolicyId;
use crate::services::model::{AlertGrouping, AutoPause, ScheduledAction, Service, SupportHours, UrgencyRule};

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ServiceRequest {
    pub service: ServiceInput,
}

/// What may be set. On a change, what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct ServiceInput {
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    escalation_policy: Option<ReferenceInput>,
    /// `active` or `disabled`; the other states follow from incidents.
    status: Option<String>,
    /// Seconds; 0 or null is off.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    auto_resolve_timeout: Sent<i64>,
    /// Seconds; 0 or null is off.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    acknowledgement_timeout: Sent<i64>,
    incident_urgency_rule: Option<UrgencyRule>,
    #[serde(default)]
    #[schema(value_type = Option<SupportHours>)]
    support_hours: Sent<SupportHours>,
    scheduled_actions: Option<Vec<ScheduledAction>>,
    #[serde(default)]
    #[schema(value_type = Option<GroupingInput>)]
    alert_grouping_parameters: Sent<GroupingInput>,
    /// The older form of `alert_grouping_parameters`, which come first where both are sent: `time` or `intelligent`.
    alert_grouping: Option<String>,
    /// Minutes, for `time`.
    alert_grouping_timeout: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Option<AutoPause>)]
    auto_pause_notifications_parameters: Sent<AutoPause>,
}

/// `alert_grouping_parameters`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct GroupingInput {
    /// `time`, `intelligent`, `content_based`, `content_based_intelligent`, or null for none.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Free-form: the settings of this way.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
}

const LONGEST_TIMEOUT: i64 = 31 * 86_400;
const MOST_ACTIONS: usize = 4;
const PAUSES: [u32; 6] = [0, 120, 180, 300, 600, 900];

/// The service as it will be: what was sent over what it was.
pub(super) fn check(tx: &mut Tx, input: &ServiceInput, before: Service) -> Result<Service, Problem> {
    let mut faults = Faults::new();
    let mut service = before;
    if input.name.is_some() || service.name.is_empty() {
        service.name = faults.name("Name", input.name.as_deref(), LONGEST_NAME);
    }
    service.description = faults.optional_text(
        "Description",
        input
            .description
            .clone()
            .over(service.description.take())
            .as_deref(),
        LONGEST_TEXT,
    );
    match (&input.escalation_policy, service.escalation_policy_id.as_str()) {
        (Some(reference), _) => {
            let id = EscalationPolicyId::from(reference.id.as_str());
            if crate::oncall::load_policy(tx, &id)?.is_none_or(|policy| policy.deleted_at.is_some()) {
                return Err(Problem::refused(1014, "Escalation policy was not found."));
            }
            service.escalation_policy_id = id;
        }
        (None, "") => faults.add("Escalation policy can't be blank."),
        (None, _) => {}
    }
    if let Some(status) = &input.status {
        service.disabled = status == "disabled";
        if !["active", "disabled", "warning", "critical", "maintenance"].contains(&status.as_str()) {
            faults.add("Status must be active or disabled.");
        }
    }
    service.auto_resolve_timeout = timeout(
        &mut faults,
        "Auto resolve timeout",
        &input.auto_resolve_timeout,
        service.auto_resolve_timeout,
    );
    service.acknowledgement_timeout = timeout(
        &mut faults,
        "Acknowledgement timeout",
        &input.acknowledgement_timeout,
        service.acknowledgement_timeout,
    );
    if let Some(rule) = input.incident_urgency_rule {
        service.incident_urgency_rule = rule;
    }
    service.support_hours = input.support_hours.clone().over(service.support_hours.take());
    check_hours(&mut faults, &service);
    if let Some(actions) = &input.scheduled_actions {
        if actions.len() > MOST_ACTIONS {
            faults.add(format!("Scheduled actions can be at most {MOST_ACTIONS}."));
        }
        service.scheduled_actions.clone_from(actions);
    }
    if service.support_hours.is_none() && !service.scheduled_actions.is_empty() {
        faults.add("Scheduled actions need support hours.");
    }
    match &input.alert_grouping_parameters {
        Sent::Nothing => {
            if let Some(kind) = &input.alert_grouping {
                service.alert_grouping = older_grouping(&mut faults, kind, input.alert_grouping_timeout);
            }
        }
        Sent::Null => service.alert_grouping = AlertGrouping::default(),
        Sent::Value(parameters) => service.alert_grouping = grouping(&mut faults, parameters),
    }
    match &input.auto_pause_notifications_parameters {
        Sent::Nothing => {}
        Sent::Null => service.auto_pause = AutoPause::default(),
        Sent::Value(pause) => {
            if !PAUSES.contains(&pause.timeout) {
                faults.add("Auto pause notifications timeout must be 0, 120, 180, 300, 600 or 900.");
            }
            service.auto_pause = *pause;
        }
    }
    faults.done()?;
    Ok(service)
}

fn timeout(faults: &mut Faults, field: &str, sent: &Sent<i64>, before: Option<i64>) -> Option<i64> {
    let seconds = sent.clone().over(before).filter(|seconds| *seconds != 0)?;
    Some(faults.within(field, seconds, 60..=LONGEST_TIMEOUT))
}

fn check_hours(faults: &mut Faults, service: &Service) {
    let Some(hours) = &service.support_hours else {
        if matches!(service.incident_urgency_rule, UrgencyRule::UseSupportHours { .. }) {
            faults.add("Support hours can't be blank when the urgency rule uses them.");
        }
        return;
    };
    faults.time_zone("Support hours time zone", &hours.time_zone);
    if hours.days_of_week.is_empty() || hours.days_of_week.iter().any(|day| !(1..=7).contains(day)) {
        faults.add("Support hours days of week must be between 1 (Monday) and 7 (Sunday).");
    }
}

/// The setting as older clients send it.
fn older_grouping(faults: &mut Faults, kind: &str, minutes: Option<i64>) -> AlertGrouping {
    if !matches!(kind, "time" | "intelligent") {
        faults.add("Alert grouping must be time or intelligent.");
        return AlertGrouping::default();
    }
    let config = (kind == "time").then(|| json!({ "timeout": minutes.unwrap_or(0) }));
    let parameters = GroupingInput {
        kind: Some(kind.to_owned()),
        config,
    };
    grouping(faults, &parameters)
}

/// Where the settings of a grouping stand in a body.
const CONFIG: &str = "service.alert_grouping_parameters.config";
const MOST_GROUPING_FIELDS: usize = 20;

/// The settings of every way of grouping, read with their types. Those that are not sent, or sent as null, have
/// their usual value; a wrong one is named and never stands for the usual one.
struct GroupingSettings {
    timeout: Option<i64>,
    time_window: Option<i64>,
    aggregate: triage::Aggregate,
    fields: Vec<String>,
}

impl GroupingSettings {
    fn read(faults: &mut Faults, config: Option<&Value>) -> Self {
        if config.is_some_and(|config| !config.is_object()) {
            faults.add(format!("{CONFIG} must be a JSON object."));
        }
        let of = |name: &str| config.and_then(|config| config.get(name));
        let named = if of("fields").is_some() {
            "fields"
        } else {
            "iag_fields"
        };
        Self {
            timeout: whole_number(faults, "timeout", of("timeout")),
            time_window: whole_number(faults, "time_window", of("time_window")),
            aggregate: aggregate(faults, of("aggregate")),
            fields: grouping_fields(faults, named, of(named)),
        }
    }
}

fn whole_number(faults: &mut Faults, name: &str, sent: Option<&Value>) -> Option<i64> {
    let sent = sent.filter(|sent| !sent.is_null())?;
    if sent.as_i64().is_none() {
        faults.add(format!("{CONFIG}.{name} must be a whole number."));
    }
    sent.as_i64()
}

fn aggregate(faults: &mut Faults, sent: Option<&Value>) -> triage::Aggregate {
    match sent {
        None | Some(Value::Null) => triage::Aggregate::All,
        Some(sent) => match sent.as_str() {
            Some("any") => triage::Aggregate::Any,
            Some("all" | "") => triage::Aggregate::All,
            _ => {
                faults.add(format!("{CONFIG}.aggregate must be all or any."));
                triage::Aggregate::All
            }
        },
    }
}

fn grouping_fields(faults: &mut Faults, name: &str, sent: Option<&Value>) -> Vec<String> {
    let list = match sent {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            faults.add(format!("{CONFIG}.{name} must be a list."));
            return Vec::new();
        }
    };
    if list.len() > MOST_GROUPING_FIELDS {
        faults.add(format!(
            "Alert grouping fields may be at most {MOST_GROUPING_FIELDS}."
        ));
    }
    let mut fields = Vec::new();
    for (index, field) in list.iter().enumerate().take(MOST_GROUPING_FIELDS) {
        match field.as_str() {
            Some(field) => fields.push(field.to_owned()),
            None => faults.add(format!("{CONFIG}.{name}[{index}] must be a text.")),
        }
    }
    fields
}

/// The setting in the words of the `triage` crate. Minutes of `time` become seconds; 0 lasts until resolved.
fn grouping(faults: &mut Faults, parameters: &GroupingInput) -> AlertGrouping {
    let config = parameters.config.clone().filter(|config| !config.is_null());
    let GroupingSettings {
        timeout,
        time_window,
        aggregate,
        fields,
    } = GroupingSettings::read(faults, config.as_ref());
    let window = |faults: &mut Faults, longest: i64| {
        let seconds = faults.within(
            "Alert grouping time window",
            time_window.unwrap_or(300),
            60..=longest,
        );
        u32::try_from(seconds).unwrap_or(300)
    };
    let grouping = match parameters.kind.as_deref() {
        None | Some("") => triage::Grouping::Off,
        Some("time") => {
            let minutes = faults.within("Alert grouping timeout", timeout.unwrap_or(0), 0..=1440);
            let seconds = u32::try_from(minutes * 60).ok().filter(|seconds| *seconds > 0);
            triage::Grouping::Time {
                window_seconds: seconds,
            }
        }
        Some("intelligent") => triage::Grouping::Intelligent {
            fields,
            window_seconds: window(faults, 3600),
        },
        Some("content_based") => {
            if fields.is_empty() {
                faults.add("Alert grouping fields can't be blank.");
            }
            triage::Grouping::ContentBased {
                aggregate,
                fields,
                window_seconds: window(faults, 86_400),
            }
        }
        Some("content_based_intelligent") => triage::Grouping::ContentBasedIntelligent {
            aggregate,
            fields,
            window_seconds: window(faults, 3600),
        },
        Some(_) => {
            faults.add(
                "Alert grouping type must be time, intelligent, content_based or content_based_intelligent.",
            );
            triage::Grouping::Off
        }
    };
    AlertGrouping { grouping, config }
}
