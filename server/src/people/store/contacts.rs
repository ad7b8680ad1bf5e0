//! The rows of contact methods and notification rules.

use store::{Error, Tx, Value, params, sql};

use crate::people::model::{ContactMethod, ContactMethodId, NotificationRule, NotificationRuleId, UserId};

/// The contact methods of these users, oldest first.
pub fn contact_methods_of(tx: &mut Tx, users: &[&UserId]) -> Result<Vec<ContactMethod>, Error> {
    tx.rows(
        sql!(
            "SELECT id, user_id, type, label, address, country_code, send_short_email, device_type, created_at
             FROM contact_methods WHERE user_id = ANY($1) ORDER BY id"
        ),
        params![Value::texts(users)],
    )
}

pub fn find_contact_method(
    tx: &mut Tx,
    user_id: &UserId,
    id: &ContactMethodId,
) -> Result<Option<ContactMethod>, Error> {
    tx.row(
        sql!(
            "SELECT id, user_id, type, label, address, country_code, send_short_email, device_type, created_at
             FROM contact_methods WHERE id = $1 AND user_id = $2"
        ),
        params![id, user_id],
    )
}

pub fn add_contact_method(tx: &mut Tx, method: &ContactMethod) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO contact_methods (id, user_id, type, label, address, country_code, send_short_email,
                 device_type, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        params![
            &method.id,
            &method.user_id,
            method.kind,
            &method.label,
            &method.address,
            method.country_code,
            method.send_short_email,
            method.device_type.as_deref(),
            method.created_at
        ],
    )
}

pub fn update_contact_method(tx: &mut Tx, method: &ContactMethod) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE contact_methods SET label = $2, address = $3, country_code = $4, send_short_email = $5, device_type = $6
             WHERE id = $1"
        ),
        params![
            &method.id,
            &method.label,
            &method.address,
            method.country_code,
            method.send_short_email,
            method.device_type.as_deref()
        ],
    )
}

/// Removes a contact method and the rules that use it.
pub fn delete_contact_method(tx: &mut Tx, id: &ContactMethodId) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM notification_rules WHERE contact_method_id = $1"),
        params![id],
    )?;
    tx.execute_one(sql!("DELETE FROM contact_methods WHERE id = $1"), params![id])
}

/// The rules of these users, in the order in which they fire.
pub fn notification_rules_of(tx: &mut Tx, users: &[&UserId]) -> Result<Vec<NotificationRule>, Error> {
    tx.rows(
        sql!(
            "SELECT id, user_id, contact_method_id, start_delay_in_minutes, urgency
             FROM notification_rules WHERE user_id = ANY($1) ORDER BY urgency, start_delay_in_minutes, id"
        ),
        params![Value::texts(users)],
    )
}

pub fn find_notification_rule(
    tx: &mut Tx,
    user_id: &UserId,
    id: &NotificationRuleId,
) -> Result<Option<NotificationRule>, Error> {
    tx.row(
        sql!(
            "SELECT id, user_id, contact_method_id, start_delay_in_minutes, urgency
             FROM notification_rules WHERE id = $1 AND user_id = $2"
        ),
        params![id, user_id],
    )
}

pub fn add_notification_rule(
    tx: &mut Tx,
    rule: &NotificationRule,
    now: jiff::Timestamp,
) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO notification_rules (id, user_id, contact_method_id, start_delay_in_minutes, urgency, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            &rule.id,
            &rule.user_id,
            &rule.contact_method_id,
            rule.start_delay_in_minutes,
            rule.urgency,
            now
        ],
    )
}

pub fn update_notification_rule(tx: &mut Tx, rule: &NotificationRule) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE notification_rules SET contact_method_id = $2, start_delay_in_minutes = $3, urgency = $4 WHERE id = $1"
        ),
        params![
            &rule.id,
            &rule.contact_method_id,
            rule.start_delay_in_minutes,
            rule.urgency
        ],
    )
}

pub fn delete_notification_rule(tx: &mut Tx, id: &NotificationRuleId) -> Result<(), Error> {
    tx.execute_one(sql!("DELETE FROM notification_rules WHERE id = $1"), params![id])
}
