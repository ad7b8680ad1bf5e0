//! What can break: technical services, the touchpoints that customers know, and who stands on whom.
//!
//! Events reach a service through an integration and its key. A service says who is paged (its escalation
//! policy), how urgent its incidents are, how its alerts are grouped, and when incidents end by themselves.
//! Dependencies join technical and business services in either direction; they never form a circle, so
//! every walk over them ends. A maintenance window keeps its services from opening incidents.

pub mod api;
pub mod change_events;
pub mod graph;
pub mod model;
pub mod rules;
pub mod store;

pub use model::{
    BusinessServiceId, IntegrationId, MaintenanceWindowId, NamedTime, PriorityId, Rank, Service,
    ServiceDependencyId, ServiceId, Urgency,
};
pub use rules::{Silence, is_raised_by, next_rise, urgency_at};
pub use store::silence_of;
