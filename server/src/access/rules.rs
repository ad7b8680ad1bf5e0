//! The one table of who may do what.

use super::model::{Action, Resource};
use crate::people::Role;

/// How far a permission reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    No,
    /// Only for things of a team in which the caller is a manager.
    OwnTeams,
    Yes,
}

/// What `role` may do with `resource`. Everything not named is refused.
pub fn grant(role: Role, action: Action, resource: Resource) -> Grant {
    match role {
        Role::Owner => Grant::Yes,
        Role::Admin => admin(action, resource),
        Role::Manager => manager(action, resource),
        Role::Responder => responder(action, resource),
        Role::Agent => agent(action, resource),
        Role::Stakeholder => stakeholder(action, resource),
        Role::Observer => observer(action, resource),
    }
}

/// An account-level key: a program that the owner trusts, but which signs nothing in a person's name.
pub fn account_key_grant(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (Action::Approve, _) | (Action::Change, Resource::OwnProfile) => Grant::No,
        _ => admin(action, resource),
    }
}

fn admin(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (Action::Create | Action::Change | Action::Delete, Resource::Audit | Resource::Outbox) => Grant::No,
        _ => Grant::Yes,
    }
}

fn manager(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (Action::View, Resource::ApiKey | Resource::Audit | Resource::Settings) => Grant::No,
        (Action::View | Action::Respond, _) | (_, Resource::OwnProfile) => Grant::Yes,
        (_, Resource::User | Resource::ApiKey | Resource::Audit | Resource::Outbox | Resource::Settings) => {
            Grant::No
        }
        (Action::Create | Action::Change | Action::Delete | Action::Approve | Action::Publish, _) => {
            Grant::Yes
        }
    }
}

fn responder(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (Action::View, Resource::ApiKey | Resource::Audit | Resource::Settings) => Grant::No,
        (Action::View, _)
        | (_, Resource::OwnProfile)
        | (Action::Create | Action::Change | Action::Respond | Action::Publish, Resource::Incident)
        | (Action::Create | Action::Change | Action::Delete, Resource::Override)
        | (Action::Create | Action::Change | Action::Respond, Resource::Case)
        | (Action::Create | Action::Change | Action::Publish, Resource::Update)
        | (Action::Create | Action::Change, Resource::MaintenanceWindow | Resource::Review) => Grant::Yes,
        (
            Action::Create | Action::Change | Action::Delete,
            Resource::Service | Resource::EscalationPolicy | Resource::Schedule | Resource::BusinessService,
        )
        | (Action::Delete, Resource::MaintenanceWindow)
        | (Action::Change, Resource::Team)
        | (Action::Approve, Resource::Update) => Grant::OwnTeams,
        _ => Grant::No,
    }
}

fn agent(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (Action::View, Resource::ApiKey | Resource::Audit | Resource::Settings | Resource::Outbox) => {
            Grant::No
        }
        (Action::View, _)
        | (_, Resource::OwnProfile)
        | (Action::Create, Resource::Incident)
        | (Action::Create | Action::Change | Action::Respond | Action::Publish, Resource::Case)
        | (Action::Create | Action::Change, Resource::Account | Resource::Update)
        | (Action::Change, Resource::Location) => Grant::Yes,
        _ => Grant::No,
    }
}

fn stakeholder(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (
            Action::View,
            Resource::Incident
            | Resource::Service
            | Resource::BusinessService
            | Resource::Schedule
            | Resource::EscalationPolicy
            | Resource::MaintenanceWindow
            | Resource::User
            | Resource::Team
            | Resource::Location
            | Resource::Update
            | Resource::Audience
            | Resource::StatusPage
            | Resource::Review,
        )
        | (Action::View | Action::Change, Resource::OwnProfile) => Grant::Yes,
        _ => Grant::No,
    }
}

fn observer(action: Action, resource: Resource) -> Grant {
    match (action, resource) {
        (Action::View, Resource::ApiKey | Resource::Audit | Resource::Settings | Resource::Outbox) => {
            Grant::No
        }
        (Action::View, _) | (Action::Change, Resource::OwnProfile) => Grant::Yes,
        _ => Grant::No,
    }
}
