//! Incidents.

crate::identifier! {
    /// One incident.
    IncidentId
}
