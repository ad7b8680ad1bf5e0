//! What is known about a request before anybody looks at who made it.

/// The id that names one request in the log, the audit and the answer's `x-request-id`.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);
